"""Add the indexes with which searches, filters and deep pages stay fast at a million rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Each of the second takes the place of the first, with which it begins.
REPLACED = [
    ("post_tags", ["tag_id"], ["tag_id", "post_id"]),
    ("orders", ["user_id"], ["user_id", "status", "total_amount"]),
]
SEARCHED = {
    "users": ["name", "username", "email", "city"],
    "products": ["name", "sku", "description"],
}

# It may be in another schema than the tables, if somebody else has created it.
SEE_EXTENSION = """
    SELECT set_config('search_path', concat_ws(', ', current_setting('search_path'), (
        SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'
    )), false)"""


@contextmanager
def beside_writers() -> Iterator[dict[str, Any]]:
    """Let PostgreSQL build indexes while others write, which it cannot do in a transaction."""
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            yield {"postgresql_concurrently": True, "if_not_exists": True}
    else:
        yield {}


def name_of(table: str, columns: list[str]) -> str:
    """Return an index's name."""
    return op.f(f"ix_{table}_{'_'.join(columns)}")


def replace(table: str, old: list[str], new: list[str], options: dict[str, Any]) -> None:
    """Build the new index before the old one goes: foreign keys need one on MariaDB."""
    op.create_index(name_of(table, new), table, new, **options)
    drop = {key.replace("_not_", "_"): value for key, value in options.items()}
    op.drop_index(name_of(table, old), table, **drop)


def upgrade() -> None:
    """Build them; if a build on PostgreSQL fails, drop the INVALID index before the next try."""
    with beside_writers() as options:
        for table, old, new in REPLACED:
            replace(table, old, new, options)
        if options:
            op.create_index(
                "ix_users_visible",
                "users",
                ["id"],
                postgresql_where=sa.text("deleted_at IS NULL"),
                **options,
            )
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.execute(SEE_EXTENSION)
            for table, names in SEARCHED.items():
                trigrams = dict.fromkeys(names, "gin_trgm_ops")
                op.create_index(
                    f"ix_{table}_search",
                    table,
                    names,
                    postgresql_using="gin",
                    postgresql_ops=trigrams,
                    **options,
                )


def downgrade() -> None:
    """Build the former ones; the extension stays, as somebody else may use it."""
    with beside_writers() as options:
        if options:
            for name in ("ix_users_search", "ix_products_search", "ix_users_visible"):
                op.drop_index(name, postgresql_concurrently=True)
        for table, old, new in REPLACED:
            replace(table, new, old, options)
