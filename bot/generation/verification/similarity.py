"""Semantic similarity of sentences, on the same scale for every encoder."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.answer_extraction import SentenceEncoder

Nearness = NDArray[np.float32]
_CACHED_SENTENCES: Final = 5_000  # passages repeat
_MAX_CHARACTERS: Final = 1_200  # of a sentence
# Unrelated sentences: the similarity to them is the zero of the scale.
_UNRELATED: Final = (
    "The museum on the hill was built of red brick.",
    "My neighbour plays the violin every evening.",
    "A recipe for soup with beans and tomatoes.",
    "这座城市的公园里有一个很大的湖。",
    "他昨天和朋友一起看了一场电影。",
    "这本小说讲述了一个农民的故事。",
)


class SentenceSimilarity:
    """Compares sentences with an encoder, and caches the most recent vectors."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        """Set the encoder."""
        self._encoder = encoder
        self._cache: OrderedDict[str, Nearness] = OrderedDict()
        self._lock = threading.Lock()

    def nearness(self, own: Sequence[str], passages: Sequence[str]) -> Nearness:
        """Return the similarity of sentences to others, shape (own, passages), 0 to 1.

        The scale of cosines differs between encoders, so 0 is the mean cosine with unrelated
        sentences, and 1 is 1.
        """
        vectors = self._vectors([*_UNRELATED, *own, *passages])
        begin, end = len(_UNRELATED), len(_UNRELATED) + len(own)
        unrelated, mine, theirs = vectors[:begin], vectors[begin:end], vectors[end:]
        floor = (mine @ unrelated.T).mean(axis=1, keepdims=True)
        near = (mine @ theirs.T - floor) / np.maximum(1 - floor, 1e-6)
        return np.asarray(np.clip(near, 0.0, 1.0), dtype=np.float32)

    def _vectors(self, texts: Sequence[str]) -> Nearness:
        texts = [text[:_MAX_CHARACTERS] for text in texts]
        with self._lock:
            vectors = {text: self._cache[text] for text in texts if text in self._cache}
        new = [text for text in dict.fromkeys(texts) if text not in vectors]
        if new:
            vectors.update(zip(new, self._encoder.passages(new), strict=True))
        with self._lock:
            for text, vector in vectors.items():
                self._cache[text] = vector
                self._cache.move_to_end(text)
            while len(self._cache) > _CACHED_SENTENCES:
                self._cache.popitem(last=False)
        return np.stack([vectors[text] for text in texts])
