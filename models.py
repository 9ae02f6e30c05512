"""The tables, which are the answers too, and the small classes for what a client may send.

For each resource: the fields that clients send (…Base), a row as it is answered (…Row), the table
itself, then what creates a row (…Create), what changes one (…Update), what a list is filtered by
(…Filters), and answers that nest rows of other tables.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pydantic
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    EmailStr,
    PlainSerializer,
    Strict,
)
from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Enum,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    and_,
    column,
    event,
    func,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import configure_mappers
from sqlmodel import Field, Relationship, SQLModel

from core import checks
from core.indexes import search_index, visible_index

# Predictable names: a migration can drop the constraint, crud.py can tell which one was broken.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# ── Field types ──────────────────────────────────────────────────────────────────────────────────
# Only what several classes share, and what SQLModel's Field cannot say: it drops patterns and
# aliases, so these use pydantic's.

MAX_INTEGER = 2_147_483_647  # the largest INTEGER of PostgreSQL and MariaDB

# Strict, or JSON's true and "7" would pass for the integers 1 and 7.
Integer = Annotated[int, Strict()]
Boolean = Annotated[bool, Strict()]
Id = Annotated[Integer, pydantic.Field(ge=1, le=MAX_INTEGER)]
NotBlank = Annotated[str, AfterValidator(checks.refuse_blank)]
Tidy = Annotated[NotBlank, BeforeValidator(checks.tidy)]
NameOrFullName = Annotated[
    NotBlank,
    pydantic.Field(min_length=2, max_length=50, validation_alias=AliasChoices("name", "full_name")),
]
Email = Annotated[
    EmailStr,
    pydantic.Field(max_length=254),
    BeforeValidator(checks.refuse_name),
    BeforeValidator(checks.tidy_lower),
]
Username = Annotated[
    str | None,
    pydantic.Field(min_length=3, max_length=50, pattern=r"^[a-zA-Z0-9_]+$", examples=["ada_1815"]),
]
Password = Annotated[
    str,
    pydantic.Field(
        min_length=8,
        max_length=100,
        examples=["Secret123"],
        json_schema_extra={"pattern": "[A-Z].*[0-9]|[0-9].*[A-Z]"},
    ),
    AfterValidator(checks.refuse_weak),
]
Slug = Annotated[
    str, pydantic.Field(max_length=220, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["a-title"])
]
TagName = Annotated[
    NotBlank, pydantic.Field(min_length=1, max_length=50), BeforeValidator(checks.tidy_lower)
]
Sku = Annotated[
    str | None,
    pydantic.Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9-]+$", examples=["WH-001"]),
    BeforeValidator(checks.tidy),
    AfterValidator(checks.upper),
]
# Exact in Python and in the database, a number in JSON.
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
PRICE = {"type": "number", "maximum": 99999999.99}  # in OpenAPI, where no Decimal is
Price = Annotated[
    Amount, pydantic.WithJsonSchema(PRICE | {"minimum": 0.01, "multipleOf": 0.01}, "validation")
]
AnyPrice = Annotated[
    Decimal,
    pydantic.Field(ge=0, le=Decimal("99999999.99")),
    pydantic.WithJsonSchema(PRICE | {"minimum": 0}),
]
Money = Annotated[Amount, pydantic.Field(ge=0, max_digits=10, decimal_places=2)]
Stock = Annotated[Integer, pydantic.Field(ge=0, le=MAX_INTEGER)]
StockOrQuantity = Annotated[
    Stock, pydantic.Field(validation_alias=AliasChoices("stock", "stock_quantity"))
]

# MariaDB's TEXT ends at 65,535 bytes, which 20,000 characters can exceed.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


@compiles(DateTime, "mysql", "mariadb")
def _datetime_with_fraction(*_: object, **__: object) -> str:
    return "DATETIME(6)"  # plain DATETIME would drop the microseconds that POST has answered


def utc_now() -> datetime:
    """Return the time now, in UTC and aware of it."""
    return datetime.now(UTC)


# ── Base classes ─────────────────────────────────────────────────────────────────────────────────

T = TypeVar("T")


class Base(SQLModel):
    """What all classes share: in OpenAPI, a field that is always answered is required."""

    model_config = {"json_schema_serialization_defaults_required": True}

    # MariaDB's default collation takes A for a and é for e; SQLite gives the id of a deleted row to
    # the next one. The other databases do not.
    __table_args__: ClassVar[Any] = {
        "mysql_charset": "utf8mb4",
        "mysql_collate": "utf8mb4_bin",
        "sqlite_autoincrement": True,
    }


class WithId(Base):
    """The primary key. As the last base of a class it comes first in the answers."""

    id: int = Field(default=None, primary_key=True)


class Input(Base):
    """What a client sends: no text in it holds a NUL character."""

    _no_nul = pydantic.field_validator("*")(checks.refuse_nul)

    def columns(self) -> dict[str, Any]:
        """Return the values to store, by column."""
        return self.model_dump()


class Update(Input):
    """What a client changes: any field may be left out, and null only where the column takes it."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Make every field optional: its default is never validated, and never stored."""
        super().__pydantic_init_subclass__(**kwargs)
        for field in cls.model_fields.values():
            field.default = None
        cls.model_rebuild(force=True)

    def columns(self) -> dict[str, Any]:
        """Return the values that were sent, by column."""
        return self.model_dump(exclude_unset=True)


def enforce_bounds(table: type[T]) -> type[T]:
    """Repeat the bounds of a table class's fields as CHECK constraints, one for each column."""
    model: Any = table
    for name, field in model.model_fields.items():
        value: Any = column(name)
        length = func.char_length(value)
        rules = {
            "gt": value.__gt__,
            "ge": value.__ge__,
            "lt": value.__lt__,
            "le": value.__le__,
            "min_length": length.__ge__,
            "max_length": length.__le__,
        }
        checks = [
            rule(getattr(bound, key))
            for bound in field.metadata
            for key, rule in rules.items()
            if hasattr(bound, key)
        ]
        if checks:
            model.__table__.append_constraint(CheckConstraint(and_(*checks), name=name))
    return table


@event.listens_for(Base, "load", propagate=True)
def _order_fields(row: Base, _: object) -> None:
    """Give a row that the ORM loaded the order of its class, in which JSON is written."""
    values = row.__dict__
    for name in type(row).model_fields:
        if name in values:
            values[name] = values.pop(name)


class Pagination(Input):
    """How many rows of a list to leave out, and how many to answer."""

    skip: int = Field(default=0, ge=0, le=MAX_INTEGER)
    limit: int = Field(default=10, ge=1, le=100)


class LongPagination(Pagination):
    """The same for lists inside of a row, which are long by default."""

    limit: int = Field(default=100, ge=1, le=100)


class KeysetPagination(Pagination):
    """The same for lists in the order of their ids, which can go on after one at no cost."""

    after_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)


class Page(BaseModel, Generic[T]):
    """One page of a list and its place in the whole."""

    items: list[T]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_previous: bool


# ── Users ────────────────────────────────────────────────────────────────────────────────────────


class UserBase(Base):
    name: NotBlank = Field(min_length=2, max_length=50)
    username: Username = Field(default=None, unique=True)
    email: Email = Field(unique=True)
    age: Integer | None = Field(default=None, ge=0, le=150, index=True)
    city: str = Field(default="Unknown", max_length=50)
    bio: str | None = Field(default=None, max_length=1000)


class UserRow(UserBase, WithId):
    is_active: bool = Field(default=True, index=True)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})
    deleted_at: datetime | None = Field(default=None, index=True)


@enforce_bounds
class User(UserRow, table=True):
    """A person; posts and comments go when the row goes, but `deleted_at` only hides it."""

    __tablename__ = "users"
    __table_args__ = (
        visible_index("users"),
        search_index("users", "name", "username", "email", "city"),
        Base.__table_args__,
    )

    hashed_password: str | None = Field(default=None, max_length=255, exclude=True)

    posts: list["Post"] = Relationship(
        back_populates="author", cascade_delete=True, passive_deletes=True
    )


# One of the settings that OWASP calls equal: 19 MiB, two passes.
PASSWORDS = PasswordHash((Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1),))


class WithPassword(Input):
    password: Password | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values to store, with a hash in place of the password.

        Hashing takes some 30 ms on purpose: who steals the table can try few passwords a second.
        """
        values = super().columns()
        if password := values.pop("password", None):
            values["hashed_password"] = PASSWORDS.hash(password)
        return values


class UserCreate(WithPassword, UserBase):
    name: NameOrFullName


class UserUpdate(WithPassword, Update, UserBase):
    name: NameOrFullName
    password: Password
    is_active: Boolean


class UserFilters(KeysetPagination):
    min_age: int | None = Field(default=None, ge=0, le=150)
    max_age: int | None = Field(default=None, ge=0, le=150)
    is_active: bool | None = None
    active_only: bool = False
    search: str | None = Field(default=None, max_length=254, description="in name, username, email")
    q: str | None = Field(default=None, max_length=254, description="like search")
    name: str | None = Field(default=None, max_length=50)
    city: str | None = Field(default=None, max_length=50)
    include_deleted: bool = False


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


class PostTag(Base, table=True):
    """The link table of posts and tags; a link goes when either end goes."""

    __tablename__ = "post_tags"
    __table_args__ = (
        Index("ix_post_tags_tag_id_post_id", "tag_id", "post_id"),
        Base.__table_args__,
    )

    post_id: int = Field(primary_key=True, foreign_key="posts.id", ondelete="CASCADE")
    tag_id: int = Field(primary_key=True, foreign_key="tags.id", ondelete="CASCADE")


class TagCreate(Input):
    name: TagName = Field(unique=True)


@enforce_bounds
class Tag(TagCreate, WithId, table=True):
    """A word that posts are found by."""

    __tablename__ = "tags"


# ── Posts ────────────────────────────────────────────────────────────────────────────────────────


class PostBase(Base):
    title: NotBlank = Field(min_length=5, max_length=100)
    slug: Slug | None = Field(default=None, unique=True)
    content: NotBlank = Field(min_length=20, max_length=20_000, sa_type=LongText)


class PostRow(PostBase, WithId):
    slug: Slug = Field(unique=True)
    published: bool = Field(default=False, index=True)
    published_at: datetime | None = None
    author_id: int | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", index=True
    )
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@enforce_bounds
class Post(PostRow, table=True):
    """An article; it goes with its author, and its comments and tag links go with it."""

    __tablename__ = "posts"

    author: User | None = Relationship(back_populates="posts")
    tags: list[Tag] = Relationship(
        link_model=PostTag,
        passive_deletes=True,
        sa_relationship_kwargs={"order_by": "Tag.id"},
    )
    comments: list["Comment"] = Relationship(
        back_populates="post",
        cascade_delete=True,
        passive_deletes=True,
        sa_relationship_kwargs={"order_by": "Comment.id"},
    )


class PostCreate(Input, PostBase):
    author_id: Id | None = None
    tag_ids: list[Id] = Field(default=[], max_length=100)


class PostUpdate(Update, PostBase):
    slug: Slug
    author_id: Id | None
    tag_ids: list[Id] = Field(max_length=100)


class PostFilters(KeysetPagination):
    published: bool | None = None
    author_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    tag: TagName | None = None


class UserWithPosts(UserRow):
    posts: list[Post]


class PostDetail(PostRow):
    author: User | None
    tags: list[Tag]


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


class CommentCreate(Input):
    body: NotBlank = Field(min_length=1, max_length=2000)
    author_id: Id | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", index=True
    )


@enforce_bounds
class Comment(CommentCreate, WithId, table=True):
    """A remark under a post; it goes with the post and with its author."""

    __tablename__ = "comments"

    post_id: int = Field(foreign_key="posts.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(default_factory=utc_now)

    post: Post = Relationship(back_populates="comments")


class PostWithComments(PostRow):
    tags: list[Tag]
    comments: list[Comment]


# ── Categories ───────────────────────────────────────────────────────────────────────────────────


class CategoryBase(Base):
    name: Tidy = Field(min_length=1, max_length=100, unique=True)
    slug: Slug | None = Field(default=None, unique=True)
    description: str | None = Field(default=None, max_length=2000)
    parent_id: Id | None = Field(
        default=None, foreign_key="categories.id", ondelete="SET NULL", index=True
    )


class CategoryRow(CategoryBase, WithId):
    slug: Slug = Field(unique=True)
    created_at: datetime = Field(default_factory=utc_now)


@enforce_bounds
class Category(CategoryRow, table=True):
    """A shelf; products and categories below it stay when it goes, only their link is emptied."""

    __tablename__ = "categories"


class CategoryCreate(Input, CategoryBase):
    pass


class CategoryUpdate(Update, CategoryBase):
    slug: Slug


class CategoryTree(CategoryRow):
    children: list["CategoryTree"] = []


# ── Products ─────────────────────────────────────────────────────────────────────────────────────


class ProductBase(Base):
    name: Tidy = Field(min_length=1, max_length=200)
    slug: Slug | None = Field(default=None, unique=True)
    sku: Sku = Field(default=None, unique=True)
    description: str | None = Field(default=None, max_length=2000)
    price: Price = Field(gt=0, max_digits=10, decimal_places=2, sa_type=Numeric(10, 2), index=True)
    stock: Stock = Field(default=0, index=True)


class ProductRow(ProductBase, WithId):
    slug: Slug = Field(unique=True)
    is_active: bool = True
    category_id: int | None = Field(default=None, foreign_key="categories.id", ondelete="SET NULL")
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@enforce_bounds
class Product(ProductRow, table=True):
    """Something to buy; once it was ordered it cannot be deleted, only deactivated."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("name", "category_id"),
        Index("ix_products_category_id_price", "category_id", "price"),
        search_index("products", "name", "sku", "description"),
        Base.__table_args__,
    )

    category: Category | None = Relationship()


class ProductCreate(Input, ProductBase):
    stock: StockOrQuantity = 0
    category_id: Id | None = None


class ProductUpdate(Update, ProductBase):
    slug: Slug
    stock: StockOrQuantity
    is_active: Boolean
    category_id: Id | None


class ProductFilters(KeysetPagination):
    category_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    min_price: AnyPrice | None = None
    max_price: AnyPrice | None = None
    in_stock: bool | None = None
    search: str | None = Field(
        default=None, max_length=200, description="in name, sku, description"
    )


class ProductDetail(ProductRow):
    category: Category | None


class CategoryWithProducts(Base):
    category: str
    product_count: int
    products: list[Product]


class CategoryStats(Base):
    category: str
    product_count: int
    avg_price: Amount
    min_price: Amount
    max_price: Amount


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class OrderItemRow(WithId):
    product_id: int = Field(foreign_key="products.id", ondelete="RESTRICT", index=True)
    quantity: int = Field(ge=1)
    unit_price: Money = Field(sa_type=Numeric(10, 2))
    total_price: Money = Field(sa_type=Numeric(10, 2))


@enforce_bounds
class OrderItem(OrderItemRow, table=True):
    """One product of an order, at the price of that day; it goes with the order."""

    __tablename__ = "order_items"
    __table_args__ = (UniqueConstraint("order_id", "product_id"), Base.__table_args__)

    order_id: int = Field(default=None, foreign_key="orders.id", ondelete="CASCADE", exclude=True)

    product: Product = Relationship()


class OrderRow(WithId):
    order_number: str = Field(max_length=30, unique=True)
    # Not PostgreSQL's ENUM type, which a migration could not take back.
    status: OrderStatus = Field(
        default=OrderStatus.PENDING,
        index=True,
        sa_type=Enum(
            OrderStatus,
            name="status",
            native_enum=False,
            length=20,
            create_constraint=True,
            values_callable=list,
        ),
    )
    total_amount: Money = Field(sa_type=Numeric(10, 2))
    user_id: int = Field(foreign_key="users.id", ondelete="RESTRICT")
    shipping_address: NotBlank | None = Field(default=None, min_length=1, max_length=500)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@enforce_bounds
class Order(OrderRow, table=True):
    """What a user bought; while it is there, its user cannot be deleted."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_user_id_status_total_amount", "user_id", "status", "total_amount"),
        Base.__table_args__,
    )

    # Of the user and the key together: one user's key says nothing about another user's orders.
    idempotency_key: str | None = Field(default=None, max_length=64, unique=True, exclude=True)
    request_hash: str | None = Field(default=None, max_length=64, exclude=True)

    user: User = Relationship()
    items: list[OrderItem] = Relationship(
        cascade_delete=True,
        passive_deletes=True,
        sa_relationship_kwargs={"order_by": "OrderItem.id"},
    )


class OrderItemCreate(Input):
    product_id: Id
    quantity: Integer = Field(ge=1, le=10_000)


class OrderCreate(Input):
    user_id: Id
    items: list[OrderItemCreate] = Field(min_length=1, max_length=100)
    shipping_address: NotBlank | None = Field(default=None, min_length=1, max_length=500)


class OrderFilters(KeysetPagination):
    status: OrderStatus | None = None
    user_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)


class OrderWithItems(OrderRow):
    items: list[OrderItem]


class OrderItemDetail(OrderItemRow):
    product: Product


class OrderDetail(OrderRow):
    user: User
    items: list[OrderItemDetail]


class OrderSummary(Base):
    total_orders: int
    total_revenue: Amount
    orders_by_status: dict[OrderStatus, int]


class Spender(Base):
    id: int
    name: str
    email: str
    order_count: int
    total_spent: Amount


# ── Notifications ────────────────────────────────────────────────────────────────────────────────


@enforce_bounds
class Notification(WithId, table=True):
    """A message to a user about an order; it goes with either."""

    __tablename__ = "notifications"

    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    order_id: int = Field(foreign_key="orders.id", ondelete="CASCADE", index=True)
    message: str = Field(max_length=200)
    created_at: datetime = Field(default_factory=utc_now)


configure_mappers()  # which the first query of the ORM would do; rows are read without one, too
