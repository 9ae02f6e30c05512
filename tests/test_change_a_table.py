"""README's "Change a table", walked with a server that runs with --reload."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk import ROOT, Desk

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Change a table")[2].partition("\n## ")[0]
BIO = "    bio: str | None = Field(default=None, max_length=1000)\n"
READY, FAILED = "Application startup complete", "Application startup failed"
ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


@pytest.fixture
def desk(tmp_path: Path, url: str, dialect: str) -> Iterator[Desk]:
    """Yield a copy of the project and a server with --reload on a migrated database."""
    if dialect == "mysql":
        pytest.skip("its database is shared by the tests, and this changes its tables")
    desk = Desk(tmp_path)
    desk.environment["DATABASE_URL"] = url
    desk.start("uvicorn app:app --reload")
    yield desk
    desk.stop()


def test_readme_names_the_next_number() -> None:
    newest = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
    assert f"--rev-id {int(newest) + 1:04} " in SECTION


def generate(desk: Desk, command: str, name: str) -> str:
    """Let Alembic write a step; return its file. The server restarts, and refuses to run it."""
    desk.type(command)
    printed = desk.read_until(FAILED)
    number = name[:4]
    assert "run `alembic upgrade head` first" in printed or (
        f"read and correct step {number}, then delete the line that says this" in printed
    ), printed
    return f"migrations/versions/{name}.py"


def apply(desk: Desk, file: str, dialect: str) -> None:
    """Delete the line that refuses, and migrate: on SQLite the server does."""
    text = (desk.folder / file).read_text(encoding="utf-8")
    refused = desk.type("alembic upgrade head", fails=True)
    assert "then delete the line that says this" in refused
    (line,) = re.findall(r"^    raise CommandError\(.*\n", text, re.MULTILINE)
    desk.edit(file, line, "")
    if dialect == "sqlite":
        desk.read_until(READY)
    else:
        desk.read_until(FAILED)
        desk.type("alembic upgrade head")
        desk.stop()
        desk.start("uvicorn app:app --reload")


def add_nickname(desk: Desk) -> str:
    """Do steps 1 and 2 of README; return the file of the step."""
    (line,) = re.findall(r"```python\n\s*(.+?)\n", SECTION)
    (command,) = re.findall(r"alembic revision .+", SECTION)
    desk.edit("models.py", BIO, f"{BIO}    {line}\n")
    desk.read_until(READY)
    assert httpx.get(f"{desk.url}/users/1").status_code == 500
    printed = desk.read_until("users.nickname")
    assert "no such column: users.nickname" in printed or "does not exist" in printed
    (name,) = re.findall(r"`migrations/versions/(\w+)\.py`", SECTION)
    return generate(desk, command, name)


@pytest.mark.long
@pytest.mark.sample(1)
def test_add_and_rename_a_column_and_add_a_table(desk: Desk, dialect: str) -> None:
    assert httpx.post(f"{desk.url}/users", json=ADA).status_code == 201
    step = add_nickname(desk)
    apply(desk, step, dialect)
    changed = httpx.patch(f"{desk.url}/users/1", json={"nickname": "Countess"})
    assert (changed.status_code, changed.json()["nickname"]) == (200, "Countess")
    grace = {"name": "Grace", "email": "grace@example.com", "nickname": "Amazing"}
    assert httpx.post(f"{desk.url}/users", json=grace).json()["nickname"] == "Amazing"

    # Renamed: what Alembic writes would lose the values, what README says keeps them.
    desk.edit("models.py", "    nickname: str", "    nick: str")
    desk.read_until(READY)
    step = generate(
        desk, 'alembic revision --autogenerate --rev-id 0012 -m "rename"', "0012_rename"
    )
    text = (desk.folder / step).read_text(encoding="utf-8")
    assert "op.drop_column('users', 'nickname')" in text
    (rename,) = re.findall(r'`(op\.alter_column\("users", .+?\))`', SECTION)
    back = 'op.alter_column("users", "nick", new_column_name="nickname")'
    for code in (rename, back):
        (old,) = re.findall(
            r"op\.add_column\('users', .*\n\s+op\.drop_column\('users', '\w+'\)", text
        )[:1]
        text = text.replace(old, code, 1)
    (desk.folder / step).write_text(text, encoding="utf-8")
    desk.read_until(FAILED)
    apply(desk, step, dialect)
    assert httpx.get(f"{desk.url}/users/1").json()["nick"] == "Countess"

    with (desk.folder / "models.py").open("a", encoding="utf-8") as file:
        file.write(
            '\n\nclass Badge(WithId, table=True):\n    """An award."""\n\n'
            '    __tablename__ = "badges"\n\n    name: str = Field(max_length=50)\n'
        )
    desk.read_until(READY)
    step = generate(
        desk, 'alembic revision --autogenerate --rev-id 0013 -m "badges"', "0013_badges"
    )
    apply(desk, step, dialect)
    desk.type("alembic check")
    desk.stop()
    for _ in range(3):
        desk.type("alembic downgrade -1")
    desk.type("alembic upgrade head")
    desk.start("uvicorn app:app")
    users = httpx.get(f"{desk.url}/users").json()
    assert [user["name"] for user in users] == ["Ada Lovelace", "Grace"]


@pytest.mark.long
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_goes_wrong_is_told(desk: Desk, dialect: str) -> None:
    """The messages of README's table, and what it says to do about them."""
    step = add_nickname(desk)
    again = 'alembic revision --autogenerate --rev-id 0012 -m "again"'
    assert "Target database is not up to date" in desk.type(again, fails=True)
    apply(desk, step, dialect)
    desk.stop()
    (desk.folder / step).rename(desk.folder / "lost.py")
    assert "Can't locate revision identified by '0011'" in desk.type("alembic current", fails=True)
    (desk.folder / "lost.py").rename(desk.folder / step)
    desk.type("alembic downgrade base")
    desk.type("alembic upgrade head")
    twice = "alembic revision --rev-id 0012 -m twice"
    desk.type(twice)
    assert "Self-loop is detected in revisions (0012)" in desk.type(f"{twice}_over", fails=True)
    (desk.folder / "migrations" / "versions" / "0012_twice_over.py").unlink()
    desk.type("alembic heads")
    for name in (
        "Target database is not up to date.",
        "Can't locate revision identified by '0011'",
        "Self-loop is detected in revisions",
    ):
        assert name in README


@pytest.mark.long
def test_a_column_that_is_a_foreign_key_on_sqlite(tmp_path: Path) -> None:
    """As Alembic writes it, SQLite refuses it; as README does, it works both ways."""
    desk = Desk(tmp_path)
    desk.type("alembic upgrade head")
    mentor = '    mentor_id: int | None = Field(default=None, foreign_key="users.id")\n'
    desk.edit("models.py", BIO, BIO + mentor)
    desk.type("alembic revision --autogenerate --rev-id 0011 -m mentor")
    step = desk.folder / "migrations" / "versions" / "0011_mentor.py"
    text = re.sub(r"    raise CommandError\(.*\n", "", step.read_text(encoding="utf-8"))
    step.write_text(text, encoding="utf-8")
    refused = desk.type("alembic upgrade head", fails=True)
    assert "No support for ALTER of constraints in SQLite" in refused
    (line,) = re.findall(r"`(op\.add_column\(.+?inline_references=True\))`", SECTION, re.DOTALL)
    both = r"op\.add_column\(.*\n    op\.create_foreign_key\(.*"
    text = re.sub(both, " ".join(line.split()), text)
    step.write_text(re.sub(r"    op\.drop_constraint\(.*\n", "", text), encoding="utf-8")
    desk.type("alembic upgrade head")
    desk.type("alembic check")
    desk.type("alembic downgrade -1")
    desk.type("alembic upgrade head")
