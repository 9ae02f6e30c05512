"""The apps, each in a uvicorn process of its own: same Python, same packages, same options."""

import http.client
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

import psutil

from benchmarks.databases import ROOT, Database
from benchmarks.errors import BenchmarkError
from benchmarks.workloads import UNIQUE, Workload

APPS = {
    "ours": "app:app",
    "tutorial": "benchmarks.tutorial_app:app",
    "limit": "benchmarks.limit_app:app",
}
# uvicorn itself takes uvloop and httptools where they are installed.
OPTIONS = ["--app-dir", str(ROOT), "--port", "0", "--workers", "1", "--no-access-log"]
READY = "Uvicorn running on http://127.0.0.1:"


class Server:
    """An app that was started."""

    def __init__(self, app: str, url: str, cores: list[int]) -> None:
        self.app = app
        # Neither the settings of this shell nor those of .env, which only our app would read.
        others = {key: value for key, value in os.environ.items() if "DATABASE" not in key}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", APPS[app], *OPTIONS],
            cwd=Path(__file__).parent,
            env={**others, "DATABASE_URL": url},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.usage = psutil.Process(self.process.pid)
        if cores:
            self.usage.cpu_affinity(cores)
        self.sent = 0
        self.log: deque[str] = deque(maxlen=30)
        self.listening: Future[int] = Future()
        self.reader = Thread(target=self._read_log, args=[self.process.stderr])
        self.reader.start()

    def _read_log(self, stderr: TextIO) -> None:
        with stderr:
            for line in stderr:
                self.log.append(line)
                if READY in line:
                    self.listening.set_result(int(line.partition(READY)[2].split()[0]))
        if not self.listening.done():
            error = f"The app '{self.app}' does not start.\n{''.join(self.log)}"
            self.listening.set_exception(BenchmarkError(error))

    @property
    def port(self) -> int:
        """Wait until the app listens and return where; raises BenchmarkError if it ends before."""
        return self.listening.result()

    def send(self, workload: Workload, number: int) -> Any:
        """Send one request of a workload and return the decoded answer."""
        path, body = workload.requests[number % len(workload.requests)]
        self.sent += 1
        body = body.replace(UNIQUE, f"{self.app}-{self.process.pid}-{self.sent}")
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(workload.method, path, body or None, headers)
        with connection.getresponse() as response:  # which closes the connection
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

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()

    def last_words(self) -> str:
        """End the process and return the end of its log."""
        self.stop()
        return "".join(self.log)


@contextmanager
def running(database: Database, cores: list[int]) -> Iterator[list[Server]]:
    """Yield a server for each app that has a URL of the database."""
    with ExitStack() as stack:
        servers = []
        for app, url in database.urls.items():
            servers.append(Server(app, url, cores))
            stack.callback(servers[-1].stop)
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
