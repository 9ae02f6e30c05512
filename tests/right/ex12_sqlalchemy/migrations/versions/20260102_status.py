"""Give users a status: nullable, filled, then NOT NULL."""

import sqlalchemy as sa
from alembic import op

revision = "5f0c1d"
down_revision = "0001"


def upgrade():
    op.add_column("users", sa.Column("status", sa.String(20), nullable=True))
    op.execute("UPDATE users SET status = 'active'")
    with op.batch_alter_table("users") as batch:
        batch.alter_column("status", nullable=False, server_default="active")


def downgrade():
    with op.batch_alter_table("users") as batch:
        batch.drop_column("status")
