"""The widget's bench measures in a real browser; each of its parts fails when it should."""

from pathlib import Path
from typing import Protocol

import pytest
from careline_benchmarks import widget
from careline_benchmarks.harness import Bar, BenchmarkContext

from bot.container import Home
from bot.core.settings import Settings


class Measured(Protocol):
    """Runs a part, spoilt or not."""

    def __call__(self, part: str, *, planted: bool) -> list[Bar]: ...


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    def run(part: str, *, planted: bool) -> list[Bar]:
        setting = BenchmarkContext(
            tmp_path, Home(Settings.load(tmp_path)), tmp_path, planted=planted
        )
        return widget.BENCHMARK.run(setting, [part], lambda _: None).bars

    return run


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", widget.BENCHMARK.parts)
def test_a_part_is_green_and_turns_red_when_it_is_spoilt(measured: Measured, part: str) -> None:
    assert [bar for bar in measured(part, planted=False) if not bar.ok] == []
    spoilt = measured(part, planted=True)
    assert [bar for bar in spoilt if not bar.ok]
    if part == "speed":  # both its start and its click are slowed down
        assert [bar for bar in spoilt if bar.ok] == []
