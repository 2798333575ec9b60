"""Parsing of texts for the support check: sentences, clauses, and words with meaning.

Digits become half-width and characters Simplified before the comparison; offsets stay valid.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final

from bot.generation.verification import amounts, vocabulary
from bot.generation.verification.amounts import Amount
from knowledge_base.chunking import sentences
from knowledge_base.text.chinese import simplified
from knowledge_base.text.measures import plain

_TOKEN = re.compile(
    r"[\u3400-\u9fff]|[0-9]+(?:[.,:][0-9]+)*|[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_\u3400-\u9fff]+)*"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_CLAUSE_END = re.compile(
    r"[,;:，；：、|()（）](?!\d)"
    r"|\s(?=(?:but|because|since|if|unless|although|though|while|whereas|so that|or else)\b)"
    r"|\s(?=and (?:\w+ ){1,3}?(?:is|are|was|were|can|cannot|may|must|do|does|will|has|have)\b)"
    r"|(?<=[\u3400-\u9fff])(?=但|如果|若|除非|只要|因为|否则|而且|并且|然而)",
    re.IGNORECASE,
)
_MAX_CHARACTERS: Final = 1200  # of a sentence; a longer text is not a sentence


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the stem of an English word in lower case."""
    return str(_stemmer().stemWord(word.lower()))


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, str]:
    synonyms: dict[str, str] = {}
    for group in vocabulary.SAME:
        first, *rest = group.split()
        for word in rest:
            synonyms.setdefault(stem(word), stem(first))
    return synonyms


@dataclass(frozen=True)
class ContentToken:
    """A word, a number or a Chinese character; `key` is the value for comparisons."""

    key: str
    text: str
    start: int
    end: int
    empty: bool

    @property
    def han(self) -> bool:
        """Return whether it is a Chinese character."""
        return self.key[0] != "#" and "\u3400" <= self.text[0] <= "\u9fff"


@dataclass(frozen=True)
class ParsedSentence:
    """A sentence, list item or row: `text`, in plain digits, starts at `start` of its source."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset of its end."""
        return self.start + len(self.text)

    @cached_property
    def tokens(self) -> tuple[ContentToken, ...]:
        """All its tokens."""
        return tuple(_tokens(self.text[:_MAX_CHARACTERS], self.figures))

    @cached_property
    def figures(self) -> tuple[Amount, ...]:
        """Its figures; each is also a token."""
        return amounts.find_amounts(self.text[:_MAX_CHARACTERS])

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The keys of its content words: stems, numbers, pairs of Chinese characters."""
        return units(self.tokens)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Its distinct units."""
        return frozenset(self.units)

    @cached_property
    def clauses(self) -> tuple[tuple[int, int], ...]:
        """The spans of its clauses."""
        cuts = [match.start() for match in _CLAUSE_END.finditer(self.text[:_MAX_CHARACTERS])]
        edges = [0, *cuts, len(self.text)]
        return tuple((start, end) for start, end in pairwise(edges) if end > start)

    def clause(self, place: int) -> tuple[int, int]:
        """Return the span of the clause that contains a position."""
        return next(
            (span for span in self.clauses if span[0] <= place < span[1]), (0, len(self.text))
        )

    def around(self, start: int, end: int) -> tuple[ContentToken, ...]:
        """Return the tokens of a span."""
        return tuple(token for token in self.tokens if start <= token.start < end)


def parse_sentences(text: str) -> tuple[ParsedSentence, ...]:
    """Return the sentences of a text."""
    ready = simplified(plain(text))
    return tuple(ParsedSentence(ready[start:end], start) for start, end in sentences(ready))


def units(tokens: tuple[ContentToken, ...]) -> tuple[str, ...]:
    """Return the units of tokens: keys of content words, pairs of neighbouring characters."""
    return tuple(_units(tokens))


def _units(tokens: tuple[ContentToken, ...]) -> Iterator[str]:
    before: ContentToken | None = None
    for token in tokens:
        if not token.han:
            if not token.empty:
                yield token.key
            before = None
            continue
        beside = before is not None and before.end == token.start
        if beside and before is not None and not (before.empty and token.empty):
            yield before.text + token.text
        before = token


def _tokens(text: str, figures: Sequence[Amount]) -> Iterator[ContentToken]:
    spans = iter([*figures, None])
    figure = next(spans)
    for match in _TOKEN.finditer(text):
        while figure is not None and figure.end <= match.start():
            yield from _figure_tokens(text, figure)
            figure = next(spans)
        if figure is None or match.end() <= figure.start:
            yield _word(match)
    while figure is not None:
        yield from _figure_tokens(text, figure)
        figure = next(spans)


def _figure_tokens(text: str, figure: Amount) -> Iterator[ContentToken]:
    words = text[figure.start : figure.end]
    for key in figure.keys:
        yield ContentToken(key, words, figure.start, figure.end, empty=False)


def _word(match: re.Match[str]) -> ContentToken:
    word = match[0]
    if _HAN.match(word):
        return ContentToken(word, word, *match.span(), empty=word in vocabulary.EMPTY_HAN)
    lower = "usa" if word == "US" else word.lower().replace("’", "'")
    bare = lower.removesuffix("'s")
    root = bare.replace(",", "") if bare[0].isdigit() else stem(bare)
    empty = bare.split("'")[0] in vocabulary.EMPTY or len(bare) == 1
    return ContentToken(_synonyms().get(root, root), word, *match.span(), empty=empty)
