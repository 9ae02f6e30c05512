"""The history of the schema: up, down, with rows in place, as SQL text, and equal to models.py."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from pytest_alembic import MigrationContext, tests
from pytest_alembic.config import Config as PytestAlembicConfig
from pytest_alembic.runner import runner

from conftest import DIALECTS, migrate
from core.schema import alembic_config, migration_engine
from core.settings import parse_url
from crud import hash_of
from models import Base, enforce_bounds

ROOT = Path(__file__).parent.parent
NEWEST = "0010"


@pytest.fixture
def engine(url: str) -> sa.Engine:
    """Return an engine on an empty database, not even migrated."""
    migrate(url, "base")
    return migration_engine(parse_url(url))


@pytest.fixture
def history(engine: sa.Engine) -> Iterator[MigrationContext]:
    """Yield pytest-alembic's view of the migrations."""
    config = PytestAlembicConfig.from_raw_config(alembic_config())
    with runner(config=config, engine=engine) as context:
        yield context


def test_the_history_is_one_line_up_and_down(history: MigrationContext) -> None:
    tests.test_single_head_revision(history)
    tests.test_upgrade(history)
    history.migrate_down_to("base")
    tests.test_up_down_consistency(history)


def test_models_and_migrations_agree(history: MigrationContext) -> None:
    tests.test_model_definitions_match_ddl(history)


def test_every_kind_of_bound_becomes_a_check() -> None:
    class Row(pydantic.BaseModel):
        a: int = pydantic.Field(gt=1, lt=9)
        b: int = pydantic.Field(ge=2, le=8)
        c: str = pydantic.Field(min_length=3, max_length=7)

    columns = (sa.Column("a", sa.Integer), sa.Column("b", sa.Integer), sa.Column("c", sa.String))
    table = sa.Table("rows", sa.MetaData(), *columns)
    setattr(Row, "__table__", table)  # noqa: B010 - mypy knows no such attribute
    enforce_bounds(Row)
    checks = {str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
    assert {re.sub(r":\w+", "?", check) for check in checks} == {
        "a > ? AND a < ?",
        "b >= ? AND b <= ?",
        "char_length(c) >= ? AND char_length(c) <= ?",
    }


def schema(engine: sa.Engine) -> dict[str, Any]:
    """Return what Alembic does not compare: checks, delete rules, collations, names."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], getattr(c["type"], "collation", None))
                for c in inspector.get_columns(table)
            ),
            "checks": sorted(
                (c["name"], c["sqltext"]) for c in inspector.get_check_constraints(table)
            ),
            "keys": sorted(
                (k["name"], k["referred_table"], k["options"].get("ondelete"))
                for k in inspector.get_foreign_keys(table)
            ),
            "unique": sorted(
                (u["name"], u["column_names"]) for u in inspector.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes(table)
            ),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_models_and_migrations_agree_on_every_constraint(engine: sa.Engine, url: str) -> None:
    migrate(url)
    migrated = schema(engine)
    migrate(url, "base")
    Base.metadata.create_all(engine)
    created = schema(engine)
    Base.metadata.drop_all(engine)
    assert migrated == created


USERS = "INSERT INTO users (id, name, email, city, created_at, updated_at) VALUES "
POSTS = (
    "INSERT INTO posts (id, title, content, published, author_id, created_at, updated_at) VALUES "
)
COMMENTS = "INSERT INTO comments (id, body, post_id, author_id, created_at) VALUES "
NOW = "'2026-01-01 00:00:00'"
# What a database of each revision may hold, as SQL that runs on all three.
ROWS = {
    "0001": [
        USERS + f"(1, 'Ada', 'ada@example.com', 'London', {NOW}, {NOW})",
        POSTS + f"(1, 'Same title', 'Twenty characters at the least.', {{true}}, 1, {NOW}, {NOW})",
        POSTS + f"(2, 'Same title', 'Twenty characters at the least.', {{false}}, 1, {NOW}, {NOW})",
        POSTS + f"(3, 'Пример?', 'Twenty characters at the least.', {{false}}, NULL, {NOW}, {NOW})",
    ],
    "0002": [
        "INSERT INTO tags (id, name) VALUES (1, 'python')",
        "INSERT INTO post_tags (post_id, tag_id) VALUES (1, 1)",
        COMMENTS + f"(1, 'Hi', 2, 1, {NOW})",
    ],
    "0005": [
        f"INSERT INTO categories (id, name, slug, created_at) VALUES (1, 'Books', 'books', {NOW})",
        "INSERT INTO products (id, name, slug, price, stock, is_active, category_id, created_at,"
        f" updated_at) VALUES (1, 'SQL', 'sql', 9.99, 3, {{true}}, 1, {NOW}, {NOW})",
    ],
    "0006": [
        "INSERT INTO orders (id, order_number, status, total_amount, user_id, created_at,"
        f" updated_at) VALUES (1, 'ORD-1', 'pending', 9.99, 1, {NOW}, {NOW})",
        "INSERT INTO order_items (id, order_id, product_id, quantity, unit_price, total_price)"
        " VALUES (1, 1, 1, 1, 9.99, 9.99)",
    ],
    "0007": [
        "INSERT INTO notifications (id, user_id, order_id, message, created_at)"
        f" VALUES (1, 1, 1, 'Hi', {NOW})",
    ],
}


def test_rows_survive_every_step(engine: sa.Engine, url: str, dialect: str) -> None:
    def run(*wanted: str) -> list[Any]:
        boolean = (
            {"true": "true", "false": "false"} if dialect != "sqlite" else {"true": 1, "false": 0}
        )
        with engine.begin() as connection:
            return [connection.exec_driver_sql(sql.format(**boolean)) for sql in wanted]

    def count() -> dict[str, int]:
        with engine.connect() as connection:
            tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
            return {
                table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0
                for table in tables
            }

    counts = {}
    steps = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    revisions = [step.revision for step in steps][::-1]
    for revision in revisions:
        before = count()
        migrate(url, revision)
        assert before.items() <= count().items(), f"{revision} lost rows on the way up"
        run(*ROWS.get(revision, []))
        counts[revision] = count()
    with engine.connect() as connection:
        slugs = connection.scalars(sa.text("SELECT slug FROM posts ORDER BY id")).all()
        assert slugs == ["same-title-1", "same-title-2", "primer-3"]
        assert connection.scalars(sa.text("SELECT is_active FROM users")).all() == [True]
    for revision in reversed(revisions[:-1]):
        kept = {table: n for table, n in count().items() if table in counts[revision]}
        migrate(url, revision)
        assert count() == kept, f"{revision} lost rows on the way down"
    migrate(url)
    assert count()["comments"] == 0  # 0001 has no such table: coming back up makes it anew
    assert count()["posts"] == 3


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_no_id_is_given_twice_after_the_upgrade(engine: sa.Engine, url: str) -> None:
    migrate(url, "0008")
    tag = "INSERT INTO tags (name) VALUES ('{}') RETURNING id"
    with engine.begin() as connection:
        for name in "abc":
            connection.exec_driver_sql(tag.format(name))
    migrate(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tags WHERE id = 3")
        assert connection.exec_driver_sql(tag.format("d")).scalar_one() == 4
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table'")
        tables = [sql for (sql,) in made if "\tid INTEGER" in sql]
        assert len(tables) == 9
        assert all("AUTOINCREMENT" in sql for sql in tables)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_keys_of_orders_belong_to_their_users_after_the_upgrade(
    engine: sa.Engine, url: str
) -> None:
    migrate(url, "0008")
    order = (
        "INSERT INTO orders (id, order_number, status, total_amount, user_id, idempotency_key,"
        f" created_at, updated_at) VALUES (1, 'ORD-1', 'pending', 0, 1, 'mine', {NOW}, {NOW})"
    )
    true = "1" if engine.dialect.name == "sqlite" else "true"
    user = (
        "INSERT INTO users (id, name, email, city, is_active, created_at, updated_at) VALUES"
        f" (1, 'Ada', 'ada@example.com', 'London', {true}, {NOW}, {NOW})"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(user)
        connection.exec_driver_sql(order)
    migrate(url)
    with engine.begin() as connection:
        key = connection.exec_driver_sql("SELECT idempotency_key FROM orders").scalar()
        assert key == hash_of("1 mine")


def test_constraints_bind_after_a_rebuild(engine: sa.Engine, url: str) -> None:
    migrate(url)
    wrong = [
        "UPDATE posts SET title = 'Four'",
        "UPDATE posts SET slug = NULL",
        "UPDATE posts SET slug = 'same'",
        "UPDATE posts SET content = 'short'",
        "UPDATE posts SET author_id = 99",
    ]
    post = (
        "INSERT INTO posts (title, slug, content, published, created_at, updated_at) VALUES "
        "('A title', '{}', 'Twenty characters at the least.', {}, {}, {})"
    )
    false = "0" if engine.dialect.name == "sqlite" else "false"
    with engine.begin() as connection:
        connection.exec_driver_sql(post.format("one", false, NOW, NOW))
        connection.exec_driver_sql(post.format("two", false, NOW, NOW))
    for statement in wrong:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            with pytest.raises(sa.exc.DBAPIError):
                connection.exec_driver_sql(statement)


def test_sql_text_of_the_migrations(url: str) -> None:
    """What `alembic upgrade head --sql` prints builds the same schema, run by hand."""
    environment = {"DATABASE_URL": url, "PATH": "", "SYSTEMROOT": "", "PYTHONUTF8": "1"}
    for words in (["upgrade", "head"], ["downgrade", f"{NEWEST}:base"]):
        result = subprocess.run(
            [sys.executable, "-m", "alembic", *words, "--sql"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (
            "CREATE TABLE users" if words[0] == "upgrade" else "DROP TABLE users"
        ) in result.stdout
    assert "DROP TABLE posts" in result.stdout


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name == "mysql"])
def test_a_step_that_stopped_half_way_is_finished_by_hand(engine: sa.Engine, url: str) -> None:
    """README's way: MariaDB keeps the statements of a step that ran before it was interrupted."""

    def alembic(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alembic", *words]
        environment = {"DATABASE_URL": url, "PATH": "", "PYTHONUTF8": "1"}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    migrate(url, "0004")
    printed = alembic("upgrade", "0004:0005", "--sql").stdout
    step = [part.strip() for part in printed.split(";") if part.strip()]
    with engine.begin() as connection:
        for statement in step[:2]:
            connection.exec_driver_sql(statement)
    stopped = alembic("upgrade", "head")
    assert stopped.returncode != 0
    assert "Table 'categories' already exists" in stopped.stderr
    with engine.begin() as connection:
        for statement in step[2:]:
            connection.exec_driver_sql(statement)
    assert alembic("upgrade", "head").returncode == 0
    assert alembic("check").returncode == 0
