"""Add the status of a user, and when a post was published."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; users that are already there count as active."""
    # A NOT NULL column can only join a table with rows if it brings a value for them.
    op.add_column(
        "users",
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_users_is_active"), "users", ["is_active"])
    op.create_index(op.f("ix_users_deleted_at"), "users", ["deleted_at"])
    op.add_column("posts", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE posts SET published_at = updated_at WHERE published")


def downgrade() -> None:
    """Drop the columns, their indexes first: SQLite keeps no index on a column that goes."""
    op.drop_column("posts", "published_at")
    op.drop_index(op.f("ix_users_deleted_at"), table_name="users")
    op.drop_index(op.f("ix_users_is_active"), table_name="users")
    op.drop_column("users", "deleted_at")
    op.drop_column("users", "is_active")
