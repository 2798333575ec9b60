"""How near sentences are in meaning, on one scale whatever the encoder."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.answer_extraction import SentenceEncoder

Nearness = NDArray[np.float32]
_REMEMBERED: Final = 5_000  # sentences, of which passages have the same again and again
_LONGEST: Final = 1_200  # characters of a sentence that are encoded
# Sentences about nothing in particular: how near they are says where "unrelated" begins.
_ANYTHING: Final = (
    "The museum on the hill was built of red brick.",
    "My neighbour plays the violin every evening.",
    "A recipe for soup with beans and tomatoes.",
    "这座城市的公园里有一个很大的湖。",
    "他昨天和朋友一起看了一场电影。",
    "这本小说讲述了一个农民的故事。",
)


class SentenceSimilarity:
    """Compares sentences by an encoder and remembers the vectors of those it saw last."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        """Take the encoder."""
        self._encoder = encoder
        self._known: OrderedDict[str, Nearness] = OrderedDict()
        self._turn = threading.Lock()

    def nearness(self, own: Sequence[str], others: Sequence[str]) -> Nearness:
        """Return how near sentences are to others, shape (own, others), 0 to 1.

        The cosine of two vectors means something else with each encoder, so it is put between that
        of sentences about nothing in particular (0) and 1.
        """
        vectors = self._vectors([*_ANYTHING, *own, *others])
        begin, end = len(_ANYTHING), len(_ANYTHING) + len(own)
        anything, mine, theirs = vectors[:begin], vectors[begin:end], vectors[end:]
        floor = (mine @ anything.T).mean(axis=1, keepdims=True)
        near = (mine @ theirs.T - floor) / np.maximum(1 - floor, 1e-6)
        return np.asarray(np.clip(near, 0.0, 1.0), dtype=np.float32)

    def _vectors(self, texts: Sequence[str]) -> Nearness:
        texts = [text[:_LONGEST] for text in texts]
        with self._turn:
            found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found.update(zip(new, self._encoder.passages(new), strict=True))
        with self._turn:
            for text, vector in found.items():
                self._known[text] = vector
                self._known.move_to_end(text)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return np.stack([found[text] for text in texts])
