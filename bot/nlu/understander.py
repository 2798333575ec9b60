"""Understanding of a message: language, sentiment, entities and intent in one value."""

from datetime import date
from typing import Final

from bot.core.intent_history import IntentHistory
from bot.core.types import OUT_OF_SCOPE, IntentScore, PromiseStatus, Request, Understanding
from bot.nlu import language, sentiment_lexicon
from bot.nlu.context import in_context, neutral
from bot.nlu.dialogue_acts import DialogueActClassifier
from bot.nlu.drift import DriftMonitor
from bot.nlu.entities.extractor import EntityExtractor
from bot.nlu.explanation import Explanation, explain
from bot.nlu.intent_classifier import IntentModel, Prediction
from bot.nlu.multi_intent import splitter
from bot.nlu.retrieval_gate import RetrievalGate, needs_retrieval

_MIN_CONFIDENCE: Final = 0.6  # from here up the intent alone decides whether to search


class Understander:
    """Language, sentiment, entities and, where there is a model, the intent."""

    def __init__(
        self,
        model: IntentModel | None,
        entities: EntityExtractor,
        *,
        promise: bool = False,
        retrieval_gate: RetrievalGate | None = None,
        dialogue_acts: DialogueActClassifier | None = None,
    ) -> None:
        """Set the parts; without a model, no intents are recognised.

        Args:
            model: The intent classifier; None for a home that has only knowledge.
            entities: The extractor of the home's entities.
            promise: Whether to withhold answers that the promise's certificate does not cover.
            retrieval_gate: The classifier of messages that need a search; None uses rules.
            dialogue_acts: The classifier of requests and questions; None uses patterns.
        """
        self.model = model
        reference = model.parameters.reference if model and promise else None
        self._monitor = DriftMonitor(reference) if reference else None
        self._entities = entities
        self._retrieval_gate = retrieval_gate
        self._dialogue_acts = dialogue_acts
        self._use_lexicon = model is None or model.parameters.emotion_head is None

    def understand(
        self,
        text: str,
        *,
        conversation_language: str | None = None,
        customer: str | None = None,
        reply: str | None = None,
        intent_history: IntentHistory = (),
        today: date | None = None,
    ) -> Understanding:
        """Understand a message; `conversation_language` is the one so far, `today` resolves dates.

        `customer` and `reply` are the customer's message and the reply before it, `intent_history`
        is that of the conversation.
        """
        code = language.detect(text, conversation_language)
        entities = self._entities.find(text, today)
        sentiment, emotion = (
            sentiment_lexicon.classify(text) if self._use_lexicon else ("neutral", "calm")
        )
        if button := self.button_intent(text):
            code = conversation_language or "en"
            ranking = (IntentScore(button, 1.0),)
            return Understanding(code, sentiment, emotion, button, 1.0, ranking, entities)
        if self.model is None:
            seeks = float(needs_retrieval(text))
            return Understanding(code, sentiment, emotion, None, 0.0, (), entities, seeks=seeks)
        before = (customer, reply) if self.model.contextual else (None, None)
        parts = splitter.find(neutral(text), self.model, *before, intent_history)
        requests = tuple(self._request(part, text) for part in parts)
        if predicted := parts[0].prediction.emotion:
            sentiment, emotion = predicted.sentiment, predicted.emotion
        return Understanding(
            language=code,
            sentiment=sentiment,
            emotion=emotion,
            intent=requests[0].intent,
            confidence=requests[0].confidence,
            ranking=requests[0].ranking,
            entities=entities,
            promised=requests[0].promised,
            candidates=requests[0].candidates,
            requests=requests if len(requests) > 1 else (),
            seeks=self._retrieval_score(text, customer, reply, requests[0]),
            wishes=self._request_score(in_context(text, *before), requests),
        )

    def _retrieval_score(
        self, text: str, customer: str | None, reply: str | None, first: Request
    ) -> float | None:
        """Return how likely a message needs a search; None if the intent already decides."""
        if first.confidence >= _MIN_CONFIDENCE and first.intent != OUT_OF_SCOPE:
            return None
        if self._retrieval_gate is None or self.model is None:
            return float(needs_retrieval(text))
        whole = in_context(text, customer, reply)
        return round(float(self._retrieval_gate.scores(self.model.encoder, [whole])[0]), 6)

    def _request_score(self, whole: str, requests: tuple[Request, ...]) -> float | None:
        """Return how likely the message requests an action; None for intents with one route."""
        if self._dialogue_acts is None or self.model is None:
            return None
        if self._dialogue_acts.intents.isdisjoint(request.intent for request in requests):
            return None
        return round(float(self._dialogue_acts.scores(self.model.encoder, [whole])[0]), 6)

    def _request(self, part: splitter.MessagePart, text: str) -> Request:
        prediction = part.prediction
        return Request(
            text[part.start : part.end],
            part.start,
            part.end,
            prediction.intent,
            round(prediction.confidence, 6),
            prediction.ranking,
            self._promise_status(prediction),
            prediction.candidates,
        )

    def _promise_status(self, prediction: Prediction) -> PromiseStatus:
        """Return whether an answer would keep the promise, and monitor the messages for drift."""
        if self._monitor is None or prediction.is_certified is None:
            return PromiseStatus.NONE
        drifted = self._monitor.watch(prediction.distance, prediction.best.confidence)
        if not prediction.is_certified:
            return PromiseStatus.UNSURE  # drift must not relax the rule
        return PromiseStatus.VOID if drifted else PromiseStatus.KEPT

    def explain(self, text: str) -> Explanation | None:
        """Return why a message is understood as it is; None without a model."""
        return explain(self.model, text) if self.model else None

    def button_intent(self, text: str) -> str | None:
        """Return the intent of a pressed button, whose payload is `/intent`."""
        name = text.strip().removeprefix("/")
        is_payload = self.model is not None and text.strip().startswith("/")
        return name if is_payload and self.model and name in self.model.intents else None
