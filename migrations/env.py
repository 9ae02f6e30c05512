"""Run the migrations: against the database of the settings, or as SQL text with --sql."""

import sys
from logging.config import fileConfig
from typing import Any, Literal, cast

import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.engine import Connection
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

import models
from core.schema import connect, refuse_foreign_tables
from core.settings import StartupError, parse_url, read_settings

config = context.config


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write SQLModel's own types as SQLAlchemy's, which is all that a migration imports."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={cast(sa.String, item.impl).length})"
    if kind == "type" and type(item) is UTCDateTime:
        return "sa.DateTime(timezone=True)"
    return False


def include_object(
    item: Any, _name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    """Leave out the indexes that only PostgreSQL has, where there is another database."""
    if kind != "index" or context.get_context().dialect.name == "postgresql":
        return True
    options = item.dialect_options["postgresql"]
    return not options["using"] and options["where"] is None


def run(connection: Connection | None = None, url: sa.URL | None = None) -> None:
    """Run the migrations on a connection, or print them for the dialect of a URL."""
    context.configure(
        connection=connection,
        url=url.render_as_string(hide_password=False) if url else None,
        target_metadata=models.Base.metadata,
        literal_binds=connection is None,
        render_item=render_item,
        include_object=include_object,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = config.attributes.get("connection")
if isinstance(given, Connection):
    run(given)  # the app's start: the connection and its transaction are there already
elif given is not None:
    with given.connect() as connection:
        run(connection)
else:
    fileConfig(config.config_file_name or "alembic.ini", disable_existing_loggers=False)
    try:
        database_url = parse_url(read_settings().database_url)
        if context.is_offline_mode():
            run(url=database_url)
        else:
            with connect(database_url) as connection:
                if config.cmd_opts and config.cmd_opts.cmd[0] is command.upgrade:
                    refuse_foreign_tables(connection, database_url)
                    connection.rollback()  # each step has a transaction of its own, or none
                run(connection)
    except StartupError as error:
        sys.exit(str(error))
