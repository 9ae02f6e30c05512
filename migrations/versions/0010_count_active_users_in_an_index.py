"""Add is_active to PostgreSQL's index of visible users, which then counts the active ones."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VISIBLE = {"postgresql_where": sa.text("deleted_at IS NULL")}
ACTIVE = VISIBLE | {"postgresql_include": ["is_active"]}


def upgrade() -> None:
    """Build it; if that fails, drop the INVALID index before the next try."""
    replace("ix_users_visible", "ix_users_visible_active", ACTIVE)


def downgrade() -> None:
    """Build the former one."""
    replace("ix_users_visible_active", "ix_users_visible", VISIBLE)


def replace(old: str, new: str, options: dict[str, Any]) -> None:
    """Build the new index and drop the old one while others write, so in no transaction."""
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            beside_writers: dict[str, Any] = {"postgresql_concurrently": True}
            op.create_index(new, "users", ["id"], if_not_exists=True, **beside_writers, **options)
            op.drop_index(old, if_exists=True, **beside_writers)
