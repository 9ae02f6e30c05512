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
(limit), with 16 connections and one worker each. It takes about five minutes, three with --sqlite,
and rewrites results.json and chart.svg in benchmarks/; with --quick or --apps it only prints."""


def app_names(text: str) -> list[str]:
    """Read a list like ours,tutorial."""
    names = list(dict.fromkeys(text.split(",")))
    if unknown := set(names) - set(APPS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: none of {', '.join(APPS)}")
    return names


def positive(text: str) -> int:
    """Read a number that is at least 1."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=EXPLANATION)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--url", help="a PostgreSQL server to use instead of the wheel's")
    place.add_argument("--sqlite", action="store_true", help="SQLite files, without the limit app")
    parser.add_argument("--apps", type=app_names, help="some of ours,tutorial,limit")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument(
        "--seconds", type=positive, default=3, help="of each round, workload and app"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds of 1 s: under a minute")
    options = parser.parse_args(arguments)
    options.keep = not options.quick and options.apps is None
    if options.quick:
        options.rounds, options.seconds = 2, 1
    without = {"limit"} if options.sqlite else set()
    options.apps = [app for app in options.apps or APPS if app not in without]
    if not options.apps:
        parser.error("the limit app speaks PostgreSQL only")
    return options


def run(
    options: argparse.Namespace, database: Database, cores: list[int], console: Console
) -> None:
    """Check, measure, count and print; keep the figures of a whole run."""
    place = f"core {cores[0]}, the rest on the others" if cores else "no core of their own"
    about = describe_run(database.name, options.rounds, options.seconds)
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    console.print(
        f"{database.name}, {about['cpu']}, {about['cores']} cores; servers on {place}; "
        f"{CONNECTIONS} connections from {GENERATOR}\n{packages}"
    )
    if options.sqlite:
        console.print("The limit app speaks PostgreSQL only and is left out.")
    if database.log is None:
        console.print("SQL is counted only in the log of the wheel's PostgreSQL.")
    workloads = make_workloads()
    with running(database, cores) as servers, console.status("checking the answers") as status:
        check_answers(servers, workloads)
        loads = measure(servers, workloads, options.rounds, options.seconds, status.update)
    figures = summarize(loads, count_statements(database, workloads))
    print_table(console, figures)
    if options.keep:
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
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
