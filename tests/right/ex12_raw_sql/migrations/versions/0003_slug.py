"""Every user has a slug, numbered among those of the same one."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN slug VARCHAR(80)")
    connection, taken = op.get_bind(), set()
    for user in connection.execute(sa.text("SELECT id, name FROM users ORDER BY id")).all():
        words = re.sub("[^\\w ]", "", user.name.lower().replace("-", " ")).replace(" ", "-")
        slug, number = words, 1
        while slug in taken:
            number += 1
            slug = f"{words}-{number}"
        taken.add(slug)
        change = sa.text("UPDATE users SET slug = :slug WHERE id = :id")
        connection.execute(change, {"slug": slug, "id": user.id})
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", existing_type=sa.String(80), nullable=False)
        batch.create_unique_constraint("one_slug", ["slug"])


def downgrade():
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("one_slug", type_="unique")
        batch.drop_column("slug")
