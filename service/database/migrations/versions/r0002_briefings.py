"""Briefings, and where the work on them stands."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "briefings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("focus", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.String(55), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_briefings_owner", "briefings", ["owner"])
    op.create_index("ix_briefings_status", "briefings", ["status", "created_at"])
    op.create_table(
        "briefing_checkpoints",
        sa.Column("briefing_id", sa.String(64), sa.ForeignKey("briefings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("checkpoint_id", sa.String(64), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "briefing_writes",
        sa.Column("briefing_id", sa.String(64), sa.ForeignKey("briefings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("checkpoint_id", sa.String(64), primary_key=True),
        sa.Column("task_id", sa.String(64), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("task_path", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("briefing_writes")
    op.drop_table("briefing_checkpoints")
    op.drop_table("briefings")
