"""Add a slug to posts, the old ones included: add, fill, then make it NOT NULL and unique."""

import sqlalchemy as sa
from alembic import context, op
from slugify import slugify
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def length_rule(name: str, high: int, low: int = 0) -> sa.ColumnElement[bool]:
    """Return the condition that a text has at most `high` characters, and at least `low`."""
    size = sa.func.char_length(sa.column(name))
    return sa.and_(size >= low, size <= high) if low else size <= high


def posts_table(*slug_constraints: sa.Constraint) -> sa.Table:
    """Return the posts at this step: SQLite alters a table by copying it into a new one."""
    return sa.Table(
        "posts",
        sa.MetaData(),
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
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slug", sa.String(length=220), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_posts_author_id_users"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(length_rule("title", 100, low=5), name=op.f("ck_posts_title")),
        sa.CheckConstraint(length_rule("content", 20_000, low=20), name=op.f("ck_posts_content")),
        sa.Index(op.f("ix_posts_author_id"), "author_id"),
        sa.Index(op.f("ix_posts_published"), "published"),
        *slug_constraints,
    )


def upgrade() -> None:
    """Add the column, give every post a slug, and only then demand one."""
    op.add_column("posts", sa.Column("slug", sa.String(length=220), nullable=True))
    fill_slugs()
    with op.batch_alter_table("posts", copy_from=posts_table()) as batch:
        batch.alter_column("slug", existing_type=sa.String(length=220), nullable=False)
        batch.create_unique_constraint(op.f("uq_posts_slug"), ["slug"])
        batch.create_check_constraint(op.f("ck_posts_slug"), length_rule("slug", 220))


def downgrade() -> None:
    """Drop the column with its constraints."""
    constraints = (
        sa.UniqueConstraint("slug", name=op.f("uq_posts_slug")),
        sa.CheckConstraint(length_rule("slug", 220), name=op.f("ck_posts_slug")),
    )
    with op.batch_alter_table("posts", copy_from=posts_table(*constraints)) as batch:
        batch.drop_constraint(op.f("ck_posts_slug"), type_="check")
        batch.drop_constraint(op.f("uq_posts_slug"), type_="unique")
        batch.drop_column("slug")


def fill_slugs(batch_size: int = 1000) -> None:
    """Give each post a slug from its title; the id at its end makes it unique."""
    posts = sa.table("posts", sa.column("id"), sa.column("title"), sa.column("slug"))
    if context.is_offline_mode():  # SQL text alone cannot turn a title into a slug
        number = sa.cast(posts.c.id, sa.String(length=20))
        op.execute(posts.update().values(slug=sa.literal("post-") + number))
        return
    connection = op.get_bind()
    write = (
        posts.update()
        .where(posts.c.id == sa.bindparam("post_id"))
        .values(slug=sa.bindparam("new_slug"))
    )
    read = sa.select(posts.c.id, posts.c.title).order_by(posts.c.id).limit(batch_size)
    last_id = 0
    while rows := connection.execute(read.where(posts.c.id > last_id)).all():
        connection.execute(
            write,
            [{"post_id": row.id, "new_slug": slugify(f"{row.title}-{row.id}")} for row in rows],
        )
        last_id = rows[-1].id
