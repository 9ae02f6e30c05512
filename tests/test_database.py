"""Settings, URLs, and what a start does to a database."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
import sqlalchemy as sa

import models
from conftest import DIALECTS, migrate, new_user, serve
from core.schema import migration_engine, prepare_schema, schema_revisions
from core.settings import Settings, StartupError, parse_url, read_settings, shown
from database import Database

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
        ("sqlite:///file:m?mode=memory&cache=shared&uri=true", "a database of its own"),
        ("sqlite://./app.db", "three slashes"),
        ("sqlite://ada:s3cret@/app.db", "three slashes"),
        ("postgresql:///", "names no database"),
        ("postgresql://ada:p@s3cret@host/db", "%40 for an @"),
        ("postgresql://ada:p@s3cret/w%rd@host/db", "%40 for an @"),
        ("postgresql://ada:p@s3cret?word@host/db", "%40 for an @"),
        ("mysql://ada:p@s3cret@host/db", "%40 for an @"),
    ],
)
def test_parse_url_refuses_in_one_sentence(pasted: str, reason: str) -> None:
    with pytest.raises(StartupError, match=reason) as refusal:
        parse_url(pasted)
    assert "s3cret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("pasted", "password", "place"),
    [
        ("postgresql://ada:p%40s%2Fs%25@host/db", "p@s/s%", "ada:***@host/db"),
        ("postgresql://ada:pa,ss@host/db", "pa,ss", "ada:***@host/db"),
        ("postgresql://ada:8431,2277@host:9432/db", "8431,2277", "ada:***@host:9432/db"),
        ("postgresql://ada:pa,s?s@host/db", "pa,s?s", "ada:***@host/db"),
        ("postgresql://ada:pa?ss/w#rd@host/db", "pa?ss/w#rd", "ada:***@host/db"),
        ("postgresql://ada@host/db?password=s3cret", "s3cret", "ada:***@host/db"),
        ("mysql://ada@host/db?passwd=s3cr@et", "s3cr@et", "ada:***@host/db"),
        ("mysql://ada@server:s3cret@host/db", "s3cret", "ada%40server:***@host/db"),
        ("postgresql://ada:s3cret@host/db?sslpassword=key", "s3cret", "ada:***@host/db"),
        ("postgresql://ada:s3cret@host/db\r\n", "s3cret", "ada:***@host/db"),
    ],
)
def test_a_password_is_taken_as_it_is_and_shown_nowhere(
    pasted: str, password: str, place: str
) -> None:
    url = parse_url(pasted)
    assert url.password == password
    assert shown(url).partition("://")[2] == place


def test_several_hosts_and_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    several = parse_url("postgresql://ada:pw@one:1,two:2/db?target_session_attrs=read-write")
    assert (several.query["host"], several.database) == (("one:1", "two:2"), "db")
    several = parse_url("postgresql://ada:p,w@one:1,two:2/db")
    assert (several.query["host"], several.password) == (("one:1", "two:2"), "p,w")
    assert parse_url("postgresql://one:1,two:2/db").query["host"] == ("one:1", "two:2")
    assert parse_url("postgresql://ada@%2Frun%2Fpostgresql/db").host == "/run/postgresql"
    assert parse_url("postgresql://?service=mine").query == {"service": "mine"}
    monkeypatch.setenv("PGDATABASE", "mine")
    assert parse_url("postgresql://").database is None


def test_settings_come_from_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert read_settings().database_url == "sqlite:///./app.db"
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / ".env").write_text(
            "DATABASE_URL=sqlite:///./other.db\nUNKNOWN=1\n", encoding=encoding
        )
        assert read_settings().database_url == "sqlite:///./other.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///./third.db")
    assert read_settings().database_url == "sqlite:///./third.db"
    for name in ("DATABASE_LOCK_TIMEOUT", "REQUEST_TIMEOUT"):  # which no database would take
        monkeypatch.setenv(name, "40000")
        with pytest.raises(StartupError, match=f"{name} is unusable: .* 3600"):
            read_settings()
        monkeypatch.setenv(name, "3600")
    monkeypatch.setenv("API_KEY", " pasted with spaces ")
    assert read_settings().api_key == "pasted with spaces"
    monkeypatch.setenv("DATABASE_POOL_SIZE", "none")
    with pytest.raises(StartupError, match="DATABASE_POOL_SIZE is unusable"):
        read_settings()
    for encoding in ("utf-16", "latin-1"):
        (tmp_path / ".env").write_text("# für später\n", encoding=encoding)
        with pytest.raises(StartupError, match=r"\.env is not UTF-8"):
            read_settings()


def test_every_setting_is_documented() -> None:
    example = (ROOT / ".env.example").read_text()
    documented = {
        line.lstrip("# ").partition("=")[0] for line in example.splitlines() if "=" in line
    }
    assert documented == {name.upper() for name in Settings.model_fields}


COMMANDS = {
    "uvicorn": ["-m", "uvicorn", "app:app", "--port", "0"],
    "alembic": ["-m", "alembic", "upgrade", "head"],
    "demo.py": ["demo.py", "--users", "1"],
}


def run(
    command: str, url: str, folder: Path = ROOT, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run one of the project's commands as a user would; it must end by itself."""
    return subprocess.run(
        [sys.executable, *COMMANDS[command]],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": url, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


CANNOT_START = [
    ("nonsense", "DATABASE_URL cannot be read"),
    ("sqlite:///{folder}/missing/app.db", "cannot be used: unable to open database file"),
    ("sqlite:///{folder}/notes.txt", "cannot be used: file is not a database"),
    ("sqlite:///{folder}/foreign.db", "holds tables of something else (mine)"),
    ("sqlite:///{folder}/future.db", "does not fit migrations/"),
    ("sqlite:///{folder}/app.db?nosuch=1", "no argument is called 'nosuch'"),
    ("sqlite:///{folder}/app.db?timeout=long", "could not convert string to float"),
    ("postgresql://ada:s3cret@127.0.0.1:1/db", "cannot be used: "),
    ("postgresql://ada:p@s3cret@127.0.0.1:1/db", "write %40 for an @"),
    ("postgresql://ada@127.0.0.1:1/db?password=s3cret", "cannot be used: "),
    ("postgresql://127.0.0.1:1/db?prepare_threshold=many", "neither None nor a number"),
    ("postgresql://127.0.0.1:1/db?nosuch=1", "no argument is called 'nosuch'"),
    ("postgresql://127.0.0.1:1/db?ssl=maybe", "ssl=maybe is no kind of TLS"),
    ("postgresql://?service=nosuch", 'definition of service "nosuch" not found'),
    ("mysql://ada:s3cret@127.0.0.1:1/db", "cannot be used: Can't connect"),
    ("mysql://127.0.0.1:1/db?nosuch=1", "no argument is called 'nosuch'"),
    ("mysql://127.0.0.1:1/db?connect_timeout=long", "invalid literal for int()"),
    ("mysql://ada:s3cret@127.0.0.1:99999999/db", "cannot be used: "),
    ("mysql://ada:s3cret@127.0.0.1:1/db?charset=nosuch", "cannot be used: "),
    ("mysql://ada:s3cret@127.0.0.1:1/db?max_allowed_packet=x", "cannot be used: "),
    ("mysql://ada:пароль-s3cret@127.0.0.1:1/db", "as latin-1, which lacks a letter"),
    ("mysql://127.0.0.1:1/db?cursorclass=x", "no argument is called 'cursorclass'"),
    ("postgresql://ada:s3cret@127.0.0.1:99999999/db", "cannot be used: "),
    ("mysql://127.0.0.1:1/db?ssl_ca={folder}/missing.pem", "missing.pem cannot be used: No such"),
    ("mysql://127.0.0.1:1/db?ssl_ca={folder}/notes.txt", "notes.txt cannot be used: "),
    ("mysql://127.0.0.1:1/db?ssl-mode=MAYBE", "ssl-mode=MAYBE is no kind of TLS"),
]


@pytest.mark.parametrize(("url", "sentence"), CANNOT_START)
def test_start_refuses_in_one_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    url = url.format(folder=tmp_path)
    (tmp_path / "notes.txt").write_text("Not a database at all, and longer than a header. " * 30)
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE mine (id INTEGER)")
    foreign.close()
    migrate(f"sqlite:///{tmp_path}/future.db")
    with sqlite3.connect(tmp_path / "future.db") as future:
        future.execute("UPDATE alembic_version SET version_num = '9999'")
    future.close()
    with pytest.raises(StartupError) as refusal:
        prepare_schema(Database(Settings(database_url=url)).url)
    reason = str(refusal.value)
    assert sentence in reason
    assert "s3cret" not in reason
    assert "\n" not in reason
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        tables = foreign.execute("SELECT name FROM sqlite_master").fetchall()
    foreign.close()
    assert tables == [("mine",)]


@pytest.mark.sample(4)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ada:s3cret@127.0.0.1:1/db", "ada:***@127.0.0.1:1/db cannot be used: "),
        ("postgresql://ada:p@s3cret/w%rd@127.0.0.1/db", "write %40 for an @"),
        ("mysql://ada:s3cret@127.0.0.1:1/db?ssl_ca=nosuch.pem", "ssl_ca=nosuch.pem"),
    ],
)
def test_every_command_ends_in_one_sentence(command: str, url: str, sentence: str) -> None:
    result = run(command, url)
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if not line.startswith("INFO")]
    assert len(lines) <= 2, result.stderr  # uvicorn adds that it gives up
    assert sentence in lines[0]
    assert "s3cret" not in result.stderr + result.stdout


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_start_on_a_server_names_the_command_when_the_schema_is_behind(
    url: str,
) -> None:
    migrate(url, "0003")
    result = run("uvicorn", url)
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


@pytest.fixture
def copied_project(tmp_path: Path) -> Path:
    """Return a copy of the project, in a folder with a % in its name."""
    folder = tmp_path / "100% mine"
    ignore = shutil.ignore_patterns("__pycache__", "*.db")
    for name in ("core", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("app.py", "models.py", "crud.py", "database.py", "demo.py", "alembic.ini"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.long
def test_settings_and_data_are_found_from_any_folder(copied_project: Path, tmp_path: Path) -> None:
    (copied_project / ".env").write_text("DATABASE_URL=sqlite:///./data.db\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_")}

    def python(folder: Path, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    python(copied_project, "-m", "alembic", "upgrade", "head")
    script = str(copied_project / "demo.py")
    said = python(tmp_path, script, "--users=3", "--posts=0", "--products=0", "--orders=0")
    assert str(copied_project / "data.db") in unquote(said.replace("\n", ""))
    assert [file.name for file in tmp_path.rglob("*.db")] == ["data.db"]
    start = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from fastapi.testclient import TestClient\n"
        "from app import app\n"
        "with TestClient(app) as client: print(len(client.get('/users').json()))"
    )
    assert python(tmp_path, "-c", start, str(copied_project)) == "3\n"


def test_exercise_12_works_in_a_folder_with_a_percent_sign(tmp_path: Path) -> None:
    folder = tmp_path / "100% mine"
    shutil.copytree(ROOT / "exercises" / "ex12_migrations" / "solution", folder)
    result = run("alembic", f"sqlite:///{tmp_path}/app.db", folder)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_replica_that_is_away_is_told_at_the_start(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve(url, DATABASE_READ_URL="postgresql://ada:s3cret@127.0.0.1:1/db") as client:
        assert client.get("/users").status_code == 200
    said = capfd.readouterr().err
    assert "DATABASE_READ_URL: The database postgresql+psycopg://ada:***@" in said
    assert "s3cret" not in said
    with serve(url, DATABASE_READ_URL="sqlite:////nowhere/replica.db") as client:
        assert client.get("/users").status_code == 200
    assert "DATABASE_READ_URL: The database sqlite:////nowhere/replica.db" in capfd.readouterr().err
    with pytest.raises(StartupError, match="DATABASE_READ_URL is unusable: it names no database"):
        Database(Settings(database_url=url, database_read_url="postgresql://ada@host"))


@pytest.mark.sample(1)
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_tables_of_something_else_are_left_alone(url: str) -> None:
    migrate(url, "base")
    engine = migration_engine(parse_url(url))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (mine INTEGER)")
    try:
        for command in ("uvicorn", "alembic"):
            result = run(command, url)
            assert result.returncode != 0
            assert "holds tables of something else (orders)" in result.stderr
            assert "Traceback" not in result.stderr
        with engine.connect() as connection:
            tables = set(sa.inspect(connection).get_table_names())
            assert tables - {"alembic_version"} == {"orders"}
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE orders")
        migrate(url)


@pytest.mark.sample(1)
def test_tables_made_by_create_all_are_stamped(url: str, dialect: str) -> None:
    """README's way for a database that was made without migrations."""
    migrate(url, "base")
    engine = migration_engine(parse_url(url))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    models.Base.metadata.create_all(engine)
    assert run("uvicorn", url).returncode != 0
    for words in (["stamp", "head"], ["check"]):
        command = [sys.executable, "-m", "alembic", *words]
        environment = os.environ | {"DATABASE_URL": url}
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    with serve(url) as client:
        new_user(client)


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
