"""Count the SQL statements of a request in PostgreSQL's log, whatever the app is written with."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.databases import Database
from benchmarks.servers import Server, running
from benchmarks.workloads import Workload

WARM_UP, REQUESTS = 5, 25
# A statement sent as text, or the execution of one that was prepared.
STATEMENT = re.compile(r" LOG:  (?:statement|execute [^:]*):\s*(\w+)")
TRANSACTION = {"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}

Counts = dict[tuple[str, str], tuple[float, float]]


@contextmanager
def logged(engine: Engine) -> Iterator[None]:
    """Let the server log the statements of connections that are opened meanwhile."""

    def alter(change: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} {change}")

    alter("SET log_statement = 'all'")
    yield
    alter("RESET log_statement")


def count(server: Server, workload: Workload, log: Path) -> tuple[float, float]:
    """Return how many statements a request sends, and how many of them frame transactions."""
    for number in range(WARM_UP):
        server.send(workload, number)
    start = log.stat().st_size
    for number in range(REQUESTS):
        server.send(workload, number)
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(start)
        words = STATEMENT.findall(lines.read())
    # To one decimal: what an app sends after its last answer may come too late for the log.
    frames = sum(word.upper() in TRANSACTION for word in words)
    return round(len(words) / REQUESTS, 1), round(frames / REQUESTS, 1)


def count_statements(database: Database, workloads: list[Workload]) -> Counts:
    """Return the counts by app and workload; none where the database's log cannot be read."""
    if database.server is None or database.log is None:
        return {}
    with logged(database.server), running(database, []) as servers:
        return {
            (server.app, workload.name): count(server, workload, database.log)
            for server in servers
            for workload in workloads
        }
