"""What people answered so far, what an agent is offered now, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, func, insert, select, update

from bot.core.types import NotFoundError, Role, Route, new_id, now
from bot.store.tables import conversations, messages, suggestions

_SAYS: Final = frozenset({Role.CUSTOMER.value, Role.AGENT.value, Role.BOT.value})


@dataclass(frozen=True)
class LoggedLine:
    """A line of a conversation; `template` names the template a reply of the bot was made from."""

    conversation_id: str
    message_id: str
    role: Role
    text: str
    template: str | None = None


def lines(engine: Engine, conversation_id: str) -> list[LoggedLine]:
    """Return what was said in a conversation, in order; raise NotFoundError where there is none."""
    exists = select(conversations.c.id).where(conversations.c.id == conversation_id)
    with engine.begin() as connection:
        if connection.execute(exists).one_or_none() is None:
            message = f"there is no conversation {conversation_id[:64]}"
            raise NotFoundError(message)
        here = messages.c.conversation_id == conversation_id
        rows = connection.execute(select(messages).where(here).order_by(messages.c.position))
        return [_said(row) for row in rows if row.role in _SAYS and row.text]


def by_people(engine: Engine) -> int:
    """Return how many answers of people the log holds."""
    query = select(func.count()).select_from(messages).where(messages.c.role == Role.AGENT.value)
    with engine.begin() as connection:
        return int(connection.execute(query).scalar_one())


def past(engine: Engine, most: int) -> list[list[LoggedLine]]:
    """Return the conversations in which a person answered, the last `most` answers, oldest first.

    Conversations that were made up are left out.
    """
    answers = (
        select(messages.c.conversation_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.role == Role.AGENT.value, conversations.c.synthetic.is_(False))
        .order_by(messages.c.position.desc())
        .limit(most)
    )
    with engine.begin() as connection:
        wanted = list(dict.fromkeys(connection.execute(answers).scalars()))[::-1]
        query = select(messages).order_by(messages.c.position)
        found: dict[str, list[LoggedLine]] = {name: [] for name in wanted}
        for at in range(0, len(wanted), 500):
            part = messages.c.conversation_id.in_(wanted[at : at + 500])
            for row in connection.execute(query.where(part)):
                if row.role in _SAYS and row.text:
                    found[row.conversation_id].append(_said(row))
    return list(found.values())


def _said(row: Any) -> LoggedLine:
    decision = row.turn["decision"] if row.turn else {}
    named = decision.get("route") == Route.TEMPLATE.value
    template = (decision.get("template") or decision.get("intent")) if named else None
    return LoggedLine(row.conversation_id, row.id, Role(row.role), row.text, template)


def offer(engine: Engine, conversation_id: str, offered: Sequence[dict[str, Any]]) -> str:
    """Keep what an agent is offered; return its id."""
    identifier = new_id()
    values = {"id": identifier, "conversation_id": conversation_id, "at": now()}
    with engine.begin() as connection:
        connection.execute(insert(suggestions).values(**values, offered=list(offered)))
    return identifier


def choose(engine: Engine, identifier: str, place: int, message_id: str, text: str) -> float:
    """Note which suggestion was sent, and return the share of it that was changed.

    Raises NotFoundError for a suggestion that was never made.
    """
    with engine.begin() as connection:
        row = connection.execute(
            select(suggestions).where(suggestions.c.id == identifier)
        ).one_or_none()
        if row is None or not 0 <= place < len(row.offered):
            message = f"there is no suggestion {place} of {identifier[:64]}"
            raise NotFoundError(message)
        chosen = row.offered[place]
        changed = distance(chosen["text"], text)
        values = {
            "chosen": place,
            "kind": chosen["kind"],
            "distance": changed,
            "message_id": message_id,
            "chosen_at": now(),
        }
        connection.execute(
            update(suggestions).where(suggestions.c.id == identifier).values(**values)
        )
    return changed


def distance(one: str, other: str) -> float:
    """Return the edits that make one text the other, over the longer one's length: 0 to 1.

    Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", Soviet
    Physics Doklady 10 (1966). What both begin and end with is not looked at twice.
    """
    longest = max(len(one), len(other))
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, start=1):
        before, row[0] = row[0], number
        for place, their in enumerate(other, start=1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (character != their)),
            )
    return round(row[-1] / longest, 4) if longest else 0.0
