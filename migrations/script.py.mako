"""${message}."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Describe the step forward."""
    raise CommandError(f"read and correct step {revision}, then delete the line that says this")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Describe the way back, with the rows kept."""
    ${downgrades if downgrades else "pass"}
