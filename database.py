"""Where the data lives: settings, engines, a session for each request, the schema's version."""

import re
import selectors
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, cached_property, partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Annotated, Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.utils import is_body_allowed_for_status_code
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.routing import Match
from starlette.types import Scope


class StartupError(Exception):
    """The app cannot start; the message is one sentence: why, and what to do."""


class BusyError(Exception):
    """No connection became free within DATABASE_LOCK_TIMEOUT seconds."""

    def __str__(self) -> str:
        """Say so in the log."""
        return "no connection became free within DATABASE_LOCK_TIMEOUT"


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

    A writing session is one transaction. A reading one has none: each statement is sent alone, sees
    the newest rows, and cannot write. Engines connect when they are first used.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = url = parse_url(settings.database_url)
        async_url = url.set(drivername=DRIVERS[url.get_backend_name()][1])
        writing, reading = _options(url, settings, write=True), _options(url, settings)
        self.writer = _listen(create_engine(url, **writing), write=True)
        self.reader = self.reporter = _listen(create_engine(url, **reading))
        if settings.database_read_url:
            read_url = parse_url(settings.database_read_url)
            self.reporter = _listen(create_engine(read_url, **_options(read_url, settings)))
        ping = {"pool_pre_ping": url.get_backend_name() != "sqlite"}
        self.async_writer = create_async_engine(async_url, **writing | ping)
        self.async_reader = create_async_engine(async_url, **reading | ping)
        _listen(self.async_writer.sync_engine, write=True)
        _listen(self.async_reader.sync_engine)
        # As many requests at once as connections: whoever waits takes neither thread nor pool.
        self.limits = {
            self.writer: CapacityLimiter(writing["pool_size"]),
            self.reader: CapacityLimiter(reading["pool_size"]),
            self.reporter: CapacityLimiter(reading["pool_size"]),
        }
        self.patience = settings.database_lock_timeout

    @asynccontextmanager
    async def turn(self, engine: Engine) -> AsyncIterator[None]:
        """Wait until a connection is free; raises BusyError after DATABASE_LOCK_TIMEOUT."""
        limit, request = self.limits[engine], object()
        with move_on_after(self.patience) as waiting:
            await limit.acquire_on_behalf_of(request)
        if waiting.cancelled_caught:
            raise BusyError
        try:
            yield
        finally:
            limit.release_on_behalf_of(request)

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
        "hide_parameters": True,  # logs hold no e-mail and no hash
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": seconds,
        "pool_recycle": settings.database_pool_recycle,
    }
    match url.get_backend_name():
        case "sqlite":
            options["connect_args"] = {"timeout": seconds}
            options["pool_size"] = 1 if write else settings.database_pool_size
        case "postgresql":
            server = f"-c lock_timeout={seconds}s -c timezone=UTC"
            if not write:
                server += " -c default_transaction_read_only=on"
            options["connect_args"] = {"connect_timeout": seconds, "options": server}
        case "mysql":
            server = f"SET SESSION innodb_lock_wait_timeout = {seconds}"
            options["connect_args"] = {"connect_timeout": seconds, "init_command": server}
            options["isolation_level"] = "READ COMMITTED"  # as PostgreSQL has it by default
            options["pool_pre_ping"] = True
    if not write:
        options |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return options


def _listen(engine: Engine, *, write: bool = False) -> Engine:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        if write:
            event.listen(engine, "begin", _begin_immediate)
    elif engine.dialect.name == "postgresql" and not engine.dialect.is_async:
        event.listen(engine, "checkout", partial(_check_connection, engine.dialect))
    if not write and engine.dialect.name in READ_ONLY:
        event.listen(engine, "connect", partial(_run, READ_ONLY[engine.dialect.name]))
    return engine


READ_ONLY = {"sqlite": "PRAGMA query_only = ON", "mysql": "SET SESSION TRANSACTION READ ONLY"}


def _run(statement: str, connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()


# Not on Windows, where the other kind costs as little.
Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


def _check_connection(dialect: Any, connection: Any, _record: object, _proxy: object) -> None:
    # A ping before each request would be a round trip. A server that closes a connection says so,
    # and that waits in the socket to be read: only then is there something to ask.
    with Selector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        if not selector.select(0):
            return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error  # the pool connects anew


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


@cache
def shared_database() -> Database:
    """Open the database of an app whose lifespan does not run: one mounted below another app."""
    database = Database(read_settings())
    prepare_schema(database.url)
    return database


def get_database(request: Request) -> Database:
    """Return the database that the lifespan has opened."""
    return getattr(request.state, "database", None) or shared_database()


async def open_session(request: Request) -> AsyncIterator[Session]:
    """Yield the request's session: one transaction, committed if the route succeeds."""
    database = get_database(request)
    engine = getattr(database, getattr(request.state, "engine", "writer"))
    async with database.turn(engine):
        session = Session(engine, expire_on_commit=False)
        try:
            yield session
            await run_in_threadpool(session.commit)
        finally:
            await run_in_threadpool(session.close)  # rolls back what was not committed


async def open_async_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield what open_session yields, for async routes."""
    database = get_database(request)
    async with AsyncSession(database.async_writer, expire_on_commit=False) as session:
        yield session
        await session.commit()


async def open_async_read_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield a session for reading, for async routes."""
    async with AsyncSession(get_database(request).async_reader) as session:
        yield session


# scope="function": the session ends before the answer is sent, so a failed commit can be answered.
# As FastAPI does not open a dependency twice for one request, all routes and dependencies that take
# a session, however they spell it, share one.


async def get_db(
    session: Annotated[Session, Depends(open_session, scope="function")],
) -> Session:
    """Return the request's session."""
    return session


async def get_read_db(session: Annotated[Session, Depends(get_db)]) -> Session:
    """Return the request's session, which only reads if nothing else in the request writes."""
    return session


async def get_report_db(session: Annotated[Session, Depends(get_db)]) -> Session:
    """Return a session that reads from DATABASE_READ_URL if that is set."""
    return session


async def get_async_db(
    session: Annotated[AsyncSession, Depends(open_async_session, scope="function")],
) -> AsyncSession:
    """Return the request's session, for async routes."""
    return session


async def get_async_read_db(
    session: Annotated[AsyncSession, Depends(open_async_read_session, scope="function")],
) -> AsyncSession:
    """Return a session for reading, for async routes."""
    return session


Db = Annotated[Session, Depends(get_db)]
ReadDb = Annotated[Session, Depends(get_read_db)]
ReportDb = Annotated[Session, Depends(get_report_db)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_db)]
AsyncReadDb = Annotated[AsyncSession, Depends(get_async_read_db)]


# ── Routes ───────────────────────────────────────────────────────────────────────────────────────

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# Which engine serves a request: the first of these that its route or a dependency asks for.
ENGINES: dict[Any, str] = {get_db: "writer", get_read_db: "reader", get_report_db: "reporter"}
JSON_OPTIONS = [
    "include",
    "exclude",
    "by_alias",
    "exclude_unset",
    "exclude_defaults",
    "exclude_none",
]


def _wanted_engines(dependant: Dependant) -> set[str]:
    if dependant.call in ENGINES:
        return {ENGINES[dependant.call]}
    return set().union(*map(_wanted_engines, dependant.dependencies))


class DatabaseRoute(APIRoute):
    """Runs a `def` route in one visit to a worker thread: session, route, JSON, commit.

    FastAPI would visit threads five times. Without this class everything works, only slower.
    """

    def get_route_handler(self) -> Handler:
        """Return the function that answers a request: FastAPI's, with the visit in it."""
        wanted = _wanted_engines(self.dependant)
        self.engine = next((name for name in ENGINES.values() if name in wanted), "")
        handle = handle_in_one_visit = super().get_route_handler()
        sessions = [d for d in self.dependant.dependencies if d.call in ENGINES and d.name]
        is_json = isinstance(self.response_class, DefaultPlaceholder) and not self.is_json_stream
        if len(sessions) == 1 and is_json and not iscoroutinefunction(self.endpoint):
            self.session_name = str(sessions[0].name)
            others = [d for d in self.dependant.dependencies if d is not sessions[0]]
            handle = self._handle_by_calling(self.run, self.dependant.dependencies)
            if not any(map(_wanted_engines, others)):
                handle_in_one_visit = self._handle_by_calling(self.visit, others)

        async def answer(request: Request) -> Response:
            request.state.engine = self.engine
            # What a test has put in place of a dependency, only FastAPI knows how to call.
            overridden = request.app.dependency_overrides
            return await (handle if overridden else handle_in_one_visit)(request)

        return answer if self.engine else handle

    def _handle_by_calling(self, call: Any, dependencies: list[Dependant]) -> Handler:
        own = self.dependant
        self.dependant = replace(
            own,
            call=call,
            dependencies=dependencies,
            request_param_name="_request",
            response_param_name="_response",
        )
        handler, self.dependant = super().get_route_handler(), own
        return handler

    async def visit(self, **values: Any) -> Response:
        """Wait for a connection; then open a session and run the route, in one worker thread."""
        database = get_database(values["_request"])
        engine = getattr(database, self.engine)

        def visit() -> Response:
            with Session(engine, expire_on_commit=False) as session:
                return self.run(**(values | {self.session_name: session}))

        with move_on_after(database.patience):  # which limits the wait, not the visit
            return await to_thread.run_sync(visit, limiter=database.limits[engine])
        raise BusyError

    def run(self, _request: Request, _response: Response, **values: Any) -> Response:
        """Run the route, write its JSON while lazy attributes still load, and commit."""
        own = self.dependant
        if own.request_param_name:
            values[own.request_param_name] = _request
        if own.response_param_name:
            values[own.response_param_name] = _response
        answer = self.endpoint(**values)
        if not isinstance(answer, Response):
            answer = self._to_response(answer, _response)
        if self.engine == "writer":
            values[self.session_name].commit()
        return answer

    def _to_response(self, answer: Any, given: Response) -> Response:
        status = given.status_code or self.status_code or 200
        if not is_body_allowed_for_status_code(status):
            content = b""
        elif self.response_field is None:
            content = bytes(JSONResponse(jsonable_encoder(answer)).body)
        else:
            value, errors = self.response_field.validate(answer, {}, loc=("response",))
            if errors:
                raise ResponseValidationError(errors=errors, body=answer)
            options: Any = {name: getattr(self, f"response_model_{name}") for name in JSON_OPTIONS}
            content = self.response_field.serialize_json(value, **options)
        response = Response(content, status, media_type="application/json" if content else None)
        response.headers.raw.extend(given.headers.raw)
        return response

    @cached_property
    def fixed_start(self) -> str:
        """Return what each of the route's paths has in it: /users/ for /users/{id}/posts."""
        return self.path_format.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Look for the fixed start first: patterns are slow, and most belong to other routes."""
        if self.fixed_start not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────

# What passes by itself: SQLSTATEs of PostgreSQL (serialization, deadlock, lock, too many
# connections, shutdown and start-up; 08 is the connection), error numbers of MariaDB and MySQL.
PASSING_STATES = ("08", "40001", "40P01", "55P03", "53300", "57P0")
PASSING_NUMBERS = {1040, 1053, 1203, 1205, 1213, 1927, 2002, 2003, 2006, 2013}


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a moment later: a lock, a lost connection."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, BusyError | PoolTimeoutError)
    cause = error.orig
    if error.connection_invalidated:
        return True
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    if isinstance(cause, psycopg.Error):
        return (cause.sqlstate or _connection_state(cause)).startswith(PASSING_STATES)
    return bool(cause and cause.args and cause.args[0] in PASSING_NUMBERS)


def _connection_state(error: psycopg.Error) -> str:
    # Of a connection that was not made, psycopg has the text alone.
    refused_for_good = re.search("authentication|does not exist|pg_hba|not permitted", str(error))
    return "" if refused_for_good or not isinstance(error, psycopg.OperationalError) else "08"


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
