"""What a fine-tuning run does: the numbers that were found on training and validation data."""

import math
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Final

from bot.core.types import CarelineError

FILE: Final = "recipe.toml"

_SEEN: Final = 8_000  # texts a run should see in all; few examples are seen more often
_EPOCHS: Final = (3, 8)
_WHOLE: Final = ("epochs", "batch", "patience")
_SHARE: Final = (0.0, 1.0)
_LIMITS: Final = {
    "strength": (1e-6, 1e6),
    "dense": (0.0, 1e3),
    "epochs": (1, 1000),
    "batch": (2, 4096),  # pairs
    "contrast": (0.0, 100.0),
    "patience": (1, 1000),
}


@dataclass(frozen=True)
class TrainingRecipe:
    """The numbers of one run; `epochs` and `dense` of None mean what the examples ask for.

    `strength` and `dense` are those of the linear model of `head`, and of the n-grams beside a
    network; the others are the network's.
    """

    strength: float = 0.5  # C; .25 to 1 differ by less than chance on validation data
    dense: float | None = None  # the length of an embedding beside two blocks of length 1
    epochs: int | None = None
    batch: int = 64
    encoder_rate: float = 2e-4
    head_rate: float = 2e-3
    layer_decay: float = 0.85  # each layer further from the head learns this much slower
    contrast: float = 0.5  # weight of the supervised contrastive loss
    smoothing: float = 0.05
    typos: float = 0.2  # share of the texts that are misspelt on the way
    average: float = 0.99  # of the weights over steps; the average is what is kept
    warm_up: float = 0.1
    patience: int = 2  # epochs without a better validation accuracy before it stops

    def for_examples(self, count: int) -> "TrainingRecipe":
        """Return the recipe with its epochs settled for this many examples."""
        wanted = self.epochs or min(max(math.ceil(_SEEN / max(count, 1)), _EPOCHS[0]), _EPOCHS[1])
        return replace(self, epochs=wanted)

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rates' factor: linear warm-up, then a cosine down to almost 0."""
        warm = max(1.0, self.warm_up * steps)
        if step < warm:
            return min(1.0, (step + 1) / warm)
        done = (step - warm) / max(1.0, steps - warm)
        return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def load(path: Path) -> TrainingRecipe:
    """Read a home's recipe; without a file, the built-in one."""
    if not path.exists():
        return TrainingRecipe()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not TOML: {error}"
        raise CarelineError(message) from error
    known = {field.name for field in fields(TrainingRecipe)}
    wrong = [
        name
        for name, value in values.items()
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float)
    ]
    if wrong:
        message = f"{path}: {', '.join(wrong)}: no number of a recipe ({', '.join(sorted(known))})"
        raise CarelineError(message)
    if problems := [problem for item in values.items() if (problem := _problem(*item))]:
        message = f"{path}: {'; '.join(problems)}"
        raise CarelineError(message)
    return TrainingRecipe(**values)


def _problem(name: str, value: float) -> str | None:
    """Tell what is wrong with a number, None where nothing is."""
    least, most = _LIMITS.get(name, _SHARE)
    if name in _WHOLE and not isinstance(value, int):
        return f"{name} must be a whole number, not {value}"
    if not least <= value <= most:  # not a number is outside as well
        return f"{name} must lie between {least:g} and {most:g}, not be {value}"
    return None


def save(recipe: TrainingRecipe, path: Path) -> None:
    """Write what differs from the built-in recipe."""
    usual = asdict(TrainingRecipe())
    lines = [f"{k} = {v}\n" for k, v in asdict(recipe).items() if v is not None and v != usual[k]]
    path.write_text("# Found by `careline tune`.\n" + "".join(lines), encoding="utf-8")
