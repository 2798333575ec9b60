"""`careline bench seeking`: detection of turns that need the knowledge base."""

import gzip
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.nlu import retrieval_gate
from bot.training import turn_classifiers
from bot.training.turn_classifiers import LabelledTurn
from careline_benchmarks.harness import Benchmark, BenchmarkContext, BenchmarkReport, at_least


def _turns(setting: BenchmarkContext) -> list[LabelledTurn]:
    """Return the last turn of each dialogue; dialogues with the same start count as one."""
    path = setting.file("grounding", "dstc11_track5.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    return [_labelled(row) for row in rows]


def _labelled(row: dict[str, Any]) -> LabelledTurn:
    *before, last = row["turns"]
    customer = [turn["text"] for turn in before if turn["role"] == "customer"]
    reply = [turn["text"] for turn in before if turn["role"] != "customer"]
    return LabelledTurn(
        last["text"],
        bool(row["target"]),
        customer=customer[-1] if customer else None,
        reply=reply[-1] if reply else None,
        conversation=row["turns"][0]["text"],
    )


def f1(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Return the harmonic mean of precision and recall of the turns that need a search."""
    both = float((predicted & true).sum())
    return 2 * both / max(float(predicted.sum() + true.sum()), 1.0)


def _dialogues(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Cross-validate in five folds, with no dialogue in two of them; and measure the rules."""
    turns = _turns(setting)
    true = np.array([turn.label for turn in turns])
    targets = true.astype(np.int64)
    if setting.planted:  # labels of other turns
        targets = np.random.default_rng(0).permutation(targets)
    predicted = turn_classifiers.predict_out_of_fold(
        setting.home.encoder(), turns, turn_classifiers.RETRIEVAL_RECIPE, targets
    )
    rules = np.array([retrieval_gate.needs_retrieval(turn.text) for turn in turns])
    figures = {
        name: _figures(labels, true) for name, labels in (("learnt", predicted), ("rules", rules))
    }
    result.figures["dstc11_track5"] = {"n": len(turns), **figures}
    result.bars.append(
        at_least("seeking: F1 of the turns that need knowledge", f1(predicted, true), 0.85)
    )


def _figures(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "f1": f1(predicted, true),
        "precision": float((predicted & true).sum() / max(predicted.sum(), 1)),
        "recall": float((predicted & true).sum() / max(true.sum(), 1)),
    }


BENCHMARK: Final = Benchmark({"seeking": _dialogues})
