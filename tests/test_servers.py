"""postgres.py, compose.yaml and Dockerfile, and what the log tells of connections."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from desk import ROOT, Desk


@pytest.mark.long
def test_postgres_with_one_command(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for user in (1, 2):  # the second start finds the data of the first
        desk.run("python postgres.py")
        printed = desk.read_until("Ctrl-C stops it.")
        server, rest, desk.server = desk.server, desk.printed, None
        assert server
        try:
            (line,) = re.findall(r"in a file \.env +(DATABASE_URL=.+)", printed)
            assert f"export DATABASE_URL='{line.partition('=')[2]}'" in printed
            assert f"$env:DATABASE_URL = '{line.partition('=')[2]}'" in printed
            (tmp_path / ".env").write_text(line, encoding="utf-8")
            desk.type("alembic upgrade head")
            desk.start("uvicorn app:app")
            ada = {"name": "Ada", "email": f"ada{user}@example.com"}
            assert httpx.post(f"{desk.url}/users", json=ada).status_code == 201
            assert len(httpx.get(f"{desk.url}/users").json()) == user
            desk.stop()
        finally:
            desk.stop()
            with server:
                server.terminate()
                assert "PostgreSQL stops." in "".join(rest)
            assert server.returncode == 0


def test_containers_name_what_there_is() -> None:
    """There is no engine here: only what can be known without one."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    app, database = compose["services"]["app"], compose["services"]["database"]
    user, password = (database["environment"][f"POSTGRES_{key}"] for key in ("USER", "PASSWORD"))
    url = f"postgresql://{user}:{password}@database/{user}"
    assert app["environment"]["DATABASE_URL"] == url
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])
    assert app["depends_on"]["database"]["condition"] == "service_healthy"
    settings = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert all(f"# {name}=" in settings for name in app["environment"])
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (.+) \S+$", docker, re.MULTILINE)
    assert all(any(ROOT.glob(name)) for names in copied for name in names.split())
    for needed in ("app.py", "core", "migrations", "alembic.ini", "requirements.txt"):
        assert any(Path(needed).match(name) for names in copied for name in names.split()), needed
    assert json.loads(re.findall(r"^CMD (.+)", docker, re.M)[0])[2].endswith("--host 0.0.0.0")
    assert f"FROM python:{sys.version_info.major}." in docker


def test_commands_for_servers_bound_their_end_and_their_load() -> None:
    """Without the first, half a request that never goes on can hold a server that is to end."""
    files = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Dockerfile")]
    commands = re.findall(r"uvicorn app:app .*?(?:--workers|--host 0).*?$", "\n".join(files), re.M)
    assert len(commands) >= 3
    for command in commands:
        assert "--timeout-graceful-shutdown" in command, command
        assert "--limit-concurrency" in command, command


@pytest.mark.parametrize("setting", ["true", "false"])
def test_log_tells_of_connections_if_asked(tmp_path: Path, setting: str) -> None:
    code = (
        "from fastapi.testclient import TestClient; from app import app\n"
        "with TestClient(app) as client: assert client.get('/users').status_code == 200"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": "",
            "DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
            "DATABASE_ECHO_POOL": setting,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    printed = result.stdout + result.stderr
    for event in ("Created new connection", "checked out from pool", "being returned to pool"):
        assert (event in printed) == (setting == "true"), event
