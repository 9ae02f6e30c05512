"""Give users a slug that ends with their id; a unique index sees to it."""

import sqlalchemy as sa
from alembic import op

revision = "77ab02"
down_revision = "5f0c1d"


def upgrade():
    op.add_column("users", sa.Column("slug", sa.String(80), nullable=True))
    op.execute("UPDATE users SET slug = lower(replace(name, ' ', '-')) || '-' || id")
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", nullable=False)
    op.create_index("ix_users_slug", "users", ["slug"], unique=True)


def downgrade():
    op.drop_index("ix_users_slug", "users")
    op.drop_column("users", "slug")
