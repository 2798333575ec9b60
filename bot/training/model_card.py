"""The model card of a version: its data, its quality, its most frequent confusions."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.nlu.calibration import reliability, softmax

_PAIRS: Final = 15
_LICENCES: Final = {"e5-small": "MIT", "minilm": "Apache-2.0"}
_PACKAGES: Final = ("careline", "torch", "onnxruntime", "scikit-learn", "numpy")


def write(
    folder: Path,
    metrics: dict[str, Any],
    details: dict[str, Any],
    logits: NDArray[np.float64],
    targets: NDArray[np.int64],
) -> None:
    """Write card.md and reliability.png; the logits are of examples outside the training data."""
    probabilities = softmax(logits, details["calibration"]["temperature"])
    right = probabilities.argmax(axis=1) == targets
    _plot(probabilities.max(axis=1), right, folder / "reliability.png")
    labels = details["labels"]
    rows = [
        "# Model card",
        "",
        f"- base: {details['base']} ({_LICENCES.get(details['base'], 'licence: see the base')})",
        f"- method: {details['method']}, seed {details['seed']}, served by {details['engine']}",
        f"- data: {details['examples']} examples of {len(labels)} intents",
        *(f"- {name}: {value:.4f}" for name, value in metrics.items() if value is not None),
        f"- promise: {_promise(details['calibration'])}",
        f"- made with {', '.join(_versions())}",
        "",
        "## Mixed up most often (validation)",
        "",
        "| true | said | times |",
        "|---|---|---|",
        *(f"| {a} | {b} | {n} |" for a, b, n in confusions(labels, probabilities, targets)),
        "",
        "## Examples per intent",
        "",
        "| intent | examples |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in sorted(details["counts"].items())),
        "",
        "![confidence against accuracy](reliability.png)",
    ]
    (folder / "card.md").write_text("\n".join(rows) + "\n", encoding="utf-8")


def confusions(
    labels: Sequence[str], probabilities: NDArray[np.float64], targets: NDArray[np.int64]
) -> list[tuple[str, str, int]]:
    """Return (true, predicted, count) of the most frequent mistakes."""
    table = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(table, (targets, probabilities.argmax(axis=1)), 1)
    np.fill_diagonal(table, 0)
    order = np.argsort(-table, axis=None, kind="stable")[:_PAIRS]
    places = [(int(at) // len(labels), int(at) % len(labels)) for at in order]
    return [(labels[i], labels[j], int(table[i, j])) for i, j in places if table[i, j]]


def _promise(calibration: dict[str, Any]) -> str:
    if calibration["promise"] is None:
        return f"cannot promise: {calibration['missing']}"
    threshold, coverage = calibration["promise"], calibration["coverage"]
    return f"kept from confidence {threshold:.3f}, answering {coverage:.1%}"


def _versions() -> list[str]:
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return versions


def _plot(confidence: NDArray[np.float64], right: NDArray[np.bool_], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1, label="calibrated")
    confidences, accuracies, shares = reliability(confidence, right)
    sizes = 8 + 120 * np.sqrt(shares)
    axes.scatter(confidences, accuracies, s=sizes, color="#4c72b0", label="model")
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)
