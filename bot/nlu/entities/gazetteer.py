"""Values a home lists by name: products, shops, colours, with their other names.

English names match word by word in any case, in singular and plural, with one slip in a word of
six letters or more; Chinese names match wherever they stand.
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
_LONG: Final = 6
_SAFE: Final = 8  # from here on the last letter may be the wrong one: charge, charger, charged
# Words of any message that are one slip away from goods: packet and jacket, winter and printer.
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
    """Return the singular of a word, as good as a rule can tell: boxes, berries, boots."""
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):  # noqa: PLR2004
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word[:-1]
    return word


def _without_one(word: str) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _one_slip(typed: str, right: str) -> bool:
    """Tell whether one letter was dropped, added, swapped with its neighbour or mistaken."""
    start = 0
    while start < min(len(typed), len(right)) and typed[start] == right[start]:
        start += 1
    a, b = typed[start:], right[start:]
    if len(b) < _LONG - start and start >= len(right) - 1 and len(right) < _SAFE:
        return False  # only the last letter differs: another word
    if len(a) == len(b):
        swapped = a[1::-1] + a[2:] == b
        return swapped or (start > 0 and a[1:] == b[1:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


class Gazetteer:
    """Finds the names of some lists in a text."""

    def __init__(self, lists: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Index lists by kind: canonical value → its other names."""
        self._by_first: dict[str, list[_Name]] = {}
        self._slips: dict[str, set[str]] = {}
        self._chinese: dict[str, tuple[str, str]] = {}
        vocabulary: set[str] = set()
        for kind, values in lists.items():
            for value, others in values.items():
                for name in (value, *others):
                    vocabulary |= self._add(kind, value, narrow(name))
        for names in self._by_first.values():
            names.sort(key=lambda name: -len(name.words))
        self._vocabulary: Final = frozenset(vocabulary)
        for word in vocabulary:
            if len(word) >= _LONG and word.isalpha():
                for key in (word, *_without_one(word)):
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
        """Yield the names of a text that `narrow` and `simplified` have read, longest first."""
        if self._by_first:
            yield from self._english(text)
        if self._han and not text.isascii():
            low = text.lower()
            for match in self._han.finditer(low if len(low) == len(text) else text):
                kind, value = self._chinese[match[0]]
                yield ValueSpan(kind, value, *match.span())

    def _english(self, text: str) -> Iterator[ValueSpan]:
        places = [match.span() for match in _WORD.finditer(text)]
        words = [self._known(text[start:end].lower()) for start, end in places]
        at = 0
        while at < len(words):
            found = self._at(words, at) or self._apart(words[at : at + 2])
            if found and _close(text, places[at : at + found[1]]):
                name, length = found
                yield ValueSpan(name.kind, name.value, places[at][0], places[at + length - 1][1])
                at += length
            else:
                at += 1

    def _at(self, words: Sequence[str], at: int) -> tuple[_Name, int] | None:
        """Return the longest name that starts at a word, and its number of words."""
        for name in self._by_first.get(words[at], ()):
            if tuple(words[at : at + len(name.words)]) == name.words:
                return name, len(name.words)
        return None

    def _apart(self, words: Sequence[str]) -> tuple[_Name, int] | None:
        """Return the one long word that was written as two: back pack."""
        joined = "".join(words)
        if len(words) == 1 or len(joined) < _LONG:
            return None
        names = self._by_first.get(joined, ())
        return next(((name, 2) for name in names if len(name.words) == 1), None)

    def _known(self, word: str) -> str:
        """Return the listed word this one is, or was meant to be."""
        stem = _stem(word)
        if stem in self._vocabulary or len(word) < _LONG - 1 or word in _REAL_WORDS:
            return stem
        for typed in dict.fromkeys((stem, word)):
            for key in (typed, *_without_one(typed)):
                for right in sorted(self._slips.get(key, ())):
                    if self._meant(typed, right):
                        return right
        return stem

    @staticmethod
    def _meant(typed: str, right: str) -> bool:
        inflected = typed.endswith(_ENDINGS) and typed[-3:] != right[-3:]
        return not inflected and _one_slip(typed, right)


def _close(text: str, places: list[tuple[int, int]]) -> bool:
    return all(
        _GAP.fullmatch(text, end, start) is not None for (_, end), (start, _) in pairwise(places)
    )
