"""Create users and posts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MYSQL: Any = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def length(table: str, name: str, low: int | None, high: int) -> sa.CheckConstraint:
    """Return the CHECK that a text has `low` to `high` characters, NULL allowed."""
    size = sa.func.char_length(sa.column(name))
    rule = size <= high if low is None else sa.and_(size >= low, size <= high)
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("username", sa.String(length=50), nullable=True),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("city", sa.String(length=50), nullable=False),
        sa.Column("bio", sa.String(length=1000), nullable=True),
        sa.Column("hashed_password", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        sa.CheckConstraint("age >= 0 AND age <= 150", name=op.f("ck_users_age")),
        length("users", "name", 2, 50),
        length("users", "email", None, 254),
        length("users", "username", 3, 50),
        length("users", "city", None, 50),
        length("users", "bio", None, 1000),
        length("users", "hashed_password", None, 255),
        **MYSQL,
    )
    op.create_index(op.f("ix_users_age"), "users", ["age"])
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column(
            "content",
            sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"),
            nullable=False,
        ),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_posts_author_id_users"),
            ondelete="CASCADE",
        ),
        length("posts", "title", 5, 100),
        length("posts", "content", 20, 20_000),
        **MYSQL,
    )
    op.create_index(op.f("ix_posts_author_id"), "posts", ["author_id"])
    op.create_index(op.f("ix_posts_published"), "posts", ["published"])


def downgrade() -> None:
    """Drop both tables, the one that refers to the other first."""
    op.drop_table("posts")
    op.drop_table("users")
