"""What alembic compares with the database."""

import os

import sqlalchemy as sa

URL = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
metadata = sa.MetaData()
sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("status", sa.String(20), nullable=False, server_default="active"),
    sa.Column("slug", sa.String(80), nullable=False),
    sa.UniqueConstraint("email", name="uq_users_email"),
    sa.UniqueConstraint("slug", name="one_slug"),
)
