"""README as a new user follows it: from top to bottom, in a fresh copy, in one folder."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import NewDatabase
from desk import Desk
from test_docs import unchanging

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESTART = "Stop the server, start it again"
# Commands that are run elsewhere: these tests themselves, the benchmarks, the change of a table.
ELSEWHERE = ("python -m pytest", "python -m benchmarks", "alembic revision")
FAILS = ("python -m exercises check users",)  # nothing is done yet


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


@pytest.mark.long
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
                assert httpx.get(f"{desk.url}/users/page").json()["total"] > 1000
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
                        desk.type(command, "yes\n", fails=command in FAILS)
    assert asked >= 10
