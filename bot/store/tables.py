"""The tables of the conversation log.

The audit ledger hashes the columns in `audit_ledger.COVERED`; a new column is not among them.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
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
    Column("queued_at", DateTime(timezone=True)),  # kept after it was taken: it may go back
    Column("state", JSON, nullable=False),
    # Increases with every change, so that nobody overwrites a change they did not see.
    Column("revision", Integer, nullable=False, server_default="0"),
    # Increases with every change of the owner: writes of an earlier owner are refused.
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("agent", String(64)),
    Column("lease_until", DateTime(timezone=True)),
    Column("typing_until", DateTime(timezone=True)),
    Column("asked_contact", Boolean, nullable=False, server_default=false()),
    Column("asked_silent", Boolean, nullable=False, server_default=false()),
    Column("contact", String(256)),  # where the customer wants to be reached
    # Synthetic conversations are not counted unless that is requested.
    Column("synthetic", Boolean, nullable=False, server_default=false()),
    Column("visitor", String(64)),  # the owner; without one the id alone gives access
    Column("customer", Text),  # the proven customer id, encrypted
    Column("visitor_name", String(128)),  # what the visitor wants to be called
    Index("ix_conversations_sender", "sender"),
    Index("ix_conversations_owner_queued_at", "owner", "queued_at"),
    Index("ix_conversations_updated_at", "updated_at"),
    Index("ix_conversations_created_at", "created_at"),
)

messages: Final = Table(
    "messages",
    metadata,
    # The order that everybody sees; ids are random and have no order.
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("conversation_id", String(64), ForeignKey("conversations.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("client_message_id", String(128)),
    Column("status", String(16), nullable=False),
    # One reply per message: the database refuses a second one.
    Column("in_reply_to", String(64), unique=True),
    Column("turn", JSON),
    Column("merged_into", String(64), index=True),  # the message that it was answered with
    Column("sealed", Text),  # the encrypted original, while it waits and contains personal data
    Column("author", String(128)),  # the agent's name, as the customer sees it
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
    Index("ix_decisions_conversation_id", "conversation_id"),
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
    Index("ix_feedback_at", "at"),
)

# Files of messages; their bytes are encrypted. One that no message names is removed soon.
attachments: Final = Table(
    "attachments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "conversation_id", String(64), ForeignKey("conversations.id"), nullable=False, index=True
    ),
    Column("message_id", String(64), ForeignKey("messages.id"), index=True),
    Column("name", String(128), nullable=False),
    Column("media_type", String(64), nullable=False),  # detected, not the claimed one
    Column("size", Integer, nullable=False),  # bytes
    Column("content", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# The customer's satisfaction with a whole conversation, from 1 to 5.
csat: Final = Table(
    "csat",
    metadata,
    Column("conversation_id", String(64), ForeignKey("conversations.id"), primary_key=True),
    Column("score", Integer, nullable=False),
    Column("comment", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Agents. `queues` and `languages` are lists; an empty one means all.
agents: Final = Table(
    "agents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("queues", JSON, nullable=False),
    Column("languages", JSON, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("online_until", DateTime(timezone=True)),
)

# Users and their roles. An agent of the desk has the same id.
users: Final = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

# What agents write about a conversation for each other; customers never see it.
notes: Final = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column(
        "conversation_id", String(64), ForeignKey("conversations.id"), nullable=False, index=True
    ),
    Column("author", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

labels: Final = Table(
    "labels",
    metadata,
    Column("conversation_id", String(64), ForeignKey("conversations.id"), primary_key=True),
    Column("label", String(64), primary_key=True),
    Column("author", String(128), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# An agent's correction of a customer's message: the right intent, article or answer. There is one
# per kind and message, the last one.
corrections: Final = Table(
    "corrections",
    metadata,
    Column("message_id", String(64), ForeignKey("messages.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column(
        "conversation_id", String(64), ForeignKey("conversations.id"), nullable=False, index=True
    ),
    Column("value", Text, nullable=False),
    Column("instead_of", Text),  # the bot's value; empty where it had none
    Column("author", String(128), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# One entry per turn, each hashed together with the entry before it, to detect later changes.
ledger: Final = Table(
    "ledger",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("content_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("forgotten", Boolean, nullable=False),
)

# Uses of a reply: articles that a customer opened, and articles that an agent took over.
interactions: Final = Table(
    "interactions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("article", String(512), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Suggestions for an agent's next reply, and the agent's choice.
suggestions: Final = Table(
    "suggestions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("conversation_id", String(64), ForeignKey("conversations.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("offered", JSON, nullable=False),  # a list, best first: kind, text, source
    Column("chosen", Integer),  # its place, from 0
    Column("kind", String(16)),  # of the chosen one
    Column("distance", Float),  # characters changed before it was sent, as a share; 0 for none
    Column("message_id", String(64), ForeignKey("messages.id")),  # what was sent
    Column("chosen_at", DateTime(timezone=True)),
    Index("ix_suggestions_conversation_id", "conversation_id"),
    Index("ix_suggestions_at", "at"),
    Index("ix_suggestions_chosen_at", "chosen_at"),
)

# The figures of one day's conversations, summed up so that a page need not read them all.
digests: Final = Table(
    "digests",
    metadata,
    Column("day", Date, primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("synthetic", Boolean, primary_key=True),
    Column("conversations", Integer, nullable=False),
    Column("figures", JSON, nullable=False),
)

# Times until which a task is done: 0, the digests contain every change; 1, topics were looked
# for; 2, a process is looking for them.
digested: Final = Table(
    "digested",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("until", DateTime(timezone=True), nullable=False),
)

# Topics found in customers' messages. A message belongs to the topic with the nearest `mean`,
# relative to its `origin`: little-endian float32 vectors of the encoder.
topics: Final = Table(
    "topics",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("language", String(8), nullable=False),
    Column("synthetic", Boolean, nullable=False),  # found in made-up conversations
    Column("encoder", Text, nullable=False),
    Column("origin", LargeBinary, nullable=False),
    Column("mean", LargeBinary, nullable=False),
    Column("intent", String(128)),  # of most of its messages when it was found
    Column("known", Boolean, nullable=False),  # whether it is the same as that intent
    Column("joined", String(32), ForeignKey("topics.id")),  # the topic that has its messages now
    Column("at", DateTime(timezone=True), nullable=False),
)

message_topics: Final = Table(
    "message_topics",
    metadata,
    Column("message_id", String(64), ForeignKey("messages.id"), primary_key=True),
    Column("topic_id", String(32), ForeignKey("topics.id"), nullable=False, index=True),
)

versions: Final = Table(
    "versions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("first_served_at", DateTime(timezone=True), nullable=False),
)

# Failed attempts of the last minutes; `who` is a hash under a key of the home.
guesses: Final = Table(
    "guesses",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("who", String(64), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_guesses_who_at", "who", "at"),
)

# Deliveries to other systems; `next_at` is also the end of a process's claim to a row.
outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("channel", String(32), nullable=False),
    Column("target", String(128), nullable=False),
    Column("body", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("error", String(256)),
    Index("ix_outbox_channel_target", "channel", "target"),
    Index("ix_outbox_done_at_next_at", "done_at", "next_at"),
)
