"""The benchmarked routes by hand: Starlette, asyncpg, orjson and SQL text. PostgreSQL only.

It shows how fast this machine answers with nothing between route and row, and is no example to
follow: it validates nothing, and each column is spelled out in several places.
"""

import os
from base64 import b32encode
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

USER = (
    "id", "name", "username", "email", "age", "city", "bio", "is_active", "created_at",
    "updated_at", "deleted_at",
)  # fmt: skip
POST = (
    "id", "title", "slug", "content", "published", "published_at", "author_id", "created_at",
    "updated_at",
)  # fmt: skip
ITEM = ("id", "product_id", "quantity", "unit_price", "total_price")
READ_USER = f"SELECT {', '.join(USER)} FROM users WHERE id = $1 AND deleted_at IS NULL"
READ_USERS = f"""
    SELECT {", ".join(USER)} FROM users WHERE deleted_at IS NULL ORDER BY id OFFSET $1 LIMIT $2"""
CREATE_USER = f"""
    INSERT INTO users (name, email, age, city, is_active, created_at, updated_at)
    VALUES ($1, $2, $3, $4, true, $5, $5) RETURNING {", ".join(USER)}"""
# The columns of a post, then those of its author.
READ_POSTS = f"""
    SELECT {", ".join(f"p.{name}" for name in POST)}, {", ".join(f"u.{name}" for name in USER)}
    FROM posts p LEFT JOIN users u ON u.id = p.author_id AND u.deleted_at IS NULL
    ORDER BY p.id OFFSET $1 LIMIT $2"""
READ_TAGS = """
    SELECT post_id, id, name FROM post_tags JOIN tags ON id = tag_id
    WHERE post_id = ANY($1) ORDER BY id"""
# In the order of the ids, so that two orders never wait for each other's locks.
LOCK_PRODUCTS = """
    SELECT id, price FROM products WHERE id = ANY($1) AND is_active ORDER BY id FOR UPDATE"""
CREATE_ORDER = """
    WITH line AS (
        SELECT * FROM unnest($1::int[], $2::int[], $3::numeric[]) AS line (id, quantity, price)
    ), taken AS (
        UPDATE products SET stock = stock - quantity, updated_at = $7
        FROM line WHERE line.id = products.id
    ), new AS (
        INSERT INTO orders (order_number, status, total_amount, user_id, created_at, updated_at)
        VALUES ($4, 'pending', $5, $6, $7, $7) RETURNING id
    ), message AS (
        INSERT INTO notifications (user_id, order_id, message, created_at)
        SELECT $6, id, $8, $7 FROM new
    )
    INSERT INTO order_items (order_id, product_id, quantity, unit_price, total_price)
    SELECT new.id, line.id, quantity, price, price * quantity FROM new, line
    RETURNING order_id, id, product_id, quantity, unit_price, total_price"""


def answer(content: Any, status: int = 200) -> Response:
    """Answer rows as JSON."""
    body = orjson.dumps(content, default=float, option=orjson.OPT_UTC_Z)  # float: money
    return Response(body, status, media_type="application/json")


async def read_user(request: Request) -> Response:
    """Show a user."""
    row = await request.state.pool.fetchrow(READ_USER, int(request.path_params["id"]))
    return answer(dict(row)) if row else answer({"detail": "User not found"}, 404)


async def read_users(request: Request) -> Response:
    """List users."""
    rows = await request.state.pool.fetch(READ_USERS, *window(request))
    return answer([dict(row) for row in rows])


async def create_user(request: Request) -> Response:
    """Register a user."""
    data = orjson.loads(await request.body())
    values = data["name"], data["email"], data.get("age"), data.get("city", "Unknown")
    row = await request.state.pool.fetchrow(CREATE_USER, *values, datetime.now(UTC))
    return answer(dict(row), 201)


async def read_posts(request: Request) -> Response:
    """List posts with their authors and tags."""
    async with request.state.pool.acquire() as connection:
        rows = [tuple(row) for row in await connection.fetch(READ_POSTS, *window(request))]
        links = await connection.fetch(READ_TAGS, [row[0] for row in rows])
    tags: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for post_id, id_, name in links:
        tags[post_id].append({"id": id_, "name": name})
    posts = []
    for row in rows:
        author = dict(zip(USER, row[len(POST) :], strict=True)) if row[len(POST)] else None
        post = dict(zip(POST, row, strict=False))  # stops where the author begins
        posts.append(post | {"author": author, "tags": tags[row[0]]})
    return answer(posts)


async def create_order(request: Request) -> Response:
    """Place an order."""
    data = orjson.loads(await request.body())
    quantities = {line["product_id"]: line["quantity"] for line in data["items"]}
    now = datetime.now(UTC)
    order = {
        "order_number": f"ORD-{now:%Y%m%d%H%M%S}-{b32encode(token_bytes(4)).decode()[:6]}",
        "status": "pending",
        "user_id": data["user_id"],
        "shipping_address": None,
        "created_at": now,
        "updated_at": now,
    }
    async with request.state.pool.acquire() as connection, connection.transaction():
        products = await connection.fetch(LOCK_PRODUCTS, list(quantities))
        prices = {row["id"]: row["price"] for row in products}
        order["total_amount"] = sum(prices[id_] * number for id_, number in quantities.items())
        items = await connection.fetch(
            CREATE_ORDER,
            list(quantities),
            list(quantities.values()),
            [prices[id_] for id_ in quantities],
            *(order[name] for name in ("order_number", "total_amount", "user_id", "created_at")),
            f"Order {order['order_number']} was placed",
        )
    order["items"] = [dict(zip(ITEM, tuple(item)[1:], strict=True)) for item in items]
    return answer({"id": items[0]["order_id"], **order}, 201)


def window(request: Request) -> tuple[int, int]:
    """Return the query's skip and limit."""
    return int(request.query_params.get("skip", 0)), int(request.query_params.get("limit", 10))


async def leave_as_it_is(_: object) -> None:
    """Spare the statements by which asyncpg resets a connection that returns to the pool."""


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
    """Open a pool with a connection for each client of the benchmark."""
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=16, max_size=16, reset=leave_as_it_is) as pool:
        yield {"pool": pool}


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/users/{id:int}", read_user),
        Route("/users", read_users),
        Route("/users", create_user, methods=["POST"]),
        Route("/posts", read_posts),
        Route("/orders", create_order, methods=["POST"]),
    ],
)
