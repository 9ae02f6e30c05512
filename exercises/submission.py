"""Check one submission; runs in a process of its own, which classroom.py starts.

It writes each check that it finds, and each result, as a line of JSON at once, so that they survive
when the process has to be killed.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from exercises import runner
from exercises.catalog import FOLDER
from exercises.recorder import Recorder


class Journal(Recorder):
    """A recorder that writes down what it learns."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("a", encoding="utf-8")

    def _write(self, nodeid: str) -> None:
        self._file.write(json.dumps([nodeid, asdict(self.checks[nodeid])]) + "\n")
        self._file.flush()

    def pytest_collection_finish(self) -> None:
        """Write every check that was found."""
        for nodeid in self.checks:
            self._write(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a result."""
        super().pytest_runtest_logreport(report)
        if report.nodeid in self.checks:
            self._write(report.nodeid)


def main() -> int:
    """Check EXERCISE with pytest's OPTIONS, and write to FILE; PYTHON runs its servers."""
    python, file, exercise, *options = sys.argv[1:]
    runner.PYTHON[:] = json.loads(python)
    quiet = ["-q", "--tb=no", "-pno:cacheprovider", "--assert=plain"]
    journal = Journal(Path(file))
    return int(pytest.main([str(FOLDER / exercise), *quiet, *options], plugins=[journal]))


if __name__ == "__main__":
    sys.exit(main())
