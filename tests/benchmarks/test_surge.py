"""The bench of the surge detector: its bars are met, and each can be missed."""

from dataclasses import replace
from pathlib import Path

import pytest
from careline_benchmarks import surge_detection
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport

from bot.container import Home
from bot.core.settings import Settings


@pytest.fixture(autouse=True)
def few_years(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {
        name: replace(world, years=min(world.years, 30))
        for name, world in surge_detection.WORLDS.items()
    }
    monkeypatch.setattr(surge_detection, "WORLDS", few)


def measured(tmp_path: Path, *, planted: bool) -> BenchmarkReport:
    home = Home(Settings.load(tmp_path))
    setting = BenchmarkContext(tmp_path, home, tmp_path, planted=planted)
    return surge_detection.BENCHMARK.run(setting, [], lambda _: None)


def test_the_budget_holds_and_doublings_are_flagged(tmp_path: Path) -> None:
    result = measured(tmp_path, planted=False)
    assert [bar.name for bar in result.bars if not bar.ok] == []
    assert set(result.figures["false_alarms_a_week"]) == set(surge_detection.WORLDS)


def test_every_bar_can_be_missed(tmp_path: Path) -> None:
    result = measured(tmp_path, planted=True)
    assert [bar.name for bar in result.bars if bar.ok] == []
