"""Fill a migrated database with the rows that the workloads read, the same ones in each run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy import Engine, MetaData, insert, text

USERS, POSTS, TAGS, CATEGORIES, PRODUCTS, ORDERS = 10_000, 10_000, 20, 10, 1000, 5000
STOCK = 1_000_000_000  # no run sells out
START = datetime(2026, 1, 1, tzinfo=UTC)

# Two or three tags for each post.
TAG_POSTS = """
    INSERT INTO post_tags (post_id, tag_id)
    SELECT posts.id, tags.id FROM posts CROSS JOIN tags WHERE (posts.id + tags.id) % 9 = 0"""

Rows = Iterator[dict[str, Any]]


def moments(n: int) -> dict[str, datetime]:
    """Return when the n-th row was made and changed."""
    moment = START + timedelta(minutes=n, microseconds=n)
    return {"created_at": moment, "updated_at": moment}


def users() -> Rows:
    """Yield people, all of them active."""
    for n in range(1, USERS + 1):
        yield {
            "name": f"Person Number {n}",
            "email": f"person{n}@example.com",
            "username": f"person_{n}",
            "age": 18 + n % 70,
            "city": ("Delhi", "Lagos", "Lima", "Lyon")[n % 4],
            "bio": f"Number {n} of those who write posts and buy things.",
            "is_active": True,
            **moments(n),
        }


def posts(chance: Random) -> Rows:
    """Yield posts of about 300 characters by chance authors."""
    for n in range(1, POSTS + 1):
        yield {
            "title": f"Post number {n}",
            "slug": f"post-number-{n}",
            "content": f"The {n}th post has a few sentences, one much like the next. " * 5,
            "published": True,
            "published_at": moments(n)["created_at"],
            "author_id": chance.randint(1, USERS),
            **moments(n),
        }


def products() -> Rows:
    """Yield products with a stock that no run sells out."""
    for n in range(1, PRODUCTS + 1):
        yield {
            "name": f"Product {n}",
            "slug": f"product-{n}",
            "sku": f"SKU-{n}",
            "price": Decimal(n * 37 % 50_000 + 99) / 100,
            "stock": STOCK,
            "is_active": True,
            "category_id": 1 + n % CATEGORIES,
            **moments(n),
        }


def orders(chance: Random) -> Rows:
    """Yield orders of one item at 10.00, which `order_items` yields."""
    for n in range(1, ORDERS + 1):
        yield {
            "order_number": f"ORD-20260101000000-{n:06}",
            "status": "delivered",
            "total_amount": Decimal(10),
            "user_id": chance.randint(1, USERS),
            **moments(n),
        }


def order_items(chance: Random) -> Rows:
    """Yield the item of each order."""
    for n in range(1, ORDERS + 1):
        yield {
            "order_id": n,
            "product_id": chance.randint(1, PRODUCTS),
            "quantity": 1,
            "unit_price": Decimal(10),
            "total_price": Decimal(10),
        }


def fill(engine: Engine) -> None:
    """Insert all rows; the database numbers them from 1."""
    chance = Random(2026)
    metadata = MetaData()
    metadata.reflect(engine)
    rows: dict[str, Rows] = {
        "users": users(),
        "tags": ({"name": f"tag{n}"} for n in range(1, TAGS + 1)),
        "posts": posts(chance),
        "categories": (
            {"name": f"Category {n}", "slug": f"category-{n}", "created_at": START}
            for n in range(1, CATEGORIES + 1)
        ),
        "products": products(),
        "orders": orders(chance),
        "order_items": order_items(chance),
    }
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(metadata.tables[table]), list(values))
        connection.execute(text(TAG_POSTS))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")
