"""Every part of every benchmark runs, says its bars, and fails when it should."""

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import pytest
from careline_benchmarks import harness
from careline_benchmarks.harness import Bar, Benchmark, BenchmarkContext, BenchmarkReport

from bot import cli
from bot.cli.bench import benchmarks
from bot.container import Home
from bot.core.types import CarelineError
from tests.benchmarks.conftest import TinyHome

# Minutes each, or seconds on end for what the others show as well.
SLOW = {
    *("banking77-full", "banking77-full-e5", "clinc150", "hint3", "serving", "kills", "million"),
    *("follow-ups", "unanswerable-demo", "incremental", "xsid", "requests"),
}
DEMO = {"follow-ups", "suggestions", "unanswerable-demo"}  # these read the demo's cases
PARTS = {
    part: bench
    for bench in (
        "intents",
        "understand",
        "promise",
        "search",
        "ingest",
        "extracts",
        "unanswerable",
        "seeking",
        "shop",
    )
    for part in benchmarks()[bench].load().parts
}
EACH = [pytest.param(part, marks=pytest.mark.slow if part in SLOW else ()) for part in PARTS]
# What even a tiny encoder does on easy data; the others need the real one, or more data.
GREEN = ("banking77-head", "banking77-head-e5", "typos", "lint", "language")

State = Literal["sound", "planted"]
Run = Callable[[str, State], BenchmarkReport]


@pytest.fixture(scope="module")
def run(
    request: pytest.FixtureRequest,
    invented_data: Path,
    tiny_home: TinyHome,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Return what runs a part; each is run once."""

    @cache
    def once(part: str, state: State) -> BenchmarkReport:
        trained = part == "serving" or part in DEMO
        home: Home = request.getfixturevalue("trained") if trained else tiny_home
        scratch = tmp_path_factory.mktemp(f"{part}-{state}")
        setting = BenchmarkContext(invented_data, home, scratch, planted=state == "planted")
        benchmark: Benchmark = benchmarks()[PARTS[part]].load()
        return benchmark.run(setting, [part], lambda _: None)

    return once


@pytest.mark.parametrize("part", EACH)
def test_a_part_runs_and_says_its_bars(run: Run, part: str) -> None:
    shape = run(part, "sound").as_json()
    json.dumps(shape, allow_nan=False)
    assert shape["bars"]
    for bar in shape["bars"]:
        assert set(bar) == {"name", "value", "bar", "ok"}
        assert isinstance(bar["ok"], bool)
    assert len({bar["name"] for bar in shape["bars"]}) == len(shape["bars"])


@pytest.mark.parametrize("part", GREEN)
def test_easy_data_is_no_trouble(run: Run, part: str) -> None:
    assert [bar for bar in run(part, "sound").bars if not bar.ok] == []


@pytest.mark.parametrize("part", EACH)
def test_a_planted_failure_turns_a_bar_red(run: Run, part: str) -> None:
    sound, planted = run(part, "sound").bars, run(part, "planted").bars
    assert [bar.name for bar in planted] == [bar.name for bar in sound]
    assert [bar.name for bar in planted if not bar.ok]


def test_what_is_spoilt_is_worse_than_what_is_not(run: Run) -> None:
    for part in ("banking77-head", "lint", "language"):
        sound, planted = run(part, "sound").bars[0], run(part, "planted").bars[0]
        assert planted.value < sound.value


def test_bars_are_met_at_their_very_value() -> None:
    assert harness.at_least("a", 0.5, 0.5) == Bar("a", 0.5, 0.5, ok=True)
    assert harness.at_most("b", 0.5, 0.5) == Bar("b", 0.5, 0.5, ok=True)
    assert not harness.at_least("c", 0.49999, 0.5).ok
    assert not harness.at_most("d", 0.50001, 0.5).ok


@pytest.mark.parametrize("value", [float("nan")])
def test_nothing_to_measure_is_no_success(value: float) -> None:
    assert not harness.at_least("a", value, 0.5).ok
    assert not harness.at_most("a", value, 0.5).ok


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("banking77-head", "intents/banking77/train.csv"),
        ("lint", "intents/banking77/train.csv"),
        ("xsid", "intents/xsid/en_valid.csv"),
        ("language", "intents/xsid/en_valid.csv"),
        ("sentiment", "emotion/goemotions_labels.txt"),
    ],
)
def test_data_that_is_missing_is_named(
    tiny_home: TinyHome, tmp_path: Path, part: str, file: str
) -> None:
    benchmark: Benchmark = benchmarks()[PARTS[part]].load()
    setting = BenchmarkContext(tmp_path / "empty", tiny_home, tmp_path / "scratch")
    with pytest.raises(CarelineError, match="CARELINE_DATA") as caught:
        benchmark.run(setting, [part], lambda _: None)
    assert str(tmp_path / "empty" / file) in str(caught.value)


class Shell(Protocol):
    """Runs a command as a shell does, in this process, on the tiny home."""

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Return the exit code, standard output and standard error."""


@pytest.fixture
def careline(
    tiny_home: TinyHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.setattr("bot.cli.bench.open_home", lambda _: tiny_home)
    monkeypatch.delenv("CARELINE_DATA", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["careline", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_the_command_ends_with_0_when_every_bar_is_met(
    careline: Shell, invented_data: Path
) -> None:
    code, out, err = careline(
        *("bench", "understand", "--only", "language", "--data", str(invented_data), "--json")
    )
    assert code == 0
    assert [bar["ok"] for bar in json.loads(out)["bars"]] == [True, True]
    assert "ok  language: xsid" in err


def test_the_command_ends_with_1_when_a_bar_is_missed(careline: Shell, invented_data: Path) -> None:
    words = ("bench", "understand", "--only", "language", "--data", str(invented_data))
    code, out, err = careline(*words, "--plant", "--json")
    assert code == 1
    assert False in [bar["ok"] for bar in json.loads(out)["bars"]]
    assert "RED language" in err
    assert careline(*words, "--plant")[:2] == (1, "2 bars, 2 missed\n")


def test_the_environment_may_name_the_data(
    careline: Shell, invented_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINE_DATA", str(invented_data))
    code, out, _ = careline("bench", "understand", "--only", "language")
    assert (code, out) == (0, "2 bars, 0 missed\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("bench", "intents"), 1, "CARELINE_DATA"),
        (("bench", "intents", "--data", "nowhere"), 1, "CARELINE_DATA"),
        (("bench", "intents", "--data", "EMPTY", "--only", "lint"), 1, "train.csv"),
        (("bench", "intents", "--data", "EMPTY", "--only", "lnit"), 1, "choose from"),
        (("bench", "everything", "--data", "EMPTY"), 2, "everything"),
        (("bench",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_measured_is_said(
    careline: Shell, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = careline(*(str(tmp_path) if word == "EMPTY" else word for word in words))
    assert (ended, out) == (code, "")
    assert said in err
    if code == 1:
        lines = [line for line in err.strip().splitlines() if not line.endswith("…")]
        assert len(lines) == 1
