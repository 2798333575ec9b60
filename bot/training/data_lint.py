"""Linting of labelled texts: repeated, contradictory, leaking, mislabelled, damaged. Pure.

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
_UNLIKELY: Final = 0.1  # probability of a label below which it is suspect
_MIN_CONFUSED_SHARE: Final = 0.1  # of two intents' examples
_MIN_CONFUSED: Final = 5
_WORD: Final = re.compile(r"\w+")
_DIGITS: Final = re.compile(r"\d+")
_LABEL: Final = re.compile(r"\[(?:card|email|phone)\]")
_MIN_LEAK: Final = 20  # characters; shorter texts ("thank you so much") are in many conversations


class LintSeverity(StrEnum):
    """The severities of findings."""

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
    """A possible defect; `rows` are positions in the examined rows.

    `score` is a certainty or a rate between 0 and 1, `other` the second intent concerned.
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
        """The severity of its kind."""
        return _SEVERITY.get(self.kind, LintSeverity.INFO)

    def as_json(self, rows: Sequence[LabelledRow]) -> dict[str, Any]:
        """Return a JSON object: texts only by hash and place, never in words."""
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
    """Predictions of models trained without the predicted texts: probabilities (n, classes)."""

    probabilities: Array
    targets: NDArray[np.int64]
    classes: tuple[str, ...]


def predict_out_of_fold(
    examples: Sequence[Example], vectors: Vectors, seed: int = 0
) -> OutOfFoldPredictions:
    """Return calibrated out-of-fold probabilities; `vectors` have the shape (n, dimension)."""
    classes = tuple(sorted({example.intent for example in examples}))
    number = {intent: i for i, intent in enumerate(classes)}
    targets = np.array([number[example.intent] for example in examples], dtype=np.int64)
    parts = folds.assign(examples, FOLDS, seed)
    texts = [example.input for example in examples]
    logits = linear.out_of_fold(vectors, texts, targets, len(classes), parts)
    return OutOfFoldPredictions(softmax(logits, fit_temperature(logits, targets)), targets, classes)


def suspicion(probabilities: Array, targets: NDArray[np.int64]) -> Array:
    """Return how unlikely each label is to a model, 0 to 1, shape (n,).

    It is one minus the probability of the label ("self-confidence"). With 5 % wrong labels inserted
    into real data, it found more of them than the margin to the best other label or the labels of
    the nearest neighbours, and as many as their combinations.
    """
    return np.asarray(1.0 - probabilities[np.arange(len(targets)), targets])


def rank_by_suspicion(
    texts: Sequence[str], labels: Sequence[str], vectors: Vectors
) -> NDArray[np.int64]:
    """Return the rows of labelled texts, ordered by how likely their label is wrong."""
    rows = zip(texts, labels, strict=True)
    examples = [Example(text, label, str(i)) for i, (text, label) in enumerate(rows)]
    predictions = predict_out_of_fold(examples, vectors)
    scores = suspicion(predictions.probabilities, predictions.targets)
    return np.argsort(-scores, kind="stable").astype(np.int64)


def label_errors(predictions: OutOfFoldPredictions) -> list[tuple[int, int, float]]:
    """Return row, better class and its probability of likely wrong labels, the most certain first.

    A row belongs to a class if its probability is at least the mean of that class's own examples. A
    row that belongs to another class, and whose label is unlikely, is mislabelled. Labels are not
    questioned in favour of classes that are too small to be learnt.
    """
    p, targets = predictions.probabilities, predictions.targets
    own = p[np.arange(len(targets)), targets]
    sizes = np.bincount(targets, minlength=len(predictions.classes))
    sums = np.bincount(targets, weights=own, minlength=len(predictions.classes))
    usual = np.where(sizes > 0, sums / np.maximum(sizes, 1), 2.0)
    belongs = np.where(p >= usual, p, -1.0)
    best = belongs.argmax(axis=1)
    score = belongs[np.arange(len(targets)), best]
    wrong = (score >= 0) & (best != targets) & (own < _UNLIKELY) & (sizes[targets] >= TINY)
    rows = np.flatnonzero(wrong)
    order = rows[np.argsort(-score[rows], kind="stable")]
    return [(int(row), int(best[row]), float(score[row])) for row in order]


def find_confused(predictions: OutOfFoldPredictions) -> Iterator[tuple[int, int, int, float]]:
    """Yield pairs of classes that are confused: their count, and share of their examples."""
    predicted = predictions.probabilities.argmax(axis=1)
    sizes = np.bincount(predictions.targets, minlength=len(predictions.classes))
    pairs = Counter(
        (int(min(pair)), int(max(pair)))
        for pair in zip(predictions.targets, predicted, strict=True)
        if pair[0] != pair[1]
    )
    for (a, b), count in pairs.most_common():
        share = count / float(sizes[a] + sizes[b])
        if count >= _MIN_CONFUSED and share >= _MIN_CONFUSED_SHARE:
            yield a, b, count, share


def examine(
    rows: Sequence[LabelledRow],
    predictions: OutOfFoldPredictions | None,
    predicted_rows: Sequence[int],
) -> list[LintFinding]:
    """Return all findings, the worst first; `predicted_rows` are those of the predictions."""
    findings = [*_texts(rows), *_repeated(rows), *_contradictory(rows), *_leaking(rows)]
    findings += _sizes(rows)
    if predictions is not None:
        findings += _mislabelled(predictions, predicted_rows)
    order = list(LintSeverity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def usable_rows(rows: Sequence[LabelledRow]) -> list[int]:
    """Return the rows a model can learn from; none if fewer than two intents are learnable."""
    usable = [i for i, row in enumerate(rows) if row.text and row.intent]
    units: dict[str, set[str]] = {}
    for i in usable:
        units.setdefault(rows[i].intent, set()).add(rows[i].unit)
    return usable if sum(len(unit) >= TINY for unit in units.values()) > 1 else []


def _texts(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    for i, row in enumerate(rows):
        if not row.intent:
            yield LintFinding("no_intent", (i,))
        if defect := text_defects.find_size_defect(row.text):
            yield LintFinding(defect, (i,), row.intent, count=len(row.text))
        if damage := text_defects.find_damage(row.text):
            yield LintFinding("encoding", (i,), row.intent, suggestion=damage[0])
        if (clean := redact(row.text)) != row.text:
            labels = ", ".join(dict.fromkeys(_LABEL.findall(clean)))
            yield LintFinding("personal_data", (i,), row.intent, suggestion=labels)


def plain(text: str) -> str:
    """Return the words of a text without case and punctuation; texts without words unchanged."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(words) or text.strip()


def _groups(keys: Iterable[tuple[int, object]]) -> Iterator[tuple[int, ...]]:
    """Yield the rows that share a key, if there are several."""
    groups: dict[object, list[int]] = {}
    for i, key in keys:
        groups.setdefault(key, []).append(i)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)


def _repeated(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    keys = ((i, (r.split, r.intent, r.example.input)) for i, r in enumerate(rows) if r.text)
    for group in _groups(keys):
        yield LintFinding("duplicate", group, rows[group[0]].intent, count=len(group))


def _contradictory(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    """Yield texts with two intents; a different context is not a contradiction."""
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
    """Yield texts in both training and test data; small talk in conversations does not count."""
    keys = [
        (i, _DIGITS.sub("0", plain(row.text)))
        for i, row in enumerate(rows)
        if row.text and (row.turn is None or _weight(row.text) >= _MIN_LEAK)
    ]
    for group in _groups(keys):
        if len({rows[i].split for i in group}) == 1:
            continue
        texts = {(rows[i].split, rows[i].text) for i in group}
        exact = len(texts) > len({text for _, text in texts})  # one text in two splits
        kind = "leak" if exact else "near_leak"
        yield LintFinding(kind, group, rows[group[0]].intent, count=len(group))


def _weight(text: str) -> int:
    """Return the length of a text in Latin characters; a Chinese character counts as three."""
    return sum(1 if character.isascii() else 3 for character in text)


def _sizes(rows: Sequence[LabelledRow]) -> Iterator[LintFinding]:
    sizes = Counter(row.intent for row in rows if row.split is DataSplit.TRAIN and row.intent)
    usual = float(np.median(list(sizes.values()))) if sizes else 0.0
    for intent, count in sorted(sizes.items(), key=lambda item: item[1]):
        if count < TINY:
            yield LintFinding("tiny_class", (), intent, count=count)
        elif intent != OUT_OF_SCOPE and not usual / _UNBALANCED < count < usual * _UNBALANCED:
            yield LintFinding("unbalanced", (), intent, count=count)


def _mislabelled(
    predictions: OutOfFoldPredictions, predicted_rows: Sequence[int]
) -> Iterator[LintFinding]:
    classes = predictions.classes
    for row, better, score in label_errors(predictions):
        intent = classes[int(predictions.targets[row])]
        place = (predicted_rows[row],)
        name = classes[better]
        yield LintFinding("label_error", place, intent, name, score=score, suggestion=name)
    for a, b, count, share in find_confused(predictions):
        advice = "merge them, or say in intents.md where one ends and the other begins"
        yield LintFinding(
            "confused", (), classes[a], classes[b], count=count, score=share, suggestion=advice
        )
