"""Extractive answers: the statements of the best passages that answer a question, cited. Pure.

A statement is scored by the words of the question in it, rare ones more; by those in its context
(the sentence before, the lead-in, the row of headings); by meaning; and by whether it contains the
type of answer asked for. A statement that cannot be understood alone is quoted with its context.
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
_MAX_STATEMENTS: Final = 3  # without those added as their context
_PASSAGES: Final = 3
_MAX_ENCODED: Final = 16  # statements compared by meaning: those whose words fit best
_MIN_SHARE: Final = 0.6  # of the best score that a further statement must have
_MIN_SHARE_ELSEWHERE: Final = 0.75  # the same for a statement in another passage
_MAX_QUOTE: Final = 2  # sentences in one quote
# Weights relative to that of the words in the statement itself, which is 1.
_CONTEXT: Final = 0.4
_MEANING: Final = 0.5
_BASE: Final = 0.1  # so that the better passage wins where nothing else differs
_ECHO: Final = 0.3  # factor for a statement that only repeats the question
_POINTER: Final = 0.4  # factor for a statement that only says where to read more
_TOPIC: Final = 0.6  # weight of a word in the passage's heading, which fits all its statements
_UNCITABLE = re.compile(r"\d|[?？]|[一二三四五六七八九十]+[、.]")
_READ_ON = re.compile(
    r"(?:please )?(?:read|learn|find out|see|click|for) (?:more|also|our|here|further|the full)\b|"
    r"https?:|www\.|(?:更多|详细)(?:信息|内容|资料)|详见|参见|点击(?:这里|此处)",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"[.!?。！？…;；][\"'”’)\]」』）]*$")


class SentenceEncoder(Protocol):
    """The parts of an encoder that ranking needs."""

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

    They keep the order of the passage and are from one article. The reply is at most 60 words or
    150 Chinese characters long, and has no number, date or link that is not in its quotes.
    """
    scored = score(question, hits, encoder)
    if not scored.statements:
        return Reply("", composer="extractive")
    selected = [scored.statements[number] for number in sorted(_select(scored, question))]
    return Reply(
        _heading_of_fragments(selected) + _join(selected),
        citations=tuple(_cite(quoted) for quoted in _quotes(selected)),
        composer="extractive",
    )


def score(question: str, hits: Sequence[SearchHit], encoder: SentenceEncoder | None) -> Scored:
    """Return the statements of the best passages and how well each answers the question."""
    candidates = [
        statement
        for rank, hit in enumerate(hits[:_PASSAGES])
        for statement in statements(hit.chunk, rank)
    ]
    if not candidates:
        return Scored([], np.zeros(0, dtype=np.float32))
    words, context = _shares(question, candidates)
    kinds = answer_types.expected_types(question)
    gains = np.array(
        [answer_types.gain(kinds, statement.text, question) for statement in candidates]
    )
    trust = np.array([hits[s.rank].score / max(hits[0].score, 1e-9) for s in candidates])
    fit = _BASE + words + _CONTEXT * context + gains
    if encoder is not None:
        fit += _MEANING * _meaning(question, candidates, fit, encoder)
    factors = np.array([_factor(statement, question) for statement in candidates])
    return Scored(candidates, np.asarray(fit * trust * factors, dtype=np.float32))


def _factor(statement: PassageStatement, question: str) -> float:
    """Return the factor of a score: less than 1 for what repeats the question or only points on.

    An item may repeat the question: that it is in the list is the answer.
    """
    if _READ_ON.match(statement.text):
        return _POINTER
    echo = set(terms(statement.text)) <= set(terms(question))
    return _ECHO if echo and statement.form != "item" else 1.0


def _shares(question: str, candidates: Sequence[PassageStatement]) -> tuple[Vectors, Vectors]:
    """Return the share of the question's words in each statement, and in it with its context.

    Words are weighted by idf over the statements, ln(1 + n / df), and those of the heading less.
    """
    query = _tokens(answer_types.ASKING.sub(" ", question)) or _tokens(question)
    matches = [_tokens(statement.text) & query for statement in candidates]
    context = [
        own | (_tokens(f"{statement.chunk.heading} {before}") & query)
        for statement, own, before in zip(candidates, matches, _before(candidates), strict=True)
    ]
    weights = {}
    for token in query:
        count = sum(token in own for own in matches) or sum(token in around for around in context)
        weights[token] = log(1 + len(candidates) / count) if count else 0.0
    topics = [_tokens(topic) for topic in _topics(candidates)]

    def share(tokens: set[str], topic: set[str]) -> float:
        return sum(weights[t] * (_TOPIC if t in topic else 1.0) for t in tokens)

    total = max(sum(weights.values()), 1e-9)
    return (
        np.array([share(o, t) / total for o, t in zip(matches, topics, strict=True)]),
        np.array([share(c, t) / total for c, t in zip(context, topics, strict=True)]),
    )


def _tokens(text: str) -> set[str]:
    """Return index terms and single Han characters, since many Chinese words have only one."""
    return {*terms(text), *HAN.findall(simplified(text))}


def _before(candidates: Sequence[PassageStatement]) -> list[str]:
    """Return the context of each statement: its lead-in, else the sentence before it."""
    context = [candidates[0].lead_text]
    for previous, statement in pairwise(candidates):
        same = previous.chunk is statement.chunk
        context.append(statement.lead_text or (previous.text if same else ""))
    return context


def _topics(candidates: Sequence[PassageStatement]) -> list[str]:
    """Return the topic of each statement's passage: its heading, else its first statement."""
    first: dict[str, str] = {}
    for statement in candidates:
        first.setdefault(statement.chunk.id, statement.text)
    return [s.chunk.heading or first[s.chunk.id] for s in candidates]


def _meaning(
    question: str, candidates: Sequence[PassageStatement], fit: Vectors, encoder: SentenceEncoder
) -> Vectors:
    """Return how near statements are to the question, from 0 for the farthest to 1, shape (n,)."""
    query = encoder.queries([question])[0]
    best = np.argsort(-fit, kind="stable")[:_MAX_ENCODED]
    context = _before(candidates)
    # The heading gives a short sentence ("1–2 business days") the topic it lacks.
    texts = []
    for number in best:
        statement = candidates[number]
        before = context[number] if statement.lead or statement.refers else ""
        texts.append(f"{statement.chunk.heading}: {before} {statement.text}")
    near = encoder.passages(texts) @ query
    low, high = float(near.min()), float(near.max())
    meaning = np.zeros(len(candidates), dtype=np.float32)
    meaning[best] = (near - low) / max(high - low, 1e-6)
    return meaning


def _select(scored: Scored, question: str) -> set[int]:
    """Return the numbers of the statements for the reply."""
    candidates, order = scored.statements, scored.order
    best = order[0]
    selected = {best}

    def add(number: int) -> bool:
        if number not in selected and not _fits([candidates[n] for n in (*selected, number)]):
            return False
        selected.add(number)
        return True

    whole = AnswerType.WAY in answer_types.expected_types(question)
    _add_context(scored, best, add, whole=whole)
    count = 1
    for number in order[1:]:
        if count == _MAX_STATEMENTS or scored.scores[number] < _MIN_SHARE * scored.scores[best]:
            break
        share = scored.scores[number] / scored.scores[best]
        statement = candidates[number]
        if not _goes_with(candidates[best], statement, share):
            continue
        fresh = all(statement.text != candidates[n].text for n in selected)
        if fresh and add(number):
            _add_context(scored, number, add, whole=whole)
            count += 1
    return _without_open_ends(candidates, selected)


def _goes_with(best: PassageStatement, statement: PassageStatement, share: float) -> bool:
    """Return whether a statement, with a share of the best score, can follow the best one."""
    if statement.chunk is best.chunk:
        return True
    return statement.chunk.article == best.chunk.article and share >= _MIN_SHARE_ELSEWHERE


def _without_open_ends(candidates: Sequence[PassageStatement], selected: set[int]) -> set[int]:
    """Drop lead-ins whose items did not fit, unless there is nothing else."""
    complete = {n for n in selected if not _is_lead(candidates[n]) or n + 1 in selected}
    return complete or selected


def _add_context(scored: Scored, number: int, add: "Add", *, whole: bool) -> None:
    """Add the statements that one needs to be understood, as far as they fit.

    These are an item's lead-in, and its other items if a procedure or a list is asked for; a
    lead-in's items; and the sentence before one that refers to it.
    """
    candidates, statement = scored.statements, scored.statements[number]
    before = number - 1
    has_before = before >= 0 and candidates[before].chunk is statement.chunk
    if _is_lead(statement):
        for other in range(number + 1, len(candidates)):
            same = candidates[other].lead == (statement.start, statement.end)
            if candidates[other].chunk is not statement.chunk or not (same and add(other)):
                break
    elif statement.form == "item":
        for other, lead in enumerate(candidates):
            if lead.chunk is statement.chunk and (lead.start, lead.end) == statement.lead:
                add(other)
        if whole:
            _add_block(candidates, number, add)
    elif statement.form == "sentence" and statement.refers and has_before:
        add(before)


def _add_block(candidates: Sequence[PassageStatement], number: int, add: "Add") -> None:
    """Add the other items of a list: those that follow, then those before, without a gap."""
    statement = candidates[number]
    for step in (1, -1):
        other = number + step
        while (
            0 <= other < len(candidates)
            and _same_block(candidates[other], statement)
            and add(other)
        ):
            other += step


def _is_lead(statement: PassageStatement) -> bool:
    return statement.text.endswith((":", "："))


def _same_block(first: PassageStatement, second: PassageStatement) -> bool:
    return first.chunk is second.chunk and first.block == second.block


class Add(Protocol):
    """A function that adds a statement by its number and returns whether it was added."""

    def __call__(self, number: int, /) -> bool:
        """Return False if there is no room for it."""


def _fits(selected: Sequence[PassageStatement]) -> bool:
    text = " ".join(statement.text for statement in selected)
    return len(HAN.findall(text)) <= MAX_HAN and len(text.split()) <= MAX_WORDS


def _quotes(selected: Sequence[PassageStatement]) -> Iterator[tuple[PassageStatement, int]]:
    """Yield the first statement and the end of each quote; neighbours share a short one."""
    first: PassageStatement | None = None
    end = 0
    for statement in selected:
        if first is not None and _is_one_quote(first, end, statement):
            end = statement.end
            continue
        if first is not None:
            yield first, end
        first, end = statement, statement.end
    if first is not None:
        yield first, end


def _is_one_quote(first: PassageStatement, end: int, statement: PassageStatement) -> bool:
    text = first.chunk.text
    if first.chunk is not statement.chunk or text[end : statement.start].strip():
        return False
    quote = text[first.start : statement.end]
    return len(list(sentences(quote))) <= _MAX_QUOTE and len(HAN.findall(quote)) <= MAX_HAN


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


def _heading_of_fragments(selected: Sequence[PassageStatement]) -> str:
    """Return the heading that list items need: "burns" may be under "What is not covered".

    A number in a heading is in no quote, and a question is not a lead-in: those are left out.
    """
    first = selected[0]
    if _CLOSED.search(first.text) or first.form == "row" or _is_lead(first):
        return ""
    heading = first.chunk.headings[-1] if first.chunk.headings else first.chunk.title
    if not heading or _UNCITABLE.search(heading) or not is_short(heading):
        return ""
    return f"{heading}：" if HAN.search(first.text) else f"{heading}: "


def _join(selected: Sequence[PassageStatement]) -> str:
    """Join the statements into one text; items of a list are separated by semicolons."""
    text = ""
    for statement, after in zip(selected, [*selected[1:], None], strict=True):
        part = _format(statement)
        if not re.search(r"[.!?。！？:：;；,，…][\"'”’)\]」』）]*$", part):
            listed = after is not None and _same_block(statement, after)
            part += _full_stop(part, in_list=listed and statement.form == "item")
        text += part if not text or HAN.match(part[0]) else f" {part}"
    return text


def _full_stop(text: str, *, in_list: bool) -> str:
    if HAN.search(text):
        return "；" if in_list else "。"
    return ";" if in_list else "."


def _format(statement: PassageStatement) -> str:
    """Format a table's row as a line: `US express | 2 days | $5` → `US express: Time 2 days, …`.

    From three columns, the names of the columns are included.
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
