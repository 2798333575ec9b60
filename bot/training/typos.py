"""Typing errors, for training and for measuring their effect."""

from typing import Final

import numpy as np

_MIN_LETTERS: Final = 5  # of a word that may be misspelt
_NEIGHBOURS: Final = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok",
    "o": "ipl", "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb",
    "h": "gyjn", "j": "hukm", "k": "jil", "l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv",
    "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip


def misspell(text: str, chance: float, rng: np.random.Generator) -> str:
    """Return the text with one typing error, by `chance`, in each word of five letters or more.

    An error is a letter deleted, doubled, transposed with the next, or replaced by a neighbour on
    the keyboard. Words of other scripts are not changed.
    """
    words = text.split(" ")
    for number, word in enumerate(words):
        letters = sum(character.isascii() and character.isalpha() for character in word)
        if letters >= _MIN_LETTERS and rng.random() < chance:
            words[number] = _typo(word, rng)
    return " ".join(words)


def add_noise(text: str, rng: np.random.Generator) -> str:
    """Return the text with typing errors, and sometimes without capitals or full stops."""
    rough = misspell(text, 0.3, rng)
    kind = rng.random()
    if kind < 0.25:  # noqa: PLR2004
        return rough.lower().rstrip(".?!")
    if kind < 0.35:  # noqa: PLR2004 — a missing space
        spaces = [i for i, character in enumerate(rough) if character == " "]
        if spaces:
            at = int(rng.choice(spaces))
            return rough[:at] + rough[at + 1 :]
    return rough


def _typo(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(0, len(word) - 1))
    kind = int(rng.integers(0, 4))
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[: at + 1] + word[at:]
    if kind == 2:  # noqa: PLR2004
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    near = _NEIGHBOURS.get(word[at].lower(), word[at])
    return word[:at] + near[int(rng.integers(0, len(near)))] + word[at + 1 :]
