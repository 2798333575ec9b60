"""A short summary of a conversation for the agent who takes it over."""

from typing import Any, Final

from sqlalchemy import Engine, select

from bot.core.types import NotFoundError, Role, Route
from bot.dialogue import state as states
from bot.store import encryption
from bot.store.tables import conversations, decisions, messages

_MAX_QUESTIONS: Final = 5
_MAX_LENGTH: Final = 300  # characters of a message


def summary(engine: Engine, conversation_id: str) -> dict[str, Any]:
    """Return the customer, the questions, the attempts to answer, the mood and the open form.

    Raises NotFoundError for an unknown conversation.
    """
    condition = messages.c.conversation_id == conversation_id
    with engine.begin() as connection:
        row = connection.execute(
            select(conversations).where(conversations.c.id == conversation_id)
        ).one_or_none()
        if row is None:
            message = f"there is no conversation {conversation_id[:64]}"
            raise NotFoundError(message)
        recent = connection.execute(
            select(messages.c.text)
            .where(condition, messages.c.role == Role.CUSTOMER.value)
            .order_by(messages.c.position.desc())
            .limit(_MAX_QUESTIONS)
        ).scalars()
        questions = [text[:_MAX_LENGTH] for text in recent][::-1]
        decided = connection.execute(
            select(decisions.c.route, decisions.c.reason, decisions.c.intent, decisions.c.trace)
            .join(messages, messages.c.id == decisions.c.message_id)
            .where(condition)
            .order_by(messages.c.position)
        ).all()
    state = states.from_json(row.state)
    reasons = [decision.reason for decision in decided if decision.route == Route.HANDOFF.value]
    reasons = [reason for reason in reasons if reason not in {"with_human", "contact_given"}]
    form = state.form
    return {
        "conversation_id": conversation_id,
        "customer": row.sender,
        "channel": row.channel,
        "language": row.language,
        "mood": state.mood,
        "state": row.owner,
        "queue": row.queue,
        "contact": row.contact,
        "name": row.visitor_name,
        "verified": row.customer is not None,
        "because": reasons[0] if reasons else None,
        "intents": list(dict.fromkeys(decision.intent for decision in decided if decision.intent)),
        "questions": questions,
        "tried": [
            _attempt(decision) for decision in decided if decision.route != Route.HANDOFF.value
        ],
        "slots": {
            name: value
            for name, value in state.slots.items()
            if not value.startswith(encryption.MARK)
        },
        "open": {"intent": form.intent, "slot": form.asked} if form else None,
    }


def _attempt(decision: Any) -> dict[str, Any]:
    """Return how a message was answered."""
    return {
        "route": decision.route,
        "reason": decision.reason,
        "intent": decision.intent,
        "action": decision.trace.get("action"),
        "articles": [cited["article"] for cited in decision.trace.get("citations", ())],
    }
