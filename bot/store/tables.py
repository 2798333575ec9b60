"""The tables of the conversation log."""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# Constraints have names, so that migrations can change them on every database.
metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversations: Final = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("sender", String(256)),
    Column("channel", String(32), nullable=False),
    Column("language", String(8)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("owner", String(16), nullable=False),
    Column("queue", String(64)),
    Column("queued_at", DateTime(timezone=True)),
    Column("state", JSON, nullable=False),
    Index("ix_conversations_sender", "sender"),
    Index("ix_conversations_owner_queued_at", "owner", "queued_at"),
    Index("ix_conversations_updated_at", "updated_at"),
)

messages: Final = Table(
    "messages",
    metadata,
    # The order everybody sees; ids are random and carry none.
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("conversation_id", String(64), ForeignKey("conversations.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("client_message_id", String(128)),
    Column("status", String(16), nullable=False),
    # One reply a message, whoever computes it twice: the database refuses the second.
    Column("in_reply_to", String(64), unique=True),
    Column("turn", JSON),
    UniqueConstraint("conversation_id", "client_message_id"),
    Index("ix_messages_conversation_id_position", "conversation_id", "position"),
    Index("ix_messages_status", "status"),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("message_id", String(64), ForeignKey("messages.id"), primary_key=True),
    Column("conversation_id", String(64), ForeignKey("conversations.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("route", String(16), nullable=False),
    Column("reason", String(128), nullable=False),
    Column("intent", String(128)),
    Column("confidence", Float, nullable=False),
    Column("language", String(8), nullable=False),
    Column("sentiment", String(16), nullable=False),
    Column("trace", JSON, nullable=False),
)

citations: Final = Table(
    "citations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False, index=True),
    Column("article", String(512), nullable=False),
    Column("title", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("url", Text),
)

feedback: Final = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False, index=True),
    Column("rating", String(8), nullable=False),
    Column("reason", String(64)),
    Column("comment", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)

# One entry a turn, each hashed together with the entry before it: what is altered later shows.
ledger: Final = Table(
    "ledger",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("content_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("forgotten", Boolean, nullable=False),
)

# What people did with a reply: which articles a customer opened, which ones an agent took over.
interactions: Final = Table(
    "interactions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("article", String(512), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

versions: Final = Table(
    "versions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("first_served_at", DateTime(timezone=True), nullable=False),
)
