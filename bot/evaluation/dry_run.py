"""Trying a question out: the serving path, step by step, with nothing written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.assistant import retrieval
from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import Actions
from bot.assistant.turn_context import TurnContext
from bot.core.types import Message, Route, Turn, new_id
from bot.dialogue.state import State, advance
from bot.generation.verification import SupportCheck, SupportVerdict
from knowledge_base.chunking import sentences
from knowledge_base.documents import SearchHit, SearchResult

_CANDIDATES: Final = 10


@dataclass(frozen=True)
class DryRunQuestion:
    """What is tried: a text, after earlier ones of the same customer."""

    text: str
    earlier: tuple[str, ...] = ()
    language: str | None = None  # of the conversation so far
    channel: str = "widget"


@dataclass(frozen=True)
class SentenceCheck:
    """A sentence of the reply, and whether the passages support it."""

    text: str
    verdict: SupportVerdict
    article: str | None  # the one it stands on


@dataclass(frozen=True)
class DryRunResult:
    """What came of a question.

    `found` is what a search for the question finds, whether the reply was searched for or not, and
    how likely the first passage answers, which counts from `threshold` on; `used` are the passages
    the reply was made from.
    """

    turn: Turn
    earlier: tuple[Turn, ...]
    found: SearchResult
    threshold: float
    used: tuple[SearchHit, ...]
    support: tuple[SentenceCheck, ...]


def dry_run(
    serving: Assistant, actions: Actions | None, check: SupportCheck, question: DryRunQuestion
) -> DryRunResult:
    """Answer a question as `serving` would; nothing is kept.

    Args:
        serving: The assistant whose parts are used.
        actions: Dry actions, which change nothing.
        check: The support check of the sentences of the reply.
        question: The question.
    """
    bot = Assistant(replace(serving.components, actions=actions))
    conversation, state = new_id(), State(language=question.language)
    turns: list[Turn] = []
    before = state
    for text in (*question.earlier, question.text):
        message = Message(text, conversation, channel=question.channel)
        bot.check(message)
        before = state
        turns.append(bot.replay(message, before))
        state = advance(before, turns[-1], bot.components.policy.content.kept)
    found, threshold = _searched(bot, turns[-1], before)
    return DryRunResult(
        turn=turns[-1],
        earlier=tuple(turns[:-1]),
        found=found,
        threshold=threshold,
        used=_used(turns[-1]),
        support=_supported(check, turns[-1]),
    )


def _searched(bot: Assistant, turn: Turn, before: State) -> tuple[SearchResult, float]:
    """Return what a search finds, the way that the reply came by, and what counts as evidence.

    A reply that was not searched for, or found nothing, is shown what the first way finds.
    """
    first = turn.understanding.parts(turn.message.text)[0]
    context = TurnContext(turn.message, before, request=first.requests[0].text)
    language = context.language(turn.understanding)
    ways = retrieval.retrieval_attempts(bot.components, context, turn.decision, language)
    shown: SearchResult | None = None
    for way in ways:
        found = retrieval.run_attempt(
            bot.components, context, turn.decision, language, way, _CANDIDATES
        )
        shown = shown or found
        if turn.evidence and found.hits[: len(turn.evidence)] == turn.evidence:
            return found, way.threshold
    return shown or SearchResult(), ways[0].threshold


def _used(turn: Turn) -> tuple[SearchHit, ...]:
    """Return the passages the reply was made from; those that were no evidence are none."""
    retrieved = Route.RETRIEVE in {decision.route for decision in turn.decisions}
    return turn.evidence if retrieved else ()


def _supported(check: SupportCheck, turn: Turn) -> tuple[SentenceCheck, ...]:
    """Check each sentence of a reply that was made from passages; templates are the shop's own."""
    passages = _distinct(_used(turn))
    if not passages:
        return ()
    said = [turn.reply.text[start:end] for start, end in sentences(turn.reply.text)]
    verdicts = check.check_all(said, [hit.chunk.text for hit in passages])
    return tuple(
        SentenceCheck(
            text,
            verdict,
            passages[verdict.passage].chunk.article if verdict.passage is not None else None,
        )
        for text, verdict in zip(said, verdicts, strict=True)
    )


def _distinct(hits: Sequence[SearchHit]) -> list[SearchHit]:
    return list({hit.chunk.id: hit for hit in hits}.values())
