"""The hyperparameters of a training, with defaults found on training and validation data."""

import math
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Final

from bot.core.types import CarelineError

FILE: Final = "recipe.toml"

_TOTAL_TEXTS: Final = 8_000  # that a run should process; fewer examples get more epochs
_EPOCHS: Final = (3, 8)
_INTEGERS: Final = ("epochs", "batch", "patience")
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
    """The hyperparameters of one run; None for `epochs` or `dense` means it depends on the data.

    `strength` and `dense` are those of the linear model of `head`, and of the n-grams of a
    network; the others are the network's.
    """

    strength: float = 1.0  # C; the difference of 0.5 to 2 is not significant on validation data
    dense: float | None = None  # the length of an embedding relative to two blocks of length 1
    epochs: int | None = None
    batch: int = 64
    encoder_rate: float = 2e-4
    head_rate: float = 2e-3
    layer_decay: float = 0.85  # factor of the learning rate per layer, away from the head
    contrast: float = 0.5  # weight of the supervised contrastive loss
    smoothing: float = 0.05
    typos: float = 0.2  # share of the texts that get typing errors
    average: float = 0.99  # decay of the weights' moving average, which is the result
    warm_up: float = 0.1
    patience: int = 2  # epochs without a better validation accuracy before it stops

    def for_examples(self, count: int) -> "TrainingRecipe":
        """Return the recipe with the number of epochs for this many examples."""
        texts = math.ceil(_TOTAL_TEXTS / max(count, 1))
        return replace(self, epochs=self.epochs or min(max(texts, _EPOCHS[0]), _EPOCHS[1]))

    def rate(self, step: int, steps: int) -> float:
        """Return the factor of the learning rates: linear warm-up, then a cosine to almost 0."""
        warm = max(1.0, self.warm_up * steps)
        if step < warm:
            return min(1.0, (step + 1) / warm)
        progress = (step - warm) / max(1.0, steps - warm)
        return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))


def load(path: Path) -> TrainingRecipe:
    """Read a home's recipe; without a file, return the built-in one."""
    if not path.exists():
        return TrainingRecipe()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not TOML: {error}"
        raise CarelineError(message) from error
    names = {field.name for field in fields(TrainingRecipe)}
    wrong = [
        name
        for name, value in values.items()
        if name not in names or isinstance(value, bool) or not isinstance(value, int | float)
    ]
    if wrong:
        message = f"{path}: {', '.join(wrong)}: no number of a recipe ({', '.join(sorted(names))})"
        raise CarelineError(message)
    if problems := [problem for item in values.items() if (problem := _problem(*item))]:
        message = f"{path}: {'; '.join(problems)}"
        raise CarelineError(message)
    return TrainingRecipe(**values)


def _problem(name: str, value: float) -> str | None:
    """Return what is wrong with a value, None if it is valid."""
    least, most = _LIMITS.get(name, _SHARE)
    if name in _INTEGERS and not isinstance(value, int):
        return f"{name} must be a whole number, not {value}"
    if not least <= value <= most:  # also rejects NaN
        return f"{name} must lie between {least:g} and {most:g}, not be {value}"
    return None


def save(recipe: TrainingRecipe, path: Path) -> None:
    """Write the values that differ from the built-in recipe."""
    usual = asdict(TrainingRecipe())
    lines = [f"{k} = {v}\n" for k, v in asdict(recipe).items() if v is not None and v != usual[k]]
    path.write_text("# Found by `careline tune`.\n" + "".join(lines), encoding="utf-8")
