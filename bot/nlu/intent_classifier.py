"""The intent classifier in service: one pass of the encoder, linear heads, calibrated scores."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bot.core.intent_history import IntentHistory
from bot.core.types import OUT_OF_SCOPE, CarelineError, IntentScore
from bot.nlu import context_features
from bot.nlu import out_of_scope as novelty
from bot.nlu.calibration import softmax
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
# the training language are above (0.66 at the 5th percentile), others below (0.49 at the 95th).
_KNOWN = (0.4, 0.6)
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
class Calibration:
    """The parameters that turn logits into decisions.

    Confidences from `promise` up are certified to keep the promise, None if there is no
    certificate; `coverage` is the share of validation messages they answer. A clarifying question
    offers the intents with a probability of at least `candidate`.
    """

    temperature: float = 1.0
    oos_threshold: float = 1e9
    promise: float | None = None
    share: float | None = None  # certified share of wrong answers, with probability `certainty`
    certainty: float | None = None
    coverage: float | None = None
    missing: str | None = None  # why there is no certificate, and what is needed for one
    candidate: float = 0.1

    def covers(self, share: float, certainty: float) -> bool:
        """Return whether the certificate is at least as strict as a promise."""
        if self.promise is None or self.share is None or self.certainty is None:
            return False
        return self.share <= share and self.certainty >= certainty


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
    memory: NeighbourIndex
    novelty: OutOfScopeDetector
    examples: tuple[SimilarExample, ...]  # in the order of `memory`
    plain: LinearHead | None = None  # on embeddings alone
    tone: EmotionClassifier | None = None
    reference: DriftReference | None = None
    calibration: Calibration = Calibration()
    contextual: bool = False  # trained on messages with their context
    leans: int = 0  # labels of the intent history in the head's input; 0: it has none

    def save(self, folder: Path) -> None:
        """Write the parameters into a version's folder."""
        self.head.save(folder / "head.npz")
        self.sparse.save(folder)
        novelty.save(self.memory, self.novelty, folder / "novelty.npz")
        if self.plain is not None:
            self.plain.save(folder / "plain.npz")
        if self.tone is not None:
            self.tone.save(folder / "tone.npz")
        if self.reference is not None:
            self.reference.save(folder / "reference.npz")
        write_json(folder / "labels.json", list(self.labels))
        write_json(folder / "words.json", dict(self.speller.words))
        write_json(folder / "calibration.json", asdict(self.calibration))
        write_json(folder / "context.json", {"read": self.contextual, "leans": self.leans})
        rows = (json.dumps(asdict(example), ensure_ascii=False) for example in self.examples)
        (folder / _EXAMPLES).write_text("".join(row + "\n" for row in rows), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        memory, measured = novelty.load(folder / "novelty.npz")
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
            memory=memory,
            novelty=measured,
            examples=tuple(SimilarExample(**json.loads(row)) for row in rows),
            plain=LinearHead.load(folder / "plain.npz") if has_plain else None,
            tone=EmotionClassifier.load(folder / "tone.npz") if has_tone else None,
            reference=DriftReference.load(folder / "reference.npz") if has_reference else None,
            calibration=Calibration(**_read_json(folder / "calibration.json")),
            contextual=bool(context["read"]),
            leans=int(context["leans"]),
        )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Prediction:
    """The prediction for one text.

    `ranking` has the best labels, best first, including `oos` if the model has that class;
    `oos_score` is 0 for a usual message and grows the more unusual it is. `sure` says whether an
    answer keeps the promise, None without a promise; `candidates` are what a clarifying question
    should offer.
    """

    ranking: tuple[IntentScore, ...]
    best: IntentScore  # in scope, whether rejected or not
    oos_score: float
    rejected: bool
    sure: bool | None = None
    candidates: tuple[str, ...] = ()
    tone: SentimentEmotion | None = None
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
        self._dimension = parameters.memory.vectors.shape[1]
        self.version = version
        self.engine = engine
        self._batcher: MicroBatcher[Sequence[_Query], list[Prediction]] = MicroBatcher(
            self._classify_calls, max_concurrency=os.cpu_count() or 1, max_batch_size=_BATCH
        )
        self.outside = np.array([label == OUT_OF_SCOPE for label in self.labels])

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
        distances = self.parameters.memory.distances(vectors)
        signals = novelty.compute_signals(logits, self.outside, distances)
        scores = self.parameters.novelty.score(signals)
        predictions = self.decide(softmax(logits, self.calibration.temperature), scores)
        head = self.parameters.tone
        tones = head.read(vectors, texts) if head else [None] * len(texts)
        return [
            replace(prediction, tone=tone, distance=float(distance))
            for prediction, tone, distance in zip(predictions, tones, distances, strict=True)
        ]

    def features(
        self, texts: Sequence[str], histories: Sequence[IntentHistory] | None = None
    ) -> Vectors:
        """Return the input of the heads, shape (n, width): the first columns are the vectors.

        `histories` are the intent histories of the texts' conversations.
        """
        width = self.parameters.leans
        if not width:
            return self.encoder.queries(texts)
        about = context_features.history_matrix(histories or [()] * len(texts), self.labels[:width])
        return np.hstack([context_features.encode(self.encoder.queries, texts), about])

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
        plain = self.parameters.plain
        unfamiliar = known < _KNOWN[1]
        if plain is None or not unfamiliar.any():
            return logits
        low, high = _KNOWN
        share = np.clip((known[unfamiliar] - low) / (high - low), 0.0, 1.0)[:, np.newaxis]
        plain_logits = plain.logits(features[unfamiliar])
        logits[unfamiliar] = share * logits[unfamiliar] + (1 - share) * plain_logits
        return logits

    def decide(
        self, probabilities: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> list[Prediction]:
        """Turn probabilities, shape (n, classes), and scores, shape (n,), into predictions."""
        return [
            self._decide(row, float(score))
            for row, score in zip(probabilities, scores, strict=True)
        ]

    def _decide(self, row: NDArray[np.float64], score: float) -> Prediction:
        calibration = self.calibration
        order = np.argsort(-row, kind="stable")
        ranking = tuple(
            IntentScore(self.labels[i], round(float(row[i]), 6)) for i in order[:_MAX_RANKED]
        )
        number = int(np.where(self.outside, -1.0, row).argmax())
        best = IntentScore(self.labels[number], round(float(row[number]), 6))
        rejected = score >= calibration.oos_threshold or ranking[0].intent == OUT_OF_SCOPE
        promised = calibration.promise
        sure = None if promised is None else not rejected and float(row[number]) >= promised
        candidates = tuple(
            self.labels[i] for i in order if row[i] >= calibration.candidate and not self.outside[i]
        )
        return Prediction(ranking, best, score, rejected, sure, candidates)


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
