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


class ConversationOwner(StrEnum):
    """Who has the conversation; in `queued` the bot may only tell how the waiting goes."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    RETURNED = "returned"  # the bot again, after a person
    CLOSED = "closed"


WITH_BOT: Final = frozenset({ConversationOwner.BOT, ConversationOwner.RETURNED})
LEASE: Final = timedelta(minutes=2)
TYPING: Final = timedelta(seconds=8)


class HandoffRefusedError(CarelineError):
    """Somebody wanted what is not theirs (any more); the message says who has it."""


@dataclass(frozen=True)
class Assignment:
    """Who has a conversation, and since when.

    `since` is when it came into this state; for one that waits, when the waiting began: losing an
    agent does not cost the place in the queue.
    """

    owner: ConversationOwner = ConversationOwner.BOT
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
            self.owner is ConversationOwner.HUMAN
            and self.typing_until is not None
            and self.typing_until > at
        )


@dataclass(frozen=True)
class CustomerNotice:
    """What the customer is told of a change: a template and its variables."""

    template: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandedOff:
    """The bot gives up a conversation; its reply says so."""

    queue: str


@dataclass(frozen=True)
class CustomerWrote:
    """The customer wrote: a closed conversation is open again."""


@dataclass(frozen=True)
class QueueLeft:
    """The customer no longer wants to wait."""


@dataclass(frozen=True)
class AgentAssigned:
    """An agent takes a conversation, or is given it; `name` is what the customer reads."""

    agent: str
    name: str


@dataclass(frozen=True)
class TokenShown:
    """The agent who has it shows the token: to speak, to type, to stay, to let go."""

    agent: str
    fence: int


@dataclass(frozen=True)
class AgentSpoke(TokenShown):
    """The agent speaks."""


@dataclass(frozen=True)
class LeaseRenewed(TokenShown):
    """The agent is still there."""


@dataclass(frozen=True)
class AgentTyping(TokenShown):
    """The agent begins or stops typing."""

    on: bool = True


@dataclass(frozen=True)
class ReturnedToBot(TokenShown):
    """The agent gives the conversation back to the bot."""


@dataclass(frozen=True)
class Transferred(TokenShown):
    """The agent passes it on: to a queue, or to a colleague."""

    queue: str | None = None
    to: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class ConversationClosed:
    """The conversation ends: by the agent who has it, or (without one) because nobody writes."""

    by: TokenShown | None = None


@dataclass(frozen=True)
class TimePassed:
    """Time went by: leases run out, and who waits for long is asked for an address."""

    patience: timedelta


@dataclass(frozen=True)
class CustomerSilent:
    """The customer has not written for a while: asked once, then closed."""


Event = (
    HandedOff
    | CustomerWrote
    | QueueLeft
    | AgentAssigned
    | AgentSpoke
    | LeaseRenewed
    | AgentTyping
    | ReturnedToBot
    | Transferred
    | ConversationClosed
    | TimePassed
    | CustomerSilent
)


@dataclass(frozen=True)
class HandoffTransition:
    """What stands after an event, and what the customer is told."""

    custody: Assignment
    told: tuple[CustomerNotice, ...] = ()


def _passed(now: Assignment, owner: ConversationOwner, at: datetime) -> Assignment:
    """Return the custody of the next owner: a new token, and nothing left of the one before."""
    return Assignment(owner, now.fence + 1, queue=now.queue, since=at)


def _handed_off(now: Assignment, event: HandedOff, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.QUEUED:  # something more urgent came up while waiting
        return HandoffTransition(replace(now, queue=event.queue))
    if now.owner not in WITH_BOT:
        message = f"the bot does not have this conversation: it is {now.owner}"
        raise HandoffRefusedError(message, "not_with_bot", state=now.owner)
    return HandoffTransition(replace(_passed(now, ConversationOwner.QUEUED, at), queue=event.queue))


def _written(now: Assignment, _event: CustomerWrote, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        return HandoffTransition(
            replace(_passed(now, ConversationOwner.BOT, at), queue=None),
            (CustomerNotice("reopened"),),
        )
    return HandoffTransition(replace(now, asked_silent=False))


def _withdrawn(now: Assignment, _event: QueueLeft, at: datetime) -> HandoffTransition:
    if now.owner is not ConversationOwner.QUEUED:
        message = f"this conversation does not wait: it is {now.owner}"
        raise HandoffRefusedError(message, "not_waiting", state=now.owner)
    return HandoffTransition(
        _passed(now, ConversationOwner.RETURNED, at), (CustomerNotice("handoff_withdrawn"),)
    )


def _taken(now: Assignment, event: AgentAssigned, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        message = "the conversation is closed"
        raise HandoffRefusedError(message, "closed")
    if now.owner is ConversationOwner.HUMAN:
        if now.agent == event.agent:  # the request came twice
            return HandoffTransition(replace(now, lease_until=at + LEASE))
        message = "a colleague has this conversation"
        raise HandoffRefusedError(message, "with_colleague")
    return HandoffTransition(_with_agent(now, event.agent, at), (_joined(event.name),))


def _with_agent(now: Assignment, agent: str, at: datetime) -> Assignment:
    waiting = now.since if now.owner is ConversationOwner.QUEUED else at
    passed = _passed(now, ConversationOwner.HUMAN, at)
    return replace(passed, agent=agent, lease_until=at + LEASE, since=waiting)


def _joined(name: str) -> CustomerNotice:
    return CustomerNotice("handoff_joined", {"agent": name})


def _insist(now: Assignment, who: TokenShown, at: datetime) -> None:
    """Raise RefusedError unless an agent has the conversation, under this token, in time."""
    if now.owner is not ConversationOwner.HUMAN or (now.agent, now.fence) != (who.agent, who.fence):
        message = f"this conversation is not yours any more: it is {now.owner}"
        raise HandoffRefusedError(message, "not_yours", state=now.owner)
    if now.lease_until is not None and now.lease_until < at:
        message = "you were not heard of for too long, and the conversation goes back to the queue"
        raise HandoffRefusedError(message, "not_heard_of")


def _held(
    now: Assignment, event: AgentSpoke | LeaseRenewed | AgentTyping, at: datetime
) -> HandoffTransition:
    _insist(now, event, at)
    kept = replace(now, lease_until=at + LEASE)
    if isinstance(event, AgentSpoke):
        return HandoffTransition(replace(kept, typing_until=None, asked_silent=False))
    if isinstance(event, AgentTyping):
        return HandoffTransition(replace(kept, typing_until=at + TYPING if event.on else None))
    return HandoffTransition(kept)


def _transferred(now: Assignment, event: Transferred, at: datetime) -> HandoffTransition:
    _insist(now, event, at)
    if event.to is not None:
        passed = replace(_with_agent(now, event.to, at), queue=event.queue or now.queue)
        return HandoffTransition(passed, (_joined(event.name or event.to),))
    waiting = replace(_passed(now, ConversationOwner.QUEUED, at), queue=event.queue or now.queue)
    return HandoffTransition(waiting, (CustomerNotice("handoff_transferred"),))


def _closed(now: Assignment, event: ConversationClosed, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        return HandoffTransition(now)
    if event.by is not None:
        _insist(now, event.by, at)
    elif now.owner not in WITH_BOT:
        message = f"only the bot's conversations end by themselves: this one is {now.owner}"
        raise HandoffRefusedError(message, "not_with_bot", state=now.owner)
    return HandoffTransition(
        _passed(now, ConversationOwner.CLOSED, at), (CustomerNotice("closed"),)
    )


def _waited(now: Assignment, event: TimePassed, at: datetime) -> HandoffTransition:
    if (
        now.owner is ConversationOwner.HUMAN
        and now.lease_until is not None
        and now.lease_until < at
    ):
        back = replace(_passed(now, ConversationOwner.QUEUED, at), since=now.since)
        return HandoffTransition(back, (CustomerNotice("handoff_agent_left"),))
    if now.owner is ConversationOwner.QUEUED and not now.asked_contact:
        began = now.since or at
        if at - began >= event.patience:
            return HandoffTransition(
                replace(now, asked_contact=True), (CustomerNotice("handoff_contact"),)
            )
    return HandoffTransition(now)


def _silent(now: Assignment, _event: CustomerSilent, at: datetime) -> HandoffTransition:
    if now.owner not in WITH_BOT:
        return HandoffTransition(now)
    if now.asked_silent:
        return HandoffTransition(
            _passed(now, ConversationOwner.CLOSED, at), (CustomerNotice("closed_silence"),)
        )
    return HandoffTransition(replace(now, asked_silent=True), (CustomerNotice("still_there"),))


def _given_back(now: Assignment, event: ReturnedToBot, at: datetime) -> HandoffTransition:
    _insist(now, event, at)
    return HandoffTransition(
        _passed(now, ConversationOwner.RETURNED, at), (CustomerNotice("handoff_returned"),)
    )


_MOVES: Final[dict[type[Event], Callable[[Assignment, Any, datetime], HandoffTransition]]] = {
    HandedOff: _handed_off,
    CustomerWrote: _written,
    QueueLeft: _withdrawn,
    AgentAssigned: _taken,
    AgentSpoke: _held,
    LeaseRenewed: _held,
    AgentTyping: _held,
    ReturnedToBot: _given_back,
    Transferred: _transferred,
    ConversationClosed: _closed,
    TimePassed: _waited,
    CustomerSilent: _silent,
}


def move(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    """Return what an event makes of a conversation; raise RefusedError for what is not allowed."""
    return _MOVES[type(event)](now, event, at)
