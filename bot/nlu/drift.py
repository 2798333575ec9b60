"""Drift detection: comparison of recent messages with those the promise was certified on.

The distances of recent messages to the training messages, and the model's confidences, are compared
with those of the calibration set (two-sample Kolmogorov-Smirnov). If either differs significantly,
the certificate no longer applies, and the promise is void until they agree again.
"""

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.array_file import ArrayFile

Array = NDArray[np.float64]

_SAMPLE: Final = 1_000  # calibration values stored of each kind
_WINDOW: Final = 200  # messages that are compared
_EVERY: Final = 20  # messages between two tests
_ALPHA: Final = 1e-4  # chance of a false alarm in one test, for each kind
_DIGITS: Final = 4


@dataclass(frozen=True)
class DriftReference(ArrayFile):
    """The distances and confidences of calibration messages, shape (n,) each."""

    distances: Array
    confidences: Array

    @classmethod
    def sample(cls, distances: Array, confidences: Array, seed: int = 0) -> Self:
        """Return a random sample of the calibration values."""
        rows = np.random.default_rng(seed).permutation(len(distances))[:_SAMPLE]
        return cls(distances[rows], confidences[rows])

    def differs(self, distances: Array, confidences: Array) -> bool:
        """Return whether messages differ significantly from the calibration set."""
        pairs = ((self.distances, distances), (self.confidences, confidences))
        return any(p_value(a, b) < _ALPHA for a, b in pairs)


def p_value(a: Array, b: Array) -> float:
    """Return the chance that samples of one distribution, shape (n,), differ as much as these.

    It is the first term of Kolmogorov's series, which is an upper bound. Values are rounded to a
    few digits, as in reports: a confidence of 1 may be a rounded one.
    """
    a, b = np.sort(np.round(a, _DIGITS)), np.sort(np.round(b, _DIGITS))
    places = np.concatenate([a, b])
    below = [np.searchsorted(sample, places, side="right") / len(sample) for sample in (a, b)]
    gap = float(np.abs(below[0] - below[1]).max())
    return min(1.0, 2.0 * math.exp(-2.0 * gap**2 * len(a) * len(b) / (len(a) + len(b))))


class DriftMonitor:
    """Monitors the messages of one process; it is thread-safe."""

    def __init__(self, reference: DriftReference) -> None:
        """Start with an empty window."""
        self._reference = reference
        self._window: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._count = 0
        self._drifted = False
        self._lock = threading.Lock()

    @property
    def drifted(self) -> bool:
        """Return whether the last messages differ from the calibration set."""
        return self._drifted

    def watch(self, distance: float, confidence: float) -> bool:
        """Add a message; return whether the last messages differ."""
        with self._lock:
            self._window.append((distance, confidence))
            self._count += 1
            due = len(self._window) == _WINDOW and self._count % _EVERY == 0
            window = np.array(self._window) if due else None
        if window is not None:
            self._drifted = self._reference.differs(window[:, 0], window[:, 1])
        return self._drifted
