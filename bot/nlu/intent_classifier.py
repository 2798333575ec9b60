"""The intent classifier in service: one pass of the encoder, linear heads, calibrated scores."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bot.core.intent_history import IntentHistory
from bot.core.types import OUT_OF_SCOPE, CarelineError, IntentScore
from bot.nlu import context_features, out_of_scope
from bot.nlu.calibration import Calibration
from bot.nlu.context import neutral
from bot.nlu.drift import DriftReference
from bot.nlu.emotion_classifier import EmotionClassifier, SentimentEmotion
from bot.nlu.ngrams import NgramHead
from bot.nlu.out_of_scope import NeighbourIndex, OutOfScopeDetector
from knowledge_base.array_file import ArrayFile
from knowledge_base.atomic_files import write_json
from knowledge_base.encoders.base_models import BaseModel, TorchEncoder, Vectors
from knowledge_base.encoders.micro_batching import MicroBatcher
from knowledge_base.index.versions import Version
from knowledge_base.text.spelling import SpellingCorrector

_MAX_RANKED = 5
# Shares of known n-grams: up to the first, they are ignored; from the second, fully used. Texts in
# the training language are above (0.41 at the 5th percentile for unusual customers), others below
# (0.08 in the median). Vocabularies without single characters know less of either.
_KNOWN = (0.2, 0.4)
_KNOWN_WITHOUT_SINGLE = (0.4, 0.6)
_BATCH: Final = 16  # texts, or calls, that are classified at once
_EXAMPLES = "examples.jsonl"
_Query = tuple[str, IntentHistory]  # a text, and the intent history of its conversation


class QueryEncoder(Protocol):
    """Any encoder of customers' messages."""

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Return unit vectors, shape (n, dimension)."""

    def knows(self, word: str, /) -> bool:
        """Return whether a word is in the encoder's vocabulary."""


@dataclass(frozen=True)
class LinearHead(ArrayFile):
    """A linear head on embeddings: logits = x · Wᵀ + b; W has the shape (classes, dimension)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, vectors: Vectors) -> NDArray[np.float64]:
        """Return logits, shape (n, classes), of vectors, shape (n, dimension)."""
        return np.asarray(vectors @ self.weight.T + self.bias, dtype=np.float64)


@dataclass(frozen=True)
class SimilarExample:
    """A stored training message, and its source."""

    text: str
    intent: str
    source: str


@dataclass(frozen=True)
class ModelParameters:
    """All parts of a trained classifier except its encoder; `labels` are in the heads' order."""

    head: LinearHead
    sparse: NgramHead
    labels: tuple[str, ...]
    speller: SpellingCorrector
    neighbours: NeighbourIndex
    oos_detector: OutOfScopeDetector
    examples: tuple[SimilarExample, ...]  # in the order of `neighbours`
    dense_head: LinearHead | None = None  # on embeddings alone
    emotion_head: EmotionClassifier | None = None
    reference: DriftReference | None = None
    calibration: Calibration = field(default_factory=Calibration)
    contextual: bool = False  # trained on messages with their context
    history_width: int = 0  # labels of the intent history in the head's input; 0: it has none

    def save(self, folder: Path) -> None:
        """Write the parameters into a version's folder."""
        self.head.save(folder / "head.npz")
        self.sparse.save(folder)
        out_of_scope.save(self.neighbours, self.oos_detector, folder / "novelty.npz")
        if self.dense_head is not None:
            self.dense_head.save(folder / "plain.npz")
        if self.emotion_head is not None:
            self.emotion_head.save(folder / "tone.npz")
        if self.reference is not None:
            self.reference.save(folder / "reference.npz")
        write_json(folder / "labels.json", list(self.labels))
        write_json(folder / "words.json", dict(self.speller.words))
        write_json(folder / "calibration.json", asdict(self.calibration))
        context = {"read": self.contextual, "leans": self.history_width}
        write_json(folder / "context.json", context)
        rows = (json.dumps(asdict(example), ensure_ascii=False) for example in self.examples)
        (folder / _EXAMPLES).write_text("".join(row + "\n" for row in rows), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        neighbours, oos_detector = out_of_scope.load(folder / "novelty.npz")
        rows = (folder / _EXAMPLES).read_text(encoding="utf-8").split("\n")[:-1]
        has_plain = (folder / "plain.npz").exists()
        has_tone = (folder / "tone.npz").exists()
        has_reference = (folder / "reference.npz").exists()
        context = _read_json(folder / "context.json")
        if isinstance(context, bool):  # the format before heads had an intent history
            context = {"read": context, "leans": 0}
        return cls(
            head=LinearHead.load(folder / "head.npz"),
            sparse=NgramHead.load(folder),
            labels=tuple(_read_json(folder / "labels.json")),
            speller=SpellingCorrector(_read_json(folder / "words.json")),
            neighbours=neighbours,
            oos_detector=oos_detector,
            examples=tuple(SimilarExample(**json.loads(row)) for row in rows),
            dense_head=LinearHead.load(folder / "plain.npz") if has_plain else None,
            emotion_head=EmotionClassifier.load(folder / "tone.npz") if has_tone else None,
            reference=DriftReference.load(folder / "reference.npz") if has_reference else None,
            calibration=Calibration(**_read_json(folder / "calibration.json")),
            contextual=bool(context["read"]),
            history_width=int(context["leans"]),
        )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Prediction:
    """The prediction for one text.

    `ranking` has the best labels, best first, including `oos` if the model has that class;
    `oos_score` is 0 for a usual message and grows the more unusual it is. `is_certified`: an answer
    keeps the promise, None without one. `candidates` are what a clarifying question should offer.
    """

    ranking: tuple[IntentScore, ...]
    best: IntentScore  # in scope, whether rejected or not
    oos_score: float
    rejected: bool
    is_certified: bool | None = None
    candidates: tuple[str, ...] = ()
    emotion: SentimentEmotion | None = None
    distance: float = 0.0  # to the nearest training messages

    @property
    def intent(self) -> str:
        """The best intent, or `oos` when the text is rejected."""
        return OUT_OF_SCOPE if self.rejected else self.best.intent

    @property
    def confidence(self) -> float:
        """The probability of `intent`."""
        return 1.0 - self.best.confidence if self.rejected else self.best.confidence


class IntentModel:
    """A version of the classifier, loaded for service."""

    def __init__(
        self,
        encoder: QueryEncoder,
        parameters: ModelParameters,
        version: str = "m-unpublished",
        engine: str = "torch",
    ) -> None:
        """Combine the parts; `engine` is the name of the encoder's engine."""
        self.encoder = encoder
        self.parameters = parameters
        self.labels = parameters.labels
        self.calibration = parameters.calibration
        self.contextual = parameters.contextual
        self._dimension = parameters.neighbours.vectors.shape[1]
        self.version = version
        self.engine = engine
        self._batcher: MicroBatcher[Sequence[_Query], list[Prediction]] = MicroBatcher(
            self._classify_calls, max_concurrency=os.cpu_count() or 1, max_batch_size=_BATCH
        )
        self.is_oos = np.array([label == OUT_OF_SCOPE for label in self.labels])

    @property
    def intents(self) -> tuple[str, ...]:
        """The in-scope labels."""
        return tuple(label for label in self.labels if label != OUT_OF_SCOPE)

    def predict(self, texts: Sequence[str], history: IntentHistory = ()) -> list[Prediction]:
        """Classify texts, in order; those of a conversation are the output of `context.in_context`.

        `history` is the intent history of their conversation.
        """
        queries = [(text, history) for text in texts]
        if len(queries) > _BATCH:
            return self._predict(queries)
        return self._batcher.run(queries) if queries else []

    def _classify_calls(self, calls: list[Sequence[_Query]]) -> list[list[Prediction]]:
        """Classify the texts of concurrent callers together."""
        predictions = iter(self._predict([query for call in calls for query in call]))
        return [list(islice(predictions, len(call))) for call in calls]

    def _predict(self, queries: Sequence[_Query]) -> list[Prediction]:
        speller = self.parameters.speller
        texts = [speller.correct(neutral(text), self.encoder.knows) for text, _ in queries]
        features = self.features(texts, [history for _, history in queries])
        logits = self.logits(features, texts)
        vectors = features[:, : self._dimension]
        distances = self.parameters.neighbours.distances(vectors)
        signals = out_of_scope.compute_signals(logits, self.is_oos, distances)
        scores = self.parameters.oos_detector.score(signals)
        probabilities = self.calibration.probabilities(logits)
        head = self.parameters.emotion_head
        emotions = head.read(vectors, texts) if head else [None] * len(texts)
        return [
            replace(self._to_prediction(row, score), emotion=emotion, distance=distance)
            for row, score, emotion, distance in zip(
                probabilities, scores.tolist(), emotions, distances.in_scope.tolist(), strict=True
            )
        ]

    def features(
        self, texts: Sequence[str], histories: Sequence[IntentHistory] | None = None
    ) -> Vectors:
        """Return the input of the heads, shape (n, width): the first columns are the vectors.

        `histories` are the intent histories of the texts' conversations.
        """
        width = self.parameters.history_width
        if not width:
            return self.encoder.queries(texts)
        vectors = context_features.encode(self.encoder.queries, texts)
        histories = histories or [()] * len(texts)
        return np.hstack([vectors, context_features.history_matrix(histories, self.labels[:width])])

    def ngram_logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the logits of n-grams alone, shape (n, classes): fast and approximate."""
        return self.parameters.sparse.logits(texts)

    def logits(self, features: Vectors, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return logits, shape (n, classes), of texts and their `features`.

        The fewer of a text's n-grams are known (it may be in another language than the training
        texts), the more the head on embeddings alone counts, if there is one.
        """
        sparse, known = self.parameters.sparse.read(texts)
        logits = self.parameters.head.logits(features) + sparse
        dense_head = self.parameters.dense_head
        has_single = self.parameters.sparse.vocabulary.characters[0] == 1
        low, high = _KNOWN if has_single else _KNOWN_WITHOUT_SINGLE
        unfamiliar = known < high
        if dense_head is None or not unfamiliar.any():
            return logits
        share = np.clip((known[unfamiliar] - low) / (high - low), 0.0, 1.0)[:, np.newaxis]
        dense_logits = dense_head.logits(features[unfamiliar])
        logits[unfamiliar] = share * logits[unfamiliar] + (1 - share) * dense_logits
        return logits

    def _to_prediction(self, row: NDArray[np.float64], score: float) -> Prediction:
        """Return the prediction for probabilities, shape (classes,), and an out-of-scope score."""
        calibration = self.calibration
        order = np.argsort(-row, kind="stable")
        ranking = tuple(
            IntentScore(self.labels[i], round(float(row[i]), 6)) for i in order[:_MAX_RANKED]
        )
        number = int(np.where(self.is_oos, -1.0, row).argmax())
        best = IntentScore(self.labels[number], round(float(row[number]), 6))
        rejected = score >= calibration.oos_threshold or ranking[0].intent == OUT_OF_SCOPE
        threshold = calibration.promise
        is_certified = (
            None if threshold is None else not rejected and float(row[number]) >= threshold
        )
        candidates = tuple(
            self.labels[i] for i in order if row[i] >= calibration.candidate and not self.is_oos[i]
        )
        return Prediction(ranking, best, score, rejected, is_certified, candidates)


def load(
    folder: Path, version: Version, encoder: QueryEncoder | None = None, *, engine: str = "auto"
) -> IntentModel:
    """Load a version; its own fine-tuned encoder is used if it has one, else `encoder`.

    `engine` is `auto` (the fast one if it was as good when the version was made) or `torch`.
    """
    from knowledge_base.encoders import onnx_encoder

    if not all((folder / name).exists() for name in ("novelty.npz", "words.json", "context.json")):
        message = f"model {version.id} was built by an older version: run `careline train`"
        raise CarelineError(message)
    details: dict[str, Any] = version.details
    base = BaseModel(version.id, str(folder / "encoder"), query_prefix=details["query_prefix"])
    if engine == "auto" and onnx_encoder.is_usable(folder / "engine"):
        encoder = onnx_encoder.OnnxEncoder(base, folder / "engine")
    elif (folder / "encoder").is_dir():
        encoder = TorchEncoder(base)
    if encoder is None:
        message = f"model {version.id} needs its base encoder {details.get('base')}"
        raise CarelineError(message)
    # One message is too little work for several threads, which would mostly wait for each other.
    threadpool_limits(1, user_api="blas")
    used = "torch" if isinstance(encoder, TorchEncoder) else onnx_encoder.NAME
    return IntentModel(encoder, ModelParameters.load(folder), version.id, used)
