"""Run the migrations, all in one transaction."""

from alembic import context

from database import engine
from models import Base

with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    context.run_migrations()
