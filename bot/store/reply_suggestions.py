"""Agents' past answers, the suggestions offered to them, and the choices they made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, func, insert, select, update

from bot.core.types import NotFoundError, Role, Route, new_id, now
from bot.store.tables import conversations, messages, suggestions

_ROLES: Final = frozenset({Role.CUSTOMER.value, Role.AGENT.value, Role.BOT.value})


@dataclass(frozen=True)
class LoggedLine:
    """A line of a conversation; `template` names the template a reply of the bot was made from."""

    conversation_id: str
    message_id: str
    role: Role
    text: str
    template: str | None = None


def lines(engine: Engine, conversation_id: str) -> list[LoggedLine]:
    """Return the lines of a conversation, in order; raise NotFoundError for an unknown one."""
    exists = select(conversations.c.id).where(conversations.c.id == conversation_id)
    with engine.begin() as connection:
        if connection.execute(exists).one_or_none() is None:
            message = f"there is no conversation {conversation_id[:64]}"
            raise NotFoundError(message)
        condition = messages.c.conversation_id == conversation_id
        rows = connection.execute(select(messages).where(condition).order_by(messages.c.position))
        return [_line(row) for row in rows if row.role in _ROLES and row.text]


def count_agent_answers(engine: Engine) -> int:
    """Return the number of agents' answers in the log."""
    query = select(func.count()).select_from(messages).where(messages.c.role == Role.AGENT.value)
    with engine.begin() as connection:
        return int(connection.execute(query).scalar_one())


def answered_conversations(engine: Engine, limit: int) -> list[list[LoggedLine]]:
    """Return the conversations of the last `limit` answers of agents, oldest first.

    Synthetic conversations are left out.
    """
    answers = (
        select(messages.c.conversation_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.role == Role.AGENT.value, conversations.c.synthetic.is_(False))
        .order_by(messages.c.position.desc())
        .limit(limit)
    )
    with engine.begin() as connection:
        ids = list(dict.fromkeys(connection.execute(answers).scalars()))[::-1]
        query = select(messages).order_by(messages.c.position)
        by_id: dict[str, list[LoggedLine]] = {name: [] for name in ids}
        for at in range(0, len(ids), 500):
            part = messages.c.conversation_id.in_(ids[at : at + 500])
            for row in connection.execute(query.where(part)):
                if row.role in _ROLES and row.text:
                    by_id[row.conversation_id].append(_line(row))
    return list(by_id.values())


def _line(row: Any) -> LoggedLine:
    decision = row.turn["decision"] if row.turn else {}
    named = decision.get("route") == Route.TEMPLATE.value
    template = (decision.get("template") or decision.get("intent")) if named else None
    return LoggedLine(row.conversation_id, row.id, Role(row.role), row.text, template)


def offer(engine: Engine, conversation_id: str, offered: Sequence[dict[str, Any]]) -> str:
    """Store the suggestions for an agent; return their id."""
    identifier = new_id()
    values = {"id": identifier, "conversation_id": conversation_id, "at": now()}
    with engine.begin() as connection:
        connection.execute(insert(suggestions).values(**values, offered=list(offered)))
    return identifier


def choose(engine: Engine, identifier: str, place: int, message_id: str, text: str) -> float:
    """Store which suggestion was sent, and return the share of it that was changed.

    Raises NotFoundError for an unknown suggestion.
    """
    with engine.begin() as connection:
        row = connection.execute(
            select(suggestions).where(suggestions.c.id == identifier)
        ).one_or_none()
        if row is None or not 0 <= place < len(row.offered):
            message = f"there is no suggestion {place} of {identifier[:64]}"
            raise NotFoundError(message)
        suggestion = row.offered[place]
        changed = distance(suggestion["text"], text)
        values = {
            "chosen": place,
            "kind": suggestion["kind"],
            "distance": changed,
            "message_id": message_id,
            "chosen_at": now(),
        }
        connection.execute(
            update(suggestions).where(suggestions.c.id == identifier).values(**values)
        )
    return changed


def distance(first: str, second: str) -> float:
    """Return the edit distance of two texts over the longer one's length: 0 to 1.

    Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", Soviet
    Physics Doklady 10 (1966). A common beginning and end are skipped.
    """
    longest = max(len(first), len(second))
    while first and second and first[0] == second[0]:
        first, second = first[1:], second[1:]
    while first and second and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    row = list(range(len(second) + 1))
    for number, character in enumerate(first, start=1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(second, start=1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (character != wanted)),
            )
    return round(row[-1] / longest, 4) if longest else 0.0
