"""Who may speak in a conversation: one owner at a time, and the customer is told of every change.

    bot ─ handed off → queued ─ taken → human ─ given back → returned ─ handed off → queued …
    any of them ─ closed → closed ─ the customer writes again → bot

Pure: `move` takes what stands, what happens and the time, and returns what stands then. Whoever
wants to speak shows the fencing token it was given; the token grows with every change of the owner,
so that a word said for an owner of yesterday is refused (Kleppmann: How to do distributed locking,
2016). An agent holds a conversation by a lease: who is not heard of loses it to the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from bot.core.types import CarelineError


class Owner(StrEnum):
    """Who has the conversation; in `queued` the bot may only tell how the waiting goes."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    RETURNED = "returned"  # the bot again, after a person
    CLOSED = "closed"


WITH_BOT: Final = frozenset({Owner.BOT, Owner.RETURNED})
LEASE: Final = timedelta(minutes=2)
TYPING: Final = timedelta(seconds=8)


class RefusedError(CarelineError):
    """Somebody wanted what is not theirs (any more); the message says who has it."""


@dataclass(frozen=True)
class Custody:
    """Who has a conversation, and since when.

    `since` is when it came into this state; for one that waits, when the waiting began: losing an
    agent does not cost the place in the queue.
    """

    owner: Owner = Owner.BOT
    fence: int = 0
    queue: str | None = None
    since: datetime | None = None
    agent: str | None = None
    lease_until: datetime | None = None
    typing_until: datetime | None = None
    asked_contact: bool = False
    asked_silent: bool = False

    def is_typing(self, at: datetime) -> bool:
        """Tell whether the agent is typing: it ends by itself, whatever gets lost."""
        return (
            self.owner is Owner.HUMAN and self.typing_until is not None and self.typing_until > at
        )


@dataclass(frozen=True)
class Notice:
    """What the customer is told of a change: a template and its variables."""

    template: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandedOff:
    """The bot gives up a conversation; its reply says so."""

    queue: str


@dataclass(frozen=True)
class Written:
    """The customer wrote: a closed conversation is open again."""


@dataclass(frozen=True)
class Withdrawn:
    """The customer no longer wants to wait."""


@dataclass(frozen=True)
class Taken:
    """An agent takes a conversation, or is given it; `name` is what the customer reads."""

    agent: str
    name: str


@dataclass(frozen=True)
class Held:
    """The agent who has it shows the token: to speak, to type, to stay, to let go."""

    agent: str
    fence: int


@dataclass(frozen=True)
class Said(Held):
    """The agent speaks."""


@dataclass(frozen=True)
class Renewed(Held):
    """The agent is still there."""


@dataclass(frozen=True)
class Typed(Held):
    """The agent begins or stops typing."""

    on: bool = True


@dataclass(frozen=True)
class GivenBack(Held):
    """The agent gives the conversation back to the bot."""


@dataclass(frozen=True)
class Transferred(Held):
    """The agent passes it on: to a queue, or to a colleague."""

    queue: str | None = None
    to: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Closed:
    """The conversation ends: by the agent who has it, or (without one) because nobody writes."""

    by: Held | None = None


@dataclass(frozen=True)
class Waited:
    """Time went by: leases run out, and who waits for long is asked for an address."""

    patience: timedelta


@dataclass(frozen=True)
class Silent:
    """The customer has not written for a while: asked once, then closed."""


Event = (
    HandedOff
    | Written
    | Withdrawn
    | Taken
    | Said
    | Renewed
    | Typed
    | GivenBack
    | Transferred
    | Closed
    | Waited
    | Silent
)


@dataclass(frozen=True)
class Moved:
    """What stands after an event, and what the customer is told."""

    custody: Custody
    told: tuple[Notice, ...] = ()


def _passed(now: Custody, owner: Owner, at: datetime) -> Custody:
    """Return the custody of the next owner: a new token, and nothing left of the one before."""
    return Custody(owner, now.fence + 1, queue=now.queue, since=at)


def _handed_off(now: Custody, event: HandedOff, at: datetime) -> Moved:
    if now.owner is Owner.QUEUED:  # something more urgent came up while waiting
        return Moved(replace(now, queue=event.queue))
    if now.owner not in WITH_BOT:
        message = f"the bot does not have this conversation: it is {now.owner}"
        raise RefusedError(message, "not_with_bot", state=now.owner)
    return Moved(replace(_passed(now, Owner.QUEUED, at), queue=event.queue))


def _written(now: Custody, _event: Written, at: datetime) -> Moved:
    if now.owner is Owner.CLOSED:
        return Moved(replace(_passed(now, Owner.BOT, at), queue=None), (Notice("reopened"),))
    return Moved(replace(now, asked_silent=False))


def _withdrawn(now: Custody, _event: Withdrawn, at: datetime) -> Moved:
    if now.owner is not Owner.QUEUED:
        message = f"this conversation does not wait: it is {now.owner}"
        raise RefusedError(message, "not_waiting", state=now.owner)
    return Moved(_passed(now, Owner.RETURNED, at), (Notice("handoff_withdrawn"),))


def _taken(now: Custody, event: Taken, at: datetime) -> Moved:
    if now.owner is Owner.CLOSED:
        message = "the conversation is closed"
        raise RefusedError(message, "closed")
    if now.owner is Owner.HUMAN:
        if now.agent == event.agent:  # the request came twice
            return Moved(replace(now, lease_until=at + LEASE))
        message = "a colleague has this conversation"
        raise RefusedError(message, "with_colleague")
    return Moved(_with_agent(now, event.agent, at), (_joined(event.name),))


def _with_agent(now: Custody, agent: str, at: datetime) -> Custody:
    waiting = now.since if now.owner is Owner.QUEUED else at
    passed = _passed(now, Owner.HUMAN, at)
    return replace(passed, agent=agent, lease_until=at + LEASE, since=waiting)


def _joined(name: str) -> Notice:
    return Notice("handoff_joined", {"agent": name})


def _insist(now: Custody, who: Held, at: datetime) -> None:
    """Raise RefusedError unless an agent has the conversation, under this token, in time."""
    if now.owner is not Owner.HUMAN or (now.agent, now.fence) != (who.agent, who.fence):
        message = f"this conversation is not yours any more: it is {now.owner}"
        raise RefusedError(message, "not_yours", state=now.owner)
    if now.lease_until is not None and now.lease_until < at:
        message = "you were not heard of for too long, and the conversation goes back to the queue"
        raise RefusedError(message, "not_heard_of")


def _held(now: Custody, event: Said | Renewed | Typed, at: datetime) -> Moved:
    _insist(now, event, at)
    kept = replace(now, lease_until=at + LEASE)
    if isinstance(event, Said):
        return Moved(replace(kept, typing_until=None, asked_silent=False))
    if isinstance(event, Typed):
        return Moved(replace(kept, typing_until=at + TYPING if event.on else None))
    return Moved(kept)


def _transferred(now: Custody, event: Transferred, at: datetime) -> Moved:
    _insist(now, event, at)
    if event.to is not None:
        passed = replace(_with_agent(now, event.to, at), queue=event.queue or now.queue)
        return Moved(passed, (_joined(event.name or event.to),))
    waiting = replace(_passed(now, Owner.QUEUED, at), queue=event.queue or now.queue)
    return Moved(waiting, (Notice("handoff_transferred"),))


def _closed(now: Custody, event: Closed, at: datetime) -> Moved:
    if now.owner is Owner.CLOSED:
        return Moved(now)
    if event.by is not None:
        _insist(now, event.by, at)
    elif now.owner not in WITH_BOT:
        message = f"only the bot's conversations end by themselves: this one is {now.owner}"
        raise RefusedError(message, "not_with_bot", state=now.owner)
    return Moved(_passed(now, Owner.CLOSED, at), (Notice("closed"),))


def _waited(now: Custody, event: Waited, at: datetime) -> Moved:
    if now.owner is Owner.HUMAN and now.lease_until is not None and now.lease_until < at:
        back = replace(_passed(now, Owner.QUEUED, at), since=now.since)
        return Moved(back, (Notice("handoff_agent_left"),))
    if now.owner is Owner.QUEUED and not now.asked_contact:
        began = now.since or at
        if at - began >= event.patience:
            return Moved(replace(now, asked_contact=True), (Notice("handoff_contact"),))
    return Moved(now)


def _silent(now: Custody, _event: Silent, at: datetime) -> Moved:
    if now.owner not in WITH_BOT:
        return Moved(now)
    if now.asked_silent:
        return Moved(_passed(now, Owner.CLOSED, at), (Notice("closed_silence"),))
    return Moved(replace(now, asked_silent=True), (Notice("still_there"),))


def _given_back(now: Custody, event: GivenBack, at: datetime) -> Moved:
    _insist(now, event, at)
    return Moved(_passed(now, Owner.RETURNED, at), (Notice("handoff_returned"),))


_MOVES: Final[dict[type[Event], Callable[[Custody, Any, datetime], Moved]]] = {
    HandedOff: _handed_off,
    Written: _written,
    Withdrawn: _withdrawn,
    Taken: _taken,
    Said: _held,
    Renewed: _held,
    Typed: _held,
    GivenBack: _given_back,
    Transferred: _transferred,
    Closed: _closed,
    Waited: _waited,
    Silent: _silent,
}


def move(now: Custody, event: Event, at: datetime) -> Moved:
    """Return what an event makes of a conversation; raise RefusedError for what is not allowed."""
    return _MOVES[type(event)](now, event, at)
