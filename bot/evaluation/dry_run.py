"""Dry runs of questions: the serving path, step by step, without any writes."""

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

_MAX_CANDIDATES: Final = 10


@dataclass(frozen=True)
class DryRunQuestion:
    """A question for a dry run: a text, after earlier ones of the same customer."""

    text: str
    earlier: tuple[str, ...] = ()
    language: str | None = None  # of the conversation so far
    channel: str = "widget"


@dataclass(frozen=True)
class SentenceCheck:
    """A sentence of the reply, and whether the passages support it."""

    text: str
    verdict: SupportVerdict
    article: str | None  # the article of the supporting passage


@dataclass(frozen=True)
class DryRunResult:
    """The result of a dry run.

    `found` is the result of a search for the question, whether the reply needed one or not, with
    the probability that the first passage answers, which is evidence from `threshold` on; `used`
    are the passages the reply was made from.
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
    """Answer a question as `serving` would; nothing is stored.

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
    search_result, threshold = _search(bot, turns[-1], before)
    return DryRunResult(
        turn=turns[-1],
        earlier=tuple(turns[:-1]),
        found=search_result,
        threshold=threshold,
        used=_used(turns[-1]),
        support=_check_support(check, turns[-1]),
    )


def _search(bot: Assistant, turn: Turn, before: State) -> tuple[SearchResult, float]:
    """Return the search result that led to the reply, and the threshold of evidence.

    For a reply without a search, or without passages, it is the result of the first attempt.
    """
    first = turn.understanding.parts(turn.message.text)[0]
    context = TurnContext(turn.message, before, request=first.requests[0].text)
    language = context.language(turn.understanding)
    attempts = retrieval.retrieval_attempts(bot.components, context, turn.decision, language)
    first_result: SearchResult | None = None
    for attempt in attempts:
        result = retrieval.run_attempt(
            bot.components, context, turn.decision, language, attempt, _MAX_CANDIDATES
        )
        first_result = first_result or result
        if turn.evidence and result.hits[: len(turn.evidence)] == turn.evidence:
            return result, attempt.threshold
    return first_result or SearchResult(), attempts[0].threshold


def _used(turn: Turn) -> tuple[SearchHit, ...]:
    """Return the passages the reply was made from, without those that were not evidence."""
    retrieved = Route.RETRIEVE in {decision.route for decision in turn.decisions}
    return turn.evidence if retrieved else ()


def _check_support(check: SupportCheck, turn: Turn) -> tuple[SentenceCheck, ...]:
    """Check each sentence of a reply made from passages; templates need no check."""
    passages = _distinct(_used(turn))
    if not passages:
        return ()
    reply_sentences = [turn.reply.text[start:end] for start, end in sentences(turn.reply.text)]
    verdicts = check.check_all(reply_sentences, [hit.chunk.text for hit in passages])
    return tuple(
        SentenceCheck(
            text,
            verdict,
            passages[verdict.passage].chunk.article if verdict.passage is not None else None,
        )
        for text, verdict in zip(reply_sentences, verdicts, strict=True)
    )


def _distinct(hits: Sequence[SearchHit]) -> list[SearchHit]:
    return list({hit.chunk.id: hit for hit in hits}.values())
