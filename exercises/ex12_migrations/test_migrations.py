"""Checks of exercise 12: alembic runs in the app's folder, on a database with rows in it."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from exercises.causes import capital
from exercises.checks import Api, Reply, fail, shorten, unique
from exercises.runner import Server

OLD_NAMES = [
    "Ada Lovelace",
    "Grace Hopper",
    "ada lovelace",
    "Ada Lovelace 2",
    "Ada Lovelace 3",
    "Ada-Lovelace",
    "Ada Lovelace 1",
    "Éva Fahidi",
    "Ada  Lovelace",
    "Grace O'Malley",
    "0",
    "Ada: 100% :name",
    "x" * 50,
    "Søren King",
    "Ольга King",
    "Mary Somerville ",
]
MAX_STATUS, MAX_SLUG = 20, 80
CROWD = 1100  # more than a migration in one batch of a thousand, or a list with a limit, reaches
STATUSES = ("deleted", "archived", "banned", "pending", "suspended", "", "x" * MAX_STATUS)
# What 0001 makes: type, and whether it takes NULL.
FIRST = {"id": ("INTEGER", False), "name": ("VARCHAR(50)", False), "email": ("VARCHAR(254)", False)}
SAME_SLUG = (
    "two rows got the same slug: people of the same name need different ones, and a number at the "
    "end must not make the name of somebody else."
)
LOST = (
    "the migration drops the table or its rows, all of them or some. Change the table that is "
    "there: add the column, and in downgrade() drop the column."
)
REWRITTEN = (
    "the migration writes into columns that it finds there: it fills the one that is new, and no "
    "more."
)
RESTORED = (
    "the migration puts back an older copy of the table, or removes or writes over rows that it "
    "finds: what has changed since is lost. Change the table that is there: drop the column, and "
    "no more."
)
UNDONE_WRONGLY = "not all that upgrade() does is undone in downgrade(), or it undoes more."
NOT_UNDONE = "the function downgrade() is empty, or does not undo what upgrade() does."
SLUG_TAKEN = (
    "the app gives no slug, or one that is taken already: to count the users of a name is not "
    "enough, nor is the part of an address before the @; secrets.token_hex(4) at the end is."
)
NOT_THE_NAME = (
    "the slug is made of something else than the name, or of a part of it, or not in small "
    "letters, or letters such as é or ø are dropped, or digits; each space is a hyphen, two are "
    "two."
)
GIVEN_UP = (
    "the app tries a few slugs and gives up, or does not catch the error: the last of several "
    "users of one name finds all the others taken. secrets.token_hex(4) at the end needs no second "
    "try."
)
TOO_LONG = "a name has up to 50 characters, and what follows it is too long for the column."
CREATE_ALL = (
    "create_all() is at work beside the migrations, in the app, in models.py, database.py or "
    "env.py: it makes the newest table at once. Leave it out."
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
    "already exists": "a table is created a second time: downgrade() has left it behind, or "
    "create_all() is at work beside the migrations.",
    "duplicate column": "two revisions add the same column; edit the one, or delete it.",
    "Multiple head": "two revisions follow the same one: the down_revision of the second has to "
    "be the revision of the first.",
    "Can't locate revision": "a down_revision names a revision that is not there, or 0001 is gone.",
    "is not defined": "the migration uses a name that it does not import.",
    "A value is required for bind parameter": "the list of values is empty where the table is, or "
    "text() takes a colon in a name for a parameter: bind the names, too.",
    "syntax error": "the SQL is put together from values, and a name with ' in it ends the text "
    "early: bind parameters, or sa.update().values().",
    "NotImplementedError": "the function is yet to be written.",
    "No 'script_location'": "there is no alembic.ini in the app's folder.",
}


@dataclass
class Table:
    """What stands in the database at one moment."""

    rows: dict[int, dict[str, Any]]  # by id
    columns: dict[str, tuple[str, bool]]  # type, and whether it takes NULL
    unique: set[str]

    def values(self, column: str) -> dict[int, Any]:
        """Give one column of the rows by id; fail when it is not there."""
        if column not in self.columns:
            fail(
                f"after `alembic upgrade head` the table users has the columns "
                f"{', '.join(self.columns)}.",
                f"no migration adds {column!r}: change models.py, then `alembic revision "
                "--autogenerate`.",
            )
        return {number: row[column] for number, row in self.rows.items()}

    def expect_rows(self, wanted: dict[int, dict[str, Any]], moment: str, why: str = LOST) -> None:
        """Fail unless these users are there, and no others, with these values."""
        for number in sorted(wanted.keys() | self.rows.keys(), key=str):
            row, old = self.rows.get(number), wanted.get(number)
            got = row and old and {column: row.get(column) for column in old}
            if got != old or row is None:
                if row and old and why == LOST:
                    why = REWRITTEN
                fail(f"{moment} user {number} is {shorten(got or row)}, not {shorten(old)}.", why)

    def expect_text(self, column: str, length: int) -> None:
        """Fail unless the column is NOT NULL and of this length."""
        self.values(column)
        kind, nullable = self.columns[column]
        if nullable:
            fail(
                f"the column {column} takes NULL.",
                "no nullable=False in the migration, or no alter_column(nullable=False) after the "
                "UPDATE.",
            )
        if kind != f"VARCHAR({length})":
            fail(
                f"the column {column} is {kind}; it is to be text of at most {length} characters.",
                f"sa.String(length={length}) in the migration, max_length={length} in the model.",
            )

    def expect_as(self, other: "Table", moment: str, why: str) -> None:
        """Fail unless the table has the same columns as the other, and they keep the same rules."""
        if self.columns != other.columns:
            fail(f"{moment} the columns are {described(self)}, not {described(other)}.", why)
        for column in sorted(self.unique ^ other.unique):
            state = "no longer" if column in other.unique else "now"
            fail(f"{moment} the column {column} is {state} unique.", why)


def described(table: Table) -> str:
    """Write the columns as one reads them."""
    return ", ".join(
        f"{name} {kind}{'' if nullable else ' NOT NULL'}"
        for name, (kind, nullable) in table.columns.items()
    )


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
            return Table({}, {}, set())
        constraints = inspector.get_unique_constraints("users")
        indexes = [index for index in inspector.get_indexes("users") if index["unique"]]
        found: list[Any] = [*constraints, *indexes]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT * FROM users ORDER BY id")).mappings()
            return Table(
                {row["id"]: dict(row) for row in rows},
                {
                    c["name"]: (str(c["type"]), c["nullable"])
                    for c in inspector.get_columns("users")
                },
                {str(u["column_names"][0]) for u in found if len(u["column_names"]) == 1},
            )

    def run(self, statement: str, **values: Any) -> None:
        """Change rows as an app, or a person, may do at any time."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def insert(self, *names: str) -> None:
        """Store users as the app of revision 0001 does."""
        rows = [{"name": name, "email": f"{unique('Old.')}@Example.com "} for name in names]
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO users (name, email) VALUES (:name, :email)"), rows
            )

    def first_names(self, columns: set[str]) -> bool:
        """Tell whether the first migration names one of these columns."""
        files = (self.server.app_dir / "migrations/versions").glob("*.py")
        texts = [path.read_text("utf-8") for path in files]
        first = "".join(text for text in texts if re.search(r"^revision\b.*0001", text, re.M))
        return not first or any(column in first for column in columns)


# The database goes one way for all checks: 0001, head, one step down, 0001, head. On that way users
# come, change and go, and each revision has to keep what it finds.


@pytest.fixture(scope="module")
def project(api: Api) -> Project:
    """Give a database of another day: at revision 0001, with users in it."""
    project = Project(api.server)
    tables = sa.inspect(project.engine).get_table_names()
    if "users" in tables and "alembic_version" not in tables:
        fail("the app made the table users itself as it started.", CREATE_ALL)
    # An app may run its migrations as it starts; then this is the way down.
    started = "alembic_version" in tables
    project.alembic("downgrade" if started else "upgrade", "0001")
    first = project.look()
    columns = first.columns.keys()
    if not columns:
        fail(
            "after `alembic upgrade 0001` there is no table users in the database of DATABASE_URL.",
            "another address stands in env.py or alembic.ini; take the engine of database.py.",
        )
    changed = "0001 was changed; it stays as it is, and each column gets a revision of its own."
    if extra := columns ^ FIRST.keys():
        fail(
            f"at revision 0001 the table users has the columns {', '.join(columns)}.",
            NOT_UNDONE if started else changed if project.first_names(extra) else CREATE_ALL,
        )
    if first.columns != FIRST or first.unique != {"email"}:
        why = NOT_UNDONE if started else changed
        fail(
            f"at revision 0001 the columns are {described(first)}, and {first.unique} unique.", why
        )
    project.insert("nobody", *OLD_NAMES, *(f"User {number}" for number in range(CROWD)))
    project.run("DELETE FROM users WHERE name = 'nobody'")
    return project


@pytest.fixture(scope="module")
def before(project: Project) -> Table:
    """Give what the table is at revision 0001."""
    return project.look()


@pytest.fixture(scope="module")
def upgraded(project: Project, before: Table) -> Table:
    """Give what the table is after `alembic upgrade head`."""
    project.alembic("upgrade", "head")
    return project.look()


@pytest.fixture(scope="module")
def changed(api: Api, project: Project, before: Table, upgraded: Table) -> Table:
    """Give what it is when users have come, changed and gone since the upgrade."""
    upgraded.values("status")
    upgraded.expect_rows(before.rows, "after `alembic upgrade head`")
    create(api, "Hedy Lamarr")
    first, second, third, *others = upgraded.rows
    project.run("UPDATE users SET name = 'Ada King' WHERE id = :id", id=second)
    project.run("UPDATE users SET email = 'new@example.com' WHERE id = :id", id=third)
    change = "UPDATE users SET status = :status WHERE id = :id"
    try:
        for status, number in zip(("inactive", *STATUSES), (second, *others), strict=False):
            project.run(change, id=number, status=status)
    except sa.exc.DBAPIError as error:
        why = "the status is any text of at most 20 characters, and no CHECK or Enum chooses some."
        fail(f"a user cannot get another status: {shorten(str(error.orig))}", why)
    project.run("DELETE FROM users WHERE id = :id", id=first)
    return project.look()


@pytest.fixture(scope="module")
def one_down(project: Project, changed: Table) -> Table:
    """Give what it is after `alembic downgrade -1`."""
    project.alembic("downgrade", "-1")
    return project.look()


@pytest.fixture(scope="module")
def up_from_there(project: Project, one_down: Table) -> Table:
    """Give what it is when the last migration has run once more, by itself."""
    project.alembic("upgrade", "head")
    return project.look()


@pytest.fixture(scope="module")
def downgraded(project: Project, up_from_there: Table) -> Table:
    """Give what it is back at revision 0001."""
    project.alembic("downgrade", "0001")
    return project.look()


@pytest.fixture(scope="module")
def old_again(project: Project, before: Table, downgraded: Table) -> Table:
    """Give what it is when the app of revision 0001 has stored a user meanwhile."""
    downgraded.expect_as(before, "after `alembic downgrade 0001`", UNDONE_WRONGLY)
    project.insert("Ada Lovelace 2")
    return project.look()


@pytest.fixture(scope="module")
def again(project: Project, old_again: Table) -> Table:
    """Give what it is when it has gone up once more."""
    project.alembic("upgrade", "head")
    return project.look()


def create(api: Api, name: str, email: str = "") -> Reply:
    """Create a user through the app."""
    reply = api.post("/users", {"name": name, "email": email or f"{unique('ada.')}@example.com"})
    return reply.committed_first()


def without(rows: dict[int, dict[str, Any]], *columns: str) -> dict[int, dict[str, Any]]:
    """Give the rows without these columns."""
    return {
        number: {column: value for column, value in row.items() if column not in columns}
        for number, row in rows.items()
    }


def begins_with_name(slug: Any, name: str) -> bool:
    """Tell whether the slug begins with the name, as far as the task says how."""
    if name.endswith(" King"):  # other letters stay, or are written with some of a to z
        first = re.sub(r"[^a-z]+", "[^-]+", name[:-5].lower())
        return isinstance(slug, str) and re.match(f"{first}-king", slug) is not None
    plain = re.match("[a-z0-9 -]*", name.lower().rstrip())
    wanted = (plain.group() if plain else "").replace(" ", "-")
    if name == "Éva Fahidi":  # SQLite's lower() knows no letters but a to z, slugify() no others
        return isinstance(slug, str) and slug.startswith(("éva-fahidi", "Éva-fahidi", "eva-fahidi"))
    return isinstance(slug, str) and slug.startswith(wanted)


def expect_slugs(table: Table, moment: str) -> None:
    """Fail unless each user has a slug that begins with the name and is nobody else's."""
    slugs = table.values("slug")
    for number, slug in slugs.items():
        name = table.rows[number]["name"]
        if not begins_with_name(slug, name):
            fail(
                f"{moment} the slug of {name!r} is {shorten(slug)}.",
                "the rows that were there before were not filled, not all, or not from their name: "
                "op.execute('UPDATE users SET slug = …') between adding the column and NOT NULL. "
                "Each space of the name is a hyphen, two are two.",
            )
        if len(slug) > MAX_SLUG:
            fail(f"{moment} the slug of {name!r} has {len(slug)} characters.", TOO_LONG)
    if len(set(slugs.values())) < len(slugs):
        fail(
            f"{moment} the slugs are {shorten(list(slugs.values()))}: some are equal.",
            "people of the same name need different ones; the id makes them so.",
        )


@pytest.mark.step(1)
def test_status_of_old_rows(before: Table, upgraded: Table) -> None:
    """After the upgrade the users are all there, and each is "active"."""
    upgraded.expect_rows(before.rows, "after `alembic upgrade head`")
    status = set(upgraded.values("status").values())
    if status != {"active"}:
        fail(
            f"after `alembic upgrade head` the users have the status {shorten(list(status))}.",
            "rows that were there before got no value: server_default='active'.",
        )


@pytest.mark.step(1)
def test_status_column(before: Table, upgraded: Table) -> None:
    """The column status is text of at most 20 characters and NOT NULL; the others are as before."""
    upgraded.expect_text("status", MAX_STATUS)
    for column, rules in before.columns.items():
        if upgraded.columns.get(column) != rules:
            fail(f"after the upgrade the column {column} is {upgraded.columns.get(column)}.", LOST)
    if "email" not in upgraded.unique:
        fail("after the upgrade the e-mail address is no longer unique.", LOST)


@pytest.mark.step(1)
def test_create_user_with_status(api: Api, project: Project, upgraded: Table) -> None:
    """POST /users makes an active user, in a table made by the migrations alone."""
    why = "the class User has no status: str = 'active'."
    differ = f"model and table differ. {why}"
    reply = create(api, "Ada").expect(201, 200, why={4: SLUG_TAKEN, "": differ})
    body = reply.has(why, name="Ada", status="active")
    api.get("/users/1").expect(200, 404, why="a bound refuses the smallest id that there is.")
    again = api.get(f"/users/{reply.id}").expect(200)
    again.has("the answer is not what is stored: a change after the commit.", **body)
    stored = project.look().rows.get(reply.id, {})
    if stored.get("status") != "active":
        fail(f"the stored user is {shorten(stored)}.", why)


@pytest.mark.step(1)
def test_create_user_with_taken_email(api: Api, project: Project, upgraded: Table) -> None:
    """POST /users answers 400 or 409 to an address that is taken, as before."""
    user = create(api, "Ada").expect(201, 200, why={4: SLUG_TAKEN}).object()
    why = "its IntegrityError is not caught, or the address is no longer unique."
    api.post("/users", {"name": "Ada", "email": user.get("email")}).expect(409, 400, why=why)
    if sum(row["email"] == user.get("email") for row in project.look().rows.values()) != 1:
        fail("the address is stored twice.", why)


NAMES_OF_NEW = (
    *("Grace Hopper", "Grace Hopper", "Grace Hopper 2", "Grace Hopper 3", "grace hopper"),
    *("Grace-Hopper", "Grace Hopper", "Grace Hopper 1", "y" * 50, "Grace  Hopper", "Éva Fahidi"),
    *("Søren King", "Ольга King"),
)


@pytest.mark.step(3)
def test_create_user_with_slug(api: Api, project: Project, upgraded: Table) -> None:
    """POST /users gives each new user a slug of its own, made of the name."""
    upgraded.values("slug")
    slugs = {}
    mailbox = unique("ada.")
    for number, name in enumerate(NAMES_OF_NEW):
        reply = create(api, name, f"{mailbox}@{number}.example.com")
        few = {500: GIVEN_UP, 503: GIVEN_UP}
        long = {"at most": TOO_LONG, "too long": TOO_LONG}
        reply.expect(201, 200, why={**few, **long, "": SLUG_TAKEN})
        slug = reply.object().get("slug")
        if not begins_with_name(slug, name):
            begin = name.lower().replace(" ", "-")
            reply.wrong(f"the slug is {shorten(slug)}; it should begin with {begin}.", NOT_THE_NAME)
        if len(slug) > MAX_SLUG:
            reply.wrong(f"the slug has {len(slug)} characters, not 80 at most.", TOO_LONG)
        reply.has("each new user is active.", status="active")
        slugs[reply.id] = slug
        if number == 1:  # numbers that are counted anew begin again below those in use
            project.run("DELETE FROM users WHERE id = :id", id=min(slugs))
            del slugs[min(slugs)]
    table = project.look()
    expect_slugs(table, "after several POST /users")
    if slugs.items() - table.values("slug").items():
        fail("the slugs that were answered are not those that are stored.", "no refresh().")


@pytest.mark.step(3)
def test_create_users_of_one_name_at_once(api: Api, upgraded: Table) -> None:
    """Users of one name who arrive at the same moment all get a slug of their own."""
    upgraded.values("slug")
    replies = api.at_once(8, lambda _: create(api, "Katherine Johnson"))
    for reply in replies:
        reply.expect(201, 200, why={500: GIVEN_UP, 503: GIVEN_UP, "": SLUG_TAKEN})
    if len({reply.object().get("slug") for reply in replies}) < 8:
        fail("of eight users who arrived at one moment some got the same slug.", SLUG_TAKEN)
    api.restart()
    why = "numbers that a process counts begin anew in each one: secrets.token_hex(4) does not."
    for _ in range(4):
        create(api, "Katherine Johnson").expect(201, 200, why=why)


# From here on the way down, where the table may be left half changed.


@pytest.mark.step(2)
def test_status_down(before: Table, changed: Table, downgraded: Table) -> None:
    """`alembic downgrade 0001` takes the column away again, and no user with it."""
    moment = "after `alembic downgrade 0001`"
    if "status" in downgraded.columns:
        fail(f"{moment} the column status is still there.", NOT_UNDONE)
    downgraded.expect_as(before, moment, UNDONE_WRONGLY if downgraded.columns else LOST)
    why = RESTORED if downgraded.rows else LOST
    downgraded.expect_rows(without(changed.rows, "status", "slug"), moment, why)


@pytest.mark.step(2)
def test_status_up_again(upgraded: Table, old_again: Table, again: Table) -> None:
    """Down and up once more ends where it was."""
    again.expect_rows(old_again.rows, "after down and up", RESTORED)
    again.expect_as(upgraded, "after down and up", "the second upgrade finds something left over.")
    if set(again.values("status").values()) != {"active"}:
        status = shorten(list(again.values("status").values()))
        fail(f"after down and up the status is {status}.", "downgrade() did not take it away.")


@pytest.mark.step(3)
def test_slug_of_old_rows(before: Table, upgraded: Table) -> None:
    """After the upgrade each old user has a slug made of the name."""
    upgraded.values("slug")
    upgraded.expect_rows(before.rows, "after `alembic upgrade head`")
    expect_slugs(upgraded, "after `alembic upgrade head`")


@pytest.mark.step(3)
def test_slug_is_unique_and_not_null(upgraded: Table) -> None:
    """The column slug is text of at most 80 characters, NOT NULL and unique."""
    upgraded.expect_text("slug", MAX_SLUG)
    if "slug" not in upgraded.unique:
        fail("the column slug is not unique.", "no unique constraint or index in the migration.")
    if "email" not in upgraded.unique:
        fail("the e-mail address is no longer unique.", LOST)


@pytest.mark.step(4)
def test_slug_down_and_up(downgraded: Table, old_again: Table, again: Table) -> None:
    """The slug goes and comes back; the users stay."""
    if "slug" in downgraded.columns:
        fail("after `alembic downgrade 0001` the column slug is still there.", NOT_UNDONE)
    again.values("slug")
    again.expect_rows(old_again.rows, "after down and up", RESTORED)
    expect_slugs(again, "after down and up")


@pytest.mark.step(4)
def test_one_step_at_a_time(upgraded: Table, changed: Table, one_down: Table) -> None:
    """`alembic downgrade -1` takes the slug away and leaves the status."""
    upgraded.values("slug")
    moment = "after `alembic downgrade -1`"
    if "slug" in one_down.columns or "status" not in one_down.columns:
        fail(
            f"{moment} the columns are {', '.join(one_down.columns)}.",
            "slug and status came with one migration; each change is a revision of its own.",
        )
    one_down.expect_text("status", MAX_STATUS)
    one_down.expect_rows(without(changed.rows, "slug"), moment, RESTORED)
    if "email" not in one_down.unique:
        fail(f"{moment} the e-mail address is no longer unique.", LOST)


@pytest.mark.step(4)
def test_one_step_up(one_down: Table, up_from_there: Table) -> None:
    """`alembic upgrade head` adds the slug to users as they are by then."""
    up_from_there.expect_rows(one_down.rows, "after `alembic downgrade -1` and up", REWRITTEN)
    expect_slugs(up_from_there, "after `alembic downgrade -1` and up")


@pytest.mark.step(5)
def test_models_and_migrations_agree(project: Project, again: Table) -> None:
    """`alembic check` finds no difference between models.py and the migrated database."""
    for column in ("status", "slug"):
        again.values(column)
    project.alembic(
        "check",
        why="model and migrations differ in a field, its length, nullable or unique.",
    )


@pytest.mark.step(4)
def test_nobody_to_migrate(project: Project, again: Table) -> None:
    """The migrations run on a table without users as well, as on every new database."""
    project.alembic("downgrade", "0001")
    project.run("DELETE FROM users")
    why = "a table may be empty: a new database has no users."
    project.alembic("upgrade", "head", why=why)
