"""Correction of typing errors before a message is classified.

A word is corrected when neither the training texts nor the encoder's vocabulary contain it, and
one edit (a letter deleted, inserted, transposed with its neighbour, or replaced) makes it a word of
the training texts (Norvig, "How to write a spelling corrector", 2007).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final, Self

# A whole word; letters next to digits or accents are part of something else, such as a number.
_WORD = re.compile(r"(?<![^\W_\u3400-\u9fff])[A-Za-z]{4,24}(?![^\W_\u3400-\u9fff])")
_MIN_COUNT: Final = 2  # of a word in the training texts before others are corrected to it


@dataclass(frozen=True)
class SpellingCorrector:
    """The words of the training texts and how often each occurs."""

    words: Mapping[str, int]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> Self:
        """Count the words of texts."""
        counts = Counter(w.lower() for text in texts for w in _WORD.findall(text))
        return cls(dict(counts))

    def correct(self, text: str, is_word: Callable[[str], bool]) -> str:
        """Return the text with its errors corrected; `is_word` accepts words of other sources."""
        return _WORD.sub(lambda match: self._word(match[0], is_word), text)

    def _word(self, word: str, is_word: Callable[[str], bool]) -> str:
        lower = word.lower()
        if lower in self.words or is_word(lower):
            return word
        candidates = [near for near in edits(lower) if self.words.get(near, 0) >= _MIN_COUNT]
        return max(candidates, key=lambda near: (self.words[near], near)) if candidates else word


def edits(word: str) -> set[str]:
    """Return the words one edit away: a letter deleted, transposed, replaced or inserted."""
    halves = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    without = {a + b[1:] for a, b in halves if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    replaced = {a + letter + b[1:] for a, b in halves if b for letter in ascii_lowercase}
    added = {a + letter + b for a, b in halves for letter in ascii_lowercase}
    return without | swapped | replaced | added
