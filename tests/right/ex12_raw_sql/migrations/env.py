"""Run the migrations on a synchronous engine, each in a transaction of its own."""

from alembic import context
from sqlalchemy import create_engine

from tables import URL, metadata

with create_engine(URL).connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
