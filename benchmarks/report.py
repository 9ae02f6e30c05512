"""Print the figures as a table, and keep those of whole runs in results.json."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load import CONNECTIONS, GENERATOR
from benchmarks.measure import Figures

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("fastapi", "sqlalchemy", "uvicorn", "uvloop", "httptools")


def package_version(name: str) -> str:
    """Return the version of a package, or that it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def cpu_model() -> str:
    """Return what the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe_run(database: str, rounds: int, seconds: int) -> dict[str, Any]:
    """Return when, where and how the figures were measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu_model(),
        "cores": psutil.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "database": database,
        "packages": {name: package_version(name) for name in PACKAGES},
        "generator": GENERATOR,
        "connections": CONNECTIONS,
        "rounds": rounds,
        "seconds": seconds,
    }


def statements(row: Figures) -> str:
    """Return the statements of a request, and after a plus those that frame the transaction."""
    if row.statements is None or row.transaction_statements is None:
        return "–"
    return f"{row.statements - row.transaction_statements:g} + {row.transaction_statements:g}"


def empty_table() -> Table:
    """Return the table with its headings."""
    table = Table()
    for heading in ("workload", "app"):
        table.add_column(heading, no_wrap=True)
    for heading in ("requests/s", "× tutorial", "p50 ms", "p99 ms", "CPU µs", "SQL"):
        table.add_column(heading, justify="right")
    return table


def print_table(console: Console, figures: list[Figures]) -> None:
    """Print a line for each workload and app."""
    table = empty_table()
    rates = {(row.app, row.workload): row.requests_per_second for row in figures}
    previous = ""
    for row in figures:
        usual = rates.get(("tutorial", row.workload))
        if previous and row.workload != previous:
            table.add_section()
        table.add_row(
            "" if row.workload == previous else row.workload,
            row.app,
            f"{row.requests_per_second:,.0f}",
            f"{row.requests_per_second / usual:.2f}" if usual else "–",
            f"{row.p50_ms:.1f}",
            f"{row.p99_ms:.1f}",
            f"{row.cpu_us:,.0f}",
            statements(row),
        )
        previous = row.workload
    console.print(table)
    console.print(
        "Medians of the rounds. CPU: of the server's process, for one request. "
        "SQL: statements of a request + BEGIN, COMMIT and their like."
    )


def keep(name: str, run: dict[str, Any], figures: list[Figures]) -> None:
    """Write a run into results.json in place of the last one on such a database."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[name] = {**run, "figures": [row.as_json() for row in figures]}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
