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
    fill()
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", existing_type=sa.String(length=80), nullable=False)
        batch.create_unique_constraint("uq_users_slug", ["slug"])


def fill() -> None:
    """Make the slugs in Python: SQLite's lower() knows the letters a to z only."""
    connection = op.get_bind()
    users = sa.table("users", sa.column("id"), sa.column("name"), sa.column("slug"))
    for user_id, name in connection.execute(sa.select(users.c.id, users.c.name)).all():
        # The id at the end keeps those apart who have the same name.
        slug = f"{name.lower().replace(' ', '-')[:60]}-{user_id}"
        connection.execute(sa.update(users).where(users.c.id == user_id).values(slug=slug))


def downgrade() -> None:
    """Drop the constraint and the column."""
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
