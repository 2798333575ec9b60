"""A gazetteer of values that a home lists by name: products, shops, colours.

English names match whole words in any case, in singular and plural, with one typing error in a word
of six letters or more; Chinese names match anywhere.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from knowledge_base.text.chinese import simplified
from knowledge_base.text.spans import ValueSpan, narrow

_WORD: Final = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ÿ]+")
_GAP: Final = re.compile(r"(?: {1,2}| ?[-&/+] ?|['.])?")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_MIN_FUZZY: Final = 6
_MIN_FUZZY_END: Final = 8  # from here on the last letter may differ: charge, charger, charged
# Common words that are one typing error away from goods: packet and jacket, winter and printer.
_REAL_WORDS: Final = frozenset(
    """
    packet packets pocket pockets ticket tickets jacket jackets racket bucket basket baskets
    socket rocket locket market winter printer painter pointer better letter letters butter
    batter bitter matter latter litter sitter number numbers member charge charged charges
    charger change changed changes chance orange order orders ordered border return returns
    returned refund refunds deliver delivered delivery shipping shopping stopping shipped
    shopped chipping skipping sleeping slipping slipper slippers stripped bottle battle
    bottles button bottom cotton table tables cable cables label labels stable battery better
    monitor mirror minor camera cameras candle handle handles candles bundle middle riddle
    coffee toffee course courses source sources house horse blouse mouse mouses bowl glasses
    classes passes masses dresses presses address addresses leather weather feather lather
    father bother mother other another cover covers lover over hover speaker sneaker sneakers
    speakers stroke stove strove spoke smoke phone phones shone stone stones store stores
    story watch watches match matches catches patches batch window winding wallet ballet
    ballot pillow willow yellow follow fellow hollow sandal scandal sandals helmet blanket
    planet market carpet target hammer hamper summer dinner thinner winner spinner keyboard
    heater header reader leader heather washer water waiter wafer later saucer boots boats
    books backs blender slender gender tender sender spender lender booster poster roaster
    toaster coaster counter country county courier curtain certain captain cushion fashion
    cooking looking booking hooking hiking biking liking taking making baking running gunning
    tracker trackers cracker traced tracks trucks trainer trainers trailer strainer container
    retainer parcel marcel cancel cancels
    """.split()  # noqa: SIM905 - readable as prose
)
_ENDINGS: Final = ("ed", "ing", "er", "ers", "ly", "est")


class _Name(NamedTuple):
    kind: str
    value: str
    words: tuple[str, ...]


def _stem(word: str) -> str:
    """Return the singular of a word by simple rules: boxes, berries, boots."""
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):  # noqa: PLR2004
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word[:-1]
    return word


def _deletions(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _is_one_edit(typed: str, right: str) -> bool:
    """Return whether one letter was deleted, inserted, transposed or replaced."""
    start = 0
    while start < min(len(typed), len(right)) and typed[start] == right[start]:
        start += 1
    a, b = typed[start:], right[start:]
    if len(b) < _MIN_FUZZY - start and start >= len(right) - 1 and len(right) < _MIN_FUZZY_END:
        return False  # only the last letter differs: probably another word
    if len(a) == len(b):
        swapped = a[1::-1] + a[2:] == b
        return swapped or (start > 0 and a[1:] == b[1:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


class Gazetteer:
    """Finds the names of several lists in a text."""

    def __init__(self, lists: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Index lists by kind: canonical value → its other names."""
        self._by_first: dict[str, list[_Name]] = {}
        self._slips: dict[str, set[str]] = {}
        self._chinese: dict[str, tuple[str, str]] = {}
        vocabulary: set[str] = set()
        for kind, values in lists.items():
            for value, aliases in values.items():
                for name in (value, *aliases):
                    vocabulary |= self._add(kind, value, narrow(name))
        for names in self._by_first.values():
            names.sort(key=lambda name: -len(name.words))
        self._vocabulary: Final = frozenset(vocabulary)
        for word in vocabulary:
            if len(word) >= _MIN_FUZZY and word.isalpha():
                for key in (word, *_deletions(word)):
                    self._slips.setdefault(key, set()).add(word)
        longest_first = sorted(self._chinese, key=len, reverse=True)
        self._han = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def _add(self, kind: str, value: str, name: str) -> set[str]:
        if _HAN.search(name):
            self._chinese.setdefault(simplified(name).lower(), (kind, value))
            return set()
        words = tuple(_stem(word.lower()) for word in _WORD.findall(name))
        forms = {words, ("".join(words),)} if len(words) == 2 else {words}  # noqa: PLR2004
        for form in forms - {()}:
            self._by_first.setdefault(form[0], []).append(_Name(kind, value, form))
        return {word for form in forms for word in form}

    def find(self, text: str) -> Iterator[ValueSpan]:
        """Yield the names in a text normalised by `narrow` and `simplified`, longest first."""
        if self._by_first:
            yield from self._english(text)
        if self._han and not text.isascii():
            low = text.lower()
            for match in self._han.finditer(low if len(low) == len(text) else text):
                kind, value = self._chinese[match[0]]
                yield ValueSpan(kind, value, *match.span())

    def _english(self, text: str) -> Iterator[ValueSpan]:
        spans = [match.span() for match in _WORD.finditer(text)]
        words = [self._listed_form(text[start:end].lower()) for start, end in spans]
        at = 0
        while at < len(words):
            match = self._at(words, at) or self._joined(words[at : at + 2])
            if match and _are_adjacent(text, spans[at : at + match[1]]):
                name, length = match
                yield ValueSpan(name.kind, name.value, spans[at][0], spans[at + length - 1][1])
                at += length
            else:
                at += 1

    def _at(self, words: Sequence[str], at: int) -> tuple[_Name, int] | None:
        """Return the longest name that starts at a word, and its number of words."""
        for name in self._by_first.get(words[at], ()):
            if tuple(words[at : at + len(name.words)]) == name.words:
                return name, len(name.words)
        return None

    def _joined(self, words: Sequence[str]) -> tuple[_Name, int] | None:
        """Return the listed word that was written as two: back pack."""
        joined = "".join(words)
        if len(words) == 1 or len(joined) < _MIN_FUZZY:
            return None
        names = self._by_first.get(joined, ())
        return next(((name, 2) for name in names if len(name.words) == 1), None)

    def _listed_form(self, word: str) -> str:
        """Return the listed word that this one is, or is a misspelling of."""
        stem = _stem(word)
        if stem in self._vocabulary or len(word) < _MIN_FUZZY - 1 or word in _REAL_WORDS:
            return stem
        for typed in dict.fromkeys((stem, word)):
            for key in (typed, *_deletions(typed)):
                for right in sorted(self._slips.get(key, ())):
                    if self._is_misspelling(typed, right):
                        return right
        return stem

    @staticmethod
    def _is_misspelling(typed: str, right: str) -> bool:
        inflected = typed.endswith(_ENDINGS) and typed[-3:] != right[-3:]
        return not inflected and _is_one_edit(typed, right)


def _are_adjacent(text: str, spans: list[tuple[int, int]]) -> bool:
    return all(
        _GAP.fullmatch(text, end, start) is not None for (_, end), (start, _) in pairwise(spans)
    )
