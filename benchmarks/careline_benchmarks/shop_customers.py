"""`careline bench shop`: the demo's training judged on customers whom its authors did not invent.

The messages and conversations are of other shops with the demo's intents. Beside the
classifier is a peer of `bot.training.intent_peers`, trained on the same rows; it reads each message
alone.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.intent_history import IntentHistory, update_history
from bot.core.types import OUT_OF_SCOPE
from bot.nlu.intent_classifier import IntentModel, Prediction
from bot.training import datasets, intent_evaluation, intent_peers
from bot.training.datasets import Example
from bot.training.job import TrainingOptions
from careline_benchmarks import model_training
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_PEER: Final = "tfidf_embedding_svm"
_SAMPLES: Final = 2_000
Flags = NDArray[np.bool_]


def _understanding(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Train `head` on the home's dialogs; measure messages and turns beside the peer."""
    train = datasets.read_all_examples(datasets.training_files(setting.home.path / "dialogs"))
    model, run = model_training.train(setting, train, TrainingOptions("head", "e5-small"))
    messages = model_training.read(setting, "shop_dev", "utterances.csv")
    turns = datasets.read_examples(setting.file("shop_dev", "conversations.jsonl"), held_back=True)
    encoder = setting.home.encoder("e5-small")
    vectors = encoder.queries([example.text for example in train])
    _messages(model, messages, result, (train, vectors))
    _turns(model, turns, result, (train, vectors))
    result.figures["seconds to train"] = run.seconds


def _messages(
    model: IntentModel,
    examples: Sequence[Example],
    result: BenchmarkReport,
    training: tuple[Sequence[Example], NDArray[np.float32]],
) -> None:
    metrics = intent_evaluation.evaluate(model, examples, training_set=training)
    truth = np.array([example.intent for example in examples])
    intents = np.array([p.intent for p in model.predict([example.text for example in examples])])
    peer = _peer(model, examples, training)
    low, high = _interval(intents == truth, _intents(peer) == truth)
    oos, peer_metrics = metrics["oos"], metrics["peers"][_PEER]
    result.figures["messages"] = {**metrics, "over the peer, 95 %": (low, high)}
    result.bars += [
        at_least("messages right", metrics["right"], 0.86),
        at_least("out-of-scope AUROC", oos["auroc"], 0.95),
        at_least("out-of-scope AUROC over the peer", oos["auroc"] - peer_metrics["oos_auroc"], 0.0),
        at_most("in scope rejected", oos["false_oos"], 0.06),
        at_least("out of scope rejected", oos["recall"], 0.85),
        at_least("messages: upper end over the peer", high, 0.0),
    ]


def _turns(
    model: IntentModel,
    examples: Sequence[Example],
    result: BenchmarkReport,
    training: tuple[Sequence[Example], NDArray[np.float32]],
) -> None:
    predictions = _predict_in_order(model, examples)
    truth = np.array([example.intent for example in examples])
    right = np.array([prediction.intent for prediction in predictions]) == truth
    peer = _peer(model, examples, training)
    peer_right = _intents(peer) == truth
    result.figures["turns"] = {
        "n": len(truth),
        "right": float(right.mean()),
        "right, peer": float(peer_right.mean()),
        "over the peer, 95 %": _interval(right, peer_right),
    }
    result.bars += [
        at_least("turns right", float(right.mean()), 0.76),
        at_least("turns over the peer", float(right.mean() - peer_right.mean()), 0.0001),
    ]


def _predict_in_order(model: IntentModel, examples: Sequence[Example]) -> list[Prediction]:
    """Predict the turns of conversations, each with the intent history before it."""
    histories: dict[str, IntentHistory] = {}
    predictions = []
    for example in examples:
        history = histories.get(example.source, ())
        text = example.input if model.contextual else example.text
        prediction = model.predict([text], history)[0]
        histories[example.source] = update_history(history, prediction.ranking)
        predictions.append(prediction)
    return predictions


def _peer(
    model: IntentModel,
    examples: Sequence[Example],
    training: tuple[Sequence[Example], NDArray[np.float32]],
) -> intent_peers.PeerPrediction:
    texts = [example.text for example in examples]
    return intent_peers.predict(*training, texts, model.encoder.queries(texts))[_PEER]


def _intents(peer: intent_peers.PeerPrediction) -> NDArray[np.str_]:
    """Return the predicted intents, `oos` where the peer rejects."""
    return np.where(peer.rejected, OUT_OF_SCOPE, peer.labels)


def _interval(right: Flags, peer_right: Flags, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the difference, by a paired bootstrap."""
    rng = np.random.default_rng(seed)
    differences: NDArray[Any] = right.astype(float) - peer_right.astype(float)
    samples = rng.choice(differences, (_SAMPLES, len(differences))).mean(axis=1)
    low, high = np.percentile(samples, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


BENCHMARK: Final = Benchmark({"understanding": _understanding})
