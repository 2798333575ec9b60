"""What a benchmark says: figures, and the bars they are held against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.container import Home
from bot.core.types import CarelineError


@dataclass(frozen=True)
class Bar:
    """A figure and what it must reach."""

    name: str
    value: float
    bar: float
    ok: bool


def at_least(name: str, value: float, bar: float) -> Bar:
    """Return a bar that a value must not fall below."""
    return Bar(name, round(value, 4), bar, value >= bar)


def at_most(name: str, value: float, bar: float) -> Bar:
    """Return a bar that a value must not exceed."""
    return Bar(name, round(value, 4), bar, value <= bar)


@dataclass(frozen=True)
class Setting:
    """What a benchmark works with.

    `planted` spoils what is measured, so that a bar must fail: it proves that the bench can.
    """

    data: Path
    home: Home
    scratch: Path
    seeds: int = 1
    planted: bool = False
    progress: bool = False

    def file(self, *parts: str) -> Path:
        """Return a file of the real data; raise CarelineError when it is not there."""
        path = self.data.joinpath(*parts)
        if not path.exists():
            message = f"there is no {path}: point --data or CARELINE_DATA at the real data"
            raise CarelineError(message)
        return path


@dataclass
class Result:
    """The bars of a run and the figures beside them."""

    bars: list[Bar] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the public shape."""
        return {"bars": [asdict(bar) for bar in self.bars], **self.figures}


Part = Callable[[Setting, Result], None]


def run(
    parts: Mapping[str, Part], wanted: Sequence[str], setting: Setting, say: Callable[[str], None]
) -> Result:
    """Run the parts of a bench, all by default, in order."""
    if unknown := sorted(set(wanted) - set(parts)):
        message = f"there is no part {', '.join(unknown)}: choose from {', '.join(parts)}"
        raise CarelineError(message)
    result = Result()
    for name, part in parts.items():
        if wanted and name not in wanted:
            continue
        before = len(result.bars)
        say(f"{name} …")
        part(setting, result)
        for bar in result.bars[before:]:
            say(f"  {'ok ' if bar.ok else 'RED'} {bar.name}: {bar.value} (bar {bar.bar})")
    return result
