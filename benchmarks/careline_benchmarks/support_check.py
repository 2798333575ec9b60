"""`careline bench support`: what is told apart of what passages say and do not say."""

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
_PENALTY: Final = (
    0.003  # a thousand examples of the very kind that is asked need little holding back
)
_TRUE: Final = 800  # extracts of each language


@dataclass(frozen=True)
class BeginRow:
    """A reply of BEGIN, the text it was given, and whether people found it fully attributable."""

    part: str
    knowledge: str
    reply: str
    supported: bool


def rows(setting: BenchmarkContext) -> list[BeginRow]:
    """Read the three parts of BEGIN."""
    found = []
    for part in _PARTS:
        path = setting.file("grounding", f"begin_dev_{part}.tsv.gz")
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
        table = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        found += [
            BeginRow(part, r["knowledge"], r["response"], r["begin_label"] == "Fully attributable")
            for r in table
        ]
    return found


def _begin(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit the scorer on four folds and try it on the fifth; the shipped one beside it."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    read = rows(setting)
    check = SupportCheck(setting.home.encoder())
    features = np.array([_features(check, row) for row in read])
    supported = np.array([row.supported for row in read])
    taught = np.random.default_rng(0).permutation(supported) if setting.planted else supported
    scores = np.zeros(len(read))
    for train, test in GroupKFold(_FOLDS).split(features, groups=[row.knowledge for row in read]):
        scorer = support_scorer.fit(features[train], taught[train].tolist(), _PENALTY)
        scores[test] = [scorer.score(row) for row in features[test]]
    shipped = np.array([check.scorer.score(row) for row in features])
    of = np.array([row.part for row in read])
    masks = {"pooled": of != ""} | {part: of == part for part in _PARTS}
    for name, mask in masks.items():
        area = float(roc_auc_score(supported[mask], scores[mask]))
        bar = 0.95 if name == "pooled" else 0.93
        result.bars.append(at_least(f"support: BEGIN, {name}: AUROC", area, bar))
    result.figures["BEGIN"] = {
        "n": len(read),
        "AUROC of the shipped scorer": {
            name: float(roc_auc_score(supported[mask], shipped[mask]))
            for name, mask in masks.items()
        },
    }


def _features(check: SupportCheck, row: BeginRow) -> Features:
    """Return the mean features of a reply's sentences."""
    readings = check.check_sentences([row.reply], [row.knowledge])[0]
    if not readings:
        return np.zeros(len(DEFAULT.weights))
    return np.asarray(np.mean([reading.features for reading in readings], axis=0))


def _documents(setting: BenchmarkContext) -> list[Document]:
    folder: Path = setting.home.path / "kb"
    if not folder.exists():
        message = f"there is no {folder}: run this part with --home data, the demo"
        raise CarelineError(message)
    read = [document for document in loader.load([folder]) if isinstance(document, Document)]
    return sorted(read, key=lambda document: document.id)


def sources(setting: BenchmarkContext, language: str) -> list[PlantingSource]:
    """Return the demo's passages of a language, each with its neighbours, and CMRC's."""
    found: list[PlantingSource] = []
    for document in _documents(setting):
        if document.language == language:
            texts = [f"{piece.heading}\n{piece.text}" for piece in chunk(document)]
            found += [
                PlantingSource(text, (*texts[max(0, n - 1) : n], *texts[n + 1 : n + 2]))
                for n, text in enumerate(texts)
            ]
    if language == "zh":
        path = setting.file("retrieval", "cmrc_zh_a", "articles.jsonl")
        lines = path.read_text("utf-8").splitlines()
        found += [PlantingSource(json.loads(line)["text"], ()) for line in lines]
    return found


def _planted(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Plant flips in true sentences and count those noticed; say true ones and count rejections."""
    check = SupportCheck(setting.home.encoder())
    for language in ("en", "zh"):
        read = sources(setting, language)
        made = contradictions.plant(read, _FLIPS)
        said = [flip.before if setting.planted else flip.text for flip in made]
        tried, caught = Counter[str](), Counter[str]()
        begin = time.perf_counter()
        for flip, text in zip(made, said, strict=True):
            tried[flip.kind] += 1
            caught[flip.kind] += not check.check(text, flip.passages).supported
        took = time.perf_counter() - begin
        true = extracts(read)
        lost = [not check.check(text, passages).supported for text, passages in true]
        name = f"support: planted flips, {language}"
        share = caught.total() / len(made) if made else float("nan")
        result.bars += [
            at_least(f"{name}: caught", share, 0.95),
            at_most(f"{name}: true extracts rejected", float(np.mean(lost)), 0.03),
        ]
        result.figures[name] = {
            "n": len(made),
            "caught by kind": {k: [caught[k], tried[k]] for k in sorted(tried)},
            "extracts": len(lost),
            "ms a check, with encoding": 1000 * took / max(1, len(made)),
        }


def extracts(
    read: Sequence[PlantingSource], most: int = _TRUE
) -> list[tuple[str, tuple[str, ...]]]:
    """Return one to three sentences of passages, neighbours or not, as a reply joins them."""
    rng = random.Random(1)  # noqa: S311 - a draw of examples, no secret
    found = []
    for source in rng.sample(list(read), min(most, len(read))):
        spans = list(sentences(source.text))
        count = min(len(spans), rng.randint(1, 3))
        first = rng.randrange(len(spans) - count + 1)
        chosen = spans[first : first + count]
        if rng.random() < 0.5:  # noqa: PLR2004 - half of them
            chosen = sorted(rng.sample(spans, count))
        parts = [_closed(source.text[start:end], source.chinese) for start, end in chosen]
        found.append((("" if source.chinese else " ").join(parts), (source.text, *source.beside)))
    return found


def _closed(text: str, chinese: bool) -> str:  # noqa: FBT001 - what kind of full stop
    return text if text.endswith(tuple(".!?:;。！？：；…")) else text + ("。" if chinese else ".")


def _fit(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit the shipped scorers anew on the demo's articles and compare what they say."""
    made = support_scorer.examples(_documents(setting))
    ways: dict[str, tuple[SupportCheck, SupportScorer]] = {
        "DEFAULT": (SupportCheck(setting.home.encoder()), DEFAULT),
        "WORDS": (SupportCheck(None), WORDS),
    }
    for name, (check, shipped) in ways.items():
        features, supported = support_scorer.measure_features(check, made)
        taught = [not said for said in supported] if setting.planted else supported
        anew = support_scorer.fit(features, taught)
        result.bars.append(
            at_most(f"support: {name} against its fit anew", _apart(shipped, anew, features), 0.05)
        )
        right = [(shipped.score(f) >= 0.5) == s for f, s in zip(features, supported, strict=True)]  # noqa: PLR2004
        result.figures[f"support: {name}"] = {
            "n": len(right),
            "told rightly": float(np.mean(right)),
            "weights": [round(weight, 2) for weight in anew.weights],
            "intercept": round(anew.intercept, 2),
        }


def _apart(one: SupportScorer, other: SupportScorer, features: NDArray[np.float64]) -> float:
    """Return how far two scorers' scores are apart, on average, 0 to 1."""
    return float(np.mean([abs(one.score(row) - other.score(row)) for row in features]))


BENCHMARK: Final = Benchmark({"begin": _begin, "planted": _planted, "fit": _fit})
