"""The command: read its options, run what they ask for, print, keep."""

import argparse
import sys
from typing import Any

from rich.console import Console

from benchmarks import chart
from benchmarks.answers import check_answers
from benchmarks.databases import Database, postgresql, sqlite
from benchmarks.errors import BenchmarkError
from benchmarks.load import CONNECTIONS, GENERATOR
from benchmarks.measure import measure, summarize
from benchmarks.report import describe_run, keep, print_table
from benchmarks.servers import APPS, running, split_cores
from benchmarks.statements import count_statements
from benchmarks.workloads import make_workloads

EXPLANATION = """\
Measure this app (ours), the same routes as the courses write them (tutorial) and by hand in SQL
(limit), with 16 connections and one worker each. A run with all rounds and all apps takes about
five minutes and rewrites benchmarks/results.json and benchmarks/chart.svg."""


def app_names(text: str) -> list[str]:
    """Read a list like ours,tutorial."""
    names = text.split(",")
    if unknown := set(names) - set(APPS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: none of {', '.join(APPS)}")
    return names


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=EXPLANATION)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--url", help="a PostgreSQL server to use instead of the wheel's")
    place.add_argument("--sqlite", action="store_true", help="SQLite files, without the limit app")
    parser.add_argument("--apps", type=app_names, default=list(APPS), help="ours,tutorial,limit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each round, workload and app")
    parser.add_argument("--quick", action="store_true", help="under a minute; nothing is kept")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 2, 1
    if options.sqlite:
        options.apps = [app for app in options.apps if app != "limit"]
    return options


def run(
    options: argparse.Namespace, database: Database, cores: list[int], console: Console
) -> None:
    """Check, measure, count and print; keep the figures of a whole run."""
    place = f"core {cores[0]}, the rest on the others" if cores else "no core of their own"
    about = describe_run(database.name, GENERATOR, options.rounds, options.seconds)
    console.print(
        f"{database.name}, {about['cpu']}, {about['cores']} cores; servers on {place}; "
        f"{CONNECTIONS} connections from {GENERATOR}\n{about['packages']}"
    )
    if options.sqlite:
        console.print("The limit app speaks PostgreSQL only: left out. SQL is not counted.")
    workloads = make_workloads()
    with running(database, cores) as servers, console.status("checking the answers") as status:
        check_answers(servers, workloads)
        loads = measure(servers, workloads, options.rounds, options.seconds, status.update)
    figures = summarize(loads, count_statements(database, workloads))
    print_table(console, figures)
    if not options.quick and {"ours", "tutorial"} <= set(options.apps):
        keep("sqlite" if options.sqlite else "postgresql", about, figures)
        chart.draw()


def main() -> None:
    """Run the command."""
    options = parse()
    console = Console()
    if not console.is_terminal:
        console.width = 110
    cores = split_cores()  # before the database starts, which stays where this process is
    database: Any = (
        sqlite(options.apps) if options.sqlite else postgresql(options.apps, options.url)
    )
    try:
        with database as opened:
            run(options, opened, cores, console)
    except BenchmarkError as error:
        sys.exit(str(error))
