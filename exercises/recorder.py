"""A pytest plugin that records the result of each check, by exercise and step."""

from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

NOT_RUN = "not run"
PASSED = "passed"
FAILED = "failed"
NOT_BEGUN = "not begun"
LEFT_OUT = "left out"


@dataclass
class Check:
    """One check, and what came of it."""

    exercise: str
    step: int
    name: str
    result: str = NOT_RUN
    message: str = ""


class Recorder:
    """What a run found and how it went."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.unreadable: dict[str, str] = {}
        self.collected = False

    @property
    def complete(self) -> bool:
        """Tell whether every check ran; unknown, so False, when xdist's workers collect them."""
        return self.collected and all(check.result != NOT_RUN for check in self.checks.values())

    @property
    def failures(self) -> dict[str, dict[int, list[str]]]:
        """The messages of failed checks, by exercise and step."""
        failures: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        for check in self.checks.values():
            if check.result in (FAILED, NOT_BEGUN):
                failures[check.exercise][check.step].append(check.message)
        return failures

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Note the checks before any option leaves some of them out."""
        report = yield
        for item in report.result or []:
            marker = item.get_closest_marker("step")
            if isinstance(item, pytest.Item) and marker:
                self.collected = True
                self.checks[item.nodeid] = Check(item.path.parent.name, marker.args[0], item.name)
        if report.failed:
            lines = report.longreprtext.splitlines() or [""]
            self.unreadable[collector.path.parent.name] = lines[-1].removeprefix("E").strip()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one result."""
        properties = dict(report.user_properties)
        step = properties.get("step")
        if not isinstance(step, int):
            return
        exercise = Path(report.location[0]).parent.name
        check = self.checks.setdefault(
            report.nodeid, Check(exercise, step, report.nodeid.rpartition("::")[2])
        )
        if report.failed and not check.message:
            check.result = NOT_BEGUN if properties.get("begun") is False else FAILED
            check.message = report.longreprtext
        elif report.skipped:
            check.result = LEFT_OUT
            check.message = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
        elif report.when == "call":
            check.result = PASSED

    def results(self, exercise: str, step: int) -> set[str]:
        """Give the results of a step's checks."""
        found = self.checks.values()
        return {c.result for c in found if (c.exercise, c.step) == (exercise, step)}

    def passed_steps(self, exercise: str) -> list[int]:
        """List the steps of which a check passed, none failed and none has yet to run."""
        steps = {check.step for check in self.checks.values() if check.exercise == exercise}
        enough = ({PASSED}, {PASSED, LEFT_OUT})
        return sorted(step for step in steps if self.results(exercise, step) in enough)
