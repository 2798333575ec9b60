"""Whose a conversation is, the files sent in it, and how it was rated"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("conversations", sa.Column("visitor", sa.String(length=64)))
    op.add_column("conversations", sa.Column("customer", sa.Text()))
    op.add_column("conversations", sa.Column("visitor_name", sa.String(length=128)))
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_attachments_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_attachments_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_conversation_id"), "attachments", ["conversation_id"])
    op.create_index(op.f("ix_attachments_message_id"), "attachments", ["message_id"])
    op.create_table(
        "csat",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_csat_conversation_id")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_csat")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("csat")
    op.drop_index(op.f("ix_attachments_message_id"), "attachments")
    op.drop_index(op.f("ix_attachments_conversation_id"), "attachments")
    op.drop_table("attachments")
    with op.batch_alter_table("conversations") as batch:
        for name in ("visitor", "customer", "visitor_name"):
            batch.drop_column(name)
