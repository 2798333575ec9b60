"""The bench of topics: words that fall into subjects meet its bars, and each can be missed."""

import csv
from pathlib import Path

import numpy as np
import pytest
from careline_benchmarks import topic_discovery
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport

from tests.benchmarks.conftest import TinyHome

THINGS = ("tent", "stove", "jacket", "boots", "lamp", "rope", "kayak", "tyre")
WAYS = ("broken", "lost", "late", "wrong", "torn", "wet", "cold", "loud", "small", "heavy", "dirty")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    rows = [
        (f"the {thing} {thing} is {first} and {second}", thing)
        for thing in THINGS
        for first, second in rng.choice(WAYS, (40, 2))
    ]
    for place in (("natcs", "insurance.csv"), ("clinc150", "test.csv")):
        file = tmp_path.joinpath("intents", *place)
        file.parent.mkdir(parents=True)
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("text", "intent"), *rows])
    return tmp_path


def measured(folder: Path, home: TinyHome, *, planted: bool) -> BenchmarkReport:
    return topic_discovery.BENCHMARK.run(
        BenchmarkContext(folder, home, folder, planted=planted), [], lambda _: None
    )


def test_subjects_are_found_and_new_ones_noticed(folder: Path, tiny_home: TinyHome) -> None:
    result = measured(folder, tiny_home, planted=False)
    assert [bar.name for bar in result.bars if not bar.ok] == []
    assert result.figures["clinc150"]["new_subjects"] == len(THINGS)
    assert result.figures["natcs"]["topics"] >= len(THINGS)


def test_every_bar_can_be_missed(folder: Path, tiny_home: TinyHome) -> None:
    result = measured(folder, tiny_home, planted=True)
    assert len(result.bars) == 3
    assert [bar.name for bar in result.bars if bar.ok] == []
