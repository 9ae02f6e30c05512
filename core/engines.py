"""How each kind of database is connected to, and what each connection is told first."""

import os
import selectors
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Any
from urllib.parse import unquote

from anyio import move_on_after
from psycopg import Connection as PsycopgConnection
from psycopg import Cursor
from psycopg.pq import ExecStatus
from pymysql.err import OperationalError
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.arguments import arguments_for
from core.deadline import descriptor, time_statement, watch_connections
from core.settings import DRIVERS, Settings, StartupError

READ_ONLY = {"sqlite": "PRAGMA query_only = ON", "mysql": "SET SESSION TRANSACTION READ ONLY"}
# What a server says that only reads: PostgreSQL, SQLite, MariaDB and MySQL.
READ_ONLY_ERRORS = {"25006", "SQLITE_READONLY", 1290, 1792, 1836}
# Not on Windows, where the other kind costs as little.
Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


def open_engine(url: URL, settings: Settings, *, write: bool = False) -> Engine:
    """Return an engine; without `write`, its connections only read."""
    engine: Engine = _open(create_engine, url, settings, write=write)
    return listen(engine, url, settings, write=write)


def open_async_engine(url: URL, settings: Settings, *, write: bool = False) -> AsyncEngine:
    """Return an engine for async routes; without `write`, its connections only read."""
    async_url = url.set(drivername=DRIVERS[url.get_backend_name()][1])
    engine: AsyncEngine = _open(create_async_engine, async_url, settings, write=write)
    listen(engine.sync_engine, url, settings, write=write)
    return engine


def _open(create: Callable[..., Any], url: URL, settings: Settings, *, write: bool) -> Any:
    url, arguments = arguments_for(url)
    options = options_for(url, settings, write=write)
    ours = options["connect_args"].items()  # the user's are in the URL, and come before
    options["connect_args"] = {k: v for k, v in ours if k not in url.query} | arguments
    try:
        return create(url, **options)
    except (ArgumentError, ValueError) as error:
        raise StartupError(f"The database URL is unusable: {error}.") from None


async def close_async_engine(engine: AsyncEngine) -> None:
    """Close an async engine's connections and wait for it: TLS says goodbye before it goes."""
    writers: list[Any] = []

    def note_writer(connection: Any, _record: object) -> None:
        writers.append(getattr(connection.driver_connection, "_writer", None))

    event.listen(engine.sync_engine, "close", note_writer)
    await engine.dispose()
    with move_on_after(1):
        for writer in filter(None, writers):  # of aiomysql, which does not wait
            with suppress(OSError):
                await writer.wait_closed()


def options_for(url: URL, settings: Settings, *, write: bool) -> dict[str, Any]:
    """Return create_engine's options."""
    seconds = settings.database_lock_timeout
    options: dict[str, Any] = {
        "echo": settings.database_echo,
        "echo_pool": "debug" if settings.database_echo_pool else None,
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
            options["connect_args"] = {
                "connect_timeout": seconds,
                # A network that swallows everything is noticed within these seconds.
                "keepalives_idle": seconds,
                "keepalives_interval": seconds,
                "keepalives_count": 2,
                "tcp_user_timeout": seconds * 1000,
            }
        case "mysql":
            options["connect_args"] = {"connect_timeout": seconds}
            if url.get_driver_name() != "aiomysql":  # whose waits end when their task is cancelled
                # A thread would wait for ever for the answer to its login, and keep its place.
                limit = settings.request_timeout
                options["connect_args"] |= {"read_timeout": limit, "write_timeout": limit}
            options["isolation_level"] = "READ COMMITTED"  # as PostgreSQL has it by default
    if not write:
        options |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return options


def variables_for(url: URL, settings: Settings, *, write: bool) -> dict[str, str]:
    """Return what each connection to a server sets, but for what the user's arguments set."""
    seconds, limit = settings.database_lock_timeout, settings.request_timeout
    match url.get_backend_name():
        case "postgresql":
            variables = {
                "timezone": "UTC",
                "lock_timeout": f"{seconds}s",
                "statement_timeout": f"{limit}s",
                "idle_in_transaction_session_timeout": f"{limit}s",
            }
            if not write:
                variables["default_transaction_read_only"] = "on"
        case "mysql":
            # MySQL takes what is between /*M! and */ for a comment.
            limits = f"max_statement_time = {limit}, idle_transaction_timeout = {limit}"
            locks = f"{seconds}, lock_wait_timeout = {seconds}"  # of a row, and of a table
            variables = {"innodb_lock_wait_timeout": f"{locks} /*M!, {limits} */"}
        case _:
            variables = {}
    # In `options` PostgreSQL's own clients say what to set, in `init_command` MariaDB's.
    said = str(url.query) + os.environ.get("PGOPTIONS", "")
    return {name: value for name, value in variables.items() if name not in said}


def listen(engine: Engine, url: URL, settings: Settings, *, write: bool = False) -> Engine:
    """Return the engine, with what each of its connections is told and checked for."""
    watch_connections(engine)
    execute: Callable[..., None] = engine.dialect.do_execute
    if engine.dialect.name == "postgresql":
        execute = _execute_postgresql
    event.listen(engine, "do_execute", partial(time_statement, execute))
    event.listen(engine, "do_executemany", partial(time_statement, engine.dialect.do_executemany))
    event.listen(engine, "handle_error", _replace_unusable)
    if write:
        event.listen(engine, "handle_error", _replace_read_only)
    variables = variables_for(url, settings, write=write)
    match engine.dialect.name:
        case "sqlite":
            file = unquote((url.database or "").removeprefix("file:"))
            watch_file(engine, file)
            event.listen(engine, "connect", _prepare_sqlite)
            if write:
                watch_newest(engine, f"{file}-wal")
                event.listen(engine, "begin", begin_immediate)
        case "postgresql":
            event.listen(engine, "connect", partial(_prepare_postgresql, engine, variables))
        case "mysql":
            event.listen(engine, "connect", _refuse_plain)
            for name, value in variables.items():
                event.listen(engine, "connect", partial(_run, f"SET SESSION {name} = {value}"))
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _watch_socket)
        event.listen(engine, "checkout", partial(_check_connection, engine.dialect))
    if not write and engine.dialect.name in READ_ONLY:
        event.listen(engine, "connect", partial(_run, READ_ONLY[engine.dialect.name]))
    return engine


class PlainCursor(Cursor[Any]):
    """Describes columns by what Python's database API asks for, of which SQLAlchemy reads two.

    psycopg's own object for each column costs an eighth of what reading one row of a table does.
    """

    @property
    def description(self) -> Any:
        """Return a name, a type and five None for each column; None for what has no rows."""
        result = self.pgresult
        if result is None or result.status != ExecStatus.TUPLES_OK:
            return None
        columns = range(result.nfields)
        return [((result.fname(i) or b"").decode(), result.ftype(i), *[None] * 5) for i in columns]


def _prepare_postgresql(
    engine: Engine, variables: dict[str, str], connection: Any, record: Any
) -> None:
    if isinstance(connection, PsycopgConnection):  # else it is the one of async engines
        connection.cursor_factory = PlainCursor
    # Behind PgBouncer and its kind, one connection is many of the server's in turn: what is set or
    # prepared once is missing in the next transaction, and in the way of other programs. It shows
    # in the number of the server's process, which the pooler cannot know when it answers.
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    pooled = cursor.fetchone()[0] != record.driver_connection.info.backend_pid
    if pooled:
        record.driver_connection.prepare_threshold = None
        local = {name.removeprefix("default_"): value for name, value in variables.items()}
        record.info["for_each_transaction"] = _set(local, local=True)
        event.listen(engine, "begin", _set_for_transaction)  # not before: it slows each statement
    else:
        cursor.execute(_set(variables, local=False))
    cursor.close()
    connection.commit()
    if pooled:
        connection.autocommit = False  # also for reading: what is set needs a transaction


def _set(variables: dict[str, str], *, local: bool) -> str:
    calls = ["1"]  # there may be no variable to set
    calls += (f"set_config('{name}', '{value}', {local})" for name, value in variables.items())
    return f"SELECT {', '.join(calls)}"


def _set_for_transaction(connection: Connection) -> None:
    if statement := connection.info.get("for_each_transaction"):
        connection.exec_driver_sql(statement)


def _execute_postgresql(cursor: Any, statement: str, values: Any, context: Any) -> None:
    if " ILIKE " not in statement:
        cursor.execute(statement, values)
        return
    # The plan that serves any term reads all rows for a rare one, so each search gets its own: what
    # is not prepared is planned anew.
    driver = context.root_connection.connection.driver_connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        cursor.execute(statement, values)
    finally:
        driver.prepare_threshold = threshold


def _refuse_plain(_: object, record: Any) -> None:
    # aiomysql goes on without TLS where a server, or somebody in between, says that it has none.
    driver = record.driver_connection
    if getattr(driver, "_ssl_context", None) and not driver._secure:
        raise OperationalError(2026, "the server does not support TLS")


def _run(statement: str, connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _watch_socket(_: object, record: Any) -> None:
    record.info["socket"] = selector = Selector()
    selector.register(descriptor(record.driver_connection), selectors.EVENT_READ)


def _check_connection(dialect: Any, connection: Any, record: Any, _proxy: object) -> None:
    # A ping before each request would be a round trip. A server that closes a connection says so,
    # and that waits in the socket to be read: only then is there something to ask.
    try:
        if dialect.driver == "aiomysql" or record.info["socket"].select(0):
            dialect.do_ping(connection)  # aiomysql reads it before we see it
    except (dialect.loaded_dbapi.Error, OSError) as error:  # or it is closed
        raise InvalidatePoolError from error  # the pool connects anew


def _replace_unusable(context: ExceptionContext) -> None:
    # A table was altered: PostgreSQL refuses statements that it prepared before, on and on.
    diagnostics = getattr(context.original_exception, "diag", None)
    if diagnostics and diagnostics.source_function == "RevalidateCachedQuery":
        context.is_disconnect = True


def _replace_read_only(context: ExceptionContext) -> None:
    # Another server took over and this one only reads: a new connection may find the other one.
    error: Any = context.original_exception
    codes = {getattr(error, name, None) for name in ("sqlstate", "sqlite_errorname")}
    if READ_ONLY_ERRORS & {*codes, *error.args[:1]}:
        context.is_disconnect = True


def stop_driver_transactions(connection: Any, _record: object) -> None:
    """Leave BEGIN to SQLAlchemy: Python's driver begins transactions by rules of its own."""
    connection.isolation_level = None


def watch_file(engine: Engine, file: str) -> None:
    """Let no request use a SQLite file that was deleted, replaced or damaged while it is open.

    Writing into it would succeed, and be gone with the last connection.
    """

    def refuse_missing(*_: object) -> None:  # SQLite would make a new one, without tables
        if not os.path.exists(file):
            raise sqlite3.OperationalError(f"{file} was deleted: start the app again")

    def note(_: object, record: Any) -> None:
        record.info["file"] = os.stat(file)

    def check(_: object, record: Any, __: object) -> None:
        before = record.info["file"]
        try:
            now = os.stat(file)
        except FileNotFoundError:
            raise InvalidatePoolError from None  # the pool connects anew
        if not os.path.samestat(now, before):
            raise InvalidatePoolError
        if now.st_mtime_ns != before.st_mtime_ns:  # seldom: most writes go to the file beside it
            _refuse_damaged(file)
            record.info["file"] = now

    event.listen(engine, "do_connect", refuse_missing)
    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", check)


def _refuse_damaged(file: str) -> None:
    # A connection that is open goes on with what it has in memory; a new one looks into the file.
    # It is SQLite that has to look: who else opens and closes the file ends the locks on it.
    with closing(sqlite3.connect(file)) as other:
        if other.execute("PRAGMA schema_version").fetchone() == (0,):
            raise sqlite3.DatabaseError(f"{file} was emptied")


def watch_newest(engine: Engine, file: str) -> None:
    """Let no request write when the file beside a SQLite file was deleted: it has the newest rows.

    A connection that has it open still can save those rows.
    """

    def note(_: object, record: Any) -> None:  # nobody else may delete it after its first use
        if "newest" not in record.info and os.path.exists(file):
            record.info["newest"] = os.stat(file)

    def check(connection: Connection) -> None:
        newest = connection.info.get("newest")
        if newest and not (os.path.exists(file) and os.path.samestat(os.stat(file), newest)):
            connection.exec_driver_sql("PRAGMA wal_checkpoint")  # puts them into the file itself
            raise sqlite3.OperationalError(f"{file} was deleted: stop the app and start it again")

    event.listen(engine, "checkin", note)
    event.listen(engine, "begin", check)


def _prepare_sqlite(connection: Any, record: object) -> None:
    stop_driver_transactions(connection, record)
    # SQLite's lower(), which searches use, only knows ASCII.
    connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = NORMAL")  # with WAL, a killed process loses nothing
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def begin_immediate(connection: Connection) -> None:
    """Lock the file first: a transaction that reads, then finds new rows, could only fail."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
