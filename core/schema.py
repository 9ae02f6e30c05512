"""The version of the schema: which one the database has, and how it gets the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError

from core.engines import begin_immediate, stop_driver_transactions
from core.settings import StartupError


def alembic_config() -> Config:
    """Return Alembic's configuration, whatever folder the process was started in."""
    return Config(Path(__file__).parents[1] / "alembic.ini")


def migration_engine(url: URL) -> Engine:
    """Return an engine for migrations, which rebuild SQLite's tables: foreign keys are off."""
    engine = create_engine(url, poolclass=NullPool)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", stop_driver_transactions)
        event.listen(engine, "begin", begin_immediate)
    return engine


def schema_revisions(connection: Connection) -> tuple[str | None, str | None]:
    """Return the revision that the database is at, and the newest one in migrations/."""
    current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config()).get_current_head()


def prepare_schema(url: URL) -> None:
    """Migrate a SQLite file to the newest revision; on a server only check that it is there.

    Raises StartupError when the database is away, is behind or belongs to something else.
    """
    try:
        # One transaction: of several workers that start at once, one migrates, the others wait.
        with migration_engine(url).begin() as connection:
            current, newest = schema_revisions(connection)
            if current == newest:
                return
            if url.get_backend_name() != "sqlite":
                raise StartupError(
                    f"The database {url} is at revision {current or 'none'} and the app needs "
                    f"{newest}: run `alembic upgrade head` first."
                )
            if current is None and inspect(connection).get_table_names():
                raise StartupError(
                    f"The database {url} holds tables of something else: "
                    "set DATABASE_URL to another file."
                )
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StartupError(f"The database {url} does not fit migrations/: {error}.") from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise StartupError(f"The database {url} cannot be used: {reason}.") from None
