"""Add the slug of a user, those included that are already there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("slug", sa.String(length=80), nullable=True))
    # The id at the end keeps those apart who have the same name.
    op.execute("UPDATE users SET slug = lower(replace(name, ' ', '-')) || '-' || id")
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", existing_type=sa.String(length=80), nullable=False)
        batch.create_unique_constraint("uq_users_slug", ["slug"])


def downgrade() -> None:
    """Drop the constraint and the column."""
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
