"""What the knowledge has to say: the passages an answer may stand on, and what is asked next."""

from dataclasses import dataclass, replace
from typing import Final

from bot.assistant.protocols import Components
from bot.assistant.turn_context import TurnContext
from bot.core.types import OUT_OF_SCOPE, Decision, Role, Route, Understanding
from bot.dialogue.state import OFFERING
from bot.generation.prompt_injection import without_orders
from knowledge_base.documents import SearchHit, SearchResult
from knowledge_base.index.filters import PassageFilter

_PASSAGES: Final = 4
_FOLLOWING: Final = 2  # questions that are suggested after an answer
_ANSWERS: Final = frozenset({Route.TEMPLATE, Route.RETRIEVE, Route.ACT})


@dataclass(frozen=True)
class RetrievalAttempt:
    """A way to search for a question, and how likely the best passage must answer it to count."""

    query: str
    context: str | None
    enough: float


def tries(
    parts: Components, work: TurnContext, decision: Decision, language: str
) -> list[RetrievalAttempt]:
    """Return the ways to search for a message, in their order.

    A fragment ("and to Norway?") finds little alone: it is read together with the message before
    it, then alone, in case the subject is another, and then with the subject's name. Who pressed
    a button named the subject.
    """
    threshold = parts.policy.evidence_threshold(decision)
    asked = work.last(Role.CUSTOMER)
    found = [RetrievalAttempt(work.question, asked, threshold)]
    if asked:
        found.append(RetrievalAttempt(work.question, None, threshold))
    if decision.intent is not None and decision.intent != OUT_OF_SCOPE:
        named = f"{parts.templates.title(decision.intent, language)} {work.question}"
        if work.was_pressed:  # the subject is what the customer just said
            return [RetrievalAttempt(named, None, threshold), *found]
        alone = parts.policy.content.thresholds.search_evidence
        found.append(RetrievalAttempt(named, None, max(threshold, alone)))
    return found


def find(  # noqa: PLR0913, PLR0917 — what a search depends on
    parts: Components,
    work: TurnContext,
    decision: Decision,
    language: str,
    way: RetrievalAttempt,
    most: int = _PASSAGES,
) -> SearchResult:
    """Search one way; passages that give orders to a language model are left out."""
    if parts.knowledge is None:
        return SearchResult()
    found = parts.knowledge.find(
        way.query,
        most,
        language=language,
        only=PassageFilter.public(work.message.at.date()),
        context=way.context,
        prefer=parts.policy.articles(decision),
    )
    return replace(found, hits=tuple(without_orders(found.hits)))


def search(
    parts: Components, work: TurnContext, decision: Decision, language: str
) -> tuple[list[SearchHit], bool]:
    """Return the best passages for a message, and whether they are evidence."""
    found = SearchResult()
    if parts.knowledge is None:
        return [], False
    for way in tries(parts, work, decision, language):
        found = find(parts, work, decision, language, way)
        if found.evidence:
            work.judged += (found.evidence,)
        if found.hits and _chance(found) >= way.enough:
            return list(found.hits), True
    return list(found.hits), False


def _chance(found: SearchResult) -> float:
    """Return how likely the first passage answers; its score where nobody judged."""
    return found.evidence.score if found.evidence else found.hits[0].score


def following(
    parts: Components, work: TurnContext, understanding: Understanding, decisions: list[Decision]
) -> tuple[str, ...]:
    """Return the titles of what is likely asked next; nothing while something is open."""
    last = decisions[-1]
    is_open = last.slot or last.reason in OFFERING
    if parts.suggester is None or is_open or last.route not in _ANSWERS:
        return ()
    message = work.message
    asked = [*work.state.asked, *(decision.intent for decision in decisions)]
    history = [intent for intent in asked if intent]
    if not history:
        return ()
    if message.sender:
        history = [*parts.log.earlier(message.sender, message.conversation_id), *history]
    items = parts.suggester.suggest(history, _FOLLOWING)
    language = work.language(understanding)
    return tuple(dict.fromkeys(_title(parts, item, language) for item in items))


def _title(parts: Components, item: str, language: str) -> str:
    """Return how an intent, or an article, is called towards customers."""
    article = parts.knowledge.article(item) if parts.knowledge else None
    return article.title if article else parts.templates.title(item, language)
