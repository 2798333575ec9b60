"""Everything that is understood of one message, in one value."""

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

_SURE: Final = 0.6  # from here up an intent decides alone whether to search


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
        """Take a model (None: a home that only has knowledge) and the entity extractor.

        Args:
            model: The intent classifier.
            entities: The extractor of the home's entities.
            promise: Hold back answers outside what the model's promise was certified for.
            retrieval_gate: Whether a message needs the knowledge; None leaves it to rules.
            dialogue_acts: Whether an action is requested or asked about; None leaves it to
                patterns.
        """
        self.model = model
        reference = model.parameters.reference if model and promise else None
        self._monitor = DriftMonitor(reference) if reference else None
        self._entities = entities
        self._retrieval_gate = retrieval_gate
        self._dialogue_acts = dialogue_acts
        self._tone_by_words = model is None or model.parameters.tone is None

    def understand(  # noqa: PLR0913 — all that is known of a message
        self,
        text: str,
        *,
        spoken: str | None = None,
        customer: str | None = None,
        reply: str | None = None,
        leaning: IntentHistory = (),
        today: date | None = None,
    ) -> Understanding:
        """Read a message; `spoken` is the conversation's language, "tomorrow" is after `today`.

        `customer` and `reply` are the customer's message and the reply before it, `leaning` is
        what the conversation has been about.
        """
        code = language.detect(text, spoken)
        entities = self._entities.find(text, today)
        feeling, emotion = (
            sentiment_lexicon.read(text) if self._tone_by_words else ("neutral", "calm")
        )
        if chosen := self.pressed(text):
            code = spoken or "en"
            ranking = (IntentScore(chosen, 1.0),)
            return Understanding(code, feeling, emotion, chosen, 1.0, ranking, entities)
        if self.model is None:
            seeks = float(needs_retrieval(text))
            return Understanding(code, feeling, emotion, None, 0.0, (), entities, seeks=seeks)
        before = (customer, reply) if self.model.contextual else (None, None)
        parts = splitter.find(neutral(text), self.model, *before, leaning)
        found = tuple(self._request(part, text) for part in parts)
        tone = parts[0].prediction.tone
        return Understanding(
            language=code,
            sentiment=tone.sentiment if tone else feeling,
            emotion=tone.emotion if tone else emotion,
            intent=found[0].intent,
            confidence=found[0].confidence,
            ranking=found[0].ranking,
            entities=entities,
            promised=found[0].promised,
            candidates=found[0].candidates,
            requests=found if len(found) > 1 else (),
            seeks=self._seeks(text, customer, reply, found[0]),
            wishes=self._wishes(in_context(text, *before), found),
        )

    def _seeks(
        self, text: str, customer: str | None, reply: str | None, first: Request
    ) -> float | None:
        """Return how likely a message needs the knowledge; None where the intent says enough."""
        if first.confidence >= _SURE and first.intent != OUT_OF_SCOPE:
            return None
        if self._retrieval_gate is None or self.model is None:
            return float(needs_retrieval(text))
        whole = in_context(text, customer, reply)
        return round(float(self._retrieval_gate.scores(self.model.encoder, [whole])[0]), 6)

    def _wishes(self, whole: str, found: tuple[Request, ...]) -> float | None:
        """Return how likely the customer wants it done; None for intents that go one way only."""
        if self._dialogue_acts is None or self.model is None:
            return None
        if self._dialogue_acts.intents.isdisjoint(request.intent for request in found):
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
            self._promised(prediction),
            prediction.candidates,
        )

    def _promised(self, prediction: Prediction) -> PromiseStatus:
        """Tell what answering would do to the promise, and watch for messages that differ."""
        if self._monitor is None or prediction.sure is None:
            return PromiseStatus.NONE
        drifted = self._monitor.watch(prediction.distance, prediction.best.confidence)
        if not prediction.sure:
            return PromiseStatus.UNSURE  # drift must not loosen the rule
        return PromiseStatus.VOID if drifted else PromiseStatus.KEPT

    def explain(self, text: str) -> Explanation | None:
        """Return why a message is understood as it is; None without a model."""
        return explain(self.model, text) if self.model else None

    def pressed(self, text: str) -> str | None:
        """Return the intent a button stands for: its payload is `/intent`."""
        name = text.strip().removeprefix("/")
        known = self.model is not None and text.strip().startswith("/")
        return name if known and self.model and name in self.model.intents else None
