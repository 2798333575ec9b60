"""The bench of a million vectors, on fewer and shorter ones."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from careline_benchmarks import vector_index
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport

from bot.core.types import CarelineError
from tests.benchmarks.conftest import TinyHome

BARS = ("recall@10", "time of a search", "peak megabytes", "megabytes of the file")


@pytest.fixture(scope="module")
def setting(
    tiny_home: TinyHome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BenchmarkContext]:
    scratch = tmp_path_factory.mktemp("vectors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_index, "COUNT", 60_000)
        patch.setattr(vector_index, "DIMENSION", 64)
        yield BenchmarkContext(scratch, tiny_home, scratch)


def run(setting: BenchmarkContext) -> BenchmarkReport:
    return vector_index.BENCHMARK.run(setting, (), lambda _: None)


@pytest.fixture(scope="module")
def sound(setting: BenchmarkContext) -> BenchmarkReport:
    return run(setting)


def test_four_bars_are_said(sound: BenchmarkReport) -> None:
    assert len(sound.bars) == len(BARS)
    for bar, name in zip(sound.bars, BARS, strict=True):
        assert bar.name.startswith("ingest: 60,000 vectors: ")
        assert name in bar.name


def test_recall_memory_and_file_are_as_they_should_be(sound: BenchmarkReport) -> None:
    recall, _, memory, file = sound.bars  # the time says nothing about so few
    assert recall.ok
    assert 20 < memory.value < 900
    assert 60_000 * 64 / 1e6 < file.value < 3 * 60_000 * 64 / 1e6


def test_figures_say_what_each_process_took(sound: BenchmarkReport) -> None:
    figures = sound.figures["million"]
    assert figures["count"] == 60_000
    assert figures["build"]["kind"] == "ivf"
    for step in ("build", "serve", "flat"):
        assert figures[step]["peak_megabytes"] > 20


def test_a_planted_failure_turns_recall_red(
    setting: BenchmarkContext, sound: BenchmarkReport
) -> None:
    planted = run(replace(setting, planted=True))
    assert [bar.name for bar in planted.bars] == [bar.name for bar in sound.bars]
    assert not planted.bars[0].ok
    assert planted.bars[0].value < sound.bars[0].value


def test_a_step_that_fails_is_named(setting: BenchmarkContext, tmp_path: Path) -> None:
    (tmp_path / "dense").mkdir()
    with pytest.raises(CarelineError, match="the step build of 60,000 vectors failed"):
        run(replace(setting, scratch=tmp_path))
