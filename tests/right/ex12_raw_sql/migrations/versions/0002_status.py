"""Every user has a status."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN status VARCHAR(20) DEFAULT 'active' NOT NULL")


def downgrade():
    op.execute("ALTER TABLE users DROP COLUMN status")
