"""The hand-off between bot and agents: a conversation has one owner at a time.

    bot ─ handed off → queued ─ taken → human ─ given back → returned ─ handed off → queued …
    any of them ─ closed → closed ─ the customer writes again → bot

Pure: `move` takes the current assignment, an event and the time, and returns the new assignment
and the notices for the customer. To speak, an owner shows its fencing token. The token grows with
every change of owner, so that a late message of a former owner is refused (Kleppmann: How to do
distributed locking, 2016). An agent holds a conversation by a lease: without a sign of life it
goes back to the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from bot.core.types import CarelineError


class ConversationOwner(StrEnum):
    """The owner of a conversation; while `queued`, the bot only reports the waiting position."""

    BOT = "bot"
    QUEUED = "queued"
    HUMAN = "human"
    RETURNED = "returned"  # the bot again, after a person
    CLOSED = "closed"


WITH_BOT: Final = frozenset({ConversationOwner.BOT, ConversationOwner.RETURNED})
LEASE: Final = timedelta(minutes=2)
TYPING: Final = timedelta(seconds=8)


class HandoffRefusedError(CarelineError):
    """A request that the state of the conversation, or the agent's capacity, does not allow."""


@dataclass(frozen=True)
class Assignment:
    """The owner of a conversation.

    `since` is the start of this state; while queued, the start of the waiting time: a customer
    whose agent disconnects keeps the place in the queue.
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
        """Return whether the agent is typing; it expires by itself, even if an event is lost."""
        return (
            self.owner is ConversationOwner.HUMAN
            and self.typing_until is not None
            and self.typing_until > at
        )


@dataclass(frozen=True)
class CustomerNotice:
    """A notice for the customer about a change: a template and its variables."""

    template: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandedOff:
    """The bot hands off a conversation; its reply says so."""

    queue: str


@dataclass(frozen=True)
class CustomerWrote:
    """The customer wrote: a closed conversation opens again."""


@dataclass(frozen=True)
class QueueLeft:
    """The customer no longer wants to wait."""


@dataclass(frozen=True)
class AgentAssigned:
    """An agent takes a conversation, or it is assigned; the customer reads `name`."""

    agent: str
    name: str


@dataclass(frozen=True)
class TokenShown:
    """An event of the agent who owns the conversation, with the fencing token."""

    agent: str
    fence: int


@dataclass(frozen=True)
class AgentSpoke(TokenShown):
    """The agent sent a message."""


@dataclass(frozen=True)
class LeaseRenewed(TokenShown):
    """The agent is still connected."""


@dataclass(frozen=True)
class AgentTyping(TokenShown):
    """The agent started or stopped typing."""

    on: bool = True


@dataclass(frozen=True)
class ReturnedToBot(TokenShown):
    """The agent returns the conversation to the bot."""


@dataclass(frozen=True)
class Transferred(TokenShown):
    """The agent transfers it to a queue or to a colleague."""

    queue: str | None = None
    to: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class ConversationClosed:
    """The conversation ends: closed by its agent, or (without one) because nobody writes."""

    by: TokenShown | None = None


@dataclass(frozen=True)
class TimePassed:
    """Time passed: leases expire, and customers who wait long are asked for an address."""

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
    """The assignment after an event, and the notices for the customer."""

    assignment: Assignment
    notices: tuple[CustomerNotice, ...] = ()


def _next_owner(now: Assignment, owner: ConversationOwner, at: datetime) -> Assignment:
    """Return the assignment of the next owner: a new token, and no agent or lease."""
    return Assignment(owner, now.fence + 1, queue=now.queue, since=at)


def _on_handed_off(now: Assignment, event: HandedOff, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.QUEUED:  # something more urgent came up while waiting
        return HandoffTransition(replace(now, queue=event.queue))
    if now.owner not in WITH_BOT:
        message = f"the bot does not have this conversation: it is {now.owner}"
        raise HandoffRefusedError(message, "not_with_bot", state=now.owner)
    return HandoffTransition(
        replace(_next_owner(now, ConversationOwner.QUEUED, at), queue=event.queue)
    )


def _on_customer_wrote(now: Assignment, _event: CustomerWrote, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        return HandoffTransition(
            replace(_next_owner(now, ConversationOwner.BOT, at), queue=None),
            (CustomerNotice("reopened"),),
        )
    return HandoffTransition(replace(now, asked_silent=False))


def _on_queue_left(now: Assignment, _event: QueueLeft, at: datetime) -> HandoffTransition:
    if now.owner is not ConversationOwner.QUEUED:
        message = f"this conversation is not waiting: it is {now.owner}"
        raise HandoffRefusedError(message, "not_waiting", state=now.owner)
    return HandoffTransition(
        _next_owner(now, ConversationOwner.RETURNED, at), (CustomerNotice("handoff_withdrawn"),)
    )


def _on_assigned(now: Assignment, event: AgentAssigned, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        message = "the conversation is closed"
        raise HandoffRefusedError(message, "closed")
    if now.owner is ConversationOwner.HUMAN:
        if now.agent == event.agent:  # the request came twice
            return HandoffTransition(replace(now, lease_until=at + LEASE))
        message = "a colleague has this conversation"
        raise HandoffRefusedError(message, "with_colleague")
    return HandoffTransition(_with_agent(now, event.agent, at), (_joined_notice(event.name),))


def _with_agent(now: Assignment, agent: str, at: datetime) -> Assignment:
    waiting = now.since if now.owner is ConversationOwner.QUEUED else at
    passed = _next_owner(now, ConversationOwner.HUMAN, at)
    return replace(passed, agent=agent, lease_until=at + LEASE, since=waiting)


def _joined_notice(name: str) -> CustomerNotice:
    return CustomerNotice("handoff_joined", {"agent": name})


def _check_token(now: Assignment, event: TokenShown, at: datetime) -> None:
    """Raise HandoffRefusedError unless the agent owns the conversation and its lease is valid."""
    if now.owner is not ConversationOwner.HUMAN or (now.agent, now.fence) != (
        event.agent,
        event.fence,
    ):
        message = f"this conversation is not yours any more: it is {now.owner}"
        raise HandoffRefusedError(message, "not_yours", state=now.owner)
    if now.lease_until is not None and now.lease_until < at:
        message = "your connection was lost for too long: the conversation goes back to the queue"
        raise HandoffRefusedError(message, "not_heard_of")


def _on_agent_activity(
    now: Assignment, event: AgentSpoke | LeaseRenewed | AgentTyping, at: datetime
) -> HandoffTransition:
    _check_token(now, event, at)
    renewed = replace(now, lease_until=at + LEASE)
    if isinstance(event, AgentSpoke):
        return HandoffTransition(replace(renewed, typing_until=None, asked_silent=False))
    if isinstance(event, AgentTyping):
        return HandoffTransition(replace(renewed, typing_until=at + TYPING if event.on else None))
    return HandoffTransition(renewed)


def _on_transferred(now: Assignment, event: Transferred, at: datetime) -> HandoffTransition:
    _check_token(now, event, at)
    if event.to is not None:
        passed = replace(_with_agent(now, event.to, at), queue=event.queue or now.queue)
        return HandoffTransition(passed, (_joined_notice(event.name or event.to),))
    waiting = replace(
        _next_owner(now, ConversationOwner.QUEUED, at), queue=event.queue or now.queue
    )
    return HandoffTransition(waiting, (CustomerNotice("handoff_transferred"),))


def _on_closed(now: Assignment, event: ConversationClosed, at: datetime) -> HandoffTransition:
    if now.owner is ConversationOwner.CLOSED:
        return HandoffTransition(now)
    if event.by is not None:
        _check_token(now, event.by, at)
    elif now.owner not in WITH_BOT:
        message = (
            f"only conversations with the bot are closed automatically: this one is {now.owner}"
        )
        raise HandoffRefusedError(message, "not_with_bot", state=now.owner)
    return HandoffTransition(
        _next_owner(now, ConversationOwner.CLOSED, at), (CustomerNotice("closed"),)
    )


def _on_time_passed(now: Assignment, event: TimePassed, at: datetime) -> HandoffTransition:
    if (
        now.owner is ConversationOwner.HUMAN
        and now.lease_until is not None
        and now.lease_until < at
    ):
        back = replace(_next_owner(now, ConversationOwner.QUEUED, at), since=now.since)
        return HandoffTransition(back, (CustomerNotice("handoff_agent_left"),))
    if now.owner is ConversationOwner.QUEUED and not now.asked_contact:
        began = now.since or at
        if at - began >= event.patience:
            return HandoffTransition(
                replace(now, asked_contact=True), (CustomerNotice("handoff_contact"),)
            )
    return HandoffTransition(now)


def _on_customer_silent(now: Assignment, _event: CustomerSilent, at: datetime) -> HandoffTransition:
    if now.owner not in WITH_BOT:
        return HandoffTransition(now)
    if now.asked_silent:
        return HandoffTransition(
            _next_owner(now, ConversationOwner.CLOSED, at), (CustomerNotice("closed_silence"),)
        )
    return HandoffTransition(replace(now, asked_silent=True), (CustomerNotice("still_there"),))


def _on_returned(now: Assignment, event: ReturnedToBot, at: datetime) -> HandoffTransition:
    _check_token(now, event, at)
    return HandoffTransition(
        _next_owner(now, ConversationOwner.RETURNED, at), (CustomerNotice("handoff_returned"),)
    )


_HANDLERS: Final[dict[type[Event], Callable[[Assignment, Any, datetime], HandoffTransition]]] = {
    HandedOff: _on_handed_off,
    CustomerWrote: _on_customer_wrote,
    QueueLeft: _on_queue_left,
    AgentAssigned: _on_assigned,
    AgentSpoke: _on_agent_activity,
    LeaseRenewed: _on_agent_activity,
    AgentTyping: _on_agent_activity,
    ReturnedToBot: _on_returned,
    Transferred: _on_transferred,
    ConversationClosed: _on_closed,
    TimePassed: _on_time_passed,
    CustomerSilent: _on_customer_silent,
}


def move(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    """Return the transition of an event.

    Raises:
        HandoffRefusedError: the event is not allowed in this state.
    """
    return _HANDLERS[type(event)](now, event, at)
