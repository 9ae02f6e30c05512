"""Create categories and products."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MYSQL: Any = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def length(table: str, name: str, high: int, low: int = 0) -> sa.CheckConstraint:
    """Return the CHECK that a text has `low` to `high` characters, NULL allowed."""
    size = sa.func.char_length(sa.column(name))
    rule = sa.and_(size >= low, size <= high) if low else size <= high
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("slug", sa.String(length=220), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("name", name=op.f("uq_categories_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["categories.id"],
            name=op.f("fk_categories_parent_id_categories"),
            ondelete="SET NULL",
        ),
        length("categories", "name", 100, low=1),
        length("categories", "slug", 220),
        length("categories", "description", 2000),
        **MYSQL,
    )
    op.create_index(op.f("ix_categories_parent_id"), "categories", ["parent_id"])
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=220), nullable=False),
        sa.Column("sku", sa.String(length=50), nullable=True),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("name", "category_id", name=op.f("uq_products_name_category_id")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
        sa.UniqueConstraint("slug", name=op.f("uq_products_slug")),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_products_category_id_categories"),
            ondelete="SET NULL",
        ),
        sa.CheckConstraint("price > 0", name=op.f("ck_products_price")),
        sa.CheckConstraint("stock >= 0 AND stock <= 2147483647", name=op.f("ck_products_stock")),
        length("products", "name", 200, low=1),
        length("products", "slug", 220),
        length("products", "sku", 50, low=1),
        length("products", "description", 2000),
        **MYSQL,
    )
    op.create_index(op.f("ix_products_category_id_price"), "products", ["category_id", "price"])
    op.create_index(op.f("ix_products_price"), "products", ["price"])
    op.create_index(op.f("ix_products_stock"), "products", ["stock"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("products")
    op.drop_table("categories")
