"""docs/courses.md: what it says of the courses' code is so, with the versions that are pinned.

Each row of its table "What changed, what was wrong" has a name; the test of that name shows it.
"""

import asyncio
import gc
import importlib
import re
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pydantic
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from conftest import serve
from core.schema import prepare_schema
from core.settings import StartupError, parse_url
from models import PASSWORDS, Base

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "courses.md").read_text(encoding="utf-8")


class Table(orm.DeclarativeBase):
    """Tables as the courses write them."""


class User(Table):
    """A user of a course."""

    __tablename__ = "users"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email: orm.Mapped[str] = orm.mapped_column(sa.String(50), unique=True)
    made: orm.Mapped[datetime] = orm.mapped_column(
        sa.DateTime(timezone=True), server_default=sa.func.now()
    )
    posts: orm.Mapped[list["Post"]] = orm.relationship()


class Post(Table):
    """A post of a course."""

    __tablename__ = "posts"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    user_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("users.id"))
    price: orm.Mapped[float] = orm.mapped_column(default=0.0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Yield an engine as the courses make it, with a user and a post."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/course.db")
    Table.metadata.create_all(engine)
    with orm.Session(engine) as db:
        db.add(User(email="ada@example.com", posts=[Post(price=10)]))
        db.commit()
    yield engine
    engine.dispose()


def test_every_claim_of_the_page_has_a_test() -> None:
    table = PAGE.partition("## What changed, what was wrong")[2].partition("\n## ")[0]
    claims = re.findall(r"^\| `([a-z0-9_]+)` \|", table, re.MULTILINE)
    tests = [name.removeprefix("test_") for name in globals() if name.startswith("test_")]
    assert len(claims) > 25
    assert sorted(claims) == sorted(name for name in tests if not name.startswith("every_"))


def test_every_place_that_the_page_names_exists() -> None:
    for module, name in re.findall(r"`(app|crud|database|models|core/\w+)\.(\w+)`", PAGE):
        if name != "py":
            assert hasattr(importlib.import_module(module.replace("/", ".")), name), (module, name)
    for file in re.findall(r"`((?:core|migrations)/\w*(?:\.py)?|\w+\.py)`", PAGE):
        assert (ROOT / file).exists() or file == "schemas.py", file
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for heading in re.findall(r'README "(.+?)"', PAGE):
        assert f"\n## {heading}\n" in readme, heading
    named = re.findall(r'`(\w+\.py)`,? sections? ("[^|]+?)(?: \||:)', PAGE)
    assert len(named) > 10
    for file, sections in named:
        for section in re.findall('"(.+?)"', sections):
            assert f"\n# ── {section} ─" in (ROOT / file).read_text(encoding="utf-8"), section


# ── Names that moved ─────────────────────────────────────────────────────────────────────────────


def test_declarative_base() -> None:
    from sqlalchemy.ext.declarative import declarative_base

    with pytest.warns(sa.exc.MovedIn20Warning):
        declarative_base()


def test_orm_mode() -> None:
    with (
        pytest.warns(UserWarning, match="'orm_mode' has been renamed to 'from_attributes'"),
        pytest.warns(pydantic.PydanticDeprecatedSince20, match="class-based `config`"),
    ):

        class Answer(pydantic.BaseModel):
            id: int

            class Config:
                orm_mode = True

    with pytest.raises(pydantic.ValidationError):
        Answer.model_validate(User(id=1))


def test_dict() -> None:
    class Input(pydantic.BaseModel):
        name: str

    with pytest.warns(pydantic.PydanticDeprecatedSince20, match="model_dump"):
        Input(name="Ada").dict()


def test_query_get(engine: sa.Engine) -> None:
    with orm.Session(engine) as db, pytest.warns(sa.exc.LegacyAPIWarning):
        assert db.query(User).get(1) is db.get(User, 1)


def test_db_query(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        assert db.query(User).all() == list(db.scalars(sa.select(User)))
    assert not hasattr(AsyncSession, "query")


def test_utcnow() -> None:
    with warnings.catch_warnings(action="ignore"):  # DeprecationWarning from Python 3.12 on
        assert datetime.utcnow().tzinfo is None


def test_on_event() -> None:
    app = FastAPI()
    with pytest.warns(DeprecationWarning, match="lifespan"):
        app.on_event("startup")


def test_psycopg2() -> None:
    assert sa.create_engine("postgresql://u@h/d").driver == "psycopg"
    with pytest.raises(ModuleNotFoundError, match="psycopg2"):
        sa.create_engine("postgresql+psycopg2://u@h/d")


def test_asyncpg() -> None:
    url = "postgresql+psycopg://u@h/d"
    assert create_async_engine(url).driver == sa.create_engine(url).driver == "psycopg"


def test_check_same_thread(engine: sa.Engine) -> None:
    connection = engine.connect()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(connection.scalar, sa.select(User.id)).result() == 1
    connection.close()


def test_pool_of_memory() -> None:
    with pytest.raises(TypeError, match="max_overflow"):
        sa.create_engine("sqlite:///:memory:", pool_size=10, max_overflow=20, pool_timeout=30)


# ── Schemas ──────────────────────────────────────────────────────────────────────────────────────


def test_exclude_none() -> None:
    class Update(pydantic.BaseModel):
        bio: str | None = None

    sent = Update.model_validate({"bio": None})
    assert sent.model_dump(exclude_none=True) == {}
    assert sent.model_dump(exclude_unset=True) == {"bio": None}


def test_sha256() -> None:
    first, second = (sha256(b"Secret123").hexdigest() for _ in range(2))
    assert first == second
    assert PASSWORDS.hash("Secret123") != PASSWORDS.hash("Secret123")
    assert PASSWORDS.verify("Secret123", PASSWORDS.hash("Secret123"))


def test_float_money() -> None:
    assert sum([0.1, 0.1, 0.1]) != 0.3
    assert sum([Decimal("0.1")] * 3) == Decimal("0.3")


def test_route_order() -> None:
    app = FastAPI()

    @app.get("/users/{user_id}")
    def read_user(user_id: int) -> int:
        return user_id

    @app.get("/users/active")
    def read_active() -> list[int]:
        return []

    assert TestClient(app).get("/users/active").status_code == 422


def test_name_of_nobody() -> None:
    product = None
    with pytest.raises(AttributeError):
        HTTPException(400, f"Insufficient stock for {product.name}")  # type: ignore[attr-defined]


# ── Sessions and transactions ────────────────────────────────────────────────────────────────────


def test_sync_in_async() -> None:
    app, asked = FastAPI(), threading.Event()

    @app.get("/async")
    async def wait_in_async_def() -> bool:
        return asked.wait(1)  # stands for a statement of a sync session

    @app.get("/def")
    def wait_in_def() -> bool:
        return asked.wait(10)

    @app.get("/ask")
    async def ask() -> None:
        asked.set()

    with serve("sqlite:///unused.db", app) as client, ThreadPoolExecutor(1) as other:
        for path, served in (("/async", False), ("/def", True)):
            asked.clear()
            waiting = other.submit(client.get, path)
            client.get("/ask")
            if path == "/async" and waiting.result().json():
                continue  # the other request was faster: it came before the wait
            assert waiting.result().json() is served


def test_commit_after_the_answer() -> None:
    app = FastAPI()

    def get_db() -> Iterator[None]:
        yield
        raise RuntimeError("the commit failed")

    @app.post("/users", status_code=201, dependencies=[Depends(get_db)])
    def create_user() -> dict[str, int]:
        return {"id": 1}

    @app.post("/safe", status_code=201, dependencies=[Depends(get_db, scope="function")])
    def create_safely() -> dict[str, int]:
        return {"id": 1}

    client = TestClient(app, raise_server_exceptions=False)
    assert client.post("/users").status_code == 201
    assert client.post("/safe").status_code == 500


def test_lost_update(engine: sa.Engine) -> None:
    with orm.Session(engine) as one, orm.Session(engine) as two:
        posts = [db.get_one(Post, 1) for db in (one, two)]
        for post, db in zip(posts, (one, two), strict=True):
            post.price -= 1
            db.commit()
    with orm.Session(engine) as db:
        assert db.get_one(Post, 1).price == 9  # twice one was taken from ten


def test_select_before_insert(engine: sa.Engine) -> None:
    with orm.Session(engine) as one, orm.Session(engine) as two:
        for db in (one, two):
            assert not db.scalar(sa.select(User.id).where(User.email == "new@example.com"))
        for db in (one, two):
            db.add(User(email="new@example.com"))
        one.commit()
        with pytest.raises(sa.exc.IntegrityError):
            two.commit()


def test_retry_around_commit(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        db.add(User(email="ada@example.com"))
        with pytest.raises(sa.exc.IntegrityError):
            db.commit()
        db.rollback()
        db.commit()  # the second attempt succeeds, and stores nothing
        assert db.scalar(sa.select(sa.func.count(User.id))) == 1


def test_str_of_the_error(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        db.add(User(email="ada@example.com"))
        with pytest.raises(sa.exc.IntegrityError) as caught:
            db.commit()
    assert "INSERT INTO users" in str(caught.value)
    assert "ada@example.com" in str(caught.value)


def test_expired_after_commit(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        user = db.get_one(User, 1)
        db.commit()
    with pytest.raises(orm.exc.DetachedInstanceError):
        _ = user.email


# ── SQL ──────────────────────────────────────────────────────────────────────────────────────────


def test_foreign_keys_of_sqlite(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        db.add(Post(user_id=99))
        db.commit()
        assert db.scalar(sa.select(sa.func.count(Post.id))) == 2


def test_like(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        assert db.scalars(sa.select(User).where(User.email.ilike("%_%"))).all()
        assert not db.scalars(
            sa.select(User).where(User.email.contains("_", autoescape=True))
        ).all()


def test_timezone_of_sqlite(engine: sa.Engine) -> None:
    with orm.Session(engine) as db:
        made = db.get_one(User, 1).made
    assert (made.tzinfo, made.microsecond) == (None, 0)


def test_returning(engine: sa.Engine) -> None:
    statement = sa.update(User).where(User.id == 1).values(email="new@example.com").returning(User)
    with orm.Session(engine) as db:
        assert db.scalars(statement).one().email == "new@example.com"


def test_joinedload_in_async(engine: sa.Engine) -> None:
    asyncio.run(load_in_async(engine.url.set(drivername="sqlite+aiosqlite")))


async def load_in_async(url: sa.URL) -> None:
    async_engine = create_async_engine(url)
    async with AsyncSession(async_engine) as db:
        joined = sa.select(User).options(orm.joinedload(User.posts))
        user = (await db.scalars(joined)).unique().one()
        assert [post.id for post in user.posts] == [1]
        db.expunge_all()
        lazy = await db.get_one(User, 1)
        with warnings.catch_warnings(action="ignore"):  # what the load began is never awaited
            with pytest.raises(sa.exc.StatementError, match="MissingGreenlet"):
                _ = lazy.posts
            gc.collect()
    await async_engine.dispose()


def test_alter_column_on_sqlite(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        op = Operations(MigrationContext.configure(connection))
        op.alter_column("users", "email", new_column_name="address")
        with pytest.raises(sa.exc.OperationalError, match='near "ALTER": syntax error'):
            op.alter_column("users", "address", nullable=False)
        with pytest.raises(NotImplementedError, match="No support for ALTER of constraints"):
            op.create_unique_constraint("uq", "users", ["address"])


def test_create_all_beside_alembic(tmp_path: Path) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/app.db")
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with pytest.raises(StartupError):
        prepare_schema(url)


def test_grant_on_database(postgresql_server: sa.URL) -> None:
    admin = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        run = connection.exec_driver_sql
        run("CREATE DATABASE blogdb TEMPLATE template0")
        run("CREATE USER bloguser WITH PASSWORD 'password123'")
        run("GRANT ALL PRIVILEGES ON DATABASE blogdb TO bloguser")
        own = postgresql_server.set(database="blogdb")
        try:
            with sa.create_engine(own, poolclass=sa.NullPool).connect() as blog:
                blog.exec_driver_sql("SET ROLE bloguser")
                with pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema"):
                    blog.exec_driver_sql("CREATE TABLE users (id int)")
            run("ALTER DATABASE blogdb OWNER TO bloguser")
            with sa.create_engine(own, poolclass=sa.NullPool).connect() as blog:
                blog.exec_driver_sql("SET ROLE bloguser")
                blog.exec_driver_sql("CREATE TABLE users (id int)")
        finally:
            run("DROP DATABASE blogdb WITH (FORCE)")
            run("DROP USER bloguser")
