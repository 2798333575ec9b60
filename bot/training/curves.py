"""Training curves: a progress bar, a history file, a TensorBoard log and a picture."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from knowledge_base import progress


class TrainingCurves:
    """Collects the values of each step of a run."""

    def __init__(self, *, progress: bool = False) -> None:
        """Show a progress bar if `progress` is set."""
        self._progress = progress
        self.rows: list[dict[str, float]] = []

    @contextmanager
    def bar(self, name: str, total: int, completed: int) -> Iterator[Callable[[str], None]]:
        """Show a bar on standard error; the yielded function advances it by one step."""
        with progress.bar(name, total, completed, shown=self._progress) as advance:
            yield advance

    def step(self, step: int, **values: float) -> None:
        """Record the values of one step."""
        self.rows.append({"step": step, **values})

    def epoch(self, step: int, **values: float) -> None:
        """Record the validation values at the end of an epoch."""
        self.rows.append({"step": step, **{f"validation_{k}": v for k, v in values.items()}})

    def save(self, folder: Path) -> None:
        """Write history.jsonl, curves.png and, if it is installed, a TensorBoard log."""
        if not self.rows:
            return
        lines = (json.dumps(row) + "\n" for row in self.rows)
        (folder / "history.jsonl").write_text("".join(lines), encoding="utf-8")
        _plot(self.rows, folder / "curves.png")
        _tensorboard(self.rows, folder / "tensorboard")


def _plot(rows: list[dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    loss, accuracy = figure.add_subplot(), None
    steps, values = _series(rows, "loss")
    loss.plot(steps, values, color="#4c72b0", linewidth=1, label="training loss")
    loss.set_xlabel("step")
    loss.set_ylabel("training loss")
    steps, values = _series(rows, "validation_accuracy")
    if steps:
        accuracy = loss.twinx()
        accuracy.plot(steps, values, color="#dd8452", marker="o", label="validation accuracy")
        accuracy.set_ylabel("validation accuracy")
    figure.savefig(path, dpi=120)


def _series(rows: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    matching = [row for row in rows if name in row]
    return [row["step"] for row in matching], [row[name] for row in matching]


def _tensorboard(rows: list[dict[str, Any]], folder: Path) -> None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # optional: the picture and the history have the same values
        return
    writer: Any = SummaryWriter(str(folder))
    for row in rows:
        for name, value in row.items():
            if name != "step":
                writer.add_scalar(name, value, int(row["step"]))
    writer.close()
