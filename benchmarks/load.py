"""Drive one workload against one server, with a load generator in its own process."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.databases import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.servers import Server
from benchmarks.workloads import Workload

CONNECTIONS = 16
WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "aiohttp (slower than wrk: it may itself be the limit)"


@dataclass(frozen=True)
class Load:
    """What a generator reports and what the server used meanwhile."""

    requests: int
    seconds: float
    p50: float  # seconds
    p99: float
    cpu: float  # seconds of the server's process


@contextmanager
def request_files(workloads: list[Workload]) -> Iterator[dict[str, Path]]:
    """Yield a file for each workload, from which the generator reads the requests."""
    with TemporaryDirectory(prefix="benchmarks-") as folder:
        files = {}
        for number, workload in enumerate(workloads):
            file = files[workload.name] = Path(folder, f"{number}.txt")
            lines = (f"{path}\t{body}\n" for path, body in workload.requests)
            file.write_text("".join(lines), encoding="utf-8")
        yield files


def drive(server: Server, workload: Workload, file: Path, round_: int, seconds: int) -> Load:
    """Send a workload's requests for some seconds; raises BenchmarkError if one fails."""
    url = f"http://127.0.0.1:{server.port}"
    arguments = [workload.method, str(file), f"{server.app}-round-{round_}"]
    if WRK:
        size = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=60s"]
        command = [WRK, *size, f"--script={Path(__file__).with_name('wrk.lua')}", url, "--"]
        command += arguments
    else:
        command = [sys.executable, "-m", "benchmarks.generator", url, *arguments]
        command += [str(seconds), str(CONNECTIONS)]
    before = server.cpu_seconds()
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    cpu = server.cpu_seconds() - before
    if result.returncode:
        raise BenchmarkError(f"The load generator failed.\n{result.stdout}{result.stderr}")
    report = json.loads(result.stdout.splitlines()[-1])
    if (errors := report.pop("errors")) or not report["requests"]:
        raise BenchmarkError(
            f"FAILED: {errors} of {report['requests']} answers of the app '{server.app}' to "
            f"{workload.name} were errors; the figures would mean nothing.\n{server.last_words()}"
        )
    return Load(**report, cpu=cpu)
