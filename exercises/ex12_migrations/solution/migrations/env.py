"""Run the migrations on the database of the app."""

from alembic import context
from sqlmodel import SQLModel

import models  # noqa: F401 - importing it registers the tables
from database import engine

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,  # SQLite alters a table by copying it
    )
    with context.begin_transaction():
        context.run_migrations()
