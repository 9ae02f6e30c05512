"""README's table of messages: each is produced by a test, most of them here."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import models
from app import app
from conftest import serve
from database import ReadDb
from desk import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = README.partition("## When something goes wrong")[2].partition("\n## ")[0]
MESSAGES = [
    message
    for cell in re.findall(r"^\| (?!message|---)(.+?) \|", TABLE, re.MULTILINE)
    for message in re.findall(r"`` ?(.+?) ?``|`(.+?)`", cell)[0]
    if message
]
CHANGING = r"…|`|'|\d[\d.]*|app\.db|users\.nickname"  # in each message, other in each case
# What cannot be produced here, and where it is from.
ELSEWHERE = {"Psycopg cannot use the 'ProactorEventLoop'": "Windows alone"}


def test_every_message_of_the_table_is_in_a_test() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")
    ).replace("\\", "")
    assert len(MESSAGES) >= 20
    missing = [
        message
        for message in MESSAGES
        if message not in ELSEWHERE
        and not all(part.strip() in tests for part in re.split(CHANGING, message))
    ]
    assert missing == []


def run(*words: str, cwd: Path = ROOT, **settings: str) -> str:
    """Return what a program of this environment prints when it fails."""
    result = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode != 0
    return result.stdout + result.stderr


def test_the_environment_is_not_active() -> None:
    assert "No module named 'fastapi'" in run("-I", "-S", "-c", "import fastapi")


def test_started_in_another_folder(tmp_path: Path) -> None:
    printed = run("-P", "-m", "uvicorn", "app:app", cwd=tmp_path, PYTHONPATH="")
    assert 'Could not import module "app"' in printed


def test_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        url = f"sqlite:///{tmp_path}/a.db"
        printed = run("-m", "uvicorn", "app:app", "--port", port, DATABASE_URL=url)
    assert re.search(r"\[Errno (98|48|10048)\]", printed)
    assert "ddress already in use" in printed or os.name == "nt"
    assert "[Errno 98] Address already in use" in README


def test_the_server_of_the_database_is_away() -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    printed = run("-m", "uvicorn", "app:app", "--port", "0", DATABASE_URL=url)
    assert re.search(r"The database .+ cannot be used", printed)
    assert "Traceback" not in printed


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_the_tables_are_missing(postgresql_server: object, url: str, dialect: str) -> None:
    from conftest import migrate

    migrate(url, "base")
    printed = run("-m", "uvicorn", "app:app", "--port", "0", DATABASE_URL=url)
    assert "run `alembic upgrade head` first" in printed
    assert "run `alembic upgrade head` first" in README


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_bodies_that_are_not_what_they_should_be(client: httpx.Client) -> None:
    ada = '{"name": "Ada", "email": "ada@example.com"}'
    json_type = {"Content-Type": "application/json"}
    assert client.post("/users", content=ada, headers=json_type).status_code == 201
    invalid = "Invalid JSON at character 1: Expecting property name enclosed in double quotes"
    for body, headers, status, message in [
        ('{"name": "Ada"}', json_type, 422, "Field required"),
        (ada, {}, 422, "Input should be a valid dictionary"),
        (ada, json_type, 409, "Email already registered"),
        ("{'name': 'Ada'}", json_type, 422, invalid),
    ]:
        answer = client.post("/users", content=body, headers=headers)
        assert (answer.status_code, message in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_key_is_not_sent(url: str, dialect: str) -> None:
    with serve(url, API_KEY="a key of some length") as client:
        answer = client.post("/tags", json={"name": "python"})
        assert (answer.status_code, "Send the API key" in answer.text) == (401, True)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_route_waits_too_long(url: str, dialect: str, capfd: pytest.CaptureFixture[str]) -> None:
    @app.get("/slow")
    async def wait() -> None:
        await asyncio.Event().wait()

    try:
        with serve(url, REQUEST_TIMEOUT="1") as client:
            assert client.get("/slow").status_code == 503
    finally:
        app.router.routes[:] = [r for r in app.routes if getattr(r, "path", "") != "/slow"]
    assert re.search(r"it took more than 1(\.0)? s", capfd.readouterr().err)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_route_writes_with_a_session_for_reading(
    url: str, dialect: str, capfd: pytest.CaptureFixture[str]
) -> None:
    @app.post("/wrong")
    def write(db: ReadDb) -> None:
        db.add(models.Tag(name="python"))
        db.flush()

    try:
        with serve(url) as client:
            assert client.post("/wrong").status_code == 500
    finally:
        app.router.routes[:] = [r for r in app.routes if getattr(r, "path", "") != "/wrong"]
    messages = {
        "sqlite": "attempt to write a readonly database",
        "postgresql": "cannot execute INSERT in a read-only transaction",
    }
    assert messages[dialect] in capfd.readouterr().err
