"""What the app does with the database: every query and every rule, nothing of HTTP.

Functions take a session, return rows or raise a DomainError. They flush, so that ids and broken
constraints show at once, and never commit: the dependency that made the session does.
"""

import re
from collections import Counter
from collections.abc import Sequence
from secrets import token_hex
from time import perf_counter
from typing import Annotated, Any, TypeVar, cast

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field
from slugify import slugify
from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Update,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import SQLModel, col

from models import (
    Comment,
    CommentCreate,
    Page,
    Post,
    PostCreate,
    PostQuery,
    PostUpdate,
    Tag,
    User,
    UserCreate,
    UserQuery,
    UserUpdate,
    Window,
    utc_now,
)

Row = TypeVar("Row", bound=SQLModel)


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


class DomainError(Exception):
    """A request that cannot be done; the message is a sentence for the client."""


class NotFoundError(DomainError):
    """A row that the request names does not exist."""


class ConflictError(DomainError):
    """A unique value is taken, or a row is still in use."""


class RuleError(DomainError):
    """A business rule says no."""


# What a broken constraint means to a client. Checking with a SELECT first would miss the request
# that takes the same e-mail in between; the constraint cannot be passed.
CONSTRAINTS: dict[str, DomainError] = {
    "uq_users_email": ConflictError("Email already registered"),
    "uq_users_username": ConflictError("Username already taken"),
    "uq_tags_name": ConflictError("Tag already exists"),
    "uq_posts_slug": ConflictError("Slug already taken"),
    "fk_posts_author_id_users": NotFoundError("Author not found"),
    "fk_comments_author_id_users": NotFoundError("Author not found"),
    "fk_comments_post_id_posts": NotFoundError("Post not found"),
    "fk_post_tags_tag_id_tags": NotFoundError("Some tags not found"),
    "fk_post_tags_post_id_posts": NotFoundError("Post not found"),
}


def broken_constraint(error: IntegrityError) -> str:
    """Return the constraint's name, '' where the database keeps it back (SQLite's foreign keys)."""
    if diagnostics := getattr(error.orig, "diag", None):  # PostgreSQL
        return diagnostics.constraint_name or ""
    text = str(error.orig)
    if columns := re.findall(r"(\w+)\.(\w+)", text.partition("UNIQUE constraint failed: ")[2]):
        return "_".join(["uq", columns[0][0], *(column for _, column in columns)])  # SQLite
    # MariaDB, the last match: values that a client chose stand before the key's name
    names = re.findall(r"(?:for key|CONSTRAINT) ['`](?:\w+\.)?(\w+)['`]", text)
    return names[-1] if names else ""


def explain(error: IntegrityError) -> DomainError:
    """Return what a broken constraint means to the client."""
    return CONSTRAINTS.get(broken_constraint(error)) or ConflictError(
        "The change does not fit the rows that are stored or is still in use by some"
    )


# ── Helpers for every table ──────────────────────────────────────────────────────────────────────


def get(
    db: Session,
    model: type[Row],
    id: int,
    *options: ORMOption,
    lock: bool = False,
    include_deleted: bool = False,
    name: str = "",
) -> Row:
    """Return one row; `lock` it if it is to be changed. Raises NotFoundError under a `name`."""
    row = db.get(model, id, options=options, with_for_update=lock or None)
    if row is None or (getattr(row, "deleted_at", None) and not include_deleted):
        raise NotFoundError(f"{name or model.__name__} not found")
    return row


def list_rows(db: Session, statement: Select[Row], model: Any, window: Window) -> Sequence[Row]:
    """Return the rows of a statement that lie in the window, ordered by id."""
    if window.after_id is not None:
        statement = statement.where(model.id > window.after_id)
    return db.scalars(statement.order_by(model.id).offset(window.skip).limit(window.limit)).all()


def add(db: Session, row: Row) -> Row:
    """Insert a row and return it with its id."""
    db.add(row)
    db.flush()
    return row


def add_with_slug(db: Session, row: Any, slug: str | None, text: str) -> Any:
    """Insert a row under a slug or, without one, under one that is made from a text."""
    if slug:
        row.slug = slug
        return add(db, row)
    row.slug = slugify(text, max_length=200) or type(row).__name__.lower()
    try:
        with db.begin_nested():
            return add(db, row)
    except IntegrityError as error:
        if broken_constraint(error) != f"uq_{row.__tablename__}_slug":
            raise
        row.slug += f"-{token_hex(6)}"
        return add(db, row)


def change(db: Session, row: Row, values: dict[str, Any]) -> Row:
    """Set columns of a row and return it."""
    row.sqlmodel_update(values)
    db.flush()
    return row


def execute(db: Session, statement: Update | Delete) -> int:
    """Change or delete rows that the session has not loaded; returns how many."""
    result: Any = db.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)


def remove(db: Session, model: Any, id: int) -> None:
    """Delete one row in one statement; raises NotFoundError."""
    if not execute(db, delete(model).where(model.id == id)):
        raise NotFoundError(f"{model.__name__} not found")


def contains(column: Any, term: str) -> ColumnElement[bool]:
    """Return the condition that a column has a term in it, in any case, % and _ literal."""
    return col(column).icontains(term, autoescape=True)


def eager(relationship: Any) -> Any:
    """Load a relationship with one more statement; typed for mypy, which sees a plain list."""
    return selectinload(relationship)


# ── Users ────────────────────────────────────────────────────────────────────────────────────────

NOT_DELETED = col(User.deleted_at).is_(None)

# One of the settings that OWASP calls equal: 19 MiB, two passes.
PASSWORDS = PasswordHash((Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1),))


def user_columns(data: UserCreate) -> dict[str, Any]:
    """Return all columns that a client may set; a password is hashed, which is slow on purpose."""
    return _hash_password(data.model_dump())


def user_rows(
    data: Annotated[list[UserCreate], Field(min_length=1, max_length=1000)],
) -> list[dict[str, Any]]:
    """Return the columns of many users, the passwords hashed."""
    return [user_columns(user) for user in data]


def user_changes(data: UserUpdate) -> dict[str, Any]:
    """Return the columns that the client sent; a password is hashed, which is slow on purpose."""
    return _hash_password(data.model_dump(exclude_unset=True))


def _hash_password(values: dict[str, Any]) -> dict[str, Any]:
    if password := values.pop("password", None):
        values["hashed_password"] = PASSWORDS.hash(password)
    return values


def create_users(db: Session, rows: list[dict[str, Any]]) -> list[User]:
    """Insert many users in one statement; raises ConflictError naming a value that is taken."""
    try:
        with db.begin_nested():
            db.execute(insert(User), [{"hashed_password": None, **row} for row in rows])
    except IntegrityError as error:
        field = broken_constraint(error).removeprefix("uq_users_")
        wanted = Counter(row[field] for row in rows)
        column = getattr(User, field)
        taken = db.scalar(select(column).where(column.in_(wanted)).limit(1))
        raise ConflictError(f"{explain(error)}: {taken or wanted.most_common(1)[0][0]}") from error
    emails = [row["email"] for row in rows]
    users = db.scalars(select(User).where(col(User.email).in_(emails)))
    by_email = {user.email: user for user in users}
    return [by_email[email] for email in emails]


def list_users(db: Session, query: UserQuery) -> Sequence[User]:
    """Return the users that meet every filter that is set."""
    statement = select(User)
    if not query.include_deleted:
        statement = statement.where(NOT_DELETED)
    if query.min_age is not None:
        statement = statement.where(col(User.age) >= query.min_age)
    if query.max_age is not None:
        statement = statement.where(col(User.age) <= query.max_age)
    if query.is_active is not None:
        statement = statement.where(col(User.is_active).is_(query.is_active))
    if query.name:
        statement = statement.where(contains(User.name, query.name))
    if query.city:
        statement = statement.where(contains(User.city, query.city))
    if query.search:
        columns = (User.name, User.username, User.email)
        statement = statement.where(or_(*(contains(column, query.search) for column in columns)))
    return list_rows(db, statement, User, query)


def page_users(db: Session, page: int, page_size: int) -> Page[User]:
    """Return one page of the users, newest first; the first page is 1."""
    total = db.scalar(select(func.count()).select_from(User).where(NOT_DELETED)) or 0
    newest = select(User).where(NOT_DELETED).order_by(col(User.id).desc())
    total_pages = -(-total // page_size)
    return Page(
        items=db.scalars(newest.offset((page - 1) * page_size).limit(page_size)).all(),
        total=total,
        page=page,
        page_size=page_size,
        total_pages=total_pages,
        has_next=page < total_pages,
        has_previous=page > 1,
    )


def get_user_by_email(db: Session, email: str) -> User:
    """Return the user with an e-mail in any case; raises NotFoundError."""
    same = col(User.email) == email.strip().lower()
    if user := db.scalar(select(User).where(same, NOT_DELETED)):
        return user
    raise NotFoundError("User not found")


def count_active_users(db: Session) -> int:
    """Return how many users are active and not deleted."""
    statement = select(func.count()).select_from(User)
    return db.scalar(statement.where(NOT_DELETED, col(User.is_active))) or 0


def update_user(db: Session, id: int, values: dict[str, Any]) -> User:
    """Set columns of a user."""
    return change(db, get(db, User, id, lock=True), values)


def soft_delete_user(db: Session, id: int) -> User:
    """Hide a user; the rows stay."""
    return update_user(db, id, {"deleted_at": utc_now(), "is_active": False})


def restore_user(db: Session, id: int) -> User:
    """Undo a soft delete; a user who is not deleted stays as is."""
    user = get(db, User, id, lock=True, include_deleted=True)
    return change(db, user, {"deleted_at": None, "is_active": True}) if user.deleted_at else user


def deactivate_users(db: Session, ids: list[int]) -> int:
    """Deactivate users; returns how many were active."""
    active = update(User).where(col(User.id).in_(ids), col(User.is_active))
    return execute(db, active.values(is_active=False))


def delete_inactive_users(db: Session) -> dict[str, int]:
    """Delete the inactive users and count them."""
    deleted = execute(db, delete(User).where(~col(User.is_active)))
    return {"deleted_count": deleted, "kept_count": 0}


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


def _tags(db: Session, ids: list[int]) -> list[Tag]:
    tags = db.scalars(select(Tag).where(col(Tag.id).in_(ids))).all() if ids else []
    if len(tags) != len(set(ids)):
        raise NotFoundError("Some tags not found")
    return list(tags)


# ── Posts ────────────────────────────────────────────────────────────────────────────────────────

AUTHOR_AND_TAGS = (joinedload(cast(Any, Post.author)), eager(Post.tags))


def create_post(db: Session, data: PostCreate) -> Post:
    """Insert a post with its tags; raises NotFoundError for its author or a tag."""
    _check_author(db, data.author_id)
    tags = _tags(db, data.tag_ids)
    post = Post(**data.model_dump(exclude={"slug", "tag_ids"}), tags=tags)
    return add_with_slug(db, post, data.slug, data.title)


def _check_author(db: Session, id: int | None) -> None:
    if id is not None:
        get(db, User, id, name="Author")


def list_posts(db: Session, query: PostQuery) -> Sequence[Post]:
    """Return the posts that meet every filter that is set, with author and tags."""
    statement = select(Post).options(*AUTHOR_AND_TAGS)
    if query.published is not None:
        statement = statement.where(col(Post.published).is_(query.published))
    if query.author_id is not None:
        statement = statement.where(col(Post.author_id) == query.author_id)
    if query.tag:
        statement = statement.where(cast(Any, Post.tags).any(name=query.tag))
    return list_rows(db, statement, Post, query)


def list_posts_with_comments(db: Session, window: Window) -> Sequence[Post]:
    """Return posts with tags and comments: one statement for each of the three."""
    statement = select(Post).options(eager(Post.tags), eager(Post.comments))
    return list_rows(db, statement, Post, window)


def update_post(db: Session, id: int, data: PostUpdate) -> Post:
    """Set what the client sent; the tags are replaced if they were."""
    post = get(db, Post, id, lock=True)
    values = data.model_dump(exclude_unset=True, exclude={"tag_ids"})
    if "author_id" in values:
        _check_author(db, data.author_id)
    if "tag_ids" in data.model_fields_set:
        post.tags = _tags(db, data.tag_ids)
        post.updated_at = utc_now()
    return change(db, post, values)


def publish_post(db: Session, id: int) -> Post:
    """Publish a post; the time of the first call stays."""
    post = get(db, Post, id, lock=True)
    if not post.published:
        change(db, post, {"published": True, "published_at": utc_now()})
    return post


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


def create_comment(db: Session, post_id: int, data: CommentCreate) -> Comment:
    """Insert a comment; raises NotFoundError for the post or the author."""
    get(db, Post, post_id)
    _check_author(db, data.author_id)
    return add(db, Comment(**data.model_dump(), post_id=post_id))


def list_comments(db: Session, post_id: int, window: Window) -> Sequence[Comment]:
    """Return the comments of a post; raises NotFoundError if there is no such post."""
    get(db, Post, post_id)
    return list_rows(db, select(Comment).where(col(Comment.post_id) == post_id), Comment, window)


# ── Service ──────────────────────────────────────────────────────────────────────────────────────


def ping(db: Session) -> float:
    """Return how many seconds one round trip to the database takes."""
    start = perf_counter()
    db.scalar(select(1))
    return perf_counter() - start
