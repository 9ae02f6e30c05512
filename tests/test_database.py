"""Settings, URLs, and what a start does to a database."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from conftest import DIALECTS, migrate, new_user, serve
from core.schema import schema_revisions
from core.settings import Settings, StartupError, parse_url, read_settings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("pasted", "driver"),
    [
        ("sqlite:///./app.db", "sqlite"),
        ("sqlite+aiosqlite:///app.db", "sqlite"),
        ("postgresql://ada:pw@localhost/db", "postgresql+psycopg"),
        ("postgres://ada:pw@localhost/db", "postgresql+psycopg"),
        ("postgresql+psycopg2://ada:pw@localhost/db", "postgresql+psycopg"),
        ("postgresql+asyncpg://ada:pw@localhost/db", "postgresql+psycopg"),
        ("mysql://ada:pw@localhost/db", "mysql+pymysql"),
        ("mysql+aiomysql://ada:pw@localhost/db", "mysql+pymysql"),
        ("mariadb://ada:pw@localhost/db", "mysql+pymysql"),
    ],
)
def test_parse_url_gives_the_installed_driver(pasted: str, driver: str) -> None:
    url = parse_url(pasted)
    assert url.drivername == driver
    assert url.database == pasted.rpartition("/")[2] if "sqlite" not in driver else True


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "cannot be read"),
        ("app.db", "cannot be read"),
        ("postgresql://ada:s3cret@host:port/db", "cannot be read"),
        ("oracle://ada:s3cret@host/db", "scheme is none of"),
        ("postgresql://ada:s3cret@host", "names no database"),
        ("sqlite://", "names no database"),
        ("sqlite:///:memory:", "a database of its own"),
    ],
)
def test_parse_url_refuses_in_one_sentence(pasted: str, reason: str) -> None:
    with pytest.raises(StartupError, match=reason) as refusal:
        parse_url(pasted)
    assert "s3cret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_come_from_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert read_settings().database_url == "sqlite:///./app.db"
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///./other.db\nUNKNOWN=1\n")
    assert read_settings().database_url == "sqlite:///./other.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///./third.db")
    assert read_settings().database_url == "sqlite:///./third.db"
    monkeypatch.setenv("DATABASE_POOL_SIZE", "none")
    with pytest.raises(StartupError, match="DATABASE_POOL_SIZE is unusable"):
        read_settings()


def test_every_setting_is_documented() -> None:
    example = (ROOT / ".env.example").read_text()
    documented = {
        line.lstrip("# ").partition("=")[0] for line in example.splitlines() if "=" in line
    }
    assert documented == {name.upper() for name in Settings.model_fields}


def start(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start the server as a user would, from a folder; it must end by itself."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "--app-dir",
            str(ROOT),
            "app:app",
            "--port",
            "0",
            *options,
        ],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "The database URL cannot be read"),
        ("sqlite:///missing/folder/app.db", "cannot be used: unable to open database file"),
        ("sqlite:///notes.txt", "cannot be used: file is not a database"),
        ("sqlite:///foreign.db", "holds tables of something else"),
        ("sqlite:///future.db", "does not fit migrations/"),
        ("postgresql://ada:s3cret@127.0.0.1:1/db", "cannot be used: "),
        ("mysql://ada:s3cret@127.0.0.1:1/db", "cannot be used: "),
    ],
)
def test_start_refuses_in_one_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    (tmp_path / "notes.txt").write_text("Not a database at all, and longer than a header. " * 30)
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE mine (id INTEGER)")
    foreign.close()
    migrate(f"sqlite:///{tmp_path}/future.db")
    with sqlite3.connect(tmp_path / "future.db") as future:
        future.execute("UPDATE alembic_version SET version_num = '9999'")
    future.close()
    result = start(tmp_path, url)
    assert result.returncode != 0
    assert sentence in result.stderr
    assert "s3cret" not in result.stderr
    assert "Traceback" not in result.stderr
    assert "File " not in result.stderr
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        tables = foreign.execute("SELECT name FROM sqlite_master").fetchall()
    foreign.close()
    assert tables == [("mine",)]


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_start_on_a_server_names_the_command_when_the_schema_is_behind(
    url: str, tmp_path: Path
) -> None:
    migrate(url, "0003")
    result = start(tmp_path, url)
    assert result.returncode != 0
    assert "run `alembic upgrade head` first" in result.stderr
    assert "Traceback" not in result.stderr
    migrate(url)


def test_a_sqlite_file_from_an_older_version_is_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    migrate(url, "0002")
    with serve(url) as client:
        new_user(client)
        health = client.get("/health/db").json()
        assert health["is_newest_revision"] is True


def test_several_workers_start_at_once_on_a_new_file(tmp_path: Path) -> None:
    script = (
        "from core.schema import prepare_schema\n"
        "from core.settings import parse_url\n"
        "input()\n"
        f"prepare_schema(parse_url('sqlite:///{(tmp_path / 'app.db').as_posix()}'))\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    errors = [worker.communicate("go\n")[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, errors
    with sqlite3.connect(tmp_path / "app.db") as file:
        assert file.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    file.close()


def test_statistics_read_from_their_own_database(
    request: pytest.FixtureRequest, url: str, dialect: str, tmp_path: Path
) -> None:
    copy = f"sqlite:///{tmp_path}/replica.db"
    migrate(copy)
    with serve(url, DATABASE_READ_URL=copy) as client:
        new_user(client)
        assert client.get("/users/stats/active-count").json() == {"active_users": 0}
        assert len(client.get("/users").json()) == 1
    with serve(copy) as replica:
        new_user(replica)
    with serve(url, DATABASE_READ_URL=copy) as client:
        assert client.get("/users/stats/active-count").json() == {"active_users": 1}


def test_health(client: httpx.Client, url: str, dialect: str) -> None:
    health = client.get("/health")
    assert health.status_code == 200
    assert health.json()["status"] == "healthy"
    assert health.json()["database"]["dialect"] == dialect
    pool = client.get("/health/db").json()
    assert pool["pool_size"] == (1 if dialect == "sqlite" else 10)
    assert pool["checked_out"] == 0
    with sa.create_engine(parse_url(url), poolclass=sa.NullPool).connect() as connection:
        assert pool["revision"] == schema_revisions(connection)[1]


def test_root_and_docs(client: httpx.Client) -> None:
    root = client.get("/").json()
    assert root["message"] == "API is running"
    assert client.get(root["docs"]).status_code == 200
    assert client.get("/docs/").status_code == 200
