"""What the app does with the database: every query and every rule, nothing of HTTP.

Functions take a session, return rows or raise a DomainError. They flush, so that ids and broken
constraints show at once, and never commit: the dependency that made the session does.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from secrets import choice, token_hex
from string import ascii_uppercase, digits
from time import perf_counter
from typing import Any, TypeVar, cast

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import TypeAdapter, ValidationError
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
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import SQLModel, col

from models import (
    MAX_INTEGER,
    Category,
    CategoryCreate,
    CategoryStats,
    CategoryTree,
    CategoryUpdate,
    CategoryWithProducts,
    Comment,
    CommentCreate,
    Email,
    Notification,
    Order,
    OrderCreate,
    OrderItem,
    OrderQuery,
    OrderStatus,
    OrderSummary,
    Page,
    Post,
    PostCreate,
    PostQuery,
    PostUpdate,
    Product,
    ProductCreate,
    ProductQuery,
    ProductUpdate,
    Slice,
    Spender,
    Tag,
    User,
    UserCreate,
    UserQuery,
    UserUpdate,
    Window,
    utc_now,
)

logger = logging.getLogger("uvicorn.error")
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


class TryAgainError(DomainError):
    """Chance was against this request; the same one may succeed."""


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
    "uq_categories_name": ConflictError("Category name already taken"),
    "uq_categories_slug": ConflictError("Slug already taken"),
    "fk_categories_parent_id_categories": NotFoundError("Parent category not found"),
    "uq_products_name_category_id": ConflictError("Product name already taken in this category"),
    "uq_products_slug": ConflictError("Slug already taken"),
    "uq_products_sku": ConflictError("SKU already taken"),
    "fk_products_category_id_categories": NotFoundError("Category not found"),
    "fk_orders_user_id_users": NotFoundError("User not found"),
    "uq_orders_idempotency_key": ConflictError("Idempotency-Key already used for another order"),
    "uq_orders_order_number": TryAgainError("Order number taken; try again"),
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


def _first(db: Session, model: type[Row], *conditions: ColumnElement[bool]) -> Row:
    if row := db.scalar(select(model).where(*conditions)):
        return row
    raise NotFoundError(f"{model.__name__} not found")


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
    """Delete one row in one statement; raises NotFoundError, or ConflictError if it is in use."""
    try:
        deleted = execute(db, delete(model).where(model.id == id))
    except IntegrityError as error:  # only a foreign key with RESTRICT can object to a DELETE
        raise ConflictError(IN_USE[model]) from error
    if not deleted:
        raise NotFoundError(f"{model.__name__} not found")


IN_USE = {
    User: "User has orders; use soft delete",
    Product: "Product was ordered; deactivate it instead",
}


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


def user_rows(data: list[UserCreate]) -> list[dict[str, Any]]:
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
            same_keys = [{"hashed_password": None, **row} for row in rows]
            users = db.scalars(insert(User).returning(User), same_keys).all()
    except IntegrityError as error:
        field = broken_constraint(error).removeprefix("uq_users_")
        wanted = Counter(row[field] for row in rows)
        column = getattr(User, field)
        taken = db.scalar(select(column).where(column.in_(wanted)).limit(1))
        raise ConflictError(f"{explain(error)}: {taken or wanted.most_common(1)[0][0]}") from error
    by_email = {user.email: user for user in users}  # databases may return them in any order
    return [by_email[row["email"]] for row in rows]


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
    """Return the user with an e-mail, written in any way; raises NotFoundError."""
    try:
        stored = TypeAdapter(Email).validate_python(email)
    except ValidationError:
        raise NotFoundError("User not found") from None
    return _first(db, User, col(User.email) == stored, NOT_DELETED)


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
    inactive = ~col(User.is_active)
    ordered = select(col(Order.id)).where(col(Order.user_id) == User.id)
    deleted = execute(db, delete(User).where(inactive, ~ordered.exists()))
    kept = db.scalar(select(func.count()).select_from(User).where(inactive))
    return {"deleted_count": deleted, "kept_count": kept or 0}


def list_of_user(db: Session, model: Any, user_id: int, part: Slice) -> Sequence[Any]:
    """Return a user's orders or notifications, newest first; raises NotFoundError for the user."""
    get(db, User, user_id)
    newest = select(model).where(model.user_id == user_id).order_by(model.id.desc())
    return db.scalars(newest.offset(part.skip).limit(part.limit)).all()


def list_top_spenders(db: Session, limit: int) -> list[Spender]:
    """Return who spent most; cancelled orders do not count."""
    user = (col(User.id), col(User.name), col(User.email))
    count, total = func.count(col(Order.id)), func.sum(Order.total_amount)
    statement = (
        select(*user, count, total)
        .join(Order, col(Order.user_id) == User.id)
        .where(NOT_DELETED, col(Order.status) != OrderStatus.CANCELLED)
        .group_by(*user)
        .order_by(total.desc(), user[0])
        .limit(limit)
    )
    return [
        Spender(id=id_, name=name, email=email, order_count=orders, total_spent=spent)
        for id_, name, email, orders, spent in db.execute(statement)
    ]


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


def _tags(db: Session, ids: list[int]) -> list[Tag]:
    wanted = select(Tag).where(col(Tag.id).in_(ids)).order_by(col(Tag.id))
    tags = db.scalars(wanted).all() if ids else []
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


# ── Categories ───────────────────────────────────────────────────────────────────────────────────

BATCH = 1000  # values in one IN (…), which databases limit
MAX_DEPTH = 50  # JSON nested without a bound could not be written


def create_category(db: Session, data: CategoryCreate) -> Category:
    """Insert a category; raises NotFoundError for its parent."""
    if data.parent_id is not None:
        _check_parent(db, None, data.parent_id)
    category = Category(**data.model_dump(exclude={"slug"}))
    return add_with_slug(db, category, data.slug, data.name)


def update_category(db: Session, id: int, data: CategoryUpdate) -> Category:
    """Set what the client sent; raises RuleError if the category would be its own ancestor."""
    if data.parent_id is not None:
        _check_parent(db, id, data.parent_id)
    return change(db, get(db, Category, id, lock=True), data.model_dump(exclude_unset=True))


def _check_parent(db: Session, id: int | None, parent_id: int) -> None:
    _lock_categories(db)
    tree = select(col(Category.id), col(Category.parent_id))
    parents: dict[int, int | None] = {row.id: row.parent_id for row in db.execute(tree)}
    if parent_id not in parents:
        raise NotFoundError("Parent category not found")

    def path(node: int | None) -> list[int]:
        nodes = []
        while node is not None:
            nodes.append(node)
            node = parents[node]
        return nodes

    above = path(parent_id)
    if id in above:
        raise RuleError("A category cannot become its own ancestor")
    below = max((line.index(id) for line in map(path, parents) if id in line), default=0)
    if len(above) + 1 + below > MAX_DEPTH:
        raise RuleError(f"Categories nest at most {MAX_DEPTH} deep")


def _lock_categories(db: Session) -> None:
    # Two moves at once could else make a ring that neither sees. What is in the tree is read by
    # the next statement: this one may have waited, and PostgreSQL shows it the rows of before.
    ids = select(col(Category.id)).order_by(col(Category.id))
    db.execute(ids.with_for_update(key_share=True)).all()


def delete_category(db: Session, id: int) -> None:
    """Delete a category; its products and children lose their link. Raises NotFoundError."""
    # The links that ON DELETE SET NULL empties are locked first, in the order that orders lock
    # products in: a deadlock would be a 503 for one of the two.
    product = col(Product.id)
    ids = db.scalars(select(product).where(col(Product.category_id) == id).order_by(product)).all()
    for start in range(0, len(ids), BATCH):
        batch = select(product).where(product.in_(ids[start : start + BATCH])).order_by(product)
        db.execute(batch.with_for_update()).all()
    _lock_categories(db)
    remove(db, Category, id)


def read_category_tree(db: Session) -> list[CategoryTree]:
    """Return the categories without a parent, each with its children below it."""
    rows = db.scalars(select(Category).order_by(col(Category.id)))
    nodes = {row.id: CategoryTree(**row.model_dump()) for row in rows}
    for node in nodes.values():
        if node.parent_id is not None:
            nodes[node.parent_id].children.append(node)
    return [node for node in nodes.values() if node.parent_id is None]


def read_category_with_products(db: Session, id: int) -> CategoryWithProducts:
    """Return a category's name and all its products."""
    category = get(db, Category, id)
    own = select(Product).where(col(Product.category_id) == id).order_by(col(Product.id))
    products = list(db.scalars(own))
    return CategoryWithProducts(
        category=category.name, product_count=len(products), products=products
    )


# ── Products ─────────────────────────────────────────────────────────────────────────────────────

WITH_CATEGORY = joinedload(cast(Any, Product.category))


def create_product(db: Session, data: ProductCreate) -> Product:
    """Insert a product; raises NotFoundError for its category."""
    if data.category_id is not None:
        get(db, Category, data.category_id)
    return add_with_slug(db, Product(**data.model_dump(exclude={"slug"})), data.slug, data.name)


def list_products(db: Session, query: ProductQuery) -> Sequence[Product]:
    """Return the products that meet every filter that is set."""
    statement = select(Product)
    if query.category_id is not None:
        statement = statement.where(col(Product.category_id) == query.category_id)
    if query.min_price is not None:
        statement = statement.where(col(Product.price) >= query.min_price)
    if query.max_price is not None:
        statement = statement.where(col(Product.price) <= query.max_price)
    if query.in_stock is not None:
        available = col(Product.stock) > 0
        statement = statement.where(available if query.in_stock else ~available)
    if query.search:
        columns = (Product.name, Product.sku, Product.description)
        statement = statement.where(or_(*(contains(column, query.search) for column in columns)))
    return list_rows(db, statement, Product, query)


def list_products_with_categories(db: Session, window: Window) -> Sequence[Product]:
    """Return active products with their categories, in one statement."""
    active = select(Product).where(col(Product.is_active)).options(WITH_CATEGORY)
    return list_rows(db, active, Product, window)


def list_low_stock(db: Session, threshold: int, part: Slice) -> Sequence[Product]:
    """Return active products with at most so many in stock, the fewest first."""
    low = select(Product).where(col(Product.stock) <= threshold, col(Product.is_active))
    ordered = low.order_by(col(Product.stock), col(Product.id))
    return db.scalars(ordered.offset(part.skip).limit(part.limit)).all()


def list_category_stats(db: Session) -> list[CategoryStats]:
    """Return the prices of each category's active products, largest category first."""
    price, count = col(Product.price), func.count(col(Product.id))
    statement = (
        select(col(Category.name), count, func.sum(price), func.min(price), func.max(price))
        .join(Product, col(Product.category_id) == Category.id)
        .where(col(Product.is_active))
        .group_by(col(Category.id), col(Category.name))
        .order_by(count.desc(), col(Category.id))
    )
    return [
        CategoryStats(
            category=name,
            product_count=number,
            # AVG would be a float in SQLite; the sum is exact in every database.
            avg_price=(total / number).quantize(CENT, ROUND_HALF_UP),
            min_price=lowest,
            max_price=highest,
        )
        for name, number, total, lowest, highest in db.execute(statement)
    ]


def get_product_by_sku(db: Session, sku: str) -> Product:
    """Return the product with an SKU in any case; raises NotFoundError."""
    return _first(db, Product, col(Product.sku) == sku.strip().upper())


def update_product(db: Session, id: int, data: ProductUpdate) -> Product:
    """Set what the client sent; raises NotFoundError for the category."""
    if data.category_id is not None:
        get(db, Category, data.category_id)
    return change(db, get(db, Product, id, lock=True), data.model_dump(exclude_unset=True))


def adjust_stock(db: Session, id: int, difference: int) -> Product:
    """Add to the stock or take from it; raises RuleError if it would leave its bounds."""
    product = get(db, Product, id, lock=True)
    _add_to_stock(product, difference)
    return add(db, product)


def _add_to_stock(product: Product, difference: int) -> None:
    stock = product.stock + difference
    if stock < 0:
        raise RuleError(
            f"Insufficient stock for '{product.name}'. "
            f"Available: {product.stock}, requested: {-difference}"
        )
    if stock > MAX_INTEGER:
        raise RuleError(f"The stock of '{product.name}' cannot be more than {MAX_INTEGER}")
    product.stock = stock


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────

CENT = Decimal("0.01")
MAX_TOTAL = Decimal("99999999.99")  # what NUMERIC(10,2) holds
# From which status an order may go to which.
TRANSITIONS = {
    OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
    OrderStatus.CONFIRMED: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: {OrderStatus.DELIVERED},
    OrderStatus.DELIVERED: set(),
    OrderStatus.CANCELLED: set(),
}


def place_order(db: Session, data: OrderCreate, key: str | None = None) -> Order:
    """Take the stock and insert the order; a key that was used for the same order returns that.

    Raises NotFoundError for the user or a product, RuleError for inactive products, stock and
    totals, ConflictError for a key that was used for another order.
    """
    quantities: Counter[int] = Counter()
    for line in data.items:
        quantities[line.product_id] += line.quantity
    products = _lock_products(db, quantities)
    request_hash = sha256(data.model_dump_json().encode()).hexdigest()
    # Only behind the locks: of two requests with one key, the second finds the first one's order.
    statement = (
        select(User, Order)
        .outerjoin(Order, (col(Order.idempotency_key) == key) & (key is not None))
        .where(col(User.id) == data.user_id)
    )
    user, earlier = db.execute(statement).first() or (None, None)
    if earlier is not None and earlier.request_hash == request_hash:
        return earlier
    if earlier is not None:
        raise CONSTRAINTS["uq_orders_idempotency_key"]
    if user is None or user.deleted_at:
        raise NotFoundError("User not found")
    lines = [_take(products, *line) for line in quantities.items()]
    total = sum((line["total_price"] for line in lines), Decimal(0))
    if total > MAX_TOTAL:
        raise RuleError(f"The order's total is more than {MAX_TOTAL}")
    order = Order(
        order_number=_order_number(),
        total_amount=total,
        user_id=data.user_id,
        shipping_address=data.shipping_address,
        idempotency_key=key,
        request_hash=request_hash if key else None,
    )
    add(db, order)
    rows = [{"order_id": order.id, **line} for line in lines]
    items = db.scalars(insert(OrderItem).returning(OrderItem), rows)
    set_committed_value(order, "items", sorted(items, key=lambda item: item.id))
    _notify(db, order)
    return order


def _lock_products(db: Session, ids: Iterable[int]) -> dict[int, Product]:
    # Always in the order of the ids: two orders that wait for each other would be a deadlock.
    rows = select(Product).where(col(Product.id).in_(ids)).order_by(col(Product.id))
    return {product.id: product for product in db.scalars(rows.with_for_update())}


def _take(products: dict[int, Product], id: int, quantity: int) -> dict[str, Any]:
    product = products.get(id)
    if product is None:
        raise NotFoundError(f"Product {id} not found")
    if not product.is_active:
        raise RuleError(f"Product '{product.name}' is not available")
    _add_to_stock(product, -quantity)
    return {
        "product_id": id,
        "quantity": quantity,
        "unit_price": product.price,
        "total_price": product.price * quantity,
    }


def _order_number() -> str:
    end = "".join(choice(ascii_uppercase + digits) for _ in range(6))
    return f"ORD-{utc_now():%Y%m%d%H%M%S}-{end}"


def _notify(db: Session, order: Order) -> None:
    message = f"Order {order.order_number} was placed"
    try:
        with db.begin_nested():
            add(db, Notification(user_id=order.user_id, order_id=order.id, message=message))
    except DBAPIError as error:
        # With the connection the order is lost too. MariaDB also undoes a whole transaction when
        # it resolves a deadlock, not just the savepoint.
        kept = select(col(Order.id)).where(col(Order.id) == order.id)
        if error.connection_invalidated or db.scalar(kept) is None:
            raise
        logger.warning("No notification for order %s: %s", order.order_number, error.orig)


def list_orders(db: Session, query: OrderQuery) -> Sequence[Order]:
    """Return the orders that meet every filter that is set."""
    statement = select(Order)
    if query.status is not None:
        statement = statement.where(col(Order.status) == query.status)
    if query.user_id is not None:
        statement = statement.where(col(Order.user_id) == query.user_id)
    return list_rows(db, statement, Order, query)


def get_order_details(db: Session, id: int) -> Order:
    """Return an order with its user, items and their products, in two statements."""
    products = eager(Order.items).joinedload(OrderItem.product)
    return get(db, Order, id, joinedload(cast(Any, Order.user)), products)


def change_status(db: Session, id: int, status: OrderStatus) -> Order:
    """Move an order to another status; cancelling puts the stock back. Raises RuleError."""
    order = get(db, Order, id, lock=True)
    if status not in TRANSITIONS[order.status]:
        raise RuleError(f"An order cannot go from {order.status} to {status}")
    if status == OrderStatus.CANCELLED:
        quantities = {item.product_id: item.quantity for item in order.items}
        for product in _lock_products(db, quantities).values():
            _add_to_stock(product, quantities[product.id])
    return change(db, order, {"status": status})


def summarize_orders(db: Session, user_id: int | None) -> OrderSummary:
    """Return how many orders there are of each status and what they brought, cancelled ones not."""
    statement = select(col(Order.status), func.count(), func.sum(Order.total_amount))
    if user_id is not None:
        statement = statement.where(col(Order.user_id) == user_id)
    rows = db.execute(statement.group_by(col(Order.status)).order_by(col(Order.status))).all()
    return OrderSummary(
        total_orders=sum(count for _, count, _ in rows),
        total_revenue=sum(
            (s for status, _, s in rows if status != OrderStatus.CANCELLED), Decimal(0)
        ),
        orders_by_status={status: count for status, count, _ in rows},
    )


# ── Service ──────────────────────────────────────────────────────────────────────────────────────


def ping(db: Session) -> float:
    """Return how many seconds one round trip to the database takes."""
    start = perf_counter()
    db.scalar(select(1))
    return perf_counter() - start
