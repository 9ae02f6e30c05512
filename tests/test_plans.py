"""Which index serves which route, as the plans of the database say."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from benchmarks.growth import fill
from conftest import serve
from core.settings import parse_url

ROWS = 40_000
INDEXES = {
    "/posts?tag=tag50": "ix_post_tags_tag_id_post_id",
    "/posts?tag=nosuch": "ix_post_tags_tag_id_post_id",
    "/posts?author_id=7": "ix_posts_author_id",
    "/users/page": "ix_users_deleted_at",
    "/users/top-spenders": "ix_orders_user_id_status_total_amount",
    "/users/7/orders": "ix_orders_user_id_status_total_amount",
    "/products/low-stock?threshold=0": "ix_products_stock",
}
POSTGRESQL_INDEXES = INDEXES | {
    "/products?in_stock=false": "ix_products_stock",
    "/users?search=quixote": "ix_users_search",
    "/users/search?name=zzzz": "ix_users_search",
    "/users?city=zzzz": "ix_users_search",
    "/products?search=quixotic": "ix_products_search",
    "/users?skip=39000": "ix_users_visible_active",
    "/users/page?page=900": "Backward using ix_users_visible_active",
    "/users/page?page=1900": "Scan using ix_users_visible_active",
    "/users/stats/active-count": "Index Only Scan using ix_users_visible_active",
}
SQLITE_INDEXES = INDEXES | {"/users/page?page=1900": "ix_users_deleted_at"}


def plan_of(engine: sa.Engine, client: httpx.Client, path: str) -> str:
    """Return the plans of the statements that a request sends, as the database prints them."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:
        sent.append((text, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        client.get(path).raise_for_status()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # so few rows it would rather read one by one
            connection.exec_driver_sql("SET enable_seqscan = off")
        plans = [connection.exec_driver_sql(f"{explain} {text}", values) for text, values in sent]
        return "\n".join(str(row[-1]) for plan in plans for row in plan)


@pytest.fixture(scope="module")
def sqlite(sqlite_databases: Any) -> Iterator[tuple[sa.Engine, httpx.Client]]:
    """Yield an engine and a client of a file with many rows."""
    with sqlite_databases() as url, serve(url) as client:
        engine = sa.create_engine(parse_url(url), poolclass=sa.NullPool)
        fill(engine, ROWS)
        yield engine, client


@pytest.fixture(scope="module")
def postgresql(postgresql_databases: Any) -> Iterator[tuple[sa.Engine, httpx.Client]]:
    """Yield an engine and a client of a database with many rows."""
    with postgresql_databases() as url, serve(url) as client:
        engine = sa.create_engine(parse_url(url), poolclass=sa.NullPool)
        fill(engine, ROWS)
        yield engine, client


@pytest.mark.parametrize(("path", "index"), SQLITE_INDEXES.items())
def test_routes_use_their_index_on_sqlite(
    sqlite: tuple[sa.Engine, httpx.Client], path: str, index: str
) -> None:
    plan = plan_of(*sqlite, path)
    assert index in plan, plan


@pytest.mark.parametrize(("path", "index"), POSTGRESQL_INDEXES.items())
def test_routes_use_their_index_on_postgresql(
    postgresql: tuple[sa.Engine, httpx.Client], path: str, index: str
) -> None:
    plan = plan_of(*postgresql, path)
    assert index in plan, plan


def test_only_the_top_spenders_are_looked_up(postgresql: tuple[sa.Engine, httpx.Client]) -> None:
    """To join everybody who ever bought something took longer than to sum the orders."""
    plan = plan_of(*postgresql, "/users/top-spenders")
    assert "Index Scan using pk_users on users " in plan, plan
    assert plan.index("Limit") < plan.index("GroupAggregate") < plan.index("pk_users"), plan


def test_every_search_has_a_plan_of_its_own(postgresql: tuple[sa.Engine, httpx.Client]) -> None:
    """PostgreSQL keeps one plan for what is prepared, and it would serve rare terms badly."""
    prepared: list[str] = []

    def note(_connection: object, cursor: Any, *_: object) -> None:
        if isinstance(cursor, psycopg.Cursor):
            rows = cursor.connection.execute("SELECT statement FROM pg_prepared_statements")
            prepared.extend(statement for (statement,) in rows)

    sa.event.listen(sa.Engine, "after_cursor_execute", note)
    try:
        for number in range(30):
            postgresql[1].get("/users", params={"search": f"person {number}"}).raise_for_status()
            postgresql[1].get("/users/7").raise_for_status()
            postgresql[1].get("/async/users?search=zzzz").raise_for_status()
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", note)
    assert any("users.id = " in statement for statement in prepared)
    assert not [statement for statement in prepared if "LIKE" in statement]
