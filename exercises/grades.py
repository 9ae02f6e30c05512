"""Results of a class: a table, a CSV with a row for each step, JUnit with a case for each check."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from rich.table import Table

from exercises.classroom import Submission
from exercises.recorder import FAILED, LEFT_OUT, NOT_BEGUN, NOT_RUN, PASSED, Check

COLUMNS = ("learner", "exercise", "step", "result", "checks_passed", "checks", "message")


def steps(submission: Submission) -> dict[int, list[Check]]:
    """Sort the checks by their step."""
    by_step: dict[int, list[Check]] = defaultdict(list)
    for check in submission.checks:
        by_step[check.step].append(check)
    return dict(sorted(by_step.items()))


def worst(checks: list[Check]) -> str:
    """Sum up the checks of a step; it is passed when all of them ran and passed."""
    results = {NOT_RUN if check.result == LEFT_OUT else check.result for check in checks}
    return next(result for result in (FAILED, NOT_RUN, NOT_BEGUN, PASSED) if result in results)


def passed(submission: Submission) -> int:
    """Count the steps that are passed."""
    return [worst(checks) for checks in steps(submission).values()].count(PASSED)


def is_done(submission: Submission) -> bool:
    """Tell whether every step is passed."""
    return passed(submission) == len(steps(submission))


def table(submissions: list[Submission]) -> Table:
    """Show a row for each learner and a column for each exercise: steps passed, of how many."""
    by_learner: dict[str, dict[str, Submission]] = defaultdict(dict)
    for submission in submissions:
        by_learner[submission.learner][submission.exercise] = submission
    names = sorted({submission.exercise for submission in submissions})
    shown = Table("learner", *(name[2:4] for name in names), box=None, pad_edge=False)
    for learner, row in by_learner.items():
        shown.add_row(learner, *(cell(row[name]) for name in names))
    done = [sum(is_done(row[name]) for row in by_learner.values()) for name in names]
    shown.add_row("all steps", *map(str, done), style="bold")
    return shown


def cell(submission: Submission) -> str:
    """Write one result: "-" where nothing was handed in, "!" where checks could not run."""
    if submission.folder is None:
        return "-"
    return f"{passed(submission)}/{len(steps(submission))}" + ("!" if submission.trouble else "")


def write_csv(path: Path, submissions: list[Submission]) -> None:
    """Write a row for each step; the mark at the file's beginning tells Excel that it is UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for submission in submissions:
            for step, checks in steps(submission).items():
                good = sum(check.result == PASSED for check in checks)
                message = next((c.message for c in checks if c.result != PASSED), "")
                row = (step, worst(checks), good, len(checks), message)
                writer.writerow((submission.learner, submission.exercise, *row))


def write_junit(path: Path, submissions: list[Submission]) -> None:
    """Write a suite for each submission and a case for each check."""
    root = ElementTree.Element("testsuites", name="class")
    root.extend(suite(submission) for submission in submissions)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def suite(submission: Submission) -> ElementTree.Element:
    """Write one submission; whatever could not run is an error, as a "skipped" would look good."""
    name = f"{submission.learner}.{submission.exercise}"
    results = [check.result for check in submission.checks]
    failures = results.count(FAILED)
    numbers = {
        "tests": len(results),
        "failures": failures,
        "errors": len(results) - failures - results.count(PASSED),
    }
    attributes = {"name": name} | {key: str(number) for key, number in numbers.items()}
    element = ElementTree.Element("testsuite", attributes)
    element.extend(cases(submission, name))
    return element


def cases(submission: Submission, classname: str) -> Iterator[ElementTree.Element]:
    """Write the checks of a submission."""
    for check in submission.checks:
        case = ElementTree.Element("testcase", classname=classname, name=check.name)
        properties = ElementTree.SubElement(case, "properties")
        about = {"learner": submission.learner, "exercise": check.exercise, "step": str(check.step)}
        for name, value in about.items():
            ElementTree.SubElement(properties, "property", name=name, value=value)
        if check.result != PASSED:
            kind = "failure" if check.result == FAILED else "error"
            told = ElementTree.SubElement(case, kind, message=check.result)
            told.text = check.message
        yield case
