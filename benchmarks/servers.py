"""The apps, each in its own uvicorn process with the same options, on a core of its own."""

import http.client
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any

import psutil

from benchmarks.databases import ROOT, Database
from benchmarks.errors import BenchmarkError
from benchmarks.workloads import UNIQUE, Workload

APPS = {
    "ours": "app:app",
    "tutorial": "benchmarks.tutorial_app:app",
    "limit": "benchmarks.limit_app:app",
}
# One worker; uvloop and httptools where they are installed.
OPTIONS = ["--port", "0", "--no-access-log", "--workers", "1"]
READY = "Uvicorn running on http://127.0.0.1:"


class Server:
    """A running app."""

    def __init__(self, app: str, url: str, cores: list[int]) -> None:
        self.app = app
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", APPS[app], *OPTIONS],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url, "DATABASE_READ_URL": ""},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.usage = psutil.Process(self.process.pid)
        if cores:
            self.usage.cpu_affinity(cores)
        self.log: deque[str] = deque(maxlen=30)
        self.sent = 0

    def wait_until_ready(self) -> None:
        """Return when the app listens; raises BenchmarkError if it does not start."""
        self.port = self._read_port()
        # Somebody must read on, or the app would wait for room in the pipe.
        self.reader = Thread(target=self.log.extend, args=[self.process.stderr or ()], daemon=True)
        self.reader.start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def _read_port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if READY in line:
                return int(line.partition(READY)[2].split()[0])
        raise BenchmarkError(f"The app '{self.app}' does not start.\n{''.join(self.log)}")

    def send(self, workload: Workload, number: int) -> Any:
        """Send one request of a workload and return the decoded answer."""
        path, body = workload.requests[number % len(workload.requests)]
        self.sent += 1
        body = body.replace(UNIQUE, f"{self.app}-{os.getpid()}-{self.process.pid}-{self.sent}")
        headers = {"Content-Type": "application/json"} if body else {}
        self.connection.request(workload.method, path, body or None, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != workload.status:
            raise BenchmarkError(
                f"The app '{self.app}' answers {workload.method} {path} with {response.status}, "
                f"not {workload.status}: {text[:300]}\n{self.last_words()}"
            )
        return json.loads(text)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used."""
        times = self.usage.cpu_times()
        return float(times.user + times.system)

    def last_words(self) -> str:
        """End the process and return the end of its log."""
        self.stop()
        self.reader.join()
        return "".join(self.log)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextmanager
def running(database: Database, cores: list[int]) -> Iterator[list[Server]]:
    """Yield a server for each app that has a URL of the database."""
    with ExitStack() as stack:
        servers = [Server(app, url, cores) for app, url in database.urls.items()]
        for server in servers:
            stack.callback(server.stop)
        for server in servers:
            server.wait_until_ready()
        yield servers


def split_cores() -> list[int]:
    """Keep one core for the servers and move this process, with all it starts, to the others.

    Returns no core where there is only one, or where the system cannot bind a process to cores.
    """
    this = psutil.Process()
    if not hasattr(this, "cpu_affinity"):
        return []
    *others, last = this.cpu_affinity()
    if not others:
        return []
    this.cpu_affinity(others)
    return [last]
