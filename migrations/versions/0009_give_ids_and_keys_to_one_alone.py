"""Give an id to one row only on SQLite, and an Idempotency-Key to one user only."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import context, op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = [
    "users",
    "posts",
    "tags",
    "comments",
    "categories",
    "products",
    "orders",
    "order_items",
    "notifications",
]
SCHEMA = sa.table("sqlite_master", *map(sa.column, ("type", "name", "sql")))
LAST_IDS = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
BATCH = 1000


def upgrade() -> None:
    """Make SQLite count as the other databases do, and store each key with its user."""
    if op.get_context().dialect.name == "sqlite":
        for table in TABLES:
            key = f"CONSTRAINT pk_{table} PRIMARY KEY"
            rewrite(table, f", \n\t{key} (id)", "")
            rewrite(table, "\n\tid INTEGER NOT NULL,", f"\n\tid INTEGER NOT NULL {key},")
            rewrite(table, f"{key},", f"{key} AUTOINCREMENT,")
        reread_schema()
        for table in TABLES:
            rows = sa.table(table, sa.column("id"))
            last = sa.select(sa.literal(table), sa.func.coalesce(sa.func.max(rows.c.id), 0))
            op.execute(LAST_IDS.insert().from_select(["name", "seq"], last))
    if not context.is_offline_mode():  # SQL text alone has no SHA-256 on every database
        hash_keys()


def downgrade() -> None:
    """Let SQLite count as before; the keys stay as they are."""
    if op.get_context().dialect.name == "sqlite":
        for table in TABLES:
            rewrite(table, "PRIMARY KEY AUTOINCREMENT,", "PRIMARY KEY,")
        reread_schema()
        op.execute(LAST_IDS.delete())


def rewrite(table: str, old: str, new: str) -> None:
    """Replace a part of what SQLite keeps of a CREATE TABLE, as its manual allows.

    The rows stay where they are: AUTOINCREMENT only changes how the next id is found.
    """
    op.execute("PRAGMA writable_schema = ON")
    table_itself = (SCHEMA.c.type == "table") & (SCHEMA.c.name == table)
    changed = sa.func.replace(SCHEMA.c.sql, sa.text(quoted(old)), sa.text(quoted(new)))
    op.execute(SCHEMA.update().where(table_itself).values(sql=changed))


def quoted(text: str) -> str:
    """Return text as SQL that fits on one line."""
    return f"'{text}'".replace("\n\t", "' || char(10) || char(9) || '")


def reread_schema() -> None:
    """Make every connection read the schema again; also make SQLite's table of the last ids."""
    op.execute("CREATE TABLE reread (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    op.execute("DROP TABLE reread")
    op.execute("PRAGMA writable_schema = RESET")


def hash_keys() -> None:
    """Replace each key by the hash of its user and itself."""
    orders = sa.table("orders", sa.column("id"), sa.column("user_id"), sa.column("idempotency_key"))
    columns, key = orders.c, orders.c.idempotency_key
    connection = op.get_bind()
    read = sa.select(columns.id, columns.user_id, key).where(key.is_not(None))
    write = (
        orders.update()
        .where(columns.id == sa.bindparam("order"))
        .values(idempotency_key=sa.bindparam("hash"))
    )
    last_id = 0
    while rows := connection.execute(
        read.where(columns.id > last_id).order_by(columns.id).limit(BATCH)
    ).all():
        connection.execute(
            write, [{"order": row.id, "hash": hash_of(row.user_id, row[2])} for row in rows]
        )
        last_id = rows[-1].id


def hash_of(user: int, key: str) -> str:
    """Return what the app stores of a key."""
    return sha256(f"{user} {key}".encode()).hexdigest()
