"""`careline bench seeking`: whether it is known which turns need the knowledge."""

import gzip
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.bench.bars import Part, Result, Setting, at_least
from bot.nlu import retrieval_gate
from bot.nlu.retrieval_gate import Asking


def _turns(setting: Setting) -> list[Asking]:
    """Return the last turn of each dialogue; those that begin alike count as one dialogue."""
    path = setting.file("grounding", "dstc11_track5.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    return [_asking(row) for row in rows]


def _asking(row: dict[str, Any]) -> Asking:
    *before, last = row["turns"]
    customer = [turn["text"] for turn in before if turn["role"] == "customer"]
    reply = [turn["text"] for turn in before if turn["role"] != "customer"]
    return Asking(
        last["text"],
        bool(row["target"]),
        customer[-1] if customer else None,
        reply[-1] if reply else None,
        row["turns"][0]["text"],
    )


def f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Return the harmonic mean of precision and recall of the turns that seek."""
    both = float((said & true).sum())
    return 2 * both / max(float(said.sum() + true.sum()), 1.0)


def _dialogues(setting: Setting, result: Result) -> None:
    """Five-fold cross-validation, no dialogue in two folds; and the rules alone."""
    asked = _turns(setting)
    true = np.array([asking.seeks for asking in asked])
    targets = true.astype(np.int64)
    if setting.planted:  # labels of other turns
        targets = np.random.default_rng(0).permutation(targets)
    said = retrieval_gate.unseen(setting.home.encoder(), asked, targets)
    rules = np.array([retrieval_gate.by_rules(asking.text) for asking in asked])
    figures = {name: _figures(found, true) for name, found in (("learnt", said), ("rules", rules))}
    result.figures["dstc11_track5"] = {"n": len(asked), **figures}
    result.bars.append(
        at_least("seeking: F1 of the turns that need knowledge", f1(said, true), 0.85)
    )


def _figures(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "f1": f1(said, true),
        "precision": float((said & true).sum() / max(said.sum(), 1)),
        "recall": float((said & true).sum() / max(true.sum(), 1)),
    }


PARTS: Final[dict[str, Part]] = {"seeking": _dialogues}
