"""Check the submissions of a class, each in a process of its own and for a limited time."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from exercises.catalog import FOLDER, exercises, steps_of, work_in
from exercises.recorder import LEFT_OUT, NOT_BEGUN, NOT_RUN, Check
from exercises.runner import quick_python
from exercises.starters import is_untouched

# What Python needs of the teacher's environment. Tokens and passwords stay out.
PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)
NOT_WRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Submission:
    """One learner's answer to one exercise, and what came of it; no folder: nothing handed in."""

    learner: str
    exercise: str
    folder: Path | None
    checks: list[Check] = field(default_factory=list)
    trouble: str = ""

    def __post_init__(self) -> None:
        self.note(NOT_RUN, "Not checked.")

    def note(self, result: str, message: str) -> None:
        """Give every step this result, as long as no single checks are known."""
        self.checks = [
            Check(self.exercise, step, f"step {step}", result, message)
            for step in steps_of(self.exercise)
        ]


def find_submissions(folder: Path, names: list[str]) -> list[Submission]:
    """Pair every learner's folder with every exercise."""
    learners = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name[0] not in "._"]
    return [
        Submission(writable(learner.name), name, handed_in(learner, name))
        for learner in learners
        for name in names
    ]


def writable(text: str) -> str:
    """Replace what a file in UTF-8, or XML, cannot hold."""
    return NOT_WRITABLE.sub("?", text)


def handed_in(learner: Path, exercise: str) -> Path | None:
    """Find the answer: in a folder of the exercise's name, or in the one project for all."""
    copy_of_all = learner / "exercises"
    work = copy_of_all if any(copy_of_all.glob("ex[0-9][0-9]_*")) else learner
    folder = work_in(work, exercise)
    has_folders = any((work / name).is_dir() for name in exercises())
    return None if folder == work and has_folders else folder.resolve()


class Classroom:
    """Checks submissions, several at once; none is left running when it ends."""

    def __init__(self, jobs: int, time_limit: float, options: list[str]) -> None:
        self.jobs = jobs
        self.time_limit = time_limit
        self.options = options
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._python: list[str] = []

    def check_all(self, submissions: list[Submission], tell: Callable[[Submission], None]) -> None:
        """Check the submissions; tell of each that is done."""
        with quick_python("httpx", "pytest") as self._python, ThreadPoolExecutor(self.jobs) as pool:
            try:
                futures = [pool.submit(self.check, submission) for submission in submissions]
                for future in as_completed(futures):
                    tell(future.result())
            finally:
                self._close()

    def _close(self) -> None:
        """Stop what still runs, and start nothing more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                kill(process)

    def check(self, submission: Submission) -> Submission:
        """Check one submission."""
        exercise, folder = submission.exercise, submission.folder
        if folder is None:
            submission.note(NOT_BEGUN, f"There is no folder {exercise}.")
        elif is_untouched(exercise, folder):
            submission.note(NOT_BEGUN, "The starter is unchanged.")
        elif not self._closed:
            with tempfile.TemporaryDirectory(prefix="class-", ignore_cleanup_errors=True) as place:
                self._run(submission, folder, Path(place))
        return submission

    def _run(self, submission: Submission, folder: Path, place: Path) -> None:
        """Run the checks, read what they wrote, and say why some did not run."""
        journal, output = place / "journal", place / "output"
        arguments = [str(journal), submission.exercise, f"--app-dir={folder}", *self.options]
        why = ""
        with output.open("wb") as file, self._process(arguments, place, file) as process:
            try:
                process.wait(self.time_limit)
            except subprocess.TimeoutExpired:
                why = f"stopped after {self.time_limit:g} seconds"
        submission.checks = read_journal(journal) or submission.checks
        for check in submission.checks:
            if check.result == NOT_RUN:
                check.message = why or f"the checks ended early: {last_line(output)}"
            if check.result in (NOT_RUN, LEFT_OUT):
                submission.trouble = check.message.removeprefix("Skipped: ")

    @contextmanager
    def _process(
        self, arguments: list[str], place: Path, output: IO[bytes]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the checks of one submission in a process group of its own, and end all of it."""
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        # Temporary files of processes that are killed go with this folder.
        own = {"TMPDIR": str(place), "TEMP": str(place), "TMP": str(place), "PYTHONUTF8": "1"}
        process = subprocess.Popen(
            [*self._python, "-m", "exercises.submission", json.dumps(self._python), *arguments],
            cwd=FOLDER.parent,
            env=passed_on | own,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with self._lock:
            self._running.add(process)
            if self._closed:
                kill(process)
        try:
            yield process
        finally:
            kill(process)
            process.wait()
            with self._lock:
                self._running.remove(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and, where groups exist, all that it has started."""
    if sys.platform == "win32":
        process.kill()  # the server of the submission ends with its parent
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def read_journal(path: Path) -> list[Check]:
    """Read the newest state of each check; a process that was killed leaves the last line open."""
    checks = {}
    if path.exists():
        *lines, _ = path.read_text(encoding="utf-8").split("\n")
        for nodeid, check in map(json.loads, lines):
            checks[nodeid] = Check(**check | {"message": writable(check["message"])})
    return list(checks.values())


def last_line(path: Path) -> str:
    """Give the last line that a program wrote."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return writable(next((line for line in reversed(lines) if line.strip()), "nothing was said"))
