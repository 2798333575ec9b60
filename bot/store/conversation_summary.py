"""A conversation in short, for the person who takes it over."""

from typing import Any, Final

from sqlalchemy import Engine, select

from bot.core.types import NotFoundError, Role, Route
from bot.dialogue import state as states
from bot.store import encryption
from bot.store.tables import conversations, decisions, messages

_QUESTIONS: Final = 5
_LENGTH: Final = 300  # characters of a message


def summary(engine: Engine, conversation_id: str) -> dict[str, Any]:
    """Return who writes, what was asked, what was tried, the mood, and what is still open.

    Raises NotFoundError for a conversation that does not exist.
    """
    here = messages.c.conversation_id == conversation_id
    with engine.begin() as connection:
        row = connection.execute(
            select(conversations).where(conversations.c.id == conversation_id)
        ).one_or_none()
        if row is None:
            message = f"there is no conversation {conversation_id[:64]}"
            raise NotFoundError(message)
        asked = connection.execute(
            select(messages.c.text)
            .where(here, messages.c.role == Role.CUSTOMER.value)
            .order_by(messages.c.position.desc())
            .limit(_QUESTIONS)
        ).scalars()
        questions = [text[:_LENGTH] for text in asked][::-1]
        tried = connection.execute(
            select(decisions.c.route, decisions.c.reason, decisions.c.intent, decisions.c.trace)
            .join(messages, messages.c.id == decisions.c.message_id)
            .where(here)
            .order_by(messages.c.position)
        ).all()
    state = states.from_json(row.state)
    given_up = [one.reason for one in tried if one.route == Route.HANDOFF.value]
    given_up = [reason for reason in given_up if reason not in {"with_human", "contact_given"}]
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
        "because": given_up[0] if given_up else None,
        "intents": list(dict.fromkeys(one.intent for one in tried if one.intent)),
        "questions": questions,
        "tried": [
            {
                "route": one.route,
                "reason": one.reason,
                "intent": one.intent,
                "action": one.trace.get("action"),
                "articles": [cited["article"] for cited in one.trace.get("citations", ())],
            }
            for one in tried
            if one.route != Route.HANDOFF.value
        ],
        "slots": {
            name: value
            for name, value in state.slots.items()
            if not value.startswith(encryption.MARK)
        },
        "open": {"intent": form.intent, "slot": form.asked} if form else None,
    }
