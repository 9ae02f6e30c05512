"""The tables, which are the answers too, and the small classes for what a client may send.

For each resource: what a client may send (…Base, …Create), what the database adds (…Row), the
table, what a client may change (…Update), what a list is filtered by (…Query), and answers that
nest rows of other tables.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pydantic
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
    func,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Field, Relationship, SQLModel

# Predictable names: a migration can drop the constraint, app.py can tell which one was broken.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# ── Field types ──────────────────────────────────────────────────────────────────────────────────

MAX_INTEGER = 2_147_483_647  # the largest INTEGER of PostgreSQL and MariaDB


def refuse_nul(value: Any) -> Any:
    """Return the value; raise ValueError when it is text with a NUL, which PostgreSQL refuses."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("Text must not contain NUL characters")
    return value


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _strip_lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _strip_upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _refuse_weak(password: str | None) -> str | None:
    if password and not (any(map(str.isupper, password)) and any(map(str.isdigit, password))):
        raise ValueError("Password needs an upper-case letter and a digit")
    return password


# Strict, or JSON's true and "7" would pass for the integers 1 and 7.
Integer = Annotated[int, Strict()]
Boolean = Annotated[bool, Strict()]
Id = Annotated[Integer, pydantic.Field(ge=1, le=MAX_INTEGER)]
Name = Annotated[str, pydantic.Field(min_length=2, max_length=50)]
NameOrFullName = Annotated[Name, pydantic.Field(validation_alias=AliasChoices("name", "full_name"))]
Email = Annotated[EmailStr, pydantic.Field(max_length=254), BeforeValidator(_strip_lower)]
Username = Annotated[
    str | None,
    pydantic.Field(min_length=3, max_length=50, pattern=r"^[a-zA-Z0-9_]+$", examples=["ada_1815"]),
]
Age = Annotated[Integer | None, pydantic.Field(ge=0, le=150)]
City = Annotated[str, pydantic.Field(max_length=50)]
Bio = Annotated[str | None, pydantic.Field(max_length=1000)]
Password = Annotated[
    str,
    pydantic.Field(min_length=8, max_length=100, examples=["Secret123"]),
    AfterValidator(_refuse_weak),
]
Title = Annotated[str, pydantic.Field(min_length=5, max_length=100)]
Content = Annotated[str, pydantic.Field(min_length=20, max_length=20_000)]
Slug = Annotated[
    str, pydantic.Field(max_length=220, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["a-title"])
]
TagName = Annotated[str, pydantic.Field(min_length=1, max_length=50), BeforeValidator(_strip_lower)]
# Stripped: MariaDB takes "Books " for "Books", the other databases do not.
CategoryName = Annotated[str, pydantic.Field(min_length=1, max_length=100), BeforeValidator(_strip)]
ProductName = Annotated[str, pydantic.Field(min_length=1, max_length=200), BeforeValidator(_strip)]
Description = Annotated[str | None, pydantic.Field(max_length=2000)]
Sku = Annotated[
    str | None,
    pydantic.Field(min_length=1, max_length=50, pattern=r"^[A-Z0-9-]+$", examples=["WH-001"]),
    BeforeValidator(_strip_upper),
]
# Exact in Python and in the database, a number in JSON.
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Money = Annotated[Amount, pydantic.Field(ge=0, max_digits=10, decimal_places=2)]
Price = Annotated[Amount, pydantic.Field(gt=0, max_digits=10, decimal_places=2)]
Stock = Annotated[Integer, pydantic.Field(ge=0, le=MAX_INTEGER)]
STOCK_NAMES = pydantic.Field(validation_alias=AliasChoices("stock", "stock_quantity"))
Quantity = Annotated[Integer, pydantic.Field(ge=1, le=10_000)]
Address = Annotated[str | None, pydantic.Field(min_length=1, max_length=500)]
CommentBody = Annotated[str, pydantic.Field(min_length=1, max_length=2000)]

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

    # MariaDB's default collation takes A for a and é for e; the other databases do not.
    __table_args__: ClassVar[Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


class Input(Base):
    """What a client sends: no text in it holds a NUL character."""

    _no_nul = pydantic.field_validator("*")(refuse_nul)


def checked(table: type[T]) -> type[T]:
    """Repeat the bounds of a table class's fields as CHECK constraints, one for each column."""
    model: Any = table
    for name, field in model.model_fields.items():
        value: Any = column(name)
        length = func.char_length(value)
        rules = {
            "gt": value.__gt__,
            "ge": value.__ge__,
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


class Slice(Input):
    """Which rows of a list to answer."""

    skip: int = Field(default=0, ge=0, le=MAX_INTEGER)
    limit: int = Field(default=10, ge=1, le=100)


class Window(Slice):
    """Which rows of a list in the order of their ids to answer."""

    after_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)


class Page(BaseModel, Generic[T]):
    """One page of a list and its place in the whole."""

    items: Sequence[T]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_previous: bool


# ── Users ────────────────────────────────────────────────────────────────────────────────────────


class UserBase(Base):
    name: Name
    email: Email = Field(unique=True)
    username: Username = Field(default=None, unique=True)
    age: Age = Field(default=None, index=True)
    city: City = "Unknown"
    bio: Bio = None


class UserCreate(Input, UserBase):
    name: NameOrFullName
    password: Password | None = None


class UserRow(UserBase):
    id: int = Field(default=None, primary_key=True)
    is_active: bool = Field(default=True, index=True)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})
    deleted_at: datetime | None = Field(default=None, index=True)


@checked
class User(UserRow, table=True):
    """A person; posts and comments go when the row goes, but `deleted_at` only hides it."""

    __tablename__ = "users"

    hashed_password: str | None = Field(default=None, max_length=255, exclude=True)

    posts: list["Post"] = Relationship(
        back_populates="author", cascade_delete=True, passive_deletes=True
    )


class UserUpdate(Input):
    # Field(default=None) without "| None": may be left out, may not be null.
    name: Annotated[NameOrFullName, pydantic.Field(default=None)]  # SQLModel's drops the alias
    email: Email = Field(default=None)
    username: Username = None
    age: Age = None
    city: City = Field(default=None)
    bio: Bio = None
    password: Password = Field(default=None)
    is_active: Boolean = Field(default=None)


class UserQuery(Window):
    min_age: int | None = Field(default=None, ge=0, le=150)
    max_age: int | None = Field(default=None, ge=0, le=150)
    is_active: bool | None = None
    search: str | None = Field(default=None, max_length=254, description="in name, username, email")
    name: str | None = Field(default=None, max_length=50)
    city: str | None = Field(default=None, max_length=50)
    include_deleted: bool = False


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


class PostTag(Base, table=True):
    """The link table of posts and tags; a link goes when either end goes."""

    __tablename__ = "post_tags"

    post_id: int = Field(primary_key=True, foreign_key="posts.id", ondelete="CASCADE")
    tag_id: int = Field(primary_key=True, foreign_key="tags.id", ondelete="CASCADE", index=True)


class TagCreate(Input):
    name: TagName = Field(unique=True)


@checked
class Tag(Base, table=True):
    """A word that posts are found by."""

    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)
    name: TagName = Field(unique=True)


# ── Posts ────────────────────────────────────────────────────────────────────────────────────────


class PostBase(Base):
    title: Title
    content: Content = Field(sa_type=LongText)
    author_id: Id | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", index=True
    )


class PostCreate(Input, PostBase):
    slug: Slug | None = None
    tag_ids: list[Id] = Field(default=[], max_length=100)


class PostRow(PostBase):
    id: int = Field(default=None, primary_key=True)
    slug: Slug = Field(unique=True)
    published: bool = Field(default=False, index=True)
    published_at: datetime | None = None
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@checked
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


class PostUpdate(Input):
    title: Title = Field(default=None)
    content: Content = Field(default=None)
    author_id: Id | None = None
    slug: Slug = Field(default=None)
    tag_ids: list[Id] = Field(default=None, max_length=100)


class PostQuery(Window):
    published: bool | None = None
    author_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    tag: TagName | None = None


class UserWithPosts(UserRow):
    posts: list[Post]


class PostDetail(PostRow):
    author: User | None
    tags: list[Tag]


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


class CommentBase(Base):
    body: CommentBody
    author_id: Id | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", index=True
    )


class CommentCreate(Input, CommentBase):
    pass


@checked
class Comment(CommentBase, table=True):
    """A remark under a post; it goes with the post and with its author."""

    __tablename__ = "comments"

    id: int = Field(default=None, primary_key=True)
    post_id: int = Field(foreign_key="posts.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(default_factory=utc_now)

    post: Post = Relationship(back_populates="comments")


class PostWithComments(PostRow):
    tags: list[Tag]
    comments: list[Comment]


# ── Categories ───────────────────────────────────────────────────────────────────────────────────


class CategoryBase(Base):
    name: CategoryName = Field(unique=True)
    description: Description = None
    parent_id: Id | None = Field(
        default=None, foreign_key="categories.id", ondelete="SET NULL", index=True
    )


class CategoryCreate(Input, CategoryBase):
    slug: Slug | None = None


class CategoryRow(CategoryBase):
    id: int = Field(default=None, primary_key=True)
    slug: Slug = Field(unique=True)
    created_at: datetime = Field(default_factory=utc_now)


@checked
class Category(CategoryRow, table=True):
    """A shelf; products and categories below it stay when it goes, only their link is emptied."""

    __tablename__ = "categories"


class CategoryUpdate(Input):
    name: CategoryName = Field(default=None)
    slug: Slug = Field(default=None)
    description: Description = None
    parent_id: Id | None = None


class CategoryTree(CategoryRow):
    children: list["CategoryTree"] = []


# ── Products ─────────────────────────────────────────────────────────────────────────────────────


class ProductBase(Base):
    name: ProductName
    sku: Sku = Field(default=None, unique=True)
    description: Description = None
    price: Price = Field(sa_type=Numeric(10, 2), index=True)
    stock: Stock = Field(default=0, index=True)
    category_id: Id | None = Field(default=None, foreign_key="categories.id", ondelete="SET NULL")


class ProductCreate(Input, ProductBase):
    stock: Annotated[Stock, STOCK_NAMES] = 0
    slug: Slug | None = None


class ProductRow(ProductBase):
    id: int = Field(default=None, primary_key=True)
    slug: Slug = Field(unique=True)
    is_active: bool = True
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@checked
class Product(ProductRow, table=True):
    """Something to buy; once it was ordered it cannot be deleted, only deactivated."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("name", "category_id"),
        Index("ix_products_category_id_price", "category_id", "price"),
        Base.__table_args__,
    )

    category: Category | None = Relationship()


class ProductUpdate(Input):
    name: ProductName = Field(default=None)
    slug: Slug = Field(default=None)
    sku: Sku = None
    description: Description = None
    price: Price = Field(default=None)
    stock: Annotated[Stock, STOCK_NAMES, pydantic.Field(default=None)]
    category_id: Id | None = None
    is_active: Boolean = Field(default=None)


class ProductQuery(Window):
    category_id: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    min_price: Decimal | None = Field(default=None, ge=0, max_digits=10, decimal_places=2)
    max_price: Decimal | None = Field(default=None, ge=0, max_digits=10, decimal_places=2)
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


class OrderItemCreate(Input):
    product_id: Id
    quantity: Quantity


class OrderItemRow(Base):
    id: int = Field(default=None, primary_key=True)
    product_id: int = Field(foreign_key="products.id", ondelete="RESTRICT", index=True)
    quantity: int = Field(ge=1)
    unit_price: Money = Field(sa_type=Numeric(10, 2))
    total_price: Money = Field(sa_type=Numeric(10, 2))


@checked
class OrderItem(OrderItemRow, table=True):
    """One product of an order, at the price of that day; it goes with the order."""

    __tablename__ = "order_items"
    __table_args__ = (UniqueConstraint("order_id", "product_id"), Base.__table_args__)

    order_id: int = Field(default=None, foreign_key="orders.id", ondelete="CASCADE", exclude=True)

    product: Product = Relationship()


class OrderCreate(Input):
    user_id: Id
    items: list[OrderItemCreate] = Field(min_length=1, max_length=100)
    shipping_address: Address = None


class OrderRow(Base):
    id: int = Field(default=None, primary_key=True)
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
    user_id: int = Field(foreign_key="users.id", ondelete="RESTRICT", index=True)
    shipping_address: Address = None
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


@checked
class Order(OrderRow, table=True):
    """What a user bought; while it is there, its user cannot be deleted."""

    __tablename__ = "orders"

    idempotency_key: str | None = Field(default=None, max_length=64, unique=True, exclude=True)
    request_hash: str | None = Field(default=None, max_length=64, exclude=True)

    user: User = Relationship()
    items: list[OrderItem] = Relationship(
        cascade_delete=True,
        passive_deletes=True,
        sa_relationship_kwargs={"order_by": "OrderItem.id"},
    )


class OrderQuery(Window):
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


@checked
class Notification(Base, table=True):
    """A message to a user about an order; it goes with either."""

    __tablename__ = "notifications"

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    order_id: int = Field(foreign_key="orders.id", ondelete="CASCADE", index=True)
    message: str = Field(max_length=200)
    created_at: datetime = Field(default_factory=utc_now)
