"""Measure all apps in turn, round after round, so that a machine that slows down slows all."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.load import Load, drive, request_files
from benchmarks.servers import Server
from benchmarks.statements import Counts
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Figures:
    """One app under one workload: medians of the rounds."""

    workload: str
    app: str
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the server's process for one request
    statements: float | None = None  # for one request, those that frame transactions left out
    transaction_statements: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return the figures with as many digits as mean something."""
        return {
            key: round(value, 2) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


def measure(
    servers: list[Server],
    workloads: list[Workload],
    rounds: int,
    seconds: int,
    report: Callable[[str], None],
) -> dict[tuple[str, str], list[Load]]:
    """Return the loads of all rounds by app and workload."""
    loads: dict[tuple[str, str], list[Load]] = {
        (server.app, workload.name): [] for workload in workloads for server in servers
    }
    with request_files(workloads) as files:
        for round_ in range(rounds):
            turn = round_ % len(servers)  # each app goes first in some rounds
            for workload in workloads:
                for server in servers[turn:] + servers[:turn]:
                    report(f"round {round_ + 1} of {rounds}: {workload.name}, {server.app}")
                    load = drive(server, workload, files[workload.name], round_, seconds)
                    loads[server.app, workload.name].append(load)
    return loads


def summarize(loads: dict[tuple[str, str], list[Load]], counts: Counts) -> list[Figures]:
    """Return the medians."""

    def median(values: list[Load], figure: Callable[[Load], float]) -> float:
        return statistics.median(map(figure, values))

    return [
        Figures(
            workload,
            app,
            median(of_app, lambda load: load.requests / load.seconds),
            median(of_app, lambda load: load.p50 * 1e3),
            median(of_app, lambda load: load.p99 * 1e3),
            median(of_app, lambda load: load.cpu / load.requests * 1e6),
            *counts.get((app, workload), ()),
        )
        for (app, workload), of_app in loads.items()
    ]
