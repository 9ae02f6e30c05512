"""The version of the schema: which one the database has, and how it gets the newest."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core.arguments import arguments_for
from core.engines import begin_immediate, stop_driver_transactions
from core.settings import ROOT, StartupError, shown
from models import Base

logger = logging.getLogger("uvicorn.error")

PATIENCE = 10  # seconds that a start waits for a server, or for others who use a SQLite file


def alembic_config() -> Config:
    """Return Alembic's configuration, whatever folder the process was started in."""
    config = Config(ROOT / "alembic.ini")
    for name, path in {"script_location": ROOT / "migrations", "prepend_sys_path": ROOT}.items():
        config.set_main_option(name, str(path).replace("%", "%%"))
    return config


def migration_engine(url: URL, patience: int | None = None) -> Engine:
    """Return an engine for migrations, which rebuild SQLite's tables: foreign keys are off.

    With `patience`, which only a start has, a server must answer within so many seconds.
    """
    url, arguments = arguments_for(url)
    limit = {"postgresql": "connect_timeout", "mysql": "read_timeout"}.get(url.get_backend_name())
    if patience and limit and limit not in url.query:
        arguments[limit] = patience
    if url.get_backend_name() == "postgresql":
        arguments.setdefault("prepare_threshold", None)  # PgBouncer may not know them
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", stop_driver_transactions)
        event.listen(engine, "begin", begin_immediate)
    return engine


@contextmanager
def connect(url: URL, patience: int | None = None) -> Iterator[Connection]:
    """Yield a connection for migrations; raises StartupError if the database cannot be used."""
    try:
        connection = migration_engine(url, patience).connect()
        connection.begin().rollback()  # SQLite looks into its file no sooner
    except StartupError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers raise anything for an odd argument
        raise unusable(url, error) from None
    with connection:
        yield connection


def unusable(url: URL, error: Exception) -> StartupError:
    """Return the sentence that says why a database cannot be used."""
    cause = getattr(error, "orig", None) or error
    reason = str(cause)
    if isinstance(cause, UnicodeEncodeError):  # whose text has some of the password in it
        reason = f"its driver sends names and passwords as {cause.encoding}, which lacks a letter"
    elif len(cause.args) == 2 and isinstance(cause.args[0], int):  # PyMySQL's number and text
        reason = str(cause.args[1])
    first = next((line.strip() for line in reason.splitlines() if line.strip()), repr(cause))
    return StartupError(f"The database {shown(url)} cannot be used: {first.rstrip('.')}.")


def schema_revisions(connection: Connection) -> tuple[str | None, str | None]:
    """Return the revision that the database is at, and the newest one in migrations/."""
    current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config()).get_current_head()


def refuse_foreign_tables(connection: Connection, url: URL) -> None:
    """Raise StartupError if a database without a revision holds tables of something else.

    In a server's database they may stand beside the app's own, unless they have the same names.
    """
    tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    if url.get_backend_name() != "sqlite":
        tables &= Base.metadata.tables.keys()
    if tables and MigrationContext.configure(connection).get_current_revision() is None:
        raise StartupError(
            f"The database {shown(url)} holds tables of something else ({min(tables)}): set "
            "DATABASE_URL to another one, or see README about databases made by create_all()."
        )


def prepare_schema(url: URL, read_url: URL | None = None) -> None:
    """Migrate a SQLite file to the newest revision; on a server only check that it is there.

    Raises StartupError when the database is away, is behind or belongs to something else.
    """
    try:
        # One transaction: of several workers that start at once, one migrates, the others wait.
        with connect(url, PATIENCE) as connection, connection.begin():
            _prepare(connection, url)
        if url.get_backend_name() == "sqlite":
            _write_ahead(url)
    except CommandError as error:
        raise StartupError(
            f"The database {shown(url)} does not fit migrations/: {error}."
        ) from None
    except SQLAlchemyError as error:
        raise unusable(url, error) from None
    if read_url and read_url != url:
        _check_read_url(read_url)


def _prepare(connection: Connection, url: URL) -> None:
    current, newest = schema_revisions(connection)
    if current == newest:
        return
    refuse_foreign_tables(connection, url)
    if url.get_backend_name() != "sqlite":
        raise StartupError(
            f"The database {shown(url)} is at revision {current or 'none'} and the app needs "
            f"{newest}: run `alembic upgrade head` first."
        )
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _check_read_url(url: URL) -> None:
    # No reason not to start: all but the statistics works without it, and it may come back.
    try:
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            raise unusable(url, FileNotFoundError("there is no such file"))
        with connect(url, PATIENCE):
            return
    except StartupError as error:
        logger.warning("DATABASE_READ_URL: %s Statistics fail until it can.", error)


def _write_ahead(url: URL) -> None:
    # Readers do not wait for the writer then. The file remembers it, so only the first start does
    # this; and SQLite gives up at once when others use the file, so this waits for them.
    connection = migration_engine(url).raw_connection()
    end = monotonic() + PATIENCE
    try:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or monotonic() > end:
                    raise OperationalError(None, None, error) from error
                sleep(0.02)
            else:
                return
    finally:
        connection.close()
