"""The bench of suggested replies, on invented dialogs: bars are met, and each can be missed."""

import gzip
import json
from pathlib import Path

import pytest
from careline_benchmarks import reply_suggestions
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport

from bot.core.types import CarelineError
from tests.benchmarks.conftest import TinyHome

ANSWERS = {
    "opening hours": ("hours", "We are open from nine to six."),
    "the price of a tent": ("price", "A tent costs forty a week."),
    "a bike in red": ("bike", "Yes, there are red bikes left."),
    "my parcel": ("parcel", "Your parcel is on its way."),
    "a refund": ("refund", "The money comes back in five days."),
}


@pytest.fixture
def invented_star(tmp_path: Path) -> Path:
    path = tmp_path / "transcripts" / "star_a.jsonl.gz"
    path.parent.mkdir()
    openings = ("hello", "good day", "hi there", "hey", "morning")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(120):
            about = list(ANSWERS)[number % len(ANSWERS)]
            label, said = ANSWERS[about]
            turns = [
                {"role": "customer", "text": openings[number % 4]},
                {"role": "agent", "text": "How can I help?", "label": "hello", "options": ["x"]},
                {"role": "customer", "text": f"{openings[number % 5]}, I ask about {about}"},
                {"role": "agent", "text": said, "label": label, "options": [label, "y"]},
            ]
            file.write(json.dumps({"id": f"s-{number}", "turns": turns}) + "\n")
    return tmp_path


def measured(data: Path, home: TinyHome, *, planted: bool) -> BenchmarkReport:
    setting = BenchmarkContext(data, home, data, planted=planted)
    return reply_suggestions.BENCHMARK.run(setting, [], lambda _: None)


def test_templates_are_foretold(invented_star: Path, tiny_home: TinyHome) -> None:
    result = measured(invented_star, tiny_home, planted=False)
    figures = result.figures["suggest"]
    assert figures["history"]["top1"] > 0.9
    assert figures["train"] > figures["test"] > 10
    assert [bar.name for bar in result.bars if not bar.ok] in (
        [],
        ["suggest: past replies over BM25, cosine"],  # plain words are all BM25 needs here
    )


def test_every_bar_can_be_missed(invented_star: Path, tiny_home: TinyHome) -> None:
    result = measured(invented_star, tiny_home, planted=True)
    assert len(result.bars) == 5
    assert [bar.name for bar in result.bars if bar.ok and "three" not in bar.name] == []


def test_data_that_is_not_there_is_named(tmp_path: Path, tiny_home: TinyHome) -> None:
    with pytest.raises(CarelineError, match=r"star_a\.jsonl\.gz"):
        measured(tmp_path, tiny_home, planted=False)
