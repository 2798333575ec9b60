"""Parts that are told what to find out: conversation tests without a trained model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from bot.assistant.protocols import Components, ReplyTokens
from bot.core.intent_history import IntentHistory
from bot.core.types import OUT_OF_SCOPE, IntentScore, Reply, Request, Understanding
from bot.dialogue.policy_file import PolicyContent
from bot.evaluation.conversation_tests.cases import (
    AnyOf,
    LocatedTest,
    RequestExpectation,
    TestStep,
    TurnExpectation,
)
from bot.nlu.entities.extractor import EntityExtractor
from bot.nlu.multi_intent.segments import boundaries
from bot.nlu.understander import Understander
from knowledge_base.documents import Chunk, SearchHit, SearchResult
from knowledge_base.index.filters import PassageFilter

SURE: Final = 0.97
LOST: Final = frozenset({"unsure_search", "no_question", "anger"})


def first(values: AnyOf | None) -> str | None:
    return values[0] if values else None


def _only_asks(wanted: RequestExpectation) -> bool:
    return (first(wanted.reason) or "").startswith("informs:")


class Told:
    """Understands what the test expects; language, entities and emergencies are the real ones.

    It is the knowledge as well, which has a passage where the test expects one, and the composer.
    """

    version = "told"

    def __init__(self, content: PolicyContent, test: LocatedTest) -> None:
        self._real = Understander(None, EntityExtractor(content.entities))
        self._thresholds = content.thresholds
        self._steps = [step for step in test.case.turns if step.customer is not None]
        self._number = -1

    @property
    def step(self) -> TestStep:
        return self._steps[self._number]

    def understand(
        self,
        text: str,
        /,
        *,
        conversation_language: str | None,
        customer: str | None,
        reply: str | None,
        intent_history: IntentHistory,
        today: date,
    ) -> Understanding:
        del customer, reply, intent_history
        self._number += 1
        wanted = self.step.expect
        base = self._real.understand(text, conversation_language=conversation_language, today=today)
        found = [self._request(part, asked) for part, asked in self._parts(text, wanted)]
        reason = first(wanted.reason)
        return replace(
            base,
            language=(conversation_language or "en") if text.startswith("/") else base.language,
            emotion="angry" if reason == "anger" else base.emotion,
            intent=found[0].intent,
            confidence=found[0].confidence,
            ranking=found[0].ranking,
            requests=tuple(found) if len(found) > 1 else (),
            seeks=0.0 if reason == "no_question" else 1.0,
            wishes=0.0 if any(map(_only_asks, (wanted, *wanted.requests))) else 1.0,
        )

    @staticmethod
    def _parts(
        text: str, wanted: TurnExpectation
    ) -> list[tuple[tuple[int, int], RequestExpectation]]:
        if not wanted.requests:
            return [((0, len(text)), wanted)]
        end, start = boundaries(text)[0]
        return list(zip([(0, end), (start, len(text))], wanted.requests, strict=True))

    def _request(self, span: tuple[int, int], wanted: RequestExpectation) -> Request:
        reason = first(wanted.reason)
        default = "product_info" if reason == "no_evidence" else OUT_OF_SCOPE
        intent = first(wanted.intent) or default
        buttons = self.step.expect.buttons or ()
        names = [str(first(parts)).removeprefix("/") for parts in buttons]
        ranking = names if reason == "unsure" else [intent]
        if reason in LOST:
            ranking = ["warranty"]  # strange rather than surely out of scope
        text = (self.step.customer or "")[slice(*span)]
        sure = self._confidence(reason)
        scores = tuple(IntentScore(name, sure) for name in ranking)
        best = ranking[0] if reason == "unsure" and ranking else intent
        return Request(text, *span, best, sure, scores)

    def _confidence(self, reason: str | None) -> float:
        """Return a confidence at which the policy finds this reason."""
        limits = self._thresholds
        if reason in LOST:
            return limits.clarify / 2
        return (limits.clarify + limits.answer) / 2 if reason == "unsure" else SURE

    def explain(self, text: str, /) -> None:
        del text

    def search_with_answerability(
        self,
        query: str,
        k: int,
        /,
        *,
        language: str | None,
        only: PassageFilter,
        context: str | None,
        prefer: Sequence[str] = (),
    ) -> SearchResult:
        del query, k, only, context, prefer
        wanted = self.step.expect
        routes = [first(asked.route) for asked in (wanted, *wanted.requests)]
        if "retrieve" not in routes:
            return SearchResult()
        foreign = "passages_in_other_language" in (wanted.template or ())
        other = {"en": "zh", "zh": "en"}.get(language or "en")
        code = other if foreign else language
        chunk = Chunk("a#1", "a", "Title", (), "A passage.", 0, 10, language=code)
        return SearchResult((SearchHit(chunk, 0.9, 0.9, 9.0),))

    def search(
        self,
        query: str,
        k: int,
        /,
        *,
        language: str | None,
        only: PassageFilter,
        context: str | None,
        prefer: Sequence[str] = (),
    ) -> list[SearchHit]:
        result = self.search_with_answerability(
            query, k, language=language, only=only, context=context, prefer=prefer
        )
        return list(result.hits)

    def article(self, identifier: str, /) -> None:
        del identifier

    def stream(
        self, question: str, hits: Sequence[SearchHit], language: str, gone: Callable[[], bool], /
    ) -> ReplyTokens:
        del question, language, gone
        yield hits[0].chunk.text
        return Reply(hits[0].chunk.text)


def told(parts: Components, test: LocatedTest) -> Components:
    """Return parts that are told what a test expects."""
    found = Told(parts.policy.content, test)
    return replace(parts, understander=found, knowledge=found, composer=found)


def without_articles(test: LocatedTest) -> LocatedTest:
    """Return a test that asks for nothing that stands in articles: there are none here."""
    turns = []
    for step in test.case.turns:
        wanted = step.expect
        routes = {route for asked in (wanted, *wanted.requests) for route in asked.route or ()}
        if "retrieve" in routes:
            wanted = wanted.model_copy(update={"reply": TurnExpectation().reply})
        turns.append(step.model_copy(update={"expect": wanted}))
    return test.model_copy(update={"case": test.case.model_copy(update={"turns": tuple(turns)})})
