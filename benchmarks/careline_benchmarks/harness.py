"""The benchmark harness: parts, figures, and the bars that figures must reach."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.cli.bench import BenchmarkOptions
from bot.container import Home
from bot.core.types import CarelineError


@dataclass(frozen=True)
class Bar:
    """A figure and the limit that it must reach."""

    name: str
    value: float
    bar: float
    ok: bool


def at_least(name: str, value: float, bar: float) -> Bar:
    """Return a lower limit for a value."""
    return Bar(name, round(value, 4), bar, value >= bar)


def at_most(name: str, value: float, bar: float) -> Bar:
    """Return an upper limit for a value."""
    return Bar(name, round(value, 4), bar, value <= bar)


@dataclass(frozen=True)
class BenchmarkContext:
    """The inputs of a benchmark.

    `planted` spoils what is measured, so that a limit must fail: it proves that the benchmark can.
    """

    data: Path
    home: Home
    scratch: Path
    seeds: int = 1
    planted: bool = False
    progress: bool = False

    def file(self, *parts: str) -> Path:
        """Return a file of the real data; raise CarelineError if it does not exist."""
        path = self.data.joinpath(*parts)
        if not path.exists():
            message = f"there is no {path}: point --data or CARELINE_DATA at the real data"
            raise CarelineError(message)
        return path


@dataclass
class BenchmarkReport:
    """The limits of a run, and its other figures."""

    bars: list[Bar] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"bars": [asdict(bar) for bar in self.bars], **self.figures}


Part = Callable[[BenchmarkContext, BenchmarkReport], None]


@dataclass(frozen=True)
class Benchmark:
    """The parts of one `careline bench NAME`, in order."""

    parts: Mapping[str, Part]

    def run(
        self, setting: BenchmarkContext, only: Sequence[str], report: Callable[[str], None]
    ) -> BenchmarkReport:
        """Run the parts, or those in `only`, and report each bar as a line.

        Raises:
            CarelineError: `only` names a part that does not exist.
        """
        if unknown := sorted(set(only) - set(self.parts)):
            message = f"there is no part {', '.join(unknown)}: choose from {', '.join(self.parts)}"
            raise CarelineError(message)
        result = BenchmarkReport()
        for name, part in self.parts.items():
            if only and name not in only:
                continue
            before = len(result.bars)
            report(f"{name} …")
            part(setting, result)
            for bar in result.bars[before:]:
                state = "ok " if bar.ok else "RED"
                report(f"  {state} {bar.name}: {bar.value} (bar {bar.bar})")
        return result

    def measure(
        self, options: BenchmarkOptions, only: Sequence[str], report: Callable[[str], None]
    ) -> BenchmarkReport:
        """Run in a temporary folder; this is what `careline bench` calls."""
        with tempfile.TemporaryDirectory(prefix="careline-bench-") as scratch:
            setting = BenchmarkContext(scratch=Path(scratch), **vars(options))
            return self.run(setting, only, report)
