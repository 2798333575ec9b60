"""The retrieval step: the passages for an answer, and the titles of follow-up questions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.assistant.protocols import Components
from bot.assistant.turn_context import Passages, TurnContext
from bot.core.types import OUT_OF_SCOPE, Decision, Role, Route, Understanding
from bot.dialogue.state import OFFERING
from bot.generation.prompt_injection import remove_injections
from knowledge_base.documents import AnswerEvidence, SearchResult
from knowledge_base.index.filters import PassageFilter

_PASSAGES: Final = 4
_FOLLOWING: Final = 2  # questions that are suggested after an answer
_ANSWERS: Final = frozenset({Route.TEMPLATE, Route.RETRIEVE, Route.ACT})


@dataclass(frozen=True)
class RetrievalAttempt:
    """A query, its context, and the probability from which its best passage counts as evidence."""

    query: str
    context: str | None
    threshold: float


def retrieval_attempts(
    components: Components, context: TurnContext, decision: Decision, language: str
) -> list[RetrievalAttempt]:
    """Return the searches for a request, in their order.

    A fragment ("and to Norway?") finds little alone: it is searched with the message before it,
    then alone, in case the subject changed, and then with the title of its intent. A pressed button
    names the intent itself.
    """
    threshold = components.policy.evidence_threshold(decision)
    before = context.last(Role.CUSTOMER)
    attempts = [RetrievalAttempt(context.question, before, threshold)]
    if before:
        attempts.append(RetrievalAttempt(context.question, None, threshold))
    if decision.intent is not None and decision.intent != OUT_OF_SCOPE:
        named = f"{components.templates.title(decision.intent, language)} {context.question}"
        if context.is_button:  # the subject is what the customer just said
            return [RetrievalAttempt(named, None, threshold), *attempts]
        alone = components.policy.content.thresholds.search_evidence
        attempts.append(RetrievalAttempt(named, None, max(threshold, alone)))
    return attempts


def run_attempt(
    components: Components,
    context: TurnContext,
    decision: Decision,
    language: str,
    attempt: RetrievalAttempt,
    k: int = _PASSAGES,
) -> SearchResult:
    """Run one search; passages with instructions to a language model are left out."""
    if components.knowledge is None:
        return SearchResult()
    result = components.knowledge.search_with_answerability(
        attempt.query,
        k,
        language=language,
        only=PassageFilter.public(context.message.at.date()),
        context=attempt.context,
        prefer=components.policy.articles(decision),
    )
    return replace(result, hits=tuple(remove_injections(result.hits)))


def search(
    components: Components, context: TurnContext, decision: Decision, language: str
) -> Passages:
    """Return the best passages for a request: those of the first attempt with evidence."""
    result = SearchResult()
    judged: tuple[AnswerEvidence, ...] = ()
    if components.knowledge is None:
        return Passages()
    for attempt in retrieval_attempts(components, context, decision, language):
        result = run_attempt(components, context, decision, language, attempt)
        if result.evidence:
            judged += (result.evidence,)
        if result.hits and _answerability(result) >= attempt.threshold:
            return Passages(tuple(result.hits), judged, is_evidence=True)
    return Passages(tuple(result.hits), judged)


def _answerability(result: SearchResult) -> float:
    """Return the probability that the first passage answers; its score where none is known."""
    return result.evidence.score if result.evidence else result.hits[0].score


def follow_up_titles(
    components: Components,
    context: TurnContext,
    understanding: Understanding,
    decisions: Sequence[Decision],
) -> tuple[str, ...]:
    """Return the titles of what is likely asked next; none while the bot waits for an answer."""
    last = decisions[-1]
    is_open = last.slot or last.reason in OFFERING
    if components.suggester is None or is_open or last.route not in _ANSWERS:
        return ()
    message = context.message
    asked = [*context.state.asked, *(decision.intent for decision in decisions)]
    history = [intent for intent in asked if intent]
    if not history:
        return ()
    if message.sender:
        history = [*components.log.earlier(message.sender, message.conversation_id), *history]
    items = components.suggester.suggest(history, _FOLLOWING)
    language = context.language(understanding)
    return tuple(dict.fromkeys(_title(components, item, language) for item in items))


def _title(components: Components, item: str, language: str) -> str:
    """Return the title of an intent or an article as customers read it."""
    article = components.knowledge.article(item) if components.knowledge else None
    return article.title if article else components.templates.title(item, language)
