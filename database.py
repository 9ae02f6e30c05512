"""Where the data lives: settings, engines, a session for each request, the schema's version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from anyio import Semaphore
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session


class StartupError(Exception):
    """The app cannot start; the message is one sentence: why, and what to do."""


class TooBusyError(Exception):
    """As many requests as allowed already wait for a connection."""


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────

# Whichever driver a pasted URL names, these are installed: an ordinary and an async one.
DRIVERS = {
    "sqlite": ("sqlite", "sqlite+aiosqlite"),
    "postgresql": ("postgresql+psycopg", "postgresql+psycopg"),
    "postgres": ("postgresql+psycopg", "postgresql+psycopg"),
    "mysql": ("mysql+pymysql", "mysql+aiomysql"),
    "mariadb": ("mysql+pymysql", "mysql+aiomysql"),
}


class Settings(BaseSettings):
    """Read from the environment, then from .env; .env.example explains each setting."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: str = "sqlite:///./app.db"
    database_read_url: str = ""
    database_echo: bool = False
    database_pool_size: int = Field(default=10, ge=1)
    database_pool_recycle: int = Field(default=1800, ge=1)
    database_max_waiting: int = Field(default=1000, ge=1)
    database_lock_timeout: int = Field(default=5, ge=1)


def read_settings() -> Settings:
    """Return the settings; raises StartupError naming one that is unusable, not its value."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]).upper()
        raise StartupError(f"The setting {name} is unusable: {problem['msg']}.") from None


def parse_url(text: str) -> URL:
    """Return the URL with the installed driver in it; raises StartupError if it is unusable.

    As text, a URL shows *** for the password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StartupError(
            "The database URL cannot be read: write sqlite:///./app.db or "
            "postgresql://user:password@host/database, with %40 for an @ in the password."
        ) from None
    backend = url.get_backend_name()
    if backend not in DRIVERS:
        reason = f"its scheme is none of {', '.join(DRIVERS)}"
    elif not url.database:
        reason = "it names no database"
    elif backend == "sqlite" and ":memory:" in url.database:
        reason = "in memory each connection has a database of its own; name a file"
    else:
        return url.set(drivername=DRIVERS[backend][0])
    raise StartupError(f"The database URL {url} is unusable: {reason}.")


# ── Engines ──────────────────────────────────────────────────────────────────────────────────────


class Database:
    """The engines of one database, for writing and for reading, ordinary and async.

    A writing session is one transaction. A reading one commits each statement by itself: no BEGIN
    and ROLLBACK around it, and it always sees the newest rows. Engines connect when first used.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = url = parse_url(settings.database_url)
        read_url = parse_url(settings.database_read_url or settings.database_url)
        async_url = url.set(drivername=DRIVERS[url.get_backend_name()][1])
        writing, reading = _options(url, settings, write=True), _options(url, settings)
        self.writer = create_engine(url, **writing)
        self.reader = create_engine(url, **reading)
        self.reporter = self.reader
        if settings.database_read_url:
            self.reporter = create_engine(read_url, **_options(read_url, settings))
        self.async_writer = create_async_engine(async_url, **writing)
        self.async_reader = create_async_engine(async_url, **reading)
        for engine in {self.writer, self.reader, self.reporter}:
            _listen(engine, write=engine is self.writer)
        for async_engine in (self.async_writer, self.async_reader):
            _listen(async_engine.sync_engine, write=async_engine is self.async_writer)
        # As many requests as connections, so that no pool runs out; ordinary and async sessions
        # share the limit, because SQLite has one writer whichever way it came.
        self.write_slots = Semaphore(writing["pool_size"])
        self.read_slots = Semaphore(settings.database_pool_size)
        self.max_waiting = settings.database_max_waiting

    @asynccontextmanager
    async def slot(self, slots: Semaphore) -> AsyncIterator[None]:
        """Wait, without a thread, until a connection is free; raises TooBusyError."""
        if slots.statistics().tasks_waiting >= self.max_waiting:
            raise TooBusyError
        async with slots:
            yield

    def pool_status(self) -> dict[str, Any]:
        """Return the dialect and the numbers of the pool of writing connections."""
        pool: Any = self.writer.pool
        return {
            "dialect": self.writer.dialect.name,
            "pool_size": pool.size(),
            "checked_in": pool.checkedin(),
            "checked_out": pool.checkedout(),
            "overflow": max(pool.overflow(), 0),  # negative until the pool has filled up
        }

    async def dispose(self) -> None:
        """Close all connections."""
        for engine in (self.writer, self.reader, self.reporter):
            engine.dispose()
        for async_engine in (self.async_writer, self.async_reader):
            await async_engine.dispose()


def _options(url: URL, settings: Settings, *, write: bool = False) -> dict[str, Any]:
    seconds = settings.database_lock_timeout
    options: dict[str, Any] = {
        "echo": settings.database_echo,
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": seconds,
        "pool_recycle": settings.database_pool_recycle,
        "pool_pre_ping": True,
    }
    match url.get_backend_name():
        case "sqlite":
            options |= {"connect_args": {"timeout": seconds}, "pool_pre_ping": False}
            options["pool_size"] = 1 if write else settings.database_pool_size
        case "postgresql":
            lock_timeout = f"-c lock_timeout={seconds}s"
            options["connect_args"] = {"connect_timeout": seconds, "options": lock_timeout}
        case "mysql":
            lock_timeout = f"SET SESSION innodb_lock_wait_timeout = {seconds}"
            options["connect_args"] = {"connect_timeout": seconds, "init_command": lock_timeout}
            options["isolation_level"] = "READ COMMITTED"  # as PostgreSQL has it by default
    if not write:
        options |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return options


def _listen(engine: Engine, *, write: bool) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        if write:
            event.listen(engine, "begin", _begin_immediate)


def _stop_driver_transactions(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # Python's driver begins transactions by rules of its own


def _prepare_sqlite(connection: Any, record: object) -> None:
    _stop_driver_transactions(connection, record)
    # SQLite's lower(), which searches use, only knows ASCII.
    connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
    cursor.execute("PRAGMA synchronous = NORMAL")  # with WAL, a killed process loses nothing
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and then finds that another has written could only fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


# ── Sessions for routes ──────────────────────────────────────────────────────────────────────────


async def get_db(request: Request) -> AsyncIterator[Session]:
    """Yield a session that is one transaction, committed before the answer is sent."""
    database: Database = request.state.database
    async with database.slot(database.write_slots):
        session = Session(database.writer, expire_on_commit=False)
        try:
            yield session
            await run_in_threadpool(session.commit)
        finally:
            await run_in_threadpool(session.close)  # rolls back what was not committed


async def get_read_db(request: Request) -> AsyncIterator[Session]:
    """Yield a session for reading."""
    database: Database = request.state.database
    async with database.slot(database.read_slots):
        with Session(database.reader) as session:
            yield session


async def get_report_db(request: Request) -> AsyncIterator[Session]:
    """Yield a session for statistics, on DATABASE_READ_URL if that is set."""
    database: Database = request.state.database
    async with database.slot(database.read_slots):
        with Session(database.reporter) as session:
            yield session


async def get_async_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield what get_db yields, for async routes."""
    database: Database = request.state.database
    session = AsyncSession(database.async_writer, expire_on_commit=False)
    async with database.slot(database.write_slots), session:
        yield session
        await session.commit()


async def get_async_read_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield what get_read_db yields, for async routes."""
    database: Database = request.state.database
    async with database.slot(database.read_slots), AsyncSession(database.async_reader) as session:
        yield session


# scope="function": the commit comes before the answer is sent, so its failure can be answered.
Db = Annotated[Session, Depends(get_db, scope="function")]
ReadDb = Annotated[Session, Depends(get_read_db, scope="function")]
ReportDb = Annotated[Session, Depends(get_report_db, scope="function")]
AsyncDb = Annotated[AsyncSession, Depends(get_async_db, scope="function")]
AsyncReadDb = Annotated[AsyncSession, Depends(get_async_read_db, scope="function")]


# ── Schema version ───────────────────────────────────────────────────────────────────────────────


def alembic_config() -> Config:
    """Return Alembic's configuration, whatever folder the process was started in."""
    return Config(Path(__file__).with_name("alembic.ini"))


def migration_engine(url: URL) -> Engine:
    """Return an engine for migrations, which rebuild SQLite's tables: foreign keys are off."""
    engine = create_engine(url, poolclass=NullPool)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _stop_driver_transactions)
        event.listen(engine, "begin", _begin_immediate)
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
