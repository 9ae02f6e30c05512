"""One session for each request, however a route asks for it, and committed before the answer."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Annotated, Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.testclient import TestClient
from sqlmodel import Session, SQLModel, create_engine, select

import crud
import models
from app import app, lifespan
from conftest import new_user, serve
from core.access import Guard
from core.middleware import Limits
from core.routing import DatabaseRoute
from core.schema import migration_engine
from core.settings import parse_url
from database import AsyncDb, Db, ReadDb, get_db, shared_database

ROOT = Path(__file__).parent.parent
KEPT, LET_GO = Event(), Event()  # what a route says, and what it waits for
ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


class Note(SQLModel):
    """What a learner's route answers."""

    name: str
    sessions: int


def get_actor(db: Annotated[Session, Depends(get_db)]) -> Session:
    """Stand for a dependency that finds out who asks."""
    return db


def get_reading_actor(db: ReadDb) -> Iterator[Session]:
    """Stand for one that reads, and tidies up after the answer."""
    yield db


def learners_app(router: APIRouter) -> APIRouter:
    """Add routes as learners write them."""

    @router.post("/tags/{name}", status_code=201)
    def add_tag(
        name: str,
        db: Session = Depends(get_db),
        same: Session = Depends(get_actor),
        reading: Session = Depends(get_reading_actor),
    ) -> Note:
        db.add(models.Tag(name=name))
        db.flush()
        return Note(name=name, sessions=len({id(s) for s in (db, same, reading)}))

    @router.post("/plain/{name}", status_code=201)
    def add_tag_plainly(name: str, db: Db) -> models.Tag:
        tag = models.Tag(name=name)
        db.add(tag)
        db.flush()
        return tag

    @router.post("/late/{name}", status_code=201)
    def add_tag_too_late(name: str, db: Db) -> str:
        db.add(models.Tag(name=name))  # flushed by the commit, which may fail
        return name

    @router.get("/tags")
    def read_tags(db: ReadDb) -> list[models.Tag]:
        return list(db.exec(select(models.Tag).order_by(models.Tag.name)))

    @router.get("/teapot")
    def set_headers(db: ReadDb, request: Request, answer: Response) -> dict[str, str]:
        answer.headers["X-Method"] = request.method
        answer.status_code = 418
        return {"path": request.url.path}

    @router.get("/own")
    def answer_own(db: ReadDb) -> Response:
        return Response("text", 202)

    @router.get("/slow")
    def read_slowly(db: ReadDb) -> float:
        start = monotonic()
        while (seconds := monotonic() - start) < 1.5:
            db.connection().execute(sa.text("SELECT count(*) FROM tags"))
        return seconds

    @router.post("/keep")
    def keep_the_connection(db: Db, same: Session = Depends(get_actor)) -> None:
        KEPT.set()
        LET_GO.wait(30)

    @router.post("/keep-plainly")
    def keep_the_thread(db: Db) -> None:
        KEPT.set()
        LET_GO.wait(30)

    @router.get("/unnamed", dependencies=[Depends(get_db)])
    def read_nothing() -> list[int]:
        return [1]

    @router.get("/stream")
    def stream(db: ReadDb) -> Iterator[int]:
        yield from (1, 2)

    @router.get("/anything")
    def answer_without_a_type(db: ReadDb):  # type: ignore[no-untyped-def]
        return {"tags": list(db.exec(select(models.Tag)))}

    @router.post("/read-only/{name}")
    def write_with_a_reading_session(name: str, db: ReadDb) -> None:
        db.add(models.Tag(name=name))
        db.flush()

    return router


@pytest.fixture(params=["the app's own routes", "a router of its own"])
def project(request: pytest.FixtureRequest) -> FastAPI:
    """Return an app with learners' routes, in the app or in a plain APIRouter."""
    learners = FastAPI(lifespan=lifespan)
    learners.router.route_class = DatabaseRoute
    if request.param == "the app's own routes":
        learners_app(learners.router)
    else:
        learners.include_router(learners_app(APIRouter()), prefix="")
    learners.exception_handlers.update(app.exception_handlers)
    return learners


@pytest.fixture
def in_the_app() -> FastAPI:
    """Return an app with learners' routes in it."""
    learners = FastAPI(lifespan=lifespan)
    learners.exception_handlers.update(app.exception_handlers)
    learners.add_middleware(Guard)  # it answers bugs, and tells clients not to go on
    learners.router.route_class = DatabaseRoute
    learners_app(learners.router)
    return learners


def test_one_session_and_one_transaction(url: str, project: FastAPI) -> None:
    with serve(url, project) as client:
        for n in range(100):
            answer = client.post(f"/tags/{n:03}")
            assert (answer.status_code, answer.json()["sessions"]) == (201, 1)
            assert client.post(f"/plain/p{n:03}").json()["name"] == f"p{n:03}"
            names = {tag["name"] for tag in client.get("/tags").json()}
            assert {f"{n:03}", f"p{n:03}"} <= names
        taken = client.post("/tags/001")
        assert taken.status_code == 409
        assert client.post("/late/001").status_code == 409
        assert len(client.get("/tags").json()) == 200


def test_many_requests_that_ask_twice_do_not_wait_for_each_other(
    url: str, project: FastAPI
) -> None:
    settings = {"DATABASE_POOL_SIZE": "2", "DATABASE_LOCK_TIMEOUT": "20"}
    with serve(url, project, **settings) as client:

        async def post_all() -> list[httpx.Response]:
            async with httpx.AsyncClient(base_url=client.base_url, timeout=30) as many:
                return await asyncio.gather(*(many.post(f"/tags/{n}") for n in range(30)))

        answers = asyncio.run(post_all())
        assert {answer.status_code for answer in answers} == {201}


def test_the_wait_is_bounded_behind_a_request_that_asks_twice(
    url: str, in_the_app: FastAPI
) -> None:
    settings = {"DATABASE_POOL_SIZE": "1", "DATABASE_LOCK_TIMEOUT": "2"}
    KEPT.clear()
    LET_GO.clear()
    with serve(url, in_the_app, **settings) as client, ThreadPoolExecutor(12) as threads:
        keeping = threads.submit(client.post, "/keep")
        assert KEPT.wait(30)
        plain = []
        for n in range(10):  # one after the other, so that each has its own time to give up
            plain.append(threads.submit(client.post, f"/plain/{n}"))
            wait(plain, timeout=0.2)
        answers = [answer.result() for answer in plain]
        LET_GO.set()
        assert keeping.result().status_code == 200
        assert {answer.status_code for answer in answers} == {503}
        assert max(answer.elapsed.total_seconds() for answer in answers) < 3.3


def test_the_request_timeout_ends_a_longer_wait_for_a_connection(
    url: str, in_the_app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_app.add_middleware(Limits)
    settings = {"DATABASE_POOL_SIZE": "1", "DATABASE_LOCK_TIMEOUT": "20", "REQUEST_TIMEOUT": "1"}
    KEPT.clear()
    LET_GO.clear()
    with serve(url, in_the_app, **settings) as client, ThreadPoolExecutor(1) as threads:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        keeping = threads.submit(client.post, "/keep-plainly")
        assert KEPT.wait(30)
        waiting = client.post("/plain/late")
        LET_GO.set()
        assert [waiting.status_code, keeping.result().status_code] == [503, 503]
    assert caplog.text.count("it took more than 1 s") == 2
    assert "no connection became free" not in caplog.text


def test_headers_and_status_of_a_learners_route(url: str, project: FastAPI) -> None:
    with serve(url, project) as client:
        teapot = client.get("/teapot")
        assert (teapot.status_code, teapot.json()) == (418, {"path": "/teapot"})
        assert teapot.headers["X-Method"] == "GET"
        own = client.get("/own")
        assert (own.status_code, own.text) == (202, "text")


def test_other_kinds_of_routes(url: str, project: FastAPI) -> None:
    with serve(url, project) as client:
        client.post("/plain/python")
        assert client.get("/unnamed").json() == [1]
        assert client.get("/stream").text.split() == ["1", "2"]
        assert client.get("/anything").json() == {"tags": [{"id": 1, "name": "python"}]}


def test_a_slow_route_may_take_longer_than_the_wait_for_a_connection(
    url: str, in_the_app: FastAPI
) -> None:
    with serve(url, in_the_app, DATABASE_LOCK_TIMEOUT="1") as client:
        assert client.get("/slow").json() > 1


def test_writing_with_a_reading_session_fails(url: str, in_the_app: FastAPI) -> None:
    with serve(url, in_the_app) as client:
        assert client.post("/read-only/half").status_code == 500
        assert client.get("/tags").json() == []


def test_rows_of_the_orm_have_the_order_of_the_contract(url: str) -> None:
    learners = FastAPI(lifespan=lifespan)

    @learners.get("/first")
    async def read_first(db: AsyncDb) -> models.User:
        return (await db.exec(select(models.User))).one()

    with serve(url) as client:
        fields = list(new_user(client))
    with serve(url, learners) as client:
        assert list(client.get("/first").json()) == fields


@pytest.fixture
def tables(tmp_path: Any) -> sa.Engine:
    """Return an engine of a learner's test database, made without migrations."""
    engine = create_engine(f"sqlite:///{tmp_path}/learner.db")
    SQLModel.metadata.create_all(engine)
    return engine


def test_a_savepoint_that_is_undone_keeps_what_the_orm_had_to_write(tables: sa.Engine) -> None:
    data = models.PostCreate(title="One and the same", content="A title that gives a slug twice")
    with Session(tables) as db:
        slugs = [crud.create_post(db, data).slug]
        db.add(models.Tag(name="python"))
        slugs.append(crud.create_post(db, data).slug)
        db.commit()
        assert db.exec(select(models.Tag.name)).all() == ["python"]
    assert slugs[0] == "one-and-the-same" != slugs[1]


@pytest.mark.parametrize("commits", [True, False])
def test_dependency_override(
    tables: sa.Engine, monkeypatch: pytest.MonkeyPatch, commits: bool
) -> None:
    def get_test_db() -> Iterator[Session]:
        with Session(tables) as session:
            yield session
            if commits:
                session.commit()

    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setitem(app.dependency_overrides, get_db, get_test_db)
    client = TestClient(app)  # without "with": no lifespan, no database of its own
    created = client.post("/users", json=ADA)
    assert created.status_code == 201
    assert client.get("/users/1").json() == created.json()
    assert client.get("/users").json() == [created.json()]
    assert client.get("/users/stats/active-count").json() == {"active_users": 1}
    with Session(tables) as session:
        assert session.exec(select(models.User)).one().email == ADA["email"]


def test_dependency_override_under_asgi_transport(
    tables: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(tables)
    monkeypatch.setitem(app.dependency_overrides, get_db, lambda: session)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.post("/users", json=ADA), await client.get("/users/1")]

    with session:
        created, read = asyncio.run(ask())
        assert (created.status_code, read.json()) == (201, created.json())


def test_test_client_with_and_without_lifespan(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with TestClient(app) as client:
        assert client.post("/users", json=ADA).status_code == 201
    shared_database.cache_clear()
    outer = FastAPI()
    outer.mount("/shop", app)
    with TestClient(outer) as client:
        assert client.get("/shop/users/1").json()["email"] == ADA["email"]
        assert client.get("/shop/async/users/1").status_code == 200
        assert client.portal
        client.portal.call(shared_database().dispose)
    shared_database.cache_clear()
    assert TestClient(app).get("/users/1").json()["email"] == ADA["email"]
    asyncio.run(shared_database().dispose())
    shared_database.cache_clear()


def test_rows_are_read_before_the_orm_has_done_anything() -> None:
    code = 'import models; from core.rows import build; print(build(models.User, {"id": 7}).id)'
    fresh = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (fresh.stdout, fresh.stderr) == ("7\n", "")


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_dead_connection_is_nobodys_error(url: str) -> None:
    with serve(url) as client:
        new_user(client)
        for _ in range(5):
            assert client.get("/users/1").status_code == 200
            with migration_engine(parse_url(url)).begin() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid != pg_backend_pid()"
                )
            assert client.get("/users/1").status_code == 200
            assert client.patch("/users/1", json={"age": 5}).status_code == 200


def test_a_missing_table_is_no_passing_fault(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with serve(url) as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE tags RENAME TO elsewhere")
        try:
            assert [client.get("/tags").status_code for _ in range(2)] == [500, 500]
            assert "tags" in caplog.text
        finally:
            with migration_engine(parse_url(url)).begin() as connection:
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO tags")


def test_crud_sees_what_the_session_was_given(tables: sa.Engine) -> None:
    with Session(tables) as session:
        session.add(models.Tag(name="pending"))
        assert [tag.name for tag in crud.list_rows(session, models.Tag, models.Pagination())] == [
            "pending"
        ]


def test_statements_are_kept_once(client: httpx.Client) -> None:
    """A statement that is made anew for each request would fill the memory."""
    lists = ["/users", "/posts", "/posts/with-comments", "/tags", "/categories", "/products"]
    lists += ["/products/with-categories", "/orders", "/users/active", "/async/users"]
    for path in lists:
        assert client.get(path).status_code == 200
    kept = crud._narrow.cache_info().currsize
    for path in lists:
        assert client.get(path).status_code == 200
    assert crud._narrow.cache_info().currsize == kept
