"""`careline bench intents`: accuracy, out-of-scope, robustness and incremental training."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import OUT_OF_SCOPE
from bot.nlu import calibration, intent_classifier
from bot.nlu.intent_classifier import IntentModel
from bot.training import folds, incremental, intent_evaluation, intent_peers, typos
from bot.training.datasets import Example
from bot.training.job import Method, TrainingOptions
from careline_benchmarks import model_training
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    Part,
    at_least,
    at_most,
)
from knowledge_base.index.versions import Versions

_HINT3: Final = ("curekart", "powerplay11", "sofmattress")
_FOLDS: Final = 5
_LEFT_OUT: Final = 4
_PEERS: Final = ("tfidf_embedding_svm", "nearest_neighbour")
_TYPOS: Final = 0.3
_NEW: Final = 5  # intents that are added later
_PLANTED_ERRORS: Final = 0.05


def _banking(base: str, method: Method, least: float, seconds: float) -> Part:
    name = f"banking77 {method} {base}"

    def part(setting: BenchmarkContext, result: BenchmarkReport) -> None:
        train = model_training.read(setting, "intents", "banking77", "train.csv")
        test = model_training.read(setting, "intents", "banking77", "test.csv")
        figures = []
        for seed in range(setting.seeds):
            options = TrainingOptions(method, base, seed=seed)
            model, run = model_training.train(setting, train, options)
            figures.append(model_training.accuracy(model, test))
            spent = run.seconds
        result.figures[name] = {"accuracies": figures, "engine": model.engine}
        result.bars.append(at_least(f"{name}: accuracy", float(np.mean(figures)), least))
        result.bars.append(at_most(f"{name}: seconds to train", spent, seconds))

    return part


def _clinc(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Measure one model with its own threshold: in-scope accuracy and out-of-scope detection."""
    train = model_training.read(setting, "intents", "clinc150", "train.csv")
    valid = model_training.read(setting, "intents", "clinc150", "val.csv")
    test = model_training.read(setting, "intents", "clinc150", "test.csv")
    model, run = model_training.train(setting, train, TrainingOptions("full", "minilm", valid))
    metrics = intent_evaluation.evaluate(model, test)
    result.figures["clinc150"] = {**metrics, "seconds": run.seconds}
    result.bars += [
        at_least("clinc150: accuracy in scope", metrics["accuracy"], 0.964),
        at_least("clinc150: out-of-scope AUROC", metrics["oos"]["auroc"], 0.970),
        at_least("clinc150: out-of-scope recall", metrics["oos"]["recall"], 0.84),
        at_most("clinc150: false out-of-scope", metrics["oos"]["false_oos"], 0.045),
    ]


def _hint3(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare three real bots, cross-validated, with simple peers on the same encoder."""
    rows = [_hint3_bot(setting, bot) for bot in _HINT3]
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    result.figures["hint3"] = {**dict(zip(_HINT3, rows, strict=True)), "mean": means}
    for figure, peer in (("accuracy", "tfidf_embedding_svm"), ("auroc", "nearest_neighbour")):
        gain = means[f"careline {figure}"] - means[f"{peer} {figure}"]
        result.bars.append(at_least(f"hint3: {figure} over {peer}", gain, 0.02))


def _hint3_bot(setting: BenchmarkContext, bot: str) -> dict[str, float]:
    """Cross-validate; every fourth intent is left out of each training, to be out of scope."""
    examples = model_training.read(setting, "intents", "hint3", f"{bot}_train.csv")
    if setting.planted:
        examples = model_training.mislabel(examples, 0.4)[0]
    encoder = setting.home.encoder("e5-small")
    vectors = encoder.queries([example.text for example in examples])
    names = sorted({example.intent for example in examples})
    parts = folds.assign(examples, _FOLDS)
    results: dict[str, _Scores] = {name: _Scores() for name in (*_PEERS, "careline")}
    for fold in range(_FOLDS):
        left_out = set(names[fold::_LEFT_OUT])
        in_scope = [example.intent not in left_out for example in examples]
        train_rows = [i for i, part in enumerate(parts) if part != fold and in_scope[i]]
        test_rows = [i for i, part in enumerate(parts) if part == fold]
        truth = np.array([examples[i].intent if in_scope[i] else OUT_OF_SCOPE for i in test_rows])
        some, texts = [examples[i] for i in train_rows], [examples[i].text for i in test_rows]
        peers = intent_peers.predict(some, vectors[train_rows], texts, vectors[test_rows])
        for name in _PEERS:
            results[name].add(peers[name].labels, peers[name].oos_scores, truth)
        model, _ = model_training.train(
            setting, some, TrainingOptions("head", "e5-small"), f"hint3-{bot}-{fold}"
        )
        predictions = model.predict(texts)
        best = np.array([prediction.best.intent for prediction in predictions])
        results["careline"].add(best, np.array([p.oos_score for p in predictions]), truth)
    return {
        f"{name} {figure}": value
        for name, scores in results.items()
        for figure, value in scores.figures().items()
    }


@dataclass
class _Scores:
    """The predictions of one method, fold by fold."""

    right: list[NDArray[np.bool_]] = field(default_factory=list)
    strange: list[NDArray[np.float64]] = field(default_factory=list)
    outside: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(
        self, predicted: NDArray[np.str_], strange: NDArray[np.float64], truth: NDArray[np.str_]
    ) -> None:
        """Add the predictions for one fold's texts."""
        self.right.append(predicted == truth)
        self.strange.append(strange)
        self.outside.append(truth == OUT_OF_SCOPE)

    def figures(self) -> dict[str, float]:
        """Return accuracy in scope over all, and the mean AUROC of the folds."""
        right, outside = np.concatenate(self.right), np.concatenate(self.outside)
        pairs = zip(self.strange, self.outside, strict=True)
        areas = [calibration.auroc(strange[~out], strange[out]) for strange, out in pairs]
        defined = [value for value in areas if value is not None]
        return {"accuracy": float(right[~outside].mean()), "auroc": float(np.mean(defined))}


def _xsid(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Train on English alone, and measure on the same sentences in Chinese."""
    english = model_training.read(setting, "intents", "xsid", "en_valid.csv")
    chinese = model_training.read(setting, "intents", "xsid", "zh_valid.csv")
    figures = {"en": [], "zh": []}  # type: dict[str, list[float]]
    for fold in range(5):
        train = [e for i, e in enumerate(english) if i % 5 != fold]
        model, _ = model_training.train(
            setting, train, TrainingOptions("head", "e5-small"), f"xsid-{fold}"
        )
        labels = set(model.labels)
        for name, rows in (("en", english), ("zh", chinese)):
            test = [e for i, e in enumerate(rows) if i % 5 == fold and e.intent in labels]
            figures[name].append(model_training.accuracy(model, test))
    en, zh = float(np.mean(figures["en"])), float(np.mean(figures["zh"]))
    zh *= 0.5 if setting.planted else 1.0
    result.figures["xsid"] = {"en": en, "zh": zh}
    result.bars.append(at_least("xsid: Chinese accuracy over English", zh / max(en, 1e-9), 0.90))


def _typos(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Measure the effect of one typing error in every third long word."""
    train = model_training.read(setting, "intents", "banking77", "train.csv")
    test = model_training.read(setting, "intents", "banking77", "test.csv")
    rng = np.random.default_rng(0)
    rough = [replace(e, text=typos.misspell(e.text, _TYPOS, rng)) for e in test]
    if setting.planted:
        rough = [replace(e, text=e.text[::-1]) for e in test]
    model, _ = model_training.train(
        replace(setting, planted=False), train, TrainingOptions("head", "minilm")
    )
    clean, dirty = model_training.accuracy(model, test), model_training.accuracy(model, rough)
    result.figures["typos"] = {"clean": clean, "typos": dirty}
    result.bars.append(at_most("typos: accuracy lost", clean - dirty, 0.04))


def _lint(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Measure how many planted label errors are among the most suspicious tenth."""
    from bot.training import data_lint

    train = model_training.read(setting, "intents", "banking77", "train.csv")
    changed, rows = model_training.mislabel(train, _PLANTED_ERRORS)
    texts = [example.text for example in changed]
    vectors = setting.home.encoder("minilm").queries(texts)
    ranked = data_lint.rank_by_suspicion(texts, [e.intent for e in changed], vectors)
    if setting.planted:
        ranked = ranked[::-1]
    share = float(np.isin(rows, ranked[: len(changed) // 10]).mean())
    result.bars.append(at_least("lint: planted errors in the top tenth", share, 0.60))


def _incremental(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Train on 72 intents, add five, and compare with training on all 77; three choices of five."""
    train = model_training.read(setting, "intents", "banking77", "train.csv")
    test = model_training.read(setting, "intents", "banking77", "test.csv")
    names = sorted({example.intent for example in train})
    everything, whole = model_training.train(
        setting, train, TrainingOptions("head", "minilm"), "all"
    )
    choices = [set(np.random.default_rng(n).choice(names, _NEW, replace=False)) for n in range(3)]
    runs = [_added(setting, train, test, new, everything) for new in choices]
    seconds, lost, accuracy_new, full = (
        float(np.mean(column)) for column in zip(*runs, strict=True)
    )
    result.figures["incremental"] = {
        "seconds": seconds,
        "seconds for all": whole.seconds,
        "accuracy on the new, each choice": [run[2] for run in runs],
        "accuracy on the new, trained with all": full,
    }
    result.bars += [
        at_most("incremental: time over training on all", seconds / whole.seconds, 0.15),
        at_most("incremental: accuracy lost on the old", lost, 0.005),
        at_least("incremental: accuracy on the new", accuracy_new, 0.90),
    ]


def _added(
    setting: BenchmarkContext,
    train: Sequence[Example],
    test: Sequence[Example],
    new: set[str],
    everything: IntentModel,
) -> tuple[float, float, float, float]:
    """Return seconds, accuracy lost on old intents, accuracy on new ones, and `everything`'s."""
    initial = [example for example in train if example.intent not in new]
    added = [example for example in train if example.intent in new]
    name = "known-" + min(new)
    before, first = model_training.train(setting, initial, TrainingOptions("head", "minilm"), name)
    versions = Versions(setting.scratch / f"{name}-minilm-head-0", "models", "m")
    if setting.planted:
        added = model_training.mislabel(added, 0.5)[0]
    encoder = setting.home.encoder("minilm")
    run = incremental.extend(first.version, versions, added, encoder)
    after = intent_classifier.load(versions.folder(run.version.id), run.version, encoder)
    old = [example for example in test if example.intent not in new]
    fresh = [example for example in test if example.intent in new]
    lost = model_training.accuracy(before, old) - model_training.accuracy(after, old)
    accuracy = model_training.accuracy(after, fresh)
    return run.seconds, lost, accuracy, model_training.accuracy(everything, fresh)


BENCHMARK: Final = Benchmark(
    {
        "banking77-head": _banking("minilm", "head", 0.939, 240),
        "banking77-full": _banking("minilm", "full", 0.942, 1500),
        "banking77-head-e5": _banking("e5-small", "head", 0.932, 240),
        "banking77-full-e5": _banking("e5-small", "full", 0.940, 1800),
        "clinc150": _clinc,
        "hint3": _hint3,
        "xsid": _xsid,
        "typos": _typos,
        "lint": _lint,
        "incremental": _incremental,
    }
)
