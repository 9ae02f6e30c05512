"""Create tags, their links to posts, and comments."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MYSQL: Any = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def length(table: str, name: str, low: int, high: int) -> sa.CheckConstraint:
    """Return the CHECK that a text has `low` to `high` characters."""
    size = sa.func.char_length(sa.column(name))
    rule = sa.and_(size >= low, size <= high)
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def reference(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    """Return the foreign key whose rows go when the row that they refer to goes."""
    return sa.ForeignKeyConstraint(
        [name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}_{target}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
        length("tags", "name", 1, 50),
        **MYSQL,
    )
    op.create_table(
        "post_tags",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "tag_id", name=op.f("pk_post_tags")),
        reference("post_tags", "post_id", "posts"),
        reference("post_tags", "tag_id", "tags"),
        **MYSQL,
    )
    op.create_index(op.f("ix_post_tags_tag_id"), "post_tags", ["tag_id"])
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        reference("comments", "post_id", "posts"),
        reference("comments", "author_id", "users"),
        length("comments", "body", 1, 2000),
        **MYSQL,
    )
    op.create_index(op.f("ix_comments_post_id"), "comments", ["post_id"])
    op.create_index(op.f("ix_comments_author_id"), "comments", ["author_id"])


def downgrade() -> None:
    """Drop the three tables."""
    op.drop_table("comments")
    op.drop_table("post_tags")
    op.drop_table("tags")
