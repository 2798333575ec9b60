import builtins
import json
from pathlib import Path
from typing import Any

import pytest

from bot.training.curves import TrainingCurves


def run() -> TrainingCurves:
    curves = TrainingCurves()
    with curves.bar("training", 6, 0) as advance:
        for step in range(1, 7):
            curves.step(step, loss=3.0 / step, rate=0.1)
            advance(f"step {step}")
            if step % 3 == 0:
                curves.epoch(step, accuracy=step / 10)
    return curves


def test_the_course_of_a_run_is_written_three_times(tmp_path: Path) -> None:
    run().save(tmp_path)
    lines = (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[0] == {"step": 1, "loss": 3.0, "rate": 0.1}
    assert rows[3] == {"step": 3, "validation_accuracy": 0.3}
    assert [row["step"] for row in rows] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert is_picture(tmp_path / "curves.png")
    assert tensorboard(tmp_path / "tensorboard") == {
        "loss": [1, 2, 3, 4, 5, 6],
        "rate": [1, 2, 3, 4, 5, 6],
        "validation_accuracy": [3, 6],
    }


def is_picture(path: Path) -> bool:
    from matplotlib.image import imread

    pixels = imread(path)
    return bool(pixels.shape[0] > 100 and pixels.std() > 0.01)


def tensorboard(folder: Path) -> dict[str, list[int]]:
    accumulator: Any = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator(str(folder))
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    return {tag: [event.step for event in accumulator.Scalars(tag)] for tag in tags}


def test_a_run_without_steps_writes_nothing(tmp_path: Path) -> None:
    TrainingCurves().save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_validation_has_its_picture(tmp_path: Path) -> None:
    curves = TrainingCurves()
    curves.step(1, loss=1.0)
    curves.save(tmp_path)
    assert is_picture(tmp_path / "curves.png")


def test_without_tensorboard_the_rest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def no_tensorboard(name: str, *args: Any, **kwargs: Any) -> Any:
        if "tensorboard" in name:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_tensorboard)
    run().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "history.jsonl"]
