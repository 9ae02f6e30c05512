"""Where the data lives: the engines, and a session for each request."""

from collections.abc import AsyncIterator
from functools import cache
from time import perf_counter
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import QueuePool, text
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from core.deadline import probe
from core.engines import close_async_engine, open_async_engine, open_engine
from core.schema import prepare_schema
from core.settings import Settings, parse_url, read_settings
from core.threads import Threads

# ── Engines ──────────────────────────────────────────────────────────────────────────────────────


class Database:
    """The engines of one database, for writing and for reading, ordinary and async.

    A writing session is one transaction. A reading one has none: each statement is sent alone, sees
    the newest rows, and cannot write. Engines connect when they are first used.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = url = parse_url(settings.database_url)
        read_url = settings.database_read_url
        self.read_url = parse_url(read_url, "DATABASE_READ_URL") if read_url else url
        self.writer = open_engine(url, settings, write=True)
        self.reader = self.reporter = open_engine(url, settings)
        if self.read_url != url:
            self.reporter = open_engine(self.read_url, settings)
        self.prober = open_engine(url, settings)
        self.async_writer = open_async_engine(url, settings, write=True)
        self.async_reader = open_async_engine(url, settings)
        patience = settings.database_lock_timeout
        self.threads = {
            engine: Threads(cast(QueuePool, engine.pool).size(), patience)
            for engine in (self.writer, self.reader, self.reporter)
        }
        self.threads[self.prober] = Threads(1, patience)

    async def ping(self) -> float | None:
        """Return the seconds of one round trip; None if there is none within 2 seconds.

        It has a connection of its own, so that it does not wait for those who wait for a lock.
        """
        with probe(1, "GET /health"):
            return await self.threads[self.prober].run(self._ping)
        return None

    def _ping(self) -> float:
        with self.prober.connect() as connection:
            start = perf_counter()
            # Of a table: SELECT 1 would not notice a file that is no database any more.
            connection.execute(text("SELECT version_num FROM alembic_version"))
            return perf_counter() - start

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
        for engine, threads in self.threads.items():
            threads.close()
            engine.dispose()
        for async_engine in (self.async_writer, self.async_reader):
            await close_async_engine(async_engine)


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
    async with database.threads[engine].turn():
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
