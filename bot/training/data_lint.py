"""Faults of labelled texts: repeated, contradictory, leaking, mislabelled, damaged. Pure.

Mislabelled texts are found by confident learning (Northcutt, Jiang, Chuang: "Confident Learning:
Estimating Uncertainty in Dataset Labels", JAIR 2021) on out-of-fold probabilities.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.privacy import redact
from bot.core.types import OUT_OF_SCOPE
from bot.nlu.calibration import fit_temperature, softmax
from bot.training import folds, linear, text_defects
from bot.training.data_lint_rows import DataSplit, LabelledRow
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors

Array = NDArray[np.float64]

TINY: Final = 5  # examples below which an intent cannot be learned
FOLDS: Final = 5
_UNBALANCED: Final = 10  # times the median, or a tenth of it
_UNLIKELY: Final = 0.1  # a label the model gives less than this is doubted
_MIXED_UP: Final = 0.1  # of two intents' examples
_MIXED_UP_COUNT: Final = 5
_WORD: Final = re.compile(r"\w+")
_DIGITS: Final = re.compile(r"\d+")
_LABEL: Final = re.compile(r"\[(?:card|email|phone)\]")
_COMMONPLACE: Final = 20  # characters: "thank you so much" is said in many conversations


class LintSeverity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_SEVERITY: Final = {
    "conflict": LintSeverity.ERROR,
    "no_intent": LintSeverity.ERROR,
    "empty": LintSeverity.ERROR,
    "leak": LintSeverity.ERROR,
    "personal_data": LintSeverity.ERROR,
    "near_leak": LintSeverity.WARNING,
    "label_error": LintSeverity.WARNING,
    "encoding": LintSeverity.WARNING,
    "tiny_class": LintSeverity.WARNING,
    "confused": LintSeverity.WARNING,
}


@dataclass(frozen=True)
class LintFinding:
    """Something that may be wrong; `rows` are positions in the rows that were examined.

    `score` is a certainty or a rate between 0 and 1, `other` the second intent it is about.
    """

    kind: str
    rows: tuple[int, ...] = ()
    intent: str | None = None
    other: str | None = None
    count: int | None = None
    score: float | None = None
    suggestion: str | None = None

    @property
    def severity(self) -> LintSeverity:
        """How bad it is."""
        return _SEVERITY.get(self.kind, LintSeverity.INFO)

    def as_json(self, rows: Sequence[LabelledRow]) -> dict[str, Any]:
        """Return the finding for machines: its texts by hash and place, never in words."""
        first = rows[self.rows[0]] if self.rows else None
        values = {
            "kind": self.kind,
            "severity": self.severity.value,
            "intent": self.intent,
            "other": self.other,
            "rows": [rows[i].source for i in self.rows] or None,
            "text_sha": hashlib.sha256(first.text.encode()).hexdigest()[:16] if first else None,
            "count": self.count,
            "score": None if self.score is None else round(self.score, 4),
            "suggestion": self.suggestion,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class OutOfFoldPredictions:
    """What a model that has not seen them says of texts: probabilities (n, classes)."""

    probabilities: Array
    targets: NDArray[np.int64]
    classes: tuple[str, ...]


def judge(examples: Sequence[Example], vectors: Vectors, seed: int = 0) -> OutOfFoldPredictions:
    """Return calibrated out-of-fold probabilities; `vectors` have the shape (n, dimension)."""
    classes = tuple(sorted({example.intent for example in examples}))
    number = {intent: i for i, intent in enumerate(classes)}
    targets = np.array([number[example.intent] for example in examples], dtype=np.int64)
    parts = folds.assign(examples, FOLDS, seed)
    texts = [example.input for example in examples]
    logits = linear.out_of_fold(vectors, texts, targets, len(classes), parts)
    return OutOfFoldPredictions(softmax(logits, fit_temperature(logits, targets)), targets, classes)


def suspicion(probabilities: Array, targets: NDArray[np.int64]) -> Array:
    """Return how little a model believes each label, 0 to 1, shape (n,).

    One minus the probability of the given label ("self-confidence"). With 5 % wrong labels planted
    into real data it found more of them than the margin to the best other label and than the
    labels of the nearest neighbours, and as many as their combinations.
    """
    return np.asarray(1.0 - probabilities[np.arange(len(targets)), targets])


def ranked(texts: Sequence[str], labels: Sequence[str], vectors: Vectors) -> NDArray[np.int64]:
    """Return the rows of labelled texts, the one whose label is most likely wrong first."""
    rows = zip(texts, labels, strict=True)
    examples = [Example(text, label, str(i)) for i, (text, label) in enumerate(rows)]
    judged = judge(examples, vectors)
    doubt = suspicion(judged.probabilities, judged.targets)
    return np.argsort(-doubt, kind="stable").astype(np.int64)


def label_errors(judged: OutOfFoldPredictions) -> list[tuple[int, int, float]]:
    """Return row, better class and its probability where a label is likely wrong, surest first.

    A row belongs to a class when its probability reaches the class's mean among its own examples;
    a row that belongs to another class, and to whose label the model gives next to nothing, is
    mislabelled. Classes too small to be learned accuse nobody's label of theirs.
    """
    p, targets = judged.probabilities, judged.targets
    own = p[np.arange(len(targets)), targets]
    sizes = np.bincount(targets, minlength=len(judged.classes))
    sums = np.bincount(targets, weights=own, minlength=len(judged.classes))
    usual = np.where(sizes > 0, sums / np.maximum(sizes, 1), 2.0)
    belongs = np.where(p >= usual, p, -1.0)
    best = belongs.argmax(axis=1)
    score = belongs[np.arange(len(targets)), best]
    wrong = (score >= 0) & (best != targets) & (own < _UNLIKELY) & (sizes[targets] >= TINY)
    rows = np.flatnonzero(wrong)
    order = rows[np.argsort(-score[rows], kind="stable")]
    return [(int(row), int(best[row]), float(score[row])) for row in order]


def confused(judged: OutOfFoldPredictions) -> Iterator[tuple[int, int, int, float]]:
    """Yield pairs of classes that are taken for each other: count, share of their examples."""
    predicted = judged.probabilities.argmax(axis=1)
    sizes = np.bincount(judged.targets, minlength=len(judged.classes))
    pairs = Counter(
        (int(min(pair)), int(max(pair)))
        for pair in zip(judged.targets, predicted, strict=True)
        if pair[0] != pair[1]
    )
    for (a, b), count in pairs.most_common():
        share = count / float(sizes[a] + sizes[b])
        if count >= _MIXED_UP_COUNT and share >= _MIXED_UP:
            yield a, b, count, share


def examine(
    rows: Sequence[LabelledRow], judged: OutOfFoldPredictions | None, judged_rows: Sequence[int]
) -> list[LintFinding]:
    """Return all findings, the worst first; `judged_rows` are the rows `judged` speaks of."""
    found = [*_texts(rows), *_repeated(rows), *_contradictory(rows), *_leaking(rows)]
    found += _sizes(rows)
    if judged is not None:
        found += _mislabelled(judged, judged_rows)
    order = list(LintSeverity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def can_be_judged(rows: Sequence[LabelledRow]) -> list[int]:
    """Return the rows a model can learn from; none where fewer than two intents are learnable."""
    usable = [i for i, row in enumerate(rows) if row.text and row.intent]
    units: dict[str, set[str]] = {}
    for i in usable:
        units.setdefault(rows[i].intent, set()).add(rows[i].unit)
    return usable if sum(len(unit) >= TINY for unit in units.values()) > 1 else []


def _texts(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    for i, row in enumerate(rows):
        if not row.intent:
            yield LintFinding("no_intent", (i,))
        if fault := text_defects.size_fault(row.text):
            yield LintFinding(fault, (i,), row.intent, count=len(row.text))
        if damaged := text_defects.damage(row.text):
            yield LintFinding("encoding", (i,), row.intent, suggestion=damaged[0])
        if (clean := redact(row.text)) != row.text:
            labels = ", ".join(dict.fromkeys(_LABEL.findall(clean)))
            yield LintFinding("personal_data", (i,), row.intent, suggestion=labels)


def plain(text: str) -> str:
    """Return the words of a text without case and punctuation; texts without words as they are."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(words) or text.strip()


def _groups(keys: Iterable[tuple[int, object]]) -> Iterator[tuple[int, ...]]:
    """Yield the rows that share a key, where there are several."""
    found: dict[object, list[int]] = {}
    for i, key in keys:
        found.setdefault(key, []).append(i)
    yield from (tuple(group) for group in found.values() if len(group) > 1)


def _repeated(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    keys = ((i, (r.split, r.intent, r.example.input)) for i, r in enumerate(rows) if r.text)
    for group in _groups(keys):
        yield LintFinding("duplicate", group, rows[group[0]].intent, count=len(group))


def _contradictory(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    """Yield texts with two intents; what was said before may be the reason, so it counts too."""
    keys = (
        (i, (plain(r.text), r.customer, r.reply)) for i, r in enumerate(rows) if r.text and r.intent
    )
    for group in _groups(keys):
        intents = Counter(rows[i].intent for i in group).most_common()
        if len(intents) > 1:
            (first, most), (second, next_most) = intents[:2]
            suggestion = first if most > next_most else None
            yield LintFinding(
                "conflict", group, first, second, count=len(group), suggestion=suggestion
            )


def _leaking(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    """Yield texts that are both learned and tested; small talk in conversations is no leak."""
    keys = [
        (i, _DIGITS.sub("0", plain(row.text)))
        for i, row in enumerate(rows)
        if row.text and (row.turn is None or _weight(row.text) >= _COMMONPLACE)
    ]
    for group in _groups(keys):
        if len({rows[i].split for i in group}) == 1:
            continue
        texts = {(rows[i].split, rows[i].text) for i in group}
        exact = len(texts) > len({text for _, text in texts})  # one text in two splits
        kind = "leak" if exact else "near_leak"
        yield LintFinding(kind, group, rows[group[0]].intent, count=len(group))


def _weight(text: str) -> int:
    """Return the length of a text in Latin characters; a Chinese one says as much as three."""
    return sum(1 if character.isascii() else 3 for character in text)


def _sizes(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    sizes = Counter(row.intent for row in rows if row.split is DataSplit.TRAIN and row.intent)
    usual = float(np.median(list(sizes.values()))) if sizes else 0.0
    for intent, count in sorted(sizes.items(), key=lambda item: item[1]):
        if count < TINY:
            yield LintFinding("tiny_class", (), intent, count=count)
        elif intent != OUT_OF_SCOPE and not usual / _UNBALANCED < count < usual * _UNBALANCED:
            yield LintFinding("unbalanced", (), intent, count=count)


def _mislabelled(judged: OutOfFoldPredictions, judged_rows: Sequence[int]) -> Iterator[LintFinding]:
    classes = judged.classes
    for row, better, score in label_errors(judged):
        intent = classes[int(judged.targets[row])]
        place = (judged_rows[row],)
        name = classes[better]
        yield LintFinding("label_error", place, intent, name, score=score, suggestion=name)
    for a, b, count, share in confused(judged):
        advice = "merge them, or say in intents.md where one ends and the other begins"
        yield LintFinding(
            "confused", (), classes[a], classes[b], count=count, score=share, suggestion=advice
        )
