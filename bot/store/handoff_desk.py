"""The desk: conversations that people answer. Every change follows the rules of the hand-off.

A change is read, decided and written in one transaction, under the conversation's revision: of two
agents who want the same conversation, one gets it and the other gets an error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.privacy import redact
from bot.core.types import ConversationChangedError, NotFoundError, Role, now
from bot.dialogue import handoff
from bot.dialogue import state as states
from bot.dialogue.handoff import (
    Assignment,
    ConversationOwner,
    CustomerNotice,
    Event,
    HandoffRefusedError,
    HandoffTransition,
)
from bot.dialogue.state import Utterance
from bot.store import ownership
from bot.store.database import utc
from bot.store.tables import agents, conversations, messages

PRESENCE: Final = timedelta(seconds=60)
_MAX_HISTORY: Final = 12
_MAX_INTENTS: Final = 2  # the latest ones, shown in the queue
_SENT: Final = "sent"

NoticeRenderer = Callable[[CustomerNotice, str], str]  # from a notice and a language


@dataclass(frozen=True)
class Agent:
    """Somebody who answers; empty `queues` or `languages` mean all of them."""

    id: str
    name: str
    queues: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 5
    online: bool = False
    busy: int = 0  # number of conversations at the moment


@dataclass(frozen=True)
class AgentLease:
    """A taken conversation, with the token that the agent sends with every message."""

    conversation_id: str
    fence: int
    owner: ConversationOwner


@dataclass(frozen=True)
class QueuedConversation:
    """A conversation in the queue, or with an agent."""

    conversation_id: str
    owner: ConversationOwner
    queue: str | None
    agent: str | None
    language: str | None
    since: datetime | None
    mood: str
    intent: str | None
    contact: str | None
    fence: int
    name: str | None = None  # what the visitor wants to be called
    intents: tuple[str, ...] = ()  # the latest ones: a request for a person follows a question


def _recent_intents(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the latest intents of a conversation, oldest first, without repetition."""
    intents = state.get("asked") or filter(None, [state.get("intent")])
    last_first = dict.fromkeys(reversed(list(intents)))
    return tuple(list(last_first)[:_MAX_INTENTS][::-1])


class HandoffDesk:
    """Takes, answers, passes on and closes conversations."""

    def __init__(
        self,
        engine: Engine,
        render_notice: NoticeRenderer,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Use a migrated database; `render_notice` returns the text of a notice."""
        self._engine = engine
        self._render_notice = render_notice
        self._clock = clock

    # Agents

    def save_agent(self, agent: Agent) -> None:
        """Add an agent, or update one."""
        values: dict[str, Any] = {
            "name": agent.name,
            "queues": list(agent.queues),
            "languages": list(agent.languages),
            "capacity": agent.capacity,
        }
        with self._engine.begin() as connection:
            condition = agents.c.id == agent.id
            if connection.execute(update(agents).where(condition).values(**values)).rowcount == 0:
                connection.execute(insert(agents).values(id=agent.id, **values))

    def set_presence(self, agent: str, *, online: bool = True) -> None:
        """Set an agent online for a minute, or offline.

        Raises NotFoundError for an unknown agent.
        """
        until = self._clock() + PRESENCE if online else None
        with self._engine.begin() as connection:
            condition = agents.c.id == agent
            updated = connection.execute(update(agents).where(condition).values(online_until=until))
        if updated.rowcount == 0:
            message = f"there is no agent {agent[:64]}"
            raise NotFoundError(message)

    def agents(self) -> list[Agent]:
        """Return all agents, with their numbers of conversations."""
        at = self._clock()
        busy = (
            select(conversations.c.agent, func.count().label("busy"))
            .where(conversations.c.owner == ConversationOwner.HUMAN.value)
            .group_by(conversations.c.agent)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(select(agents).order_by(agents.c.id)).all()
            counts = {row.agent: row.busy for row in connection.execute(busy)}
        return [_agent(row, at, counts.get(row.id, 0)) for row in rows]

    # Conversations

    def queue(
        self,
        owners: Sequence[ConversationOwner] = (ConversationOwner.QUEUED, ConversationOwner.HUMAN),
    ) -> list[QueuedConversation]:
        """Return the conversations of these owners, the longest waiting first."""
        condition = conversations.c.owner.in_([owner.value for owner in owners])
        query = select(conversations).where(condition).order_by(conversations.c.queued_at)
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return [
            QueuedConversation(
                conversation_id=row.id,
                owner=ConversationOwner(row.owner),
                queue=row.queue,
                agent=row.agent,
                language=row.language,
                since=utc(row.queued_at) if row.queued_at else None,
                mood=row.state.get("mood", "calm"),
                intent=row.state.get("intent"),
                contact=row.contact,
                fence=row.fence,
                name=row.visitor_name,
                intents=_recent_intents(row.state),
            )
            for row in rows
        ]

    def assignment(self, conversation_id: str) -> Assignment:
        """Return the owner of a conversation; raise NotFoundError for an unknown one."""
        with self._engine.begin() as connection:
            return ownership.read(ownership.lock_conversation(connection, conversation_id))

    def take(self, conversation_id: str, agent: str) -> AgentLease:
        """Assign a conversation to an agent who has room for it.

        Raises HandoffRefusedError where a colleague was faster, or the agent has no room.
        """
        with self._engine.begin() as connection:
            person = self._find_agent(connection, agent)
            row = ownership.lock_conversation(connection, conversation_id)
            is_own = row.owner == ConversationOwner.HUMAN.value and row.agent == agent
            if not is_own and self._count_conversations(connection, agent) >= person.capacity:
                message = f"you have {person.capacity} conversations: finish one first"
                raise HandoffRefusedError(message)
            event = handoff.AgentAssigned(agent, person.name)
            assignment = self._transition(connection, row, event)
        return AgentLease(conversation_id, assignment.fence, assignment.owner)

    def send(
        self,
        conversation_id: str,
        agent: str,
        fence: int,
        text: str,
        client_message_id: str | None = None,
    ) -> str:
        """Send an agent's text to the customer and return the message's id.

        The same `client_message_id` is sent once. Raises HandoffRefusedError where the agent no
        longer has the conversation: nothing is sent then.
        """
        try:
            with self._engine.begin() as connection:
                if sent := self._find_sent(connection, conversation_id, client_message_id):
                    return sent
                person = self._find_agent(connection, agent)
                row = ownership.lock_conversation(connection, conversation_id)
                self._transition(connection, row, handoff.AgentSpoke(agent, fence), agent_text=text)
                return ownership.insert_message(
                    connection,
                    conversation_id,
                    Role.AGENT,
                    text,
                    status=_SENT,
                    author=person.name,
                    client_message_id=client_message_id,
                )
        except IntegrityError:  # another process stored the same message at the same time
            with self._engine.begin() as connection:
                if sent := self._find_sent(connection, conversation_id, client_message_id):
                    return sent
            raise

    def _find_sent(
        self, connection: Connection, conversation_id: str, client_message_id: str | None
    ) -> str | None:
        if client_message_id is None:
            return None
        condition = (messages.c.conversation_id == conversation_id) & (
            messages.c.client_message_id == client_message_id
        )
        identifier = connection.execute(select(messages.c.id).where(condition)).scalar_one_or_none()
        return str(identifier) if identifier else None

    def set_typing(self, conversation_id: str, agent: str, fence: int, *, on: bool = True) -> None:
        """Show that an agent is typing, or no longer."""
        self._apply(conversation_id, handoff.AgentTyping(agent, fence, on))

    def renew(self, conversation_id: str, agent: str, fence: int) -> None:
        """Extend an agent's lease of a conversation."""
        self._apply(conversation_id, handoff.LeaseRenewed(agent, fence))

    def renew_all(self, agent: str) -> int:
        """Extend an agent's leases of all conversations; return how many were extended."""
        condition = (conversations.c.owner == ConversationOwner.HUMAN.value) & (
            conversations.c.agent == agent
        )
        query = select(conversations.c.id, conversations.c.fence).where(condition)
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        renewed = 0
        for row in rows:
            try:
                self.renew(row.id, agent, row.fence)
            except (
                HandoffRefusedError,
                ConversationChangedError,
            ):  # its owner changed, or it is being answered
                continue
            renewed += 1
        return renewed

    def give_back(self, conversation_id: str, agent: str, fence: int) -> None:
        """Give a conversation back to the bot."""
        self._apply(conversation_id, handoff.ReturnedToBot(agent, fence))

    def transfer(
        self,
        conversation_id: str,
        agent: str,
        fence: int,
        *,
        queue: str | None = None,
        to: str | None = None,
    ) -> None:
        """Pass a conversation on, to a queue or to a colleague who is online and has room."""
        with self._engine.begin() as connection:
            name = None
            if to is not None:
                colleague = self._find_agent(connection, to)
                name = colleague.name
                if (
                    not colleague.online
                    or self._count_conversations(connection, to) >= colleague.capacity
                ):
                    message = f"{name} is not there, or has enough to do: pass it to a queue"
                    raise HandoffRefusedError(message)
            row = ownership.lock_conversation(connection, conversation_id)
            self._transition(connection, row, handoff.Transferred(agent, fence, queue, to, name))

    def close(self, conversation_id: str, agent: str, fence: int) -> None:
        """End a conversation; the customer's next message opens it again."""
        self._apply(conversation_id, handoff.ConversationClosed(handoff.TokenShown(agent, fence)))

    def apply_timeouts(self, patience: timedelta, silence: timedelta | None = None) -> int:
        """Apply the effects of time: expired leases, long waits, customers who left.

        Returns how many conversations changed.
        """
        at = self._clock()
        c = conversations.c
        is_waiting = (c.owner == ConversationOwner.QUEUED.value) & ~c.asked_contact
        due = or_(
            (c.owner == ConversationOwner.HUMAN.value) & (c.lease_until < at),
            is_waiting & (c.queued_at <= at - patience),
        )
        if silence is not None:
            with_bot = c.owner.in_([owner.value for owner in handoff.WITH_BOT])
            due = or_(due, with_bot & (c.updated_at <= at - silence))
        with self._engine.begin() as connection:
            rows = connection.execute(select(c.id, c.owner).where(due)).all()
        changed = 0
        for row in rows:
            with_people = row.owner in {
                ConversationOwner.HUMAN.value,
                ConversationOwner.QUEUED.value,
            }
            event: Event = handoff.TimePassed(patience) if with_people else handoff.CustomerSilent()
            try:
                changed += self._apply(row.id, event)
            except HandoffRefusedError:  # an agent was faster
                continue
        return changed

    def _apply(self, conversation_id: str, event: Event) -> bool:
        with self._engine.begin() as connection:
            row = ownership.lock_conversation(connection, conversation_id)
            before = ownership.read(row)
            return self._transition(connection, row, event) != before

    def _transition(
        self, connection: Connection, row: Row[Any], event: Event, agent_text: str | None = None
    ) -> Assignment:
        """Apply the rules to a locked row, write the result and send the customer notices."""
        before = ownership.read(row)
        transition: HandoffTransition = handoff.move(before, event, self._clock())
        language = row.language or "en"
        notices = [self._render_notice(notice, language) for notice in transition.notices]
        state = states.from_json(row.state)
        lines = [(Role.AGENT, agent_text)] if agent_text else [(Role.BOT, text) for text in notices]
        history = (*state.history, *(Utterance(role, redact(text)) for role, text in lines))
        updated = replace(state, history=history[-_MAX_HISTORY:])
        if transition.assignment.owner != before.owner:
            updated = replace(updated, forms=(), options=(), failures=0, offered_human=False)
        values = {**ownership.columns(transition.assignment), "state": states.to_json(updated)}
        if lines:
            values["updated_at"] = self._clock()
        ownership.swap(connection, row.id, row.revision, **values)
        for text in notices:
            ownership.insert_message(connection, row.id, Role.BOT, text, status=ownership.NOTICE)
        return transition.assignment

    def _find_agent(self, connection: Connection, agent: str) -> Agent:
        row = connection.execute(select(agents).where(agents.c.id == agent)).one_or_none()
        if row is None:
            message = f"there is no agent {agent[:64]}"
            raise NotFoundError(message)
        return _agent(row, self._clock(), 0)

    def _count_conversations(self, connection: Connection, agent: str) -> int:
        condition = (conversations.c.owner == ConversationOwner.HUMAN.value) & (
            conversations.c.agent == agent
        )
        query = select(func.count()).select_from(conversations).where(condition)
        return int(connection.execute(query).scalar_one())


def _agent(row: Row[Any], at: datetime, busy: int) -> Agent:
    online = row.online_until is not None and utc(row.online_until) > at
    return Agent(
        row.id, row.name, tuple(row.queues), tuple(row.languages), row.capacity, online, busy
    )
