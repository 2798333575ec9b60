"""`careline bench support`: accuracy of the support check."""

import csv
import gzip
import io
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.generation.verification import DEFAULT, SupportCheck
from bot.generation.verification.scorer import WORDS, Features, SupportScorer
from bot.training import support_scorer
from careline_benchmarks import contradictions
from careline_benchmarks.contradictions import PlantingSource
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from knowledge_base.chunking import chunk, sentences
from knowledge_base.documents import Document
from knowledge_base.sources import loader

_PARTS: Final = ("cmu", "wow", "tc")  # of BEGIN (Dziri et al., 2022)
_FOLDS: Final = 5
_FLIPS: Final = 500
_PENALTY: Final = 0.003  # low, since a thousand examples are of the same kind as the tests
_TRUE: Final = 800  # extracts of each language


@dataclass(frozen=True)
class BeginRow:
    """A reply of BEGIN, its source text, and whether raters judged it fully attributable."""

    part: str
    knowledge: str
    reply: str
    supported: bool


def rows(setting: BenchmarkContext) -> list[BeginRow]:
    """Read the three parts of BEGIN."""
    examples = []
    for part in _PARTS:
        path = setting.file("grounding", f"begin_dev_{part}.tsv.gz")
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
        table = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        examples += [
            BeginRow(part, r["knowledge"], r["response"], r["begin_label"] == "Fully attributable")
            for r in table
        ]
    return examples


def _begin(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit the scorer on four folds and test it on the fifth; the built-in one for comparison."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    examples = rows(setting)
    check = SupportCheck(setting.home.encoder())
    features = np.array([_features(check, row) for row in examples])
    supported = np.array([row.supported for row in examples])
    targets = np.random.default_rng(0).permutation(supported) if setting.planted else supported
    scores = np.zeros(len(examples))
    for train, test in GroupKFold(_FOLDS).split(
        features, groups=[row.knowledge for row in examples]
    ):
        scorer = support_scorer.fit(features[train], targets[train].tolist(), _PENALTY)
        scores[test] = [scorer.score(row) for row in features[test]]
    shipped = np.array([check.scorer.score(row) for row in features])
    of = np.array([row.part for row in examples])
    masks = {"pooled": of != ""} | {part: of == part for part in _PARTS}
    for name, mask in masks.items():
        area = float(roc_auc_score(supported[mask], scores[mask]))
        bar = 0.95 if name == "pooled" else 0.93
        result.bars.append(at_least(f"support: BEGIN, {name}: AUROC", area, bar))
    result.figures["BEGIN"] = {
        "n": len(examples),
        "AUROC of the shipped scorer": {
            name: float(roc_auc_score(supported[mask], shipped[mask]))
            for name, mask in masks.items()
        },
    }


def _features(check: SupportCheck, row: BeginRow) -> Features:
    """Return the mean features of a reply's sentences."""
    checked = check.check_sentences([row.reply], [row.knowledge])[0]
    if not checked:
        return np.zeros(len(DEFAULT.weights))
    return np.asarray(np.mean([sentence.features for sentence in checked], axis=0))


def _documents(setting: BenchmarkContext) -> list[Document]:
    folder: Path = setting.home.path / "kb"
    if not folder.exists():
        message = f"there is no {folder}: run this part with --home data, the demo"
        raise CarelineError(message)
    documents = [document for document in loader.load([folder]) if isinstance(document, Document)]
    return sorted(documents, key=lambda document: document.id)


def sources(setting: BenchmarkContext, language: str) -> list[PlantingSource]:
    """Return the demo's passages of a language, each with its neighbours, and CMRC's."""
    passages: list[PlantingSource] = []
    for document in _documents(setting):
        if document.language == language:
            texts = [f"{piece.heading}\n{piece.text}" for piece in chunk(document)]
            passages += [
                PlantingSource(text, (*texts[max(0, n - 1) : n], *texts[n + 1 : n + 2]))
                for n, text in enumerate(texts)
            ]
    if language == "zh":
        path = setting.file("retrieval", "cmrc_zh_a", "articles.jsonl")
        lines = path.read_text("utf-8").splitlines()
        passages += [PlantingSource(json.loads(line)["text"], ()) for line in lines]
    return passages


def _planted(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Plant errors in true sentences and count those detected; count rejected true sentences."""
    check = SupportCheck(setting.home.encoder())
    for language in ("en", "zh"):
        passages = sources(setting, language)
        errors = contradictions.plant(passages, _FLIPS)
        texts = [error.before if setting.planted else error.text for error in errors]
        tried, caught = Counter[str](), Counter[str]()
        begin = time.perf_counter()
        for error, text in zip(errors, texts, strict=True):
            tried[error.kind] += 1
            caught[error.kind] += not check.check(text, error.passages).supported
        took = time.perf_counter() - begin
        true = extracts(passages)
        lost = [not check.check(text, support).supported for text, support in true]
        name = f"support: planted flips, {language}"
        share = caught.total() / len(errors) if errors else float("nan")
        result.bars += [
            at_least(f"{name}: caught", share, 0.95),
            at_most(f"{name}: true extracts rejected", float(np.mean(lost)), 0.03),
        ]
        result.figures[name] = {
            "n": len(errors),
            "caught by kind": {k: [caught[k], tried[k]] for k in sorted(tried)},
            "extracts": len(lost),
            "ms a check, with encoding": 1000 * took / max(1, len(errors)),
        }


def extracts(
    passages: Sequence[PlantingSource], most: int = _TRUE
) -> list[tuple[str, tuple[str, ...]]]:
    """Return one to three sentences of passages, neighbours or not, as in a reply."""
    rng = random.Random(1)  # noqa: S311 - not for secrets
    replies = []
    for source in rng.sample(list(passages), min(most, len(passages))):
        spans = list(sentences(source.text))
        count = min(len(spans), rng.randint(1, 3))
        first = rng.randrange(len(spans) - count + 1)
        selected = spans[first : first + count]
        if rng.random() < 0.5:  # noqa: PLR2004 - half of them
            selected = sorted(rng.sample(spans, count))
        parts = [_with_full_stop(source.text[start:end], source.chinese) for start, end in selected]
        text = ("" if source.chinese else " ").join(parts)
        replies.append((text, (source.text, *source.beside)))
    return replies


def _with_full_stop(text: str, chinese: bool) -> str:  # noqa: FBT001 - the kind of full stop
    return text if text.endswith(tuple(".!?:;。！？：；…")) else text + ("。" if chinese else ".")


def _fit(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit the built-in scorers again on the demo's articles and compare their scores."""
    statements = support_scorer.examples(_documents(setting))
    ways: dict[str, tuple[SupportCheck, SupportScorer]] = {
        "DEFAULT": (SupportCheck(setting.home.encoder()), DEFAULT),
        "WORDS": (SupportCheck(None), WORDS),
    }
    for name, (check, shipped) in ways.items():
        features, supported = support_scorer.measure_features(check, statements)
        targets = [not label for label in supported] if setting.planted else supported
        refitted = support_scorer.fit(features, targets)
        result.bars.append(
            at_most(
                f"support: {name} against its fit anew",
                _mean_difference(shipped, refitted, features),
                0.05,
            )
        )
        right = [(shipped.score(f) >= 0.5) == s for f, s in zip(features, supported, strict=True)]  # noqa: PLR2004
        result.figures[f"support: {name}"] = {
            "n": len(right),
            "told rightly": float(np.mean(right)),
            "weights": [round(weight, 2) for weight in refitted.weights],
            "intercept": round(refitted.intercept, 2),
        }


def _mean_difference(
    first: SupportScorer, second: SupportScorer, features: NDArray[np.float64]
) -> float:
    """Return the mean absolute difference of two scorers' scores, 0 to 1."""
    return float(np.mean([abs(first.score(row) - second.score(row)) for row in features]))


BENCHMARK: Final = Benchmark({"begin": _begin, "planted": _planted, "fit": _fit})
