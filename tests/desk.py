"""A learner's desk: a fresh copy of the project, a terminal in it, a server that runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from conftest import free_port, lines_of

ROOT = Path(__file__).parent.parent


class Desk:
    """A learner's folder, terminal and server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[str] | None = None
        self.printed: Iterator[str] = iter(())
        names = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in names:
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "COV_CORE"))}
        # As an active environment: its programs come first.
        self.environment = kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}

    def popen(self, command: str) -> subprocess.Popen[str]:
        """Start what was typed."""
        return subprocess.Popen(
            ["bash", "-c", command.replace("localhost:8000", f"127.0.0.1:{self.port}")],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, command: str, answer: str = "", *, fails: bool = False) -> str:
        """Run a command and return what it prints."""
        process = self.popen(command)
        printed, _ = process.communicate(answer, timeout=120)
        assert bool(process.returncode) == fails, f"{command}\n{printed}"
        return printed

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file, all at once, as editors save."""
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text, (name, old)
        draft = file.with_suffix(".draft")
        draft.write_text(text.replace(old, new, 1), encoding="utf-8")
        draft.replace(file)

    def start(self, command: str) -> None:
        """Start a server and wait until it answers."""
        self.run(f"{command} --port {self.port}")
        self.read_until("Application startup complete")

    def run(self, command: str) -> None:
        """Start what runs until it is stopped."""
        self.server = self.popen(f"exec {command}")
        self.printed = lines_of(self.server.stdout)

    def read_until(self, wanted: str) -> str:
        """Read what the server prints until a line has this in it; return all of it."""
        printed = ""
        for line in self.printed:
            printed += line
            if wanted in line:
                return printed
        raise AssertionError(f"the server has ended without {wanted!r}:\n{printed}")

    def stop(self) -> None:
        """Press Ctrl-C."""
        if self.server:
            with self.server:
                self.server.terminate()
                list(self.printed)  # to its end
            self.server = None
