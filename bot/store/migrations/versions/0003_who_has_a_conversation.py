"""Who has a conversation, under which token; the agents"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = (
    "revision",
    "fence",
    "agent",
    "lease_until",
    "typing_until",
    "asked_contact",
    "asked_silent",
    "contact",
)


def upgrade() -> None:
    """Apply the change."""
    add = op.add_column
    add("conversations", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    add("conversations", sa.Column("fence", sa.Integer(), server_default="0", nullable=False))
    add("conversations", sa.Column("agent", sa.String(length=64)))
    add("conversations", sa.Column("lease_until", sa.DateTime(timezone=True)))
    add("conversations", sa.Column("typing_until", sa.DateTime(timezone=True)))
    for name in ("asked_contact", "asked_silent"):
        add(
            "conversations",
            sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False),
        )
    add("conversations", sa.Column("contact", sa.String(length=256)))
    add("messages", sa.Column("merged_into", sa.String(length=64)))
    op.create_index(op.f("ix_messages_merged_into"), "messages", ["merged_into"])
    add("messages", sa.Column("sealed", sa.Text()))
    add("messages", sa.Column("author", sa.String(length=128)))
    op.create_table(
        "agents",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("online_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("agents")
    op.drop_index(op.f("ix_messages_merged_into"), "messages")
    with op.batch_alter_table("messages") as batch:
        batch.drop_column("merged_into")
        batch.drop_column("author")
        batch.drop_column("sealed")
    with op.batch_alter_table("conversations") as batch:
        for name in _COLUMNS:
            batch.drop_column(name)
