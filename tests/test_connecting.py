"""Databases as they are met: behind a pooler, with arguments in the URL, with TLS, moved away."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.dialects.mysql.base import MySQLDialect

from app import app, lifespan
from conftest import (
    DIALECTS,
    NewDatabase,
    as_text,
    free_port,
    initialize_as_mysql_8,
    lines_of,
    migrate,
    new_order,
    new_post,
    new_product,
    new_user,
    serve,
    statements,
)
from core.arguments import arguments_for
from core.engines import close_async_engine, open_async_engine
from core.routing import DatabaseRoute
from core.schema import migration_engine, prepare_schema
from core.settings import Settings, StartupError, parse_url
from database import ReadDb
from models import Tag

PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
MARIADB = ["mysql"] if "mysql" in DIALECTS else []  # where TEST_MYSQL_URL is set


# ── PgBouncer ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def running(command: list[str], ready: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the end of the block; it is ready when it has logged some words."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        log = lines_of(program.stderr)
        assert any(ready in line for line in log), f"{command[0]} did not start"
        try:
            yield program
        finally:
            program.terminate()
            list(log)  # to its end


@contextmanager
def pgbouncer(server: sa.URL, mode: str) -> Iterator[sa.URL]:
    """Run PgBouncer before a server, and yield the URL that leads through it."""
    host, port = server.query.get("host", server.host), free_port()
    size = 4 if mode == "transaction" else 20  # in session mode each client holds one
    user = f"user={server.username}"
    if server.password:
        user += f" password={server.password}"
    folder = Path(mkdtemp(prefix="pgbouncer-"))
    folder.chmod(0o755)
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={host} port={server.port or 5432} {user}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
        "query_wait_timeout = 10\n"
    )
    command = [PGBOUNCER, str(folder / "pgbouncer.ini")]
    if os.getuid() == 0:  # which PgBouncer refuses to run as; the socket's folder is its owner's
        command[1:1] = ["-u", Path(str(host)).owner() if str(host).startswith("/") else "nobody"]
    with running(command, "process up"):
        yield sa.URL.create(
            "postgresql", server.username, server.password, "127.0.0.1", port, server.database
        )
    shutil.rmtree(folder)


@pytest.fixture(scope="session", params=["session", "transaction"])
def bouncer(
    request: pytest.FixtureRequest, postgresql_server: sa.URL
) -> Iterator[tuple[str, sa.URL]]:
    """Yield PgBouncer's mode and its URL; the database has still to be named."""
    if not Path(PGBOUNCER).exists():
        pytest.skip("PgBouncer is not installed")
    with pgbouncer(postgresql_server, request.param) as url:
        yield request.param, url


@pytest.fixture
def through_bouncer(
    bouncer: tuple[str, sa.URL], postgresql_databases: NewDatabase
) -> Iterator[str]:
    """Yield the URL of a fresh database behind PgBouncer."""
    with postgresql_databases() as direct:
        yield as_text(bouncer[1].set(database=parse_url(direct).database))


def test_many_requests_through_pgbouncer(through_bouncer: str) -> None:
    with serve(through_bouncer, DATABASE_POOL_SIZE="4") as client:

        def visit(number: int) -> list[int]:
            user = new_user(client, name=f"User {number}")
            product = new_product(client)
            order = new_order(client, user["id"], {product["id"]: 2})
            answers = [
                client.get(path)
                for path in (
                    f"/users/{user['id']}",
                    f"/async/users/{user['id']}",
                    "/users?limit=5",
                    f"/orders/{order['id']}/details",
                    "/orders/stats/summary",
                    "/health/db",
                )
            ]
            answers.append(client.put(f"/async/users/{user['id']}", json=user))
            answers.append(client.patch(f"/users/{user['id']}", json={"age": 7}))
            return [answer.status_code for answer in answers]

        with ThreadPoolExecutor(8) as threads:
            statuses = [status for answers in threads.map(visit, range(12)) for status in answers]
        assert set(statuses) == {200}
        assert client.get("/users/page").json()["total"] == 12


def test_settings_of_a_connection_through_pgbouncer(through_bouncer: str) -> None:
    learners = FastAPI(lifespan=lifespan)
    learners.exception_handlers.update(app.exception_handlers)
    learners.router.route_class = DatabaseRoute

    @learners.post("/read-only")
    def write_with_a_reading_session(db: ReadDb) -> None:
        db.add(Tag(name="half"))
        db.flush()

    with serve(through_bouncer, learners) as client:
        assert client.post("/read-only").status_code == 500
    with serve(through_bouncer, DATABASE_LOCK_TIMEOUT="1") as client:
        new_user(client)
        client.get("/users")
        with migration_engine(parse_url(through_bouncer)).begin() as other:
            other.exec_driver_sql("UPDATE users SET age = 7")
            assert client.patch("/users/1", json={"age": 5}).status_code == 503
            assert client.get("/users/1").json()["age"] is None
        assert client.patch("/users/1", json={"age": 5}).status_code == 200
        # What the app sets for itself stays with it: other programs share the same connections.
        plain = through_bouncer.replace("+psycopg", "")
        for _ in range(8):
            with psycopg.connect(plain) as other_program:
                for name, value in {
                    "lock_timeout": "0",
                    "default_transaction_read_only": "off",
                }.items():
                    row = other_program.execute(f"SHOW {name}", prepare=False).fetchone()
                    assert row == (value,)


def test_migrations_through_pgbouncer(through_bouncer: str) -> None:
    migrate(through_bouncer, "0003")
    migrate(through_bouncer)
    with serve(through_bouncer) as client:
        assert client.get("/health/db").json()["is_newest_revision"] is True


# ── Arguments in the URL ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_options_of_the_url_hold_for_migrations_and_requests(url: str) -> None:
    """A schema of one's own, and a wait that is shorter than the app's."""
    direct = parse_url(url)
    with migration_engine(direct).begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA staging")
    options = "-c search_path=staging -c lock_timeout=100ms"
    staging = as_text(direct.update_query_dict({"options": options}))
    migrate(staging)
    with serve(staging, DATABASE_LOCK_TIMEOUT="60") as client:
        new_user(client)
        assert len(client.get("/users").json()) == len(client.get("/async/users").json()) == 1
        assert client.get("/users/stats/active-count").json() == {"active_users": 1}
        with migration_engine(direct).begin() as connection:
            connection.exec_driver_sql("UPDATE staging.users SET age = 7")
            assert client.patch("/users/1", json={"age": 5}).status_code == 503
    with serve(url) as client:
        assert client.get("/users").json() == []


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_options_of_the_environment_hold_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA staging")
    with serve(url) as client:
        new_user(client)
    monkeypatch.setenv("PGOPTIONS", "-c search_path=staging")
    migrate(url)
    with serve(url) as client:
        assert client.get("/users").json() == []


@pytest.mark.parametrize(
    ("argument", "mode"),
    [
        ("ssl=require", "require"),
        ("ssl=true", "require"),
        ("ssl-mode=VERIFY_IDENTITY", "verify-full"),
        ("sslmode=verify-ca", "verify-ca"),
        ("ssl=disable", "disable"),
    ],
)
def test_tls_is_demanded_of_postgresql_however_it_is_spelled(argument: str, mode: str) -> None:
    url, _ = arguments_for(parse_url(f"postgresql://host/db?{argument}"))
    assert url.query == {"sslmode": mode}


@pytest.mark.parametrize("dialect", MARIADB)
def test_init_command_of_the_url_holds(url: str) -> None:
    command = "SET innodb_lock_wait_timeout = 1"
    mine = as_text(parse_url(url).update_query_dict({"init_command": command}))
    with serve(mine, DATABASE_LOCK_TIMEOUT="60") as client:
        user = new_user(client)
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("UPDATE users SET age = 7")
            for path in ("/users/1", "/async/users/1"):
                body = {"name": user["name"], "email": user["email"]}
                assert client.put(path, json=body).status_code == 503


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_prepare_threshold_and_service_of_the_url(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("0", "None"):
        changed = as_text(parse_url(url).update_query_dict({"prepare_threshold": value}))
        with serve(changed) as client:
            new_user(client)
            assert client.get("/async/users").status_code == 200
    direct = parse_url(url)
    host = direct.query.get("host", direct.host)
    (tmp_path / "service.conf").write_text(
        f"[mine]\nhost={host}\ndbname={direct.database}\nuser={direct.username}\n"
        f"port={direct.port or 5432}\npassword={direct.password}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "service.conf"))
    with serve("postgresql://?service=mine") as client:
        assert len(client.get("/users").json()) == len(client.get("/async/users").json()) == 2
    monkeypatch.setenv("PGSERVICE", "mine")
    with serve("postgresql://") as client:
        assert len(client.get("/users").json()) == 2
    monkeypatch.delenv("PGSERVICE")
    for name, text in {
        "PGHOST": host,
        "PGUSER": direct.username,
        "PGPASSWORD": direct.password,
        "PGDATABASE": direct.database,
    }.items():
        monkeypatch.setenv(name, str(text or ""))
    with serve("postgresql:///") as client:
        assert len(client.get("/users").json()) == 2


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_the_host_that_takes_writes_is_found(url: str) -> None:
    """PostgreSQL's own form of several hosts; the first has nobody who listens."""
    direct = parse_url(url)
    host = str(direct.query.get("host", direct.host)).replace("/", "%2F")
    several = f"127.0.0.1:{free_port()},{host}:{direct.port or 5432}"
    password = f":{direct.password}" if direct.password else ""
    address = f"postgresql://{direct.username}{password}@{several}/{direct.database}"
    with serve(f"{address}?target_session_attrs=read-write") as client:
        new_user(client)
        assert client.get("/async/users/1").status_code == 200


# ── MariaDB with TLS, and other ways to log in ───────────────────────────────────────────────────


def make_certificates(folder: Path) -> None:
    """Make an authority, and a certificate that it gives to 127.0.0.1."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority")
    (folder / "san.txt").write_text("subjectAltName=IP:127.0.0.1")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=db")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san.txt")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)
    openssl("req", "-x509", *key, "-keyout", "x.key", "-out", "other.pem", "-subj", "/CN=Other")


@pytest.fixture(scope="session")
def mariadb_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, sa.URL]]:
    """Yield a folder with ca.pem, and the URL of a MariaDB server that has TLS, migrated."""
    folder = Path(mkdtemp(prefix="mariadb-"))
    make_certificates(folder)
    user, port = getuser(), free_port()
    # A folder of its own for temporary tables: a server that starts empties the folder that it is
    # given, and in /tmp it would take those of a server that another test process is installing.
    common = ["--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}", f"--user={user}"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    install += ["--skip-test-db"]  # and no anonymous users, who would come before the others
    subprocess.run(install, check=True, capture_output=True)
    server = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", *common, f"--port={port}"]
    server += [
        "--bind-address=127.0.0.1",
        f"--socket={folder}/socket",
        "--plugin-load=auth_ed25519",
    ]
    server += [f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key"]
    with running([*server, "--innodb-buffer-pool-size=16M"], "ready for connections"):
        address = f"mysql://root@localhost/?unix_socket={folder}/socket"
        with sa.create_engine(address.replace("mysql:", "mysql+pymysql:")).begin() as connection:
            for statement in (
                "CREATE DATABASE shop",
                "CREATE USER ada IDENTIFIED BY 's3cret' REQUIRE SSL",
                "CREATE USER eve IDENTIFIED VIA ed25519 USING PASSWORD('s3cret')",
                "GRANT ALL ON shop.* TO ada, eve",
            ):
                connection.exec_driver_sql(statement)
        migrate(f"mysql://root@localhost/shop?unix_socket={folder}/socket")
        yield folder, parse_url(f"mysql://ada:s3cret@127.0.0.1:{port}/shop")
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "arguments",
    [
        "ssl_ca={folder}/ca.pem&read_timeout=20&write_timeout=20",
        "ssl_ca={folder}/ca.pem&ssl-mode=VERIFY_IDENTITY",
        "ssl-mode=REQUIRED",
        "ssl=require",
        "ssl=true",
    ],
)
@pytest.mark.skipif(not MARIADB, reason="TEST_MYSQL_URL is not set")
def test_tls_to_mariadb_for_both_drivers(
    mariadb_with_tls: tuple[Path, sa.URL], arguments: str
) -> None:
    folder, url = mariadb_with_tls
    with serve(f"{as_text(url)}?{arguments.format(folder=folder)}") as client:
        user = new_user(client)
        for path in (f"/users/{user['id']}", f"/async/users/{user['id']}"):
            assert client.get(path).json()["email"] == user["email"]
            assert client.put(path, json=user).status_code == 200


@pytest.mark.skipif(not MARIADB, reason="TEST_MYSQL_URL is not set")
def test_a_server_that_cannot_prove_itself_is_refused(
    mariadb_with_tls: tuple[Path, sa.URL],
) -> None:
    folder, url = mariadb_with_tls
    other = f"{as_text(url)}?ssl_ca={folder}/other.pem"
    with pytest.raises(StartupError, match=r"cannot be used: .*certificate verify failed"):
        prepare_schema(parse_url(other))
    name = f"{as_text(url.set(host='localhost'))}?ssl_ca={folder}/ca.pem"
    with pytest.raises(StartupError, match="certificate is not valid for 'localhost'"):
        prepare_schema(parse_url(name))
    prepare_schema(parse_url(f"{name}&ssl_check_hostname=false"))
    with pytest.raises(StartupError, match="Access denied"):  # this user must have TLS
        prepare_schema(parse_url(f"{as_text(url)}?ssl-mode=DISABLED"))


@pytest.mark.parametrize("dialect", MARIADB)
def test_a_server_without_tls_is_refused_by_both_drivers(url: str) -> None:
    demanding = parse_url(url).update_query_dict({"ssl": "require"})
    with sa.create_engine(parse_url(url), poolclass=sa.NullPool).connect() as connection:
        if connection.exec_driver_sql("SELECT @@have_ssl").scalar() == "YES":
            pytest.skip("this server has TLS")
    with pytest.raises(StartupError, match=r"cannot be used: .*SSL"):
        prepare_schema(demanding)

    async def connect() -> None:
        engine = open_async_engine(demanding, Settings())
        try:
            async with engine.connect():
                pass
        finally:
            await close_async_engine(engine)

    with pytest.raises(sa.exc.OperationalError, match="does not support TLS"):
        asyncio.run(connect())


@pytest.mark.skipif(not MARIADB, reason="TEST_MYSQL_URL is not set")
def test_a_login_that_needs_a_package_names_it(mariadb_with_tls: tuple[Path, sa.URL]) -> None:
    url = mariadb_with_tls[1].set(username="eve")
    with pytest.raises(StartupError, match="'pynacl' package is required") as refusal:
        prepare_schema(url)
    assert "s3cret" not in str(refusal.value)


# ── MySQL 8 ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", MARIADB)
def test_rows_are_inserted_without_returning(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """MySQL 8 has no INSERT … RETURNING, and ids that need not follow each other."""
    monkeypatch.setattr(MySQLDialect, "initialize", initialize_as_mysql_8)
    gaps = {"init_command": "SET auto_increment_increment = 7"}
    address = as_text(parse_url(url).update_query_dict(gaps))
    with serve(address) as client, statements() as sent:
        users = [{"name": f"User {n}", "email": f"{9 - n}@example.com"} for n in range(5)]
        created = client.post("/users/bulk", json=users)
        assert created.status_code == 201
        assert [user["email"] for user in created.json()] == [u["email"] for u in users]
        assert client.get("/users").json() == created.json()
        taken = client.post("/users/bulk", json=[{"name": "New", "email": "n@example.com"}, *users])
        assert taken.json()["detail"].startswith("Email already registered: ")
        products = [new_product(client)["id"] for _ in range(3)]
        order = new_order(client, created.json()[0]["id"], dict.fromkeys(products, 2))
        assert client.get(f"/orders/{order['id']}").json() == order
        assert [item["product_id"] for item in order["items"]] == products
        posts = [new_post(client) for _ in range(2)]  # the second's slug is taken
        assert posts[0]["slug"] != posts[1]["slug"]
        body = {"name": "Ada Lovelace", "email": "ada@example.com"}
        assert client.post("/async/users", json=body).json()["name"] == body["name"]
    assert not any("RETURNING" in statement for statement in sent)


# ── A SQLite file that goes away ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_nothing_is_written_into_a_deleted_file(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = Path(parse_url(url).database or "")
    with serve(url) as client:
        new_user(client)
        assert client.get("/async/users/1").status_code == 200
        shutil.copy(file, tmp_path / "backup.db")
        for name in ("", "-wal", "-shm"):
            Path(f"{file}{name}").unlink(missing_ok=True)
        body = {"name": "Ada Lovelace", "email": "ada@example.com"}
        for path in ("/users", "/async/users"):
            assert client.post(path, json=body).status_code == 500
            assert client.get(path).status_code == 500
        assert client.get("/health").status_code == 503
        assert not file.exists()
        assert f"{file} was deleted: start the app again" in capfd.readouterr().err
        (tmp_path / "backup.db").rename(file)
        assert client.get("/users").json() == client.get("/async/users").json()
        assert client.post("/users", json=body).status_code == 201
        assert client.get("/health").status_code == 200
    with serve(url) as client:
        assert client.get("/users/by-email/ada@example.com").status_code == 200


# ── Behind a proxy, and called from a browser ────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("sent_by_the_proxy", ["", "/api/v1"])
def test_below_a_prefix(url: str, sent_by_the_proxy: str) -> None:
    """A proxy may take the prefix away or leave it: what the app answers is right for clients."""
    with serve(url, root_path="/api/v1", ADMIN_PASSWORD=uuid4().hex) as server:

        def get(path: str) -> httpx.Response:  # the client's path, as it arrives at the server
            return server.get(sent_by_the_proxy + path.removeprefix("/api/v1"))

        for path in ("/api/v1/", "/api/v1/users", "/api/v1/users/", "/api/v1/docs"):
            assert get(path).status_code == 200, path
        assert get("/api/v1/").json()["docs"] == "/api/v1/docs"
        page = get("/api/v1/docs").text
        addresses = re.findall(r'"(/[^"]+\.(?:js|css))"', page) + re.findall(r"'(/.*?json)'", page)
        assert len(addresses) == 3
        for address in addresses:
            assert address.startswith("/api/v1/")
            assert get(address).status_code == 200
        assert get("/api/v1/admin").headers["location"] == "/api/v1/admin/"
        assert "/api/v1/admin/login" in get("/api/v1/admin/").headers["location"]
        assert get("/api/v1/openapi.json").json()["servers"] == [{"url": "/api/v1"}]
        for _ in range(3):
            user = {"name": "Ada Lovelace", "email": f"{uuid4().hex}@example.com"}
            assert server.post(f"{sent_by_the_proxy}/users/", json=user).status_code == 201
        address, ids = "/api/v1/users?limit=1", []
        while address:
            page_of_one = get(address)
            ids += [user["id"] for user in page_of_one.json()]
            address = page_of_one.links.get("next", {}).get("url", "")
            assert address.startswith("/api/v1/users?") or not address
        assert ids == [1, 2, 3]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_pages_of_other_origins(url: str) -> None:
    front_end = {"Origin": "http://localhost:5173"}
    question = front_end | {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, idempotency-key",
    }
    allowed = "access-control-allow-origin"
    with serve(url, CORS_ORIGINS="http://localhost:5173/, https://shop.example.com") as client:
        answer = client.options("/users/1", headers=question)
        assert (answer.status_code, answer.headers[allowed]) == (200, "http://localhost:5173")
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        for path, status in (("/users", 200), ("/users/1", 404), ("/users/x", 422)):
            answer = client.get(path, headers=front_end)
            assert (answer.status_code, answer.headers[allowed]) == (status, front_end["Origin"])
            assert "Link" in answer.headers["access-control-expose-headers"]
        assert allowed not in client.get("/users", headers={"Origin": "http://evil"}).headers
    with serve(url) as client:
        assert allowed not in client.options("/users/1", headers=question).headers
        assert allowed not in client.get("/users", headers=front_end).headers
