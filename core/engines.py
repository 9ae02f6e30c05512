"""How each kind of database is connected to, and what each connection is told first."""

import selectors
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from core.settings import Settings

READ_ONLY = {"sqlite": "PRAGMA query_only = ON", "mysql": "SET SESSION TRANSACTION READ ONLY"}
# Not on Windows, where the other kind costs as little.
Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


def options_for(url: URL, settings: Settings, *, write: bool = False) -> dict[str, Any]:
    """Return create_engine's options; without `write`, of an engine whose connections only read."""
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
                # A plan for any term would read all rows for a rare one, so each gets its own.
                server += (
                    " -c default_transaction_read_only=on -c plan_cache_mode=force_custom_plan"
                )
            options["connect_args"] = {"connect_timeout": seconds, "options": server}
        case "mysql":
            server = f"SET SESSION innodb_lock_wait_timeout = {seconds}"
            options["connect_args"] = {"connect_timeout": seconds, "init_command": server}
            options["isolation_level"] = "READ COMMITTED"  # as PostgreSQL has it by default
            options["pool_pre_ping"] = True
    if not write:
        options |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return options


def listen(engine: Engine, *, write: bool = False) -> Engine:
    """Return the engine, with what each of its connections is told and checked for."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        if write:
            event.listen(engine, "begin", begin_immediate)
    elif engine.dialect.name == "postgresql" and not engine.dialect.is_async:
        event.listen(engine, "checkout", partial(_check_connection, engine.dialect))
    if not write and engine.dialect.name in READ_ONLY:
        event.listen(engine, "connect", partial(_run, READ_ONLY[engine.dialect.name]))
    return engine


def _run(statement: str, connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()


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


def stop_driver_transactions(connection: Any, _record: object) -> None:
    """Leave BEGIN to SQLAlchemy: Python's driver begins transactions by rules of its own."""
    connection.isolation_level = None


def _prepare_sqlite(connection: Any, record: object) -> None:
    stop_driver_transactions(connection, record)
    # SQLite's lower(), which searches use, only knows ASCII.
    connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
    cursor.execute("PRAGMA synchronous = NORMAL")  # with WAL, a killed process loses nothing
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def begin_immediate(connection: Connection) -> None:
    """Lock the file first: a transaction that reads, then finds new rows, could only fail."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
