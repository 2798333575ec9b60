from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.training import model_card

LABELS = ["cancel", "refund", "size"]


def details(**calibration: Any) -> dict[str, Any]:
    return {
        "base": "e5-small",
        "method": "full",
        "seed": 3,
        "engine": "onnxruntime-int8",
        "examples": 6,
        "labels": LABELS,
        "counts": {"size": 1, "refund": 2, "cancel": 3},
        "calibration": {
            "temperature": 1.0,
            "promise": 0.812,
            "coverage": 0.75,
            "missing": None,
            **calibration,
        },
    }


# True classes, and what is said: two refunds are taken for cancellations, one size for a refund.
TARGETS = np.array([0, 0, 0, 1, 1, 2])
LOGITS = 5.0 * np.eye(3)[[0, 0, 0, 0, 0, 1]]


def card(folder: Path, metrics: dict[str, Any] | None = None, **calibration: Any) -> str:
    model_card.write(folder, metrics or {}, details(**calibration), LOGITS, TARGETS)
    return (folder / "card.md").read_text(encoding="utf-8")


def test_a_card_says_what_the_model_is_and_how_good(tmp_path: Path) -> None:
    text = card(tmp_path, {"accuracy": 0.91234, "macro_f1": None})
    assert "base: e5-small (MIT)" in text
    assert "method: full, seed 3, served by onnxruntime-int8" in text
    assert "6 examples of 3 intents" in text
    assert "accuracy: 0.9123" in text
    assert "macro_f1" not in text
    assert "promise: kept from confidence 0.812, answering 75.0%" in text
    assert "numpy" in text
    assert text.index("| cancel | 3 |") < text.index("| refund | 2 |") < text.index("| size | 1 |")


def test_a_card_says_why_nothing_can_be_promised(tmp_path: Path) -> None:
    assert "cannot promise: too few" in card(tmp_path, promise=None, missing="too few")


def test_the_most_frequent_mistakes_come_first(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert text.index("| refund | cancel | 2 |") < text.index("| size | refund | 1 |")
    assert "| cancel | cancel |" not in text


def test_only_mistakes_are_mixed_up_and_at_most_fifteen() -> None:
    rng = np.random.default_rng(0)
    labels = [f"i{n}" for n in range(8)]
    targets = np.arange(200) % 8
    assert model_card.confusions(labels, np.eye(8)[targets], targets) == []
    found = model_card.confusions(labels, rng.uniform(size=(200, 8)), targets)
    assert len(found) == 15
    assert [row[2] for row in found] == sorted((row[2] for row in found), reverse=True)
    assert all(true != said for true, said, _ in found)


def test_the_picture_shows_confidence_against_accuracy(tmp_path: Path) -> None:
    from matplotlib.image import imread

    assert "(reliability.png)" in card(tmp_path)
    pixels = imread(tmp_path / "reliability.png")
    assert pixels.shape[0] == pixels.shape[1] == pytest.approx(540)
    assert pixels.std() > 0.01


def test_an_unknown_base_has_its_own_licence(tmp_path: Path) -> None:
    model_card.write(tmp_path, {}, {**details(), "base": "/models/x"}, LOGITS, TARGETS)
    assert "/models/x (licence: see the base)" in (tmp_path / "card.md").read_text("utf-8")
