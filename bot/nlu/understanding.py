"""Everything that is understood of one message, in one value."""

from bot.nlu import language, sentiment
from bot.nlu.context import in_context
from bot.nlu.entities import EntityFinder
from bot.nlu.intents import IntentModel
from bot.types import IntentScore, Understanding


class Understander:
    """Language, sentiment, entities and, where there is a model, the intent."""

    def __init__(self, model: IntentModel | None, entities: EntityFinder) -> None:
        """Take a model (None: a home that only has knowledge) and the entity patterns."""
        self.model = model
        self._entities = entities

    def understand(
        self,
        text: str,
        *,
        spoken: str | None = None,
        customer: str | None = None,
        reply: str | None = None,
    ) -> Understanding:
        """Read a message; `spoken` is the conversation's language.

        `customer` and `reply` are the customer's message and the reply before it.
        """
        tone, emotion = sentiment.read(text)
        code = language.detect(text, spoken)
        entities = self._entities.find(text)
        if chosen := self.pressed(text):
            code = spoken or "en"
            ranking = (IntentScore(chosen, 1.0),)
            return Understanding(code, tone, emotion, chosen, 1.0, ranking, entities)
        if self.model is None:
            return Understanding(code, tone, emotion, None, 0.0, (), entities)
        known = self.model.contextual
        read = in_context(text, customer, reply) if known else text
        prediction = self.model.predict([read])[0]
        return Understanding(
            language=code,
            sentiment=tone,
            emotion=emotion,
            intent=prediction.intent,
            confidence=round(prediction.confidence, 6),
            ranking=prediction.ranking,
            entities=entities,
        )

    def pressed(self, text: str) -> str | None:
        """Return the intent a button stands for: its payload is `/intent`."""
        name = text.strip().removeprefix("/")
        known = self.model is not None and text.strip().startswith("/")
        return name if known and self.model and name in self.model.intents else None
