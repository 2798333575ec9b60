"""The conversation log in SQL: a message is committed before it is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, insert, literal, select, union_all, update
from sqlalchemy.exc import IntegrityError

from bot.core import serialization
from bot.core.privacy import redact
from bot.core.types import (
    ConversationChangedError,
    Feedback,
    Interaction,
    Message,
    NotFoundError,
    Role,
    Turn,
    now,
)
from bot.dialogue import state as states
from bot.dialogue.state import State
from bot.store import attachments, audit_ledger, encryption, ownership
from bot.store.database import utc
from bot.store.encryption import FieldCipher
from bot.store.tables import (
    agents,
    citations,
    conversations,
    decisions,
    feedback,
    interactions,
    messages,
    versions,
)

PENDING: Final = "pending"
ANSWERED: Final = "answered"
_CONTACT_ENTITIES: Final = frozenset({"email", "phone"})
_MAX_EARLIER: Final = 20  # intents and articles of earlier visits that are returned
# Rows of messages with what their conversation knows of the customer.
_CUSTOMER_MESSAGES: Final = select(
    messages,
    *(conversations.c[name] for name in ("sender", "channel", "visitor", "customer")),
).join(conversations, conversations.c.id == messages.c.conversation_id)


@dataclass(frozen=True)
class LogReceipt:
    """A message (the first one, when it was sent twice) and its turn, if it was answered."""

    message: Message
    turn: Turn | None = None


class SqlLog:
    """Conversations, messages, decisions, citations and feedback."""

    def __init__(self, engine: Engine, seal: FieldCipher | None = None) -> None:
        """Use a migrated database; without a seal, personal data in open forms is not stored."""
        self._engine = engine
        self._seal = seal

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def receive(self, message: Message) -> LogReceipt:
        """Commit a message as pending; a message that was sent before is not stored twice."""
        for last in (False, True):
            try:
                with self._transaction() as connection:
                    if duplicate := self._find_duplicate(connection, message):
                        return duplicate
                    self._open_conversation(connection, message)
                    self._insert_message(connection, message)
                    return LogReceipt(message)
            except IntegrityError:  # another process opened the conversation or stored the message
                if last:
                    raise
        raise AssertionError  # pragma: no cover — the loop returns or raises

    def _find_duplicate(self, connection: Connection, message: Message) -> LogReceipt | None:
        if message.client_message_id is None:
            return None
        row = connection.execute(
            _CUSTOMER_MESSAGES.where(
                messages.c.conversation_id == message.conversation_id,
                messages.c.client_message_id == message.client_message_id,
            )
        ).one_or_none()
        if row is None:
            return None
        stored = replace(self._message(row), sender=message.sender, channel=message.channel)
        return LogReceipt(stored, self._turn_of(connection, row.id))

    def _turn_of(self, connection: Connection, message_id: str) -> Turn | None:
        read_with = select(messages.c.merged_into).where(messages.c.id == message_id)
        question_id = connection.execute(read_with).scalar_one_or_none() or message_id
        record = connection.execute(
            select(messages.c.turn).where(messages.c.in_reply_to == question_id)
        ).scalar_one_or_none()
        return serialization.from_record(record) if record else None

    def _open_conversation(self, connection: Connection, message: Message) -> None:
        ownership.open_conversation(connection, message)
        if message.customer and self._seal:
            condition = conversations.c.id == message.conversation_id
            proven = self._seal.close(message.customer)
            connection.execute(update(conversations).where(condition).values(customer=proven))

    def _insert_message(self, connection: Connection, message: Message) -> None:
        text = redact(message.text)
        sealed = self._seal.close(message.text) if self._seal and text != message.text else None
        connection.execute(
            insert(messages).values(
                id=message.id,
                conversation_id=message.conversation_id,
                role=Role.CUSTOMER.value,
                text=text,
                sealed=sealed,
                at=message.at,
                client_message_id=message.client_message_id,
                status=PENDING,
            )
        )
        attachments.attach(connection, message)

    def answered(self, message_id: str) -> Turn | None:
        """Return the turn of a message that was answered, else None."""
        with self._transaction() as connection:
            return self._turn_of(connection, message_id)

    def load(self, conversation_id: str) -> State:
        """Return the state of a conversation; a fresh one for an unknown id."""
        with self._transaction() as connection:
            row = connection.execute(
                select(conversations).where(conversations.c.id == conversation_id)
            ).one_or_none()
        if row is None:
            return State()
        state = self._decrypted(states.from_json(row.state))
        return replace(state, assignment=ownership.read(row), revision=row.revision)

    def append(self, turn: Turn, state: State, before: State | None = None) -> Turn:
        """Commit a turn and the state after it together; the trace contains the state before it.

        Returns the turn in the log: where two processes computed a reply, the first one. Raises
        ConversationChangedError where the conversation is no longer in the state before.
        """
        clean = serialization.without_personal_data(turn)
        try:
            with self._transaction() as connection:
                revision = before.revision if before else self._revision(connection, turn)
                self._save_state(connection, turn, state, revision)
                self._insert_reply(connection, turn)
                self._insert_decision(connection, clean, before or State())
                self._note_versions(connection, turn)
                audit_ledger.add(connection, turn.message.id)
        except (IntegrityError, ConversationChangedError):
            stored = self.answered(turn.message.id)
            if stored is None:
                raise
            return stored
        return turn

    def _revision(self, connection: Connection, turn: Turn) -> int:
        conversation_id = turn.message.conversation_id
        query = select(conversations.c.revision).where(conversations.c.id == conversation_id)
        return int(connection.execute(query).scalar_one())

    def _insert_reply(self, connection: Connection, turn: Turn) -> None:
        connection.execute(
            insert(messages).values(
                id=turn.reply_id,
                conversation_id=turn.message.conversation_id,
                role=Role.BOT.value,
                text=turn.reply.text,
                at=now(),
                status=ANSWERED,
                in_reply_to=turn.message.id,
                turn=serialization.to_record(turn),
            )
        )
        answered = update(messages).where(messages.c.id == turn.message.id)
        connection.execute(answered.values(status=ANSWERED, sealed=None))
        if turn.merged:
            merged = update(messages).where(messages.c.id.in_(turn.merged))
            values = {"status": ANSWERED, "sealed": None, "merged_into": turn.message.id}
            connection.execute(merged.values(**values))

    def _insert_decision(self, connection: Connection, turn: Turn, before: State) -> None:
        understanding = turn.understanding
        connection.execute(
            insert(decisions).values(
                message_id=turn.message.id,
                conversation_id=turn.message.conversation_id,
                at=now(),
                route=turn.decision.route.value,
                reason=turn.decision.reason,
                intent=understanding.intent,
                confidence=understanding.confidence,
                language=understanding.language,
                sentiment=understanding.sentiment,
                trace={
                    **serialization.trace_json(turn),
                    "before": states.to_json(_redacted(before)),
                },
            )
        )
        if turn.reply.citations:
            connection.execute(
                insert(citations),
                [
                    {"message_id": turn.reply_id, **serialization.citation_json(citation)}
                    for citation in turn.reply.citations
                ],
            )

    def _save_state(self, connection: Connection, turn: Turn, state: State, revision: int) -> None:
        """Write the state; the values of an open form are encrypted until the form ends."""
        values: dict[str, Any] = {
            "state": states.to_json(self._encrypted(state)),
            "language": state.language,
            "updated_at": now(),
            **ownership.columns(state.assignment),
        }
        if turn.decision.reason == "contact_given":
            entities = turn.understanding.entities
            values["contact"] = ", ".join(
                e.value for e in entities if e.entity in _CONTACT_ENTITIES
            )[:256]
        ownership.swap(connection, turn.message.conversation_id, revision, **values)

    def _encrypted(self, state: State) -> State:
        clean = _redacted(state)
        if self._seal is None:
            return clean
        slots = {
            name: clean.slots[name] if name in state.unsealed else self._seal.close(value)
            for name, value in state.slots.items()
        }
        return replace(clean, slots=slots)

    def _decrypted(self, state: State) -> State:
        """Return the state with decrypted slots, without those that cannot be decrypted."""
        slots: dict[str, str] = {}
        for name, value in state.slots.items():
            plain: str | None = value
            if value.startswith(encryption.MARK):
                plain = self._seal.open(value) if self._seal else None
            if plain:
                slots[name] = plain
        return replace(state, slots=slots)

    def _note_versions(self, connection: Connection, turn: Turn) -> None:
        served = {
            "model": turn.versions.model,
            "knowledge": turn.versions.knowledge,
            "templates": turn.versions.templates,
            "policy": turn.versions.policy,
        }
        recorded = set(
            connection.execute(
                select(versions.c.id).where(versions.c.id.in_([v for v in served.values() if v]))
            ).scalars()
        )
        unrecorded = [(kind, v) for kind, v in served.items() if v and v not in recorded]
        for kind, identifier in unrecorded:
            try:
                with connection.begin_nested():
                    connection.execute(
                        insert(versions).values(id=identifier, kind=kind, first_served_at=now())
                    )
            except IntegrityError:  # another conversation recorded it at the same time
                continue

    def pending(self, conversation_id: str | None = None) -> list[Message]:
        """Return the unanswered messages, oldest first: of all conversations, or of one."""
        condition = messages.c.status == PENDING
        if conversation_id is not None:
            condition &= messages.c.conversation_id == conversation_id
        with self._transaction() as connection:
            query = _CUSTOMER_MESSAGES.where(condition).order_by(messages.c.position)
            rows = connection.execute(query).all()
        return [self._message(row) for row in rows]

    def customer(self, conversation_id: str) -> str | None:
        """Return the proven customer id of a conversation's visitor, None where there is none."""
        condition = conversations.c.id == conversation_id
        with self._transaction() as connection:
            proven = connection.execute(select(conversations.c.customer).where(condition)).scalar()
        return self._seal.open(proven) if self._seal and proven else None

    def _message(self, row: Row[Any]) -> Message:
        """Return a message as it was written, as far as that can still be decrypted."""
        original = self._seal.open(row.sealed) if self._seal and row.sealed else None
        return Message(
            text=original or row.text,
            conversation_id=row.conversation_id,
            sender=row.sender,
            channel=row.channel,
            visitor=row.visitor,
            customer=self._seal.open(row.customer) if self._seal and row.customer else None,
            client_message_id=row.client_message_id,
            id=row.id,
            at=utc(row.at),
        )

    def queue_position(self, conversation_id: str) -> int:
        """Return the place in the queue, from 1; a conversation not yet in it would be last."""
        with self._transaction() as connection:
            since = connection.execute(
                select(conversations.c.queued_at).where(conversations.c.id == conversation_id)
            ).scalar_one_or_none()
            ahead = select(func.count()).where(conversations.c.owner == states.QUEUED)
            if since is not None:
                ahead = ahead.where(conversations.c.queued_at < since)
            return int(connection.execute(ahead).scalar_one()) + 1

    def is_staffed(self, queue: str, at: datetime) -> bool:
        """Return whether an agent who answers a queue is online."""
        query = select(agents.c.queues).where(agents.c.online_until > at)
        with self._transaction() as connection:
            queues = connection.execute(query).scalars().all()
        return any(not names or queue in names for names in queues)

    def add_feedback(self, rating: Feedback) -> None:
        """Store a customer's rating of a reply; raise NotFoundError for an unknown message."""
        with self._transaction() as connection:
            _require_message(connection, rating.message_id)
            connection.execute(
                insert(feedback).values(
                    message_id=rating.message_id,
                    rating=rating.rating,
                    reason=redact(rating.reason) if rating.reason else None,
                    comment=redact(rating.comment) if rating.comment else None,
                    at=now(),
                )
            )

    def add_interaction(self, message_id: str, kind: Interaction, article: str) -> None:
        """Store what somebody did with an article; raise NotFoundError for an unknown message."""
        with self._transaction() as connection:
            _require_message(connection, message_id)
            values = {"message_id": message_id, "kind": kind.value, "article": article}
            connection.execute(insert(interactions).values(**values, at=now()))

    def earlier(self, sender: str, conversation_id: str) -> tuple[str, ...]:
        """Return the last topics of a sender's other conversations, oldest first.

        A topic is the intent of a message or the id of an article that was opened.
        """
        of_sender = (conversations.c.sender == redact(sender)) & (
            conversations.c.id != conversation_id
        )
        intents = (
            select(messages.c.position, literal(0).label("step"), decisions.c.intent.label("item"))
            .join(decisions, decisions.c.message_id == messages.c.id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(of_sender, decisions.c.intent.is_not(None))
        )
        opened = (
            select(messages.c.position, interactions.c.id, interactions.c.article)
            .join(interactions, interactions.c.message_id == messages.c.id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(of_sender, interactions.c.kind == Interaction.OPENED.value)
        )
        both = union_all(intents, opened).subquery()
        last = select(both.c.item).order_by(both.c.position.desc(), both.c.step.desc())
        with self._transaction() as connection:
            items = connection.execute(last.limit(_MAX_EARLIER)).scalars().all()
        return tuple(reversed(items))


def _redacted(state: State) -> State:
    """Return the state without personal data."""
    history = tuple(replace(line, text=redact(line.text)) for line in state.history)
    return replace(state, history=history, slots={k: redact(v) for k, v in state.slots.items()})


def _require_message(connection: Connection, message_id: str) -> None:
    """Raise NotFoundError for a message that does not exist."""
    row = connection.execute(select(messages.c.id).where(messages.c.id == message_id))
    if row.one_or_none() is None:
        message = f"there is no message {message_id[:64]}"
        raise NotFoundError(message)
