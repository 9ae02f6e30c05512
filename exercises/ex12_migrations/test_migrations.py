"""Checks of exercise 12: alembic runs in the app's folder, on a database with rows in it."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from exercises.checks import Api, Reply, capital, fail, shorten, unique
from exercises.runner import Server

OLD_NAMES = ["Ada Lovelace", "Grace Hopper", "ada lovelace", "Ada Lovelace 2", "Ada Lovelace 3"]
OLD_ROWS: list[dict[str, Any]] = [
    {"id": number, "name": name, "email": f"old{number}@example.com"}
    for number, name in enumerate(OLD_NAMES, start=1)
]
SAME_SLUG = (
    "two rows got the same slug: people of the same name need different ones, and a number at the "
    "end must not make the name of somebody else."
)
LOST = (
    "the migration drops the table or its rows. Change the table that is there: add the column, "
    "and in downgrade() drop the column."
)
NOT_YET = (
    "there is no such column, or not yet: a batch block does its work where it ends, so "
    "op.execute() comes after it."
)

# What alembic's last lines usually mean, by words that they contain.
CAUSES = {
    "NOT NULL column with default value NULL": "a NOT NULL column joins a table that has rows, "
    "and brings no value for them: server_default, or add it nullable and fill it first.",
    "NOT NULL constraint": "the column becomes NOT NULL while rows are without a value.",
    "contains null values": "the column becomes NOT NULL while rows are without a value: "
    "server_default, or fill it first.",
    "UNIQUE constraint": SAME_SLUG,
    "could not create unique index": SAME_SLUG,
    "after drop column": "SQLite cannot drop a column that a constraint or an index names: "
    "`with op.batch_alter_table(…) as batch:` copies the table.",
    "no such column": NOT_YET,
    "UndefinedColumn": NOT_YET,
    "No support for ALTER": "SQLite cannot alter a column or a constraint in place: "
    "`with op.batch_alter_table(…) as batch:` copies the table.",
    'near "ALTER"': "SQLite cannot alter a column in place: `with op.batch_alter_table(…) as "
    "batch:` copies the table.",
    "Constraint must have a name": "a constraint without a name cannot be dropped: give it one "
    "where it is created, and the same one where it is dropped.",
    "No such constraint": "a constraint is dropped by another name than upgrade() gave it.",
    "does not exist": "something is dropped by another name than upgrade() gave it.",
    "already exists": "the table is created a second time: is create_all() still at work?",
    "duplicate column": "two revisions add the same column; edit the one, or delete it.",
    "Multiple head": "two revisions follow the same one: the down_revision of the second has to "
    "be the revision of the first.",
    "Can't locate revision": "a down_revision names a revision that is not there, or 0001 is gone.",
    "is not defined": "the migration uses a name that it does not import.",
    "No 'script_location'": "there is no alembic.ini in the app's folder.",
}


@dataclass
class Table:
    """What stands in the database at one moment."""

    rows: list[dict[str, Any]]
    nullable: dict[str, bool]
    unique: set[str]

    def values(self, column: str) -> list[Any]:
        """Give one column of the rows; fail when it is not there."""
        if column not in self.nullable:
            fail(
                f"after `alembic upgrade head` the table users has the columns "
                f"{', '.join(self.nullable)}.",
                f"no migration adds {column!r}: change models.py, then `alembic revision "
                "--autogenerate`.",
            )
        return [row[column] for row in self.old_rows]

    @property
    def old_rows(self) -> list[dict[str, Any]]:
        """Give the rows that were there before the first migration."""
        return [row for row in self.rows if row["id"] <= len(OLD_ROWS)]

    def expect_old_rows(self, moment: str) -> None:
        """Fail unless the rows from before are there with their values."""
        columns = ("id", "name", "email")
        kept = [{column: row.get(column) for column in columns} for row in self.old_rows]
        if kept != OLD_ROWS:
            fail(f"{moment} the users are {shorten(kept)}, not {shorten(OLD_ROWS)}.", LOST)


def told(output: str) -> str:
    """Give what alembic says, and the learner's line: all of a traceback that matters."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [
        line
        for line in lines
        if re.match(r"FAILED:|ERROR|[\w.]+(Error|Violation|Exception)\b", line)
    ]
    place = re.findall(
        r'File ".*?([^/\\"]+\.py)", line (\d+), in (?:upgrade|downgrade)\n(.*)', output
    )
    text = shorten((said or lines or ["(nothing)"])[-1])
    return (
        f"{text}\n    {place[-1][0]}, line {place[-1][1]}: {place[-1][2].strip()}"
        if place
        else text
    )


class Project:
    """The learner's migrations, and a database to run them on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.engine = sa.create_engine(server.database_url, poolclass=sa.NullPool)

    def alembic(self, *arguments: str, why: str = "") -> None:
        """Run alembic; fail with its last lines and what they usually mean."""
        done = self.server.alembic(*arguments)
        if done.returncode == 0:
            return
        output = done.stdout + done.stderr
        known = [cause for words, cause in CAUSES.items() if words in output]
        fail(
            f"`alembic {' '.join(arguments)}` failed:\n    {told(output)}",
            " ".join([*map(capital, known[:1]), *([capital(why)] if why else [])]),
        )

    def look(self) -> Table:
        """Read the table users as it is now."""
        inspector = sa.inspect(self.engine)
        if not inspector.has_table("users"):
            return Table([], {}, set())
        constraints = inspector.get_unique_constraints("users")
        indexes = [index for index in inspector.get_indexes("users") if index["unique"]]
        found: list[Any] = [*constraints, *indexes]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT * FROM users ORDER BY id")).mappings()
            return Table(
                [dict(row) for row in rows],
                {c["name"]: c["nullable"] for c in inspector.get_columns("users")},
                {str(u["column_names"][0]) for u in found if len(u["column_names"]) == 1},
            )


# The database goes one way for all checks: 0001, head, one step down, 0001, head.


@pytest.fixture(scope="module")
def project(api: Api) -> Project:
    """Give a database of another day: at revision 0001, with users in it."""
    project = Project(api.server)
    # An app may run its migrations as it starts; then this is the way down.
    started = sa.inspect(project.engine).has_table("alembic_version")
    project.alembic("downgrade" if started else "upgrade", "0001")
    columns = list(project.look().nullable)
    if not columns:
        fail(
            "after `alembic upgrade 0001` there is no table users in the database of DATABASE_URL.",
            "another address stands in env.py or alembic.ini; take the engine of database.py.",
        )
    if set(columns) != set(OLD_ROWS[0]):
        fail(
            f"at revision 0001 the table users has the columns {', '.join(columns)}.",
            "not all that upgrade() does is undone in downgrade()."
            if started
            else "0001 was changed; it stays as it is, and each column gets a revision of its own.",
        )
    users = sa.table("users", sa.column("name"), sa.column("email"))
    with project.engine.begin() as connection:
        for row in OLD_ROWS:
            connection.execute(users.insert().values(name=row["name"], email=row["email"]))
    return project


@pytest.fixture(scope="module")
def upgraded(project: Project) -> Table:
    """Give what the table is after `alembic upgrade head`."""
    project.alembic("upgrade", "head")
    return project.look()


@pytest.fixture(scope="module")
def one_down(project: Project, upgraded: Table) -> Table:
    """Give what it is after `alembic downgrade -1`."""
    upgraded.values("status")
    project.alembic("downgrade", "-1")
    return project.look()


@pytest.fixture(scope="module")
def downgraded(project: Project, one_down: Table) -> Table:
    """Give what it is back at revision 0001."""
    project.alembic("downgrade", "0001")
    return project.look()


@pytest.fixture(scope="module")
def again(project: Project, downgraded: Table) -> Table:
    """Give what it is when it has gone up once more."""
    project.alembic("upgrade", "head")
    return project.look()


def create(api: Api, name: str) -> Reply:
    """Create a user through the app."""
    return api.post("/users", {"name": name, "email": f"{unique('ada.')}@example.com"})


@pytest.mark.step(1)
def test_status_of_old_rows(upgraded: Table) -> None:
    """After the upgrade the users are all there, and each is "active"."""
    upgraded.expect_old_rows("after `alembic upgrade head`")
    status = upgraded.values("status")
    if status != ["active"] * len(OLD_ROWS):
        fail(
            f"after `alembic upgrade head` the users have the status {shorten(status)}.",
            "rows that were there before got no value: server_default='active'.",
        )


@pytest.mark.step(1)
def test_status_is_not_null(upgraded: Table) -> None:
    """The column status is NOT NULL."""
    upgraded.values("status")
    if upgraded.nullable["status"]:
        fail("the column status takes NULL.", "no nullable=False in the migration.")


@pytest.mark.step(1)
def test_create_user_with_status(api: Api, upgraded: Table) -> None:
    """POST /users makes an active user, in a table made by the migrations alone."""
    why = "the class User has no status: str = 'active'."
    reply = create(api, "Ada").expect(201, 200, why="model and table differ. " + why)
    body = reply.has(why, name="Ada", status="active")
    reply = api.get(f"/users/{body.get('id')}").expect(200)
    reply.has(why, status="active")


@pytest.mark.step(3)
def test_create_user_with_slug(api: Api, upgraded: Table) -> None:
    """POST /users gives each new user a slug of its own, made of the name."""
    slugs = []
    for _ in range(2):
        why = "the app gives no slug, or one that is taken already."
        reply = create(api, "Grace Hopper").expect(201, 200, why=why)
        slug = reply.object().get("slug")
        if not isinstance(slug, str) or not slug.startswith("grace-hopper"):
            reply.wrong(f"the slug is {shorten(slug)}; it should begin with grace-hopper.", why)
        if slug in slugs:
            reply.wrong(f"two users have the slug {slug!r}.", why)
        slugs.append(slug)


# From here on the way down, where the table may be left half changed.


@pytest.mark.step(2)
def test_status_down(downgraded: Table) -> None:
    """`alembic downgrade 0001` takes the column away again, and no user with it."""
    if "status" in downgraded.nullable:
        fail(
            "after `alembic downgrade 0001` the column status is still there.",
            "the function downgrade() is empty, or does not undo what upgrade() does.",
        )
    if set(downgraded.nullable) != set(OLD_ROWS[0]):
        fail(
            f"after `alembic downgrade 0001` the columns are {', '.join(downgraded.nullable)}, "
            "not id, name, email.",
            LOST
            if not downgraded.nullable
            else "not all that upgrade() does is undone in downgrade().",
        )
    downgraded.expect_old_rows("after `alembic downgrade 0001`")
    if "email" not in downgraded.unique:
        fail("after `alembic downgrade 0001` the e-mail address is no longer unique.", LOST)


@pytest.mark.step(2)
def test_status_up_again(again: Table) -> None:
    """Down and up once more ends where it was."""
    again.expect_old_rows("after down and up")
    if again.values("status") != ["active"] * len(OLD_ROWS):
        fail(f"after down and up the status is {shorten(again.values('status'))}.")


@pytest.mark.step(3)
def test_slug_of_old_rows(upgraded: Table) -> None:
    """After the upgrade each old user has a slug made of the name."""
    upgraded.expect_old_rows("after `alembic upgrade head`")
    slugs = upgraded.values("slug")
    for name, slug in zip(OLD_NAMES, slugs, strict=True):
        if not isinstance(slug, str) or not slug.startswith(name.lower().replace(" ", "-")):
            fail(
                f"after `alembic upgrade head` the slug of {name!r} is {shorten(slug)}.",
                "the rows that were there before were not filled, or not from their name: "
                "op.execute('UPDATE users SET slug = …') between adding the column and NOT NULL.",
            )
    if len(set(slugs)) < len(slugs):
        fail(
            f"the slugs are {shorten(slugs)}: some are equal.",
            "people of the same name need different ones; the id makes them so.",
        )


@pytest.mark.step(3)
def test_slug_is_unique_and_not_null(upgraded: Table) -> None:
    """The column slug is NOT NULL and unique."""
    upgraded.values("slug")
    if upgraded.nullable["slug"]:
        fail("the column slug takes NULL.", "no alter_column(nullable=False) after the UPDATE.")
    if "slug" not in upgraded.unique:
        fail("the column slug is not unique.", "no unique constraint or index in the migration.")
    if "email" not in upgraded.unique:
        fail("the e-mail address is no longer unique.", LOST)


@pytest.mark.step(4)
def test_slug_down_and_up(downgraded: Table, again: Table) -> None:
    """The slug goes and comes back; the users stay."""
    if "slug" in downgraded.nullable:
        fail(
            "after `alembic downgrade 0001` the column slug is still there.",
            "the function downgrade() is empty, or does not undo what upgrade() does.",
        )
    slugs = again.values("slug")
    again.expect_old_rows("after down and up")
    if None in slugs or len(set(slugs)) < len(slugs):
        fail(f"after down and up the slugs are {shorten(slugs)}.")


@pytest.mark.step(4)
def test_one_step_at_a_time(upgraded: Table, one_down: Table) -> None:
    """`alembic downgrade -1` takes the slug away and leaves the status."""
    upgraded.values("slug")
    if "slug" in one_down.nullable or "status" not in one_down.nullable:
        fail(
            f"after `alembic downgrade -1` the columns are {', '.join(one_down.nullable)}.",
            "slug and status came with one migration; each change is a revision of its own.",
        )
    one_down.expect_old_rows("after `alembic downgrade -1`")


@pytest.mark.step(5)
def test_models_and_migrations_agree(project: Project, again: Table) -> None:
    """`alembic check` finds no difference between models.py and the migrated database."""
    for column in ("status", "slug"):
        again.values(column)
    project.alembic(
        "check",
        why="model and migrations differ in a field, its length, nullable or unique.",
    )
