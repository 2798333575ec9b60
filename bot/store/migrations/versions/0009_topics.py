"""Topics that were found in customers' messages, and which messages belong to them"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "topics",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("origin", sa.LargeBinary(), nullable=False),
        sa.Column("mean", sa.LargeBinary(), nullable=False),
        sa.Column("intent", sa.String(length=128), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("joined", sa.String(length=32), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["joined"], ["topics.id"], name=op.f("fk_topics_joined")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
    )
    op.create_table(
        "message_topics",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("topic_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_topics_message_id")
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_message_topics_topic_id")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_topics")),
    )
    op.create_index("ix_message_topics_topic_id", "message_topics", ["topic_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("message_topics")
    op.drop_table("topics")
