"""The intent classifier in service: an encoder, a linear head, calibrated probabilities."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.nlu.calibration import softmax
from bot.types import OUT_OF_SCOPE, CarelineError, IntentScore
from knowledge_base.encoders import Base, TorchEncoder, Vectors
from knowledge_base.versions import Version, write_json

_RANKED: Final = 5


class QueryEncoder(Protocol):
    """Anything that encodes customers' messages."""

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Return unit vectors, shape (n, dimension)."""


@dataclass(frozen=True)
class Head:
    """A linear head on standardised embeddings: logits = ((x − mean) / scale) · Wᵀ + b."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, vectors: Vectors) -> NDArray[np.float64]:
        """Return logits, shape (n, classes), of vectors, shape (n, dimension)."""
        standard = (vectors - self.mean) / self.scale
        return np.asarray(standard @ self.weight.T + self.bias, dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write the arrays to one .npz file."""
        np.savez(path, **asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})


@dataclass(frozen=True)
class Calibration:
    """What turns logits into decisions."""

    temperature: float = 1.0
    oos_threshold: float = 1.0
    promise_threshold: float | None = None


@dataclass(frozen=True)
class Parameters:
    """Everything of a trained classifier but its encoder; `labels` are in the head's order."""

    head: Head
    labels: tuple[str, ...]
    calibration: Calibration = Calibration()
    contextual: bool = False  # trained on messages with what was said before them

    def save(self, folder: Path) -> None:
        """Write the parameters into a version's folder."""
        self.head.save(folder / "head.npz")
        write_json(folder / "labels.json", list(self.labels))
        write_json(folder / "calibration.json", asdict(self.calibration))
        write_json(folder / "context.json", self.contextual)

    @classmethod
    def load(cls, folder: Path) -> "Parameters":
        """Read what `save` wrote."""
        return cls(
            Head.load(folder / "head.npz"),
            tuple(_read_json(folder / "labels.json")),
            Calibration(**_read_json(folder / "calibration.json")),
            bool(_read_json(folder / "context.json")),
        )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Prediction:
    """What the model says of one text.

    `ranking` holds the best labels, best first, `oos` among them where the model knows that
    class; `oos_score` is 1 − the best in-scope probability.
    """

    ranking: tuple[IntentScore, ...]
    best: IntentScore  # in scope, whether rejected or not
    oos_score: float
    rejected: bool

    @property
    def intent(self) -> str:
        """The best intent, or `oos` when the text is rejected."""
        return OUT_OF_SCOPE if self.rejected else self.best.intent

    @property
    def confidence(self) -> float:
        """How sure the model is of `intent`."""
        return self.oos_score if self.rejected else self.best.confidence


class IntentModel:
    """A version of the classifier, open for service."""

    def __init__(
        self, encoder: QueryEncoder, parameters: Parameters, version: str = "m-unpublished"
    ) -> None:
        """Put the parts together."""
        self.encoder = encoder
        self.head = parameters.head
        self.labels = parameters.labels
        self.calibration = parameters.calibration
        self.contextual = parameters.contextual
        self.version = version
        self._in_scope = np.array([label != OUT_OF_SCOPE for label in self.labels])

    @property
    def intents(self) -> tuple[str, ...]:
        """The in-scope labels."""
        return tuple(label for label in self.labels if label != OUT_OF_SCOPE)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify texts, in order; those of a conversation come as `context.in_context` made."""
        if not texts:
            return []
        logits = self.head.logits(self.encoder.queries(texts))
        return self.decide(softmax(logits, self.calibration.temperature))

    def decide(self, probabilities: NDArray[np.float64]) -> list[Prediction]:
        """Turn probabilities, shape (n, classes), into predictions."""
        return [self._decide(row) for row in probabilities]

    def _decide(self, row: NDArray[np.float64]) -> Prediction:
        order = np.argsort(-row, kind="stable")[:_RANKED]
        ranking = tuple(IntentScore(self.labels[i], round(float(row[i]), 6)) for i in order)
        number = int(np.where(self._in_scope, row, -1.0).argmax())
        best = IntentScore(self.labels[number], round(float(row[number]), 6))
        score = 1.0 - best.confidence
        rejected = score >= self.calibration.oos_threshold or ranking[0].intent == OUT_OF_SCOPE
        return Prediction(ranking, best, score, rejected)


def load(folder: Path, version: Version, encoder: QueryEncoder | None = None) -> IntentModel:
    """Open a version; its own fine-tuned encoder is used when it has one, else `encoder`."""
    if not (folder / "context.json").exists():
        message = f"model {version.id} was built by an older version: run `careline train`"
        raise CarelineError(message)
    details: dict[str, Any] = version.details
    if (folder / "encoder").is_dir():
        encoder = TorchEncoder(
            Base(version.id, str(folder / "encoder"), query_prefix=details["query_prefix"])
        )
    if encoder is None:
        message = f"model {version.id} needs its base encoder {details.get('base')}"
        raise CarelineError(message)
    return IntentModel(encoder, Parameters.load(folder), version.id)
