"""Add the status of a user."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; users that are already there are active."""
    with op.batch_alter_table("users") as batch:
        # Rows that are there need a value, or the column could not be NOT NULL.
        batch.add_column(
            sa.Column("status", sa.String(length=20), server_default="active", nullable=False)
        )


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("users") as batch:
        batch.drop_column("status")
