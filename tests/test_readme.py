"""README as a new user follows it: from top to bottom, in a fresh copy, in one folder."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import NewDatabase
from test_docs import unchanging

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESTART = "Stop the server, start it again"
# Commands that are run elsewhere: these tests themselves, the benchmarks, the change of a table.
ELSEWHERE = ("python -m pytest", "python -m benchmarks", "alembic revision", "alembic downgrade")
FAILS = ("python -m exercises check users",)  # nothing is done yet


class Desk:
    """A learner's folder, terminal and server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[str] | None = None
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

    def type(self, command: str, answer: str = "") -> str:
        """Run a command and return what it prints; it fails only if README expects it to."""
        process = self.popen(command)
        printed, _ = process.communicate(answer, timeout=120)
        assert bool(process.returncode) == (command in FAILS), f"{command}\n{printed}"
        return printed

    def start(self, command: str) -> None:
        """Start a server and wait until it answers."""
        self.server = self.popen(f"exec {command} --port {self.port}")
        self.read_until("Application startup complete")

    def read_until(self, wanted: str) -> str:
        """Read what the server prints until a line has this in it; return all of it."""
        assert self.server
        assert self.server.stdout
        printed = ""
        for line in self.server.stdout:
            printed += line
            if wanted in line:
                return printed
        raise AssertionError(f"the server has ended without {wanted!r}:\n{printed}")

    def stop(self) -> None:
        """Press Ctrl-C."""
        if self.server:
            self.server.terminate()
            self.server.communicate(timeout=30)
            self.server = None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Yield a fresh copy of the project and a terminal in it."""
    desk = Desk(tmp_path)
    yield desk
    desk.stop()


def steps() -> list[tuple[str, str]]:
    """Return README's blocks of commands, and what it says to do between them."""
    pattern = rf"^```(bash|console|ini)\n(.+?)^```$|({RESTART})"
    return [
        (kind or "restart", text)
        for kind, text, _ in re.findall(pattern, README, re.MULTILINE | re.DOTALL)
    ]


def test_readme_from_top_to_bottom(desk: Desk, postgresql_databases: NewDatabase) -> None:
    """Every command works, in README's order, and every printed answer is the real one."""
    asked = 0
    server = ""
    with postgresql_databases() as url:
        for kind, text in steps():
            if kind == "restart":
                desk.stop()
                desk.start(server)
                assert httpx.get(f"{desk.url}/posts/1").status_code == 200
            elif kind == "ini":  # the file of settings, which comes with the address of a server
                assert httpx.get(f"{desk.url}/users/1000").status_code == 200
                desk.stop()
                assert text.startswith("DATABASE_URL=postgresql://")
                (desk.folder / ".env").write_text(f"DATABASE_URL={url}\n")
            elif kind == "console":
                for command, printed in re.findall(r"^\$ (.+)\n(.+)$", text, re.MULTILINE):
                    answer = desk.type(f"{command} --silent")
                    assert unchanging(answer) == unchanging(printed), command
                    asked += 1
            else:
                for line in text.splitlines():
                    command = line.partition("  #")[0].split(" && ")[-1].strip()
                    if command.startswith("uvicorn"):
                        server = command
                        desk.start(command)
                    elif not command.startswith(("pip install", *ELSEWHERE)):
                        desk.type(command, "yes\n")
    assert asked >= 10
