"""The extractive answer: the statements of the best passages that answer, each cited. Pure.

A statement is scored by the words of the question that it holds, rare ones more; by those of what
it stands in (the sentence before, the lead-in, the row of headings); by meaning; and by whether it
holds the kind of thing that is asked for. What needs something else to be understood brings it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Final, Protocol

import numpy as np

from bot.core.types import Citation, Reply
from bot.generation import answer_types
from bot.generation.answer_types import AnswerType
from bot.generation.statements import CELL, HAN, PassageStatement, is_short, statements
from knowledge_base.chunking import sentences
from knowledge_base.documents import SearchHit
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms
from knowledge_base.text.chinese import simplified

MAX_WORDS: Final = 60
MAX_HAN: Final = 150
_STATEMENTS: Final = 3  # beside what those bring with them
_PASSAGES: Final = 3
_ENCODED: Final = 16  # statements that are read for their meaning: those whose words fit best
_CLOSE: Final = 0.6  # a further statement must score this much of the best one
_CLOSE_ELSEWHERE: Final = 0.75  # and this much where it stands in another passage
_IN_A_QUOTE: Final = 2  # sentences that one quote covers at most
# What counts beside the words a statement holds itself, whose share counts 1.
_CARRIED: Final = 0.4
_MEANING: Final = 0.5
_ANY: Final = 0.1  # so that the better passage speaks where nothing else does
_NOTHING_NEW: Final = 0.3  # what remains of a statement that says what the question says, no more
_ELSEWHERE: Final = 0.4  # what remains of one that only says where to read on
_TOPIC: Final = 0.6  # what a word counts that the passage's heading holds: all its statements fit
_UNSAID = re.compile(r"\d|[?？]|[一二三四五六七八九十]+[、.]")
_READ_ON = re.compile(
    r"(?:please )?(?:read|learn|find out|see|click|for) (?:more|also|our|here|further|the full)\b|"
    r"https?:|www\.|(?:更多|详细)(?:信息|内容|资料)|详见|参见|点击(?:这里|此处)",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"[.!?。！？…;；][\"'”’)\]」』）]*$")


class SentenceEncoder(Protocol):
    """What ranking sentences needs of an encoder."""

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode questions to unit vectors, shape (n, dimension)."""

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode sentences to unit vectors, shape (n, dimension)."""


@dataclass(frozen=True)
class Scored:
    """Statements in the order of their passages, and how well each answers, shape (n,)."""

    statements: Sequence[PassageStatement]
    scores: Vectors

    @property
    def order(self) -> list[int]:
        """The numbers of the statements, best first."""
        return [int(number) for number in np.argsort(-self.scores, kind="stable")]


def extract(question: str, hits: Sequence[SearchHit], encoder: SentenceEncoder | None) -> Reply:
    """Answer with the best statements of the best passages; hits must not be empty.

    They keep the order of the passage and stay in one article. The reply is at most 60 words or
    150 Chinese characters long, and says no number, date or link that its quotes do not hold.
    """
    scored = score(question, hits, encoder)
    if not scored.statements:
        return Reply("", composer="extractive")
    chosen = [scored.statements[number] for number in sorted(_choose(scored, question))]
    return Reply(
        _heading_of_fragments(chosen) + _said(chosen),
        citations=tuple(_cite(quoted) for quoted in _quotes(chosen)),
        composer="extractive",
    )


def score(question: str, hits: Sequence[SearchHit], encoder: SentenceEncoder | None) -> Scored:
    """Return the statements of the best passages and how well each answers the question."""
    found = [
        statement
        for rank, hit in enumerate(hits[:_PASSAGES])
        for statement in statements(hit.chunk, rank)
    ]
    if not found:
        return Scored([], np.zeros(0, dtype=np.float32))
    words, carried = _shares(question, found)
    kinds = answer_types.asked_for(question)
    gains = np.array([answer_types.gain(kinds, statement.text, question) for statement in found])
    trust = np.array([hits[s.rank].score / max(hits[0].score, 1e-9) for s in found])
    fit = _ANY + words + _CARRIED * carried + gains
    if encoder is not None:
        fit += _MEANING * _meaning(question, found, fit, encoder)
    worth = np.array([_worth(statement, question) for statement in found])
    return Scored(found, np.asarray(fit * trust * worth, dtype=np.float32))


def _worth(statement: PassageStatement, question: str) -> float:
    """Return what remains of a score: less for what repeats the question or sends elsewhere.

    An item may say just what was asked about: that it stands in the list is the answer.
    """
    if _READ_ON.match(statement.text):
        return _ELSEWHERE
    echo = set(terms(statement.text)) <= set(terms(question))
    return _NOTHING_NEW if echo and statement.form != "item" else 1.0


def _shares(question: str, found: Sequence[PassageStatement]) -> tuple[Vectors, Vectors]:
    """Return the share of the question's words that each statement holds, and holds in its context.

    Words count by how few of the statements hold them, idf = ln(1 + n / df), and those of the
    heading less.
    """
    wanted = _tokens(answer_types.ASKING.sub(" ", question)) or _tokens(question)
    held = [_tokens(statement.text) & wanted for statement in found]
    context = [
        own | (_tokens(f"{statement.chunk.heading} {before}") & wanted)
        for statement, own, before in zip(found, held, _before(found), strict=True)
    ]
    weights = {}
    for token in wanted:
        count = sum(token in own for own in held) or sum(token in around for around in context)
        weights[token] = log(1 + len(found) / count) if count else 0.0
    topics = [_tokens(topic) for topic in _topics(found)]

    def share(tokens: set[str], topic: set[str]) -> float:
        return sum(weights[t] * (_TOPIC if t in topic else 1.0) for t in tokens)

    total = max(sum(weights.values()), 1e-9)
    return (
        np.array([share(o, t) / total for o, t in zip(held, topics, strict=True)]),
        np.array([share(c, t) / total for c, t in zip(context, topics, strict=True)]),
    )


def _tokens(text: str) -> set[str]:
    """Return index terms and, as many a Chinese word has one character only, characters."""
    return {*terms(text), *HAN.findall(simplified(text))}


def _before(found: Sequence[PassageStatement]) -> list[str]:
    """Return what each statement is read with: its lead-in, else the sentence before it."""
    context = [found[0].lead_text]
    for previous, statement in pairwise(found):
        same = previous.chunk is statement.chunk
        context.append(statement.lead_text or (previous.text if same else ""))
    return context


def _topics(found: Sequence[PassageStatement]) -> list[str]:
    """Return what each statement's passage is about: its heading, else its first statement."""
    first: dict[str, str] = {}
    for statement in found:
        first.setdefault(statement.chunk.id, statement.text)
    return [s.chunk.heading or first[s.chunk.id] for s in found]


def _meaning(
    question: str, found: Sequence[PassageStatement], fit: Vectors, encoder: SentenceEncoder
) -> Vectors:
    """Return how near statements are to the question, from 0 for the farthest to 1, shape (n,)."""
    query = encoder.queries([question])[0]
    read = np.argsort(-fit, kind="stable")[:_ENCODED]
    context = _before(found)
    # The heading gives a short sentence ("1–2 business days") the topic it lacks.
    texts = []
    for number in read:
        statement = found[number]
        before = context[number] if statement.lead or statement.refers else ""
        texts.append(f"{statement.chunk.heading}: {before} {statement.text}")
    near = encoder.passages(texts) @ query
    low, high = float(near.min()), float(near.max())
    meaning = np.zeros(len(found), dtype=np.float32)
    meaning[read] = (near - low) / max(high - low, 1e-6)
    return meaning


def _choose(scored: Scored, question: str) -> set[int]:
    """Return the numbers of the statements that are said."""
    found, order = scored.statements, scored.order
    best = order[0]
    chosen = {best}

    def add(number: int) -> bool:
        if number not in chosen and not _fits([found[n] for n in (*chosen, number)]):
            return False
        chosen.add(number)
        return True

    whole = AnswerType.WAY in answer_types.asked_for(question)
    _bring(scored, best, add, whole=whole)
    said = 1
    for number in order[1:]:
        if said == _STATEMENTS or scored.scores[number] < _CLOSE * scored.scores[best]:
            break
        statement = found[number]
        if not _goes_with(found[best], statement, scored.scores[number] / scored.scores[best]):
            continue
        fresh = all(statement.text != found[n].text for n in chosen)
        if fresh and add(number):
            _bring(scored, number, add, whole=whole)
            said += 1
    return _without_open_ends(found, chosen)


def _goes_with(best: PassageStatement, statement: PassageStatement, share: float) -> bool:
    """Tell whether a statement that has this share of the best one's score is said beside it."""
    if statement.chunk is best.chunk:
        return True
    return statement.chunk.article == best.chunk.article and share >= _CLOSE_ELSEWHERE


def _without_open_ends(found: Sequence[PassageStatement], chosen: set[int]) -> set[int]:
    """Leave out lead-ins whose items found no room, unless nothing else is said."""
    kept = {n for n in chosen if not _leads(found[n]) or n + 1 in chosen}
    return kept or chosen


def _bring(scored: Scored, number: int, add: "Add", *, whole: bool) -> None:
    """Add what a statement needs to be understood, as far as it fits.

    An item brings its lead-in, and where a way or a list is asked for, the other items; a lead-in
    brings its items; a sentence that refers to the one before brings that.
    """
    found, statement = scored.statements, scored.statements[number]
    before = number - 1
    has_before = before >= 0 and found[before].chunk is statement.chunk
    if _leads(statement):
        for other in range(number + 1, len(found)):
            same = found[other].lead == (statement.start, statement.end)
            if found[other].chunk is not statement.chunk or not (same and add(other)):
                break
    elif statement.form == "item":
        for other, lead in enumerate(found):
            if lead.chunk is statement.chunk and (lead.start, lead.end) == statement.lead:
                add(other)
        if whole:
            _bring_block(found, number, add)
    elif statement.form == "sentence" and statement.refers and has_before:
        add(before)


def _bring_block(found: Sequence[PassageStatement], number: int, add: "Add") -> None:
    """Add the other items of a list: those that follow, then those before, without a gap."""
    statement = found[number]
    for step in (1, -1):
        other = number + step
        while 0 <= other < len(found) and _same_block(found[other], statement) and add(other):
            other += step


def _leads(statement: PassageStatement) -> bool:
    return statement.text.endswith((":", "："))


def _same_block(one: PassageStatement, other: PassageStatement) -> bool:
    return one.chunk is other.chunk and one.block == other.block


class Add(Protocol):
    """Adds a statement by its number and tells whether it is said now."""

    def __call__(self, number: int, /) -> bool:
        """Return False when there is no room for it."""


def _fits(chosen: Sequence[PassageStatement]) -> bool:
    text = " ".join(statement.text for statement in chosen)
    return len(HAN.findall(text)) <= MAX_HAN and len(text.split()) <= MAX_WORDS


def _quotes(chosen: Sequence[PassageStatement]) -> Iterator[tuple[PassageStatement, int]]:
    """Yield where each quote begins and its end; neighbours share one as long as it is short."""
    begun: PassageStatement | None = None
    end = 0
    for statement in chosen:
        if begun is not None and _is_one_quote(begun, end, statement):
            end = statement.end
            continue
        if begun is not None:
            yield begun, end
        begun, end = statement, statement.end
    if begun is not None:
        yield begun, end


def _is_one_quote(begun: PassageStatement, end: int, statement: PassageStatement) -> bool:
    text = begun.chunk.text
    if begun.chunk is not statement.chunk or text[end : statement.start].strip():
        return False
    quote = text[begun.start : statement.end]
    return len(list(sentences(quote))) <= _IN_A_QUOTE and len(HAN.findall(quote)) <= MAX_HAN


def _cite(quoted: tuple[PassageStatement, int]) -> Citation:
    statement, end = quoted
    chunk = statement.chunk
    return Citation(
        article=chunk.article,
        title=chunk.title,
        quote=chunk.text[statement.start : end],
        start=chunk.start + statement.start,
        end=chunk.start + end,
        url=chunk.url,
    )


def _heading_of_fragments(chosen: Sequence[PassageStatement]) -> str:
    """Return the heading that list items need: "burns" may stand under "What is not covered".

    A number in a heading stands in no quote, and a question is no lead-in: those are not said.
    """
    first = chosen[0]
    if _CLOSED.search(first.text) or first.form == "row" or _leads(first):
        return ""
    heading = first.chunk.headings[-1] if first.chunk.headings else first.chunk.title
    if not heading or _UNSAID.search(heading) or not is_short(heading):
        return ""
    return f"{heading}：" if HAN.search(first.text) else f"{heading}: "


def _said(chosen: Sequence[PassageStatement]) -> str:
    """Return the statements as one text; items of a list after one another."""
    text = ""
    for statement, after in zip(chosen, [*chosen[1:], None], strict=True):
        part = _readable(statement)
        if not re.search(r"[.!?。！？:：;；,，…][\"'”’)\]」』）]*$", part):
            listed = after is not None and _same_block(statement, after)
            part += _stop(part, in_list=listed and statement.form == "item")
        text += part if not text or HAN.match(part[0]) else f" {part}"
    return text


def _stop(text: str, *, in_list: bool) -> str:
    if HAN.search(text):
        return "；" if in_list else "。"
    return ";" if in_list else "."


def _readable(statement: PassageStatement) -> str:
    """Turn a table's row into a line: `US express | 2 days | $5` → `US express: Time 2 days, …`.

    Three columns and more need the names of the columns.
    """
    cells = [cell.strip() for cell in re.sub(r"\s+", " ", statement.text).split(CELL)]
    if len(cells) == 1:
        return cells[0]
    names = [cell.strip() for cell in statement.lead_text.split(CELL)]
    named = len(names) == len(cells) >= 3 and not re.search(r"\d", statement.lead_text)  # noqa: PLR2004
    values = [
        f"{name} {cell}" if named and name else cell
        for name, cell in zip(names if named else cells, cells, strict=True)
        if cell
    ][1 if cells[0] else 0 :]
    is_chinese = HAN.search(statement.text) is not None
    return f"{cells[0]}{'：' if is_chinese else ': '}{('，' if is_chinese else ', ').join(values)}"
