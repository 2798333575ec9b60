"""Claims of a passage, one per sentence: subject words, figures and negation.

They are made for comparing two passages: only words that carry a subject count, and limits of a
claim (a place, a weekday, a payment method, a product's name) are extracted separately.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import Final

from knowledge_base.chunking import sentences
from knowledge_base.documents import Chunk
from knowledge_base.index.sparse import terms
from knowledge_base.text.chinese import simplified
from knowledge_base.text.measures import Measure, find_measures
from knowledge_base.text.negation import NEGATION
from knowledge_base.text.scope_constraints import Scopes, find_scopes, find_weekdays

_CACHED_TEXTS: Final = 100_000
_LEADING_WORDS: Final = 2  # in Chinese: pairs of characters and single ones
_LEADING_WORDS_HAN: Final = 8
_STEM_LENGTH: Final = 5  # letters in which two forms of a word agree: deliver, delivery
_HAN = re.compile(r"[\u3400-\u9fff]+")
_CLAUSE_END = re.compile(r"[,;，；、](?!\d)|\s+(?:and|but)\s+(?=\w+ (?:is|are|can|may|must|do)\b)")
_RULE = re.compile(r"[\s|:+-]*")
_STOP_WORDS: Final = """
about after again all also always any been before being both but cannot did done each either
even ever every few get gets give given gives got had here him his into just least less let
like long made make makes many may more most much must need needs never no none nor not now
once only onto other others out over per please same see she since some still such take
takes than then there these those through time times too two under until up us use used very
want way well were whole within without yet today don doesn isn aren won t s re ve ll d m one
three four five six seven eight nine ten day days e reach reaches please because daily weekend
monday tuesday wednesday thursday friday saturday sunday
"""
# Words with the same meaning in customer service, as cut stems.
_SYNONYMS: Final = {
    "ship": "deliv", "shipp": "deliv", "sent": "send", "dispa": "send", "purch": "buy",
    "bough": "buy", "charg": "cost", "fee": "cost", "price": "cost", "store": "shop",
    "pick": "colle", "closed": "open", "close": "open", "opens": "open",
    "mail": "email", "instal": "insta",
}  # fmt: skip
_PHRASES: Final = (
    (
        re.compile(
            r"\b(?:sent|send|sending|sends|brought|bring) (?:it |them )?back\b", re.IGNORECASE
        ),
        "return",
    ),
    (re.compile(r"\be-mails?\b", re.IGNORECASE), "email"),
    (re.compile(r"\bnext day\b", re.IGNORECASE), "overnight"),
)
_HAN_STOP_CHARACTERS = re.compile(
    r"[的了是在和与或及等请可能够会将要需须我们您你他她它这那些每个各一到从把被就才也还都则以于为对向"
    r"让给由所其之内后前时候有没不未无勿别只仅最多至少一次使用绝天日]"
)
_NEGATION = re.compile(rf"{NEGATION}|\bclosed\b|休息", re.IGNORECASE)
_QUALIFIED = re.compile(
    r"\b(?:if|unless|when|whether|except|otherwise|in case|although|already|example|e\.g\.|until"
    r"|till|once|before|after|while)\b|\?"
    r"|如果|若|除非|假如|要是|当.{0,12}时|否则|例如|比如|例：|吗|？|是否|前|后|过了",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"\b(?:example|e\.g\.|for instance)\b|例如|比如|举例|例：", re.IGNORECASE)
_ONLY = re.compile(r"\bonly\b|\bexclusively\b|只|仅|限", re.IGNORECASE)
_EXCEPTION = re.compile(
    r"\b(?:outside|beyond|other than|all others?(?! days)|elsewhere)\b"
    r"|期外|以外|除.{1,12}外|其他|其它",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[a-z,;:(] )[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)*(?: \d\b)?|\b[A-Z]{3,}\d*\b")
_NOT_NAMES: Final = frozenset(
    {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)


@dataclass(frozen=True)
class ClaimClause:
    """A part of a sentence, its position there, its words and those it denies, if any."""

    start: int
    end: int
    words: frozenset[str]
    denied: frozenset[str] | None
    qualified: bool


@dataclass(frozen=True)
class ArticleClaim:
    """A sentence, a list item or a row: `text` starts at `start` of its article.

    `first` are its leading words, `values` its figures with offsets into `text`, `above` the scopes
    of its headings; `row` are the cells and `header` those of the first row, in a table. Properties
    that are rarely needed are computed on demand.
    """

    start: int
    text: str
    plain: str  # in Simplified Chinese; offsets stay
    bare: str  # and without its figures
    words: frozenset[str]
    first: frozenset[str]
    values: tuple[Measure, ...]
    row: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    above: Scopes = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The offset of its end in the article."""
        return self.start + len(self.text)

    @cached_property
    def scopes(self) -> Scopes:
        """The place, payment method, speed and so on that it is about."""
        own = find_scopes(self.plain)
        # A heading with several values of one scope does not say which of them a sentence is about.
        return {line: names for line, names in self.above.items() if len(names) == 1} | own

    @cached_property
    def clauses(self) -> tuple[ClaimClause, ...]:
        """The clauses of the sentence."""
        return tuple(_clauses(self.plain, self.bare))

    @cached_property
    def days(self) -> frozenset[str]:
        """The weekdays it names."""
        return find_weekdays(self.plain)

    @cached_property
    def names(self) -> frozenset[str]:
        """The proper names inside it, in English."""
        names = _NAME.findall(self.plain)
        return frozenset(name for name in names if name.rstrip("s") not in _NOT_NAMES)

    @cached_property
    def only(self) -> bool:
        """Return whether it excludes everything it does not name."""
        return bool(_ONLY.search(self.plain))

    @cached_property
    def example(self) -> bool:
        """Return whether it is only an example."""
        return bool(_EXAMPLE.search(self.plain))

    @cached_property
    def exception(self) -> bool:
        """Return whether it is about what is outside something."""
        return bool(_EXCEPTION.search(self.plain))

    @property
    def whole(self) -> bool:
        """Return whether it is a sentence with a full stop; list items and rows have none."""
        return self.text.rstrip().endswith((".", "!", "。", "！"))

    @cached_property
    def denies(self) -> bool:
        """Return whether any part of it is a negation."""
        return bool(_NEGATION.search(self.bare))

    def clause(self, value: Measure) -> ClaimClause | None:
        """Return the clause that contains a figure."""
        return next((c for c in self.clauses if c.start <= value.start < c.end), None)


def extract_claims(passage: Chunk) -> list[ArticleClaim]:
    """Return the claims of a passage, each limited by the scopes of the headings."""
    heading = simplified(" ".join((passage.title, *passage.headings)))
    around = find_scopes(heading)
    header = _cells(passage.headings[-1]) if passage.headings else ()
    claims = []
    for start, end in sentences(passage.text):
        if _RULE.fullmatch(passage.text[start:end]):
            continue
        claim = read_claim(passage.text[start:end], passage.start + start)
        if len(claim.row) != len(header):
            header = claim.row  # the first row of a table is the header of the others
            continue
        claims.append(replace(claim, above=around, header=header))
    return claims


def _cells(text: str) -> tuple[str, ...]:
    if "|" not in text:
        return ()
    return tuple(cell.strip() for cell in text.strip().strip("|").split("|"))


@lru_cache(maxsize=_CACHED_TEXTS)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text that carry a subject, in order: cut stems and Han pairs."""
    text = simplified(text)
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    cut = [word[:_STEM_LENGTH] for word in terms(_HAN.sub(" ", text)) if word not in _stop_words()]
    tokens = [_SYNONYMS.get(word, word) for word in cut if not word.isdigit() and len(word) > 1]
    for run in _HAN.findall(text):
        for piece in _HAN_STOP_CHARACTERS.sub(" ", run).split():
            # Pairs name things; single characters match words that are written another way.
            tokens += [piece[i : i + 2] for i in range(len(piece) - 1)]
            tokens += piece
    return tuple(tokens)


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(terms(_STOP_WORDS))


def read_claim(text: str, start: int = 0) -> ArticleClaim:
    """Return the claim of one sentence; `start` is its offset in the article."""
    plain = simplified(text)
    figures = find_measures(plain)
    bare = _blank_figures(plain, figures)
    every = words(bare)
    return ArticleClaim(
        start=start,
        text=text,
        plain=plain,
        bare=bare,
        words=frozenset(every),
        first=frozenset(every[: _LEADING_WORDS_HAN if _HAN.search(text) else _LEADING_WORDS]),
        values=tuple(figures),
        row=_cells(text),
    )


def _blank_figures(text: str, figures: list[Measure]) -> str:
    """Return a text with its figures replaced by blanks; offsets stay."""
    for value in figures:
        text = text[: value.start] + " " * (value.end - value.start) + text[value.end :]
    return text


def _clauses(text: str, bare: str) -> Iterator[ClaimClause]:
    """Yield the clauses of a sentence; `bare` is the sentence without its figures."""
    qualified = bool(_QUALIFIED.search(text))
    start = 0
    for match in [*_CLAUSE_END.finditer(text), None]:
        end = match.start() if match else len(text)
        part = bare[start:end]
        no = _NEGATION.search(part)
        denied = frozenset(words(part[no.end() :])) if no else None
        yield ClaimClause(start, end, frozenset(words(part)), denied, qualified)
        start = match.end() if match else end
