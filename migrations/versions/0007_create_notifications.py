"""Create notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def reference(name: str, target: str) -> sa.ForeignKeyConstraint:
    """Return the foreign key whose rows go when the row that they refer to goes."""
    return sa.ForeignKeyConstraint(
        [name], [f"{target}.id"], name=op.f(f"fk_notifications_{name}_{target}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        reference("user_id", "users"),
        reference("order_id", "orders"),
        sa.CheckConstraint(
            sa.func.char_length(sa.column("message")) <= 200, name=op.f("ck_notifications_message")
        ),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.create_index(op.f("ix_notifications_user_id"), "notifications", ["user_id"])
    op.create_index(op.f("ix_notifications_order_id"), "notifications", ["order_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("notifications")
