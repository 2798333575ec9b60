"""The bench of the support check runs on small data of its own and fails when it should."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from careline_benchmarks import contradictions, support_check
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from tests.bot.generation.verification.test_checker import Letters

SUBJECTS = ("tents", "boots", "jackets", "gloves", "stoves", "ropes", "lamps", "packs")
PLACES = ("Oslo", "Lima", "Rome", "Cairo", "Perth")
FIELDS = ("model_name", "data_source", "knowledge", "message", "response", "begin_label")


def table(part: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, delimiter="\t", quoting=csv.QUOTE_NONE)
    writer.writeheader()
    for subject in SUBJECTS:
        for place in PLACES:
            known = f"Our {subject} from {place} are tested for rain. They are sold in May."
            for reply, label in (
                (f"The {subject} from {place} are tested for rain.", "Fully attributable"),
                ("I like winter more than any other season.", "Not fully attributable"),
            ):
                row = dict.fromkeys(FIELDS, "") | {"knowledge": known, "response": reply}
                writer.writerow(row | {"data_source": part, "begin_label": label})
    return gzip.compress(text.getvalue().encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("supporting")
    (data / "grounding").mkdir()
    for part in ("cmu", "wow", "tc"):
        (data / "grounding" / f"begin_dev_{part}.tsv.gz").write_bytes(table(part))
    (data / "retrieval" / "cmrc_zh_a").mkdir(parents=True)
    article = {"id": "a", "title": "", "text": "门店周一营业。退货需要 5 天，不能超过 30 天。"}
    (data / "retrieval" / "cmrc_zh_a" / "articles.jsonl").write_text(
        json.dumps(article, ensure_ascii=False), "utf-8"
    )
    return data


class LettersHome(Home):
    """A home whose encoder counts letters."""

    def encoder(self, base: str | None = None) -> Letters:  # type: ignore[override]
        del base
        return Letters()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home with a few articles of a demo in it."""
    home = LettersHome(Settings.load(tmp_path_factory.mktemp("demo")))
    kb = home.path / "kb"
    kb.mkdir()
    for number, subject in enumerate(SUBJECTS[:3]):
        (kb / f"{subject}.md").write_text(
            f"---\ntitle: About {subject}\nlanguage: en\n---\n# About {subject}\n\n"
            f"You can return {subject} within {number + 20} days if the tag is on. "
            f"They are sold in {PLACES[number]} on Monday and weigh {number + 2} kg.\n",
            "utf-8",
        )
        (kb / f"{subject}-zh.md").write_text(
            f"---\ntitle: 关于商品{number}\nlanguage: zh\n---\n# 关于商品{number}\n\n"
            f"如果吊牌完整，{number + 20} 天内可以退货。"
            f"重量是 {number + 2} 公斤，周一在香港发货。\n",
            "utf-8",
        )
    return home


def run(folder: Path, home: Home, part: str, *, planted: bool = False) -> BenchmarkReport:
    setting = BenchmarkContext(folder, home, folder, planted=planted)
    return support_check.BENCHMARK.run(setting, [part], lambda _: None)


@pytest.mark.parametrize("part", ["begin", "planted", "fit"])
def test_a_planted_failure_turns_a_bar_red(folder: Path, demo: Home, part: str) -> None:
    sound, planted = (run(folder, demo, part, planted=p).bars for p in (False, True))
    assert [bar.name for bar in planted] == [bar.name for bar in sound]
    assert [bar.name for bar in planted if not bar.ok]


def test_easy_replies_are_told_apart(folder: Path, demo: Home) -> None:
    result = run(folder, demo, "begin")
    assert [bar for bar in result.bars if not bar.ok] == []
    json.dumps(result.as_json(), allow_nan=False)


def test_true_extracts_of_the_demo_are_kept(folder: Path, demo: Home) -> None:
    kept = [bar for bar in run(folder, demo, "planted").bars if "rejected" in bar.name]
    assert [bar.value for bar in kept] == [0.0, 0.0]


def test_flips_are_of_all_kinds_and_the_same_each_time(folder: Path, demo: Home) -> None:
    for language in ("en", "zh"):
        read = support_check.sources(BenchmarkContext(folder, demo, folder), language)
        made = contradictions.plant(read, 12)
        assert made == contradictions.plant(read, 12)
        assert {flip.kind for flip in made} >= {"number", "unit", "negation", "condition"}
        for flip in made:
            assert flip.text != flip.before
            assert all(flip.text not in passage for passage in flip.passages)


@pytest.mark.parametrize("part", ["planted", "fit"])
def test_a_home_without_the_demo_is_told_so(folder: Path, tmp_path: Path, part: str) -> None:
    setting = BenchmarkContext(folder, LettersHome(Settings.load(tmp_path)), folder)
    with pytest.raises(CarelineError, match="--home data"):
        support_check.BENCHMARK.run(setting, [part], lambda _: None)
