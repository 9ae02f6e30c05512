"""What a teacher does: check every submission of a class, see the results, keep them in files."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from exercises import grades
from exercises.catalog import defect, exercises, find
from exercises.classroom import Classroom, Submission, find_submissions
from exercises.runner import embedded_postgres

console = Console(highlight=False, markup=False, soft_wrap=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes, beside the options for databases."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder for each learner")
    parser.add_argument("names", nargs="*", type=find, metavar="NAME", help="default: all of them")
    parser.add_argument("--app", metavar="MODULE:NAME", help="default: app:app, else main:app")
    parser.add_argument("-j", type=at_least_one, metavar="N", help="so many at once")
    parser.add_argument("--time-limit", type=at_least_one, default=120, metavar="SECONDS")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="default: FOLDER/results.csv")
    parser.add_argument("--junitxml", type=Path, metavar="FILE", help="default: FOLDER/results.xml")


def at_least_one(text: str) -> int:
    """Read a number of seconds or processes."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def check_class(args: argparse.Namespace) -> int:
    """Check all, show the table, write the files; give the exit code."""
    folder: Path = args.folder
    names = [name for name in args.names or exercises() if not defect(name)]
    submissions = find_submissions(folder, names) if folder.is_dir() else []
    if not submissions:
        console.print(f"{folder} holds no submissions: it takes a folder for each learner.")
        return 2
    csv, junitxml = args.csv or folder / "results.csv", args.junitxml or folder / "results.xml"
    try:
        for path in (csv, junitxml):
            path.touch()  # an error here comes better now than after an hour
    except OSError as error:
        console.print(f"The results cannot be written: {error}")
        return 2
    with options(args) as for_pytest:
        try:
            run(Classroom(args.j or os.cpu_count() or 1, args.time_limit, for_pytest), submissions)
        finally:
            grades.write_csv(csv, submissions)
            grades.write_junit(junitxml, submissions)
            show(submissions)
            console.print(f"\nStep by step: {csv}\nCheck by check: {junitxml}")
    return 0 if all(map(grades.is_done, submissions)) else 1


@contextmanager
def options(args: argparse.Namespace) -> Iterator[list[str]]:
    """Give the options for pytest; one PostgreSQL server runs for all submissions."""
    given = [f"--app={args.app}"] if args.app else []
    if "migrate" in args:
        given.append("--migrate")
    database = getattr(args, "database", "sqlite")
    if database == "postgresql":
        with embedded_postgres() as url:
            yield [*given, f"--database={url}"]
    else:
        yield [*given, f"--database={database}"]


def run(classroom: Classroom, submissions: list[Submission]) -> None:
    """Check all, with a bar that fills; where nobody sees a bar, with a line for each."""
    columns = [
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    ]
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(submissions))

        def tell(submission: Submission) -> None:
            text = f"{submission.learner} {submission.exercise} {grades.cell(submission)}"
            bar.update(task, advance=1, description=text)
            if not console.is_terminal:
                console.print(text)

        classroom.check_all(submissions, tell)


def show(submissions: list[Submission]) -> None:
    """Print the table, and what kept checks from running."""
    table = grades.table(submissions)
    console.print()
    # A terminal that is narrower breaks the lines; rich itself would leave out parts of them.
    Console(highlight=False, markup=False, width=10_000).print(table)
    for submission in submissions:
        if submission.trouble:
            console.print(f"{submission.learner}, {submission.exercise}: {submission.trouble}")
