"""Trying a question out: the serving path, step by step, with nothing written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.assistant import Assistant
from bot.bootstrap import Home
from bot.dialogue.state import State, advance
from bot.generation.support import SupportCheck, Verdict
from bot.types import Message, Role, Route, Turn, new_id
from bot.work import Work
from knowledge_base.chunking import sentences
from knowledge_base.documents import Evidence, Hit
from knowledge_base.filters import Filter

_CANDIDATES: Final = 10


@dataclass(frozen=True)
class Question:
    """What is tried: a text, after earlier ones of the same customer."""

    text: str
    earlier: tuple[str, ...] = ()
    language: str | None = None  # of the conversation so far
    channel: str = "widget"


@dataclass(frozen=True)
class Checked:
    """A sentence of the reply, and whether the passages support it."""

    text: str
    verdict: Verdict
    article: str | None  # the one it stands on


@dataclass(frozen=True)
class Tried:
    """What came of a question.

    `candidates` are what a search for the question finds, whether the reply was searched for or
    not; `evidence` tells how likely the first of them answers, and from `threshold` on that counts.
    """

    turn: Turn
    earlier: tuple[Turn, ...] = ()
    candidates: tuple[Hit, ...] = ()
    evidence: Evidence | None = None
    threshold: float = 0.0
    support: tuple[Checked, ...] = ()


def attempt(home: Home, serving: Assistant, question: Question) -> Tried:
    """Answer a question as `serving` would; actions act on a copy, and nothing is kept."""
    bot = Assistant(replace(serving.parts, actions=home.actions(dry=True)))
    conversation, state = new_id(), State(language=question.language)
    turns: list[Turn] = []
    before = state
    for text in (*question.earlier, question.text):
        message = Message(text, conversation, channel=question.channel)
        bot.check(message)
        before = state
        turns.append(bot.again(message, before))
        state = advance(before, turns[-1])
    found, evidence = _searched(bot, turns[-1], before)
    return Tried(
        turn=turns[-1],
        earlier=tuple(turns[:-1]),
        candidates=found,
        evidence=evidence,
        threshold=bot.parts.policy.evidence_threshold(turns[-1].decision),
        support=_supported(home, turns[-1]),
    )


def _searched(bot: Assistant, turn: Turn, before: State) -> tuple[tuple[Hit, ...], Evidence | None]:
    """Search as the reply was searched for, for more passages than it needs."""
    if bot.parts.knowledge is None:
        return (), None
    work = Work(turn.message, before, asked=turn.message.text)
    found = bot.parts.knowledge.find(
        work.question,
        _CANDIDATES,
        language=work.language(turn.understanding),
        only=Filter.public(turn.message.at.date()),
        context=work.last(Role.CUSTOMER),
        prefer=bot.parts.policy.articles(turn.decision),
    )
    return found.hits, found.evidence


def _supported(home: Home, turn: Turn) -> tuple[Checked, ...]:
    """Check each sentence of a reply that was made from passages; templates are the shop's own."""
    passages = _distinct(turn.evidence)
    if Route.RETRIEVE not in {decision.route for decision in turn.decisions} or not passages:
        return ()
    said = [turn.reply.text[start:end] for start, end in sentences(turn.reply.text)]
    check = SupportCheck(home.sentence_encoder())
    verdicts = check.check_all(said, [hit.chunk.text for hit in passages])
    return tuple(
        Checked(
            text,
            verdict,
            passages[verdict.passage].chunk.article if verdict.passage is not None else None,
        )
        for text, verdict in zip(said, verdicts, strict=True)
    )


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    return list({hit.chunk.id: hit for hit in hits}.values())
