"""Random histories of many clients on few rows; afterwards the books are right."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from conftest import new_product, new_user, server_process
from core.schema import migration_engine
from core.settings import parse_url

STOCK = 30
CLIENTS, STEPS = 6, 12
# What must not be found after any history.
WRONG = {
    "stock below zero": "SELECT * FROM products WHERE stock < 0",
    "total is not the sum": "SELECT o.id FROM orders o JOIN order_items i ON i.order_id = o.id"
    " GROUP BY o.id, o.total_amount HAVING abs(o.total_amount - sum(i.total_price)) > 0.001",
    "order without items": "SELECT * FROM orders o WHERE NOT EXISTS"
    " (SELECT * FROM order_items i WHERE i.order_id = o.id)",
    "item without order": "SELECT * FROM order_items WHERE order_id NOT IN (SELECT id FROM orders)",
    "link without tag": "SELECT * FROM post_tags WHERE tag_id NOT IN (SELECT id FROM tags)",
    "link without post": "SELECT * FROM post_tags WHERE post_id NOT IN (SELECT id FROM posts)",
    "e-mail twice": "SELECT email FROM users GROUP BY email HAVING count(*) > 1",
    "deleted and active": "SELECT * FROM users WHERE deleted_at IS NOT NULL AND is_active",
}


class History:
    """What some clients did to a shop, and what they were told."""

    stock, names = STOCK, 30

    def __init__(self, seed: int, servers: list[str]) -> None:
        self.random = Random(seed)
        self.seed, self.servers = seed, servers
        self.users: list[int] = []
        self.products: list[int] = []
        self.emails: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.orders: dict[int, str] = {}  # by id; "?" once a move was acknowledged
        self.ended: dict[int, str] = {}  # by id, the status from which no client here moves on
        self.keys: dict[str, int] = {}

    def steps(self) -> Iterable[object]:
        """Return as many as a client takes steps."""
        return range(STEPS)

    async def play(self) -> None:
        """Let all clients take their steps at once."""
        await asyncio.gather(*(self.client(n) for n in range(CLIENTS)))

    async def client(self, number: int) -> None:
        """Take a client's steps, on one of the servers."""
        random = Random(self.random.random())
        address = self.servers[number % len(self.servers)]
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            for _ in self.steps():
                step = random.choice(
                    [
                        self.order,
                        self.order,
                        self.move,
                        self.register,
                        self.hide,
                        self.tag,
                        self.post,
                    ]
                )
                await step(client, random)

    async def send(
        self, client: httpx.AsyncClient, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        """Send a request; return the answer if it succeeded."""
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (method, path, answer.text)
        return answer.json() if answer.is_success and answer.content else answer.is_success

    async def order(self, client: httpx.AsyncClient, random: Random) -> None:
        """Order some products, perhaps with a key that another client uses."""
        products = random.sample(self.products, random.randint(1, 3))
        items = [{"product_id": n, "quantity": random.randint(1, 4)} for n in products]
        key = f"key-{random.randint(1, 5)}"
        body = {"user_id": random.choice(self.users), "items": items}
        headers = {"Idempotency-Key": key} if random.random() < 0.4 else {}
        if placed := await self.send(client, "POST", "/orders", body, **headers):
            self.orders.setdefault(placed["id"], "pending")
            if headers:
                owner = f"{placed['user_id']} {key}"
                assert self.keys.setdefault(owner, placed["id"]) == placed["id"]

    async def move(self, client: httpx.AsyncClient, random: Random) -> None:
        """Move an order on, or cancel it."""
        if self.orders:
            order = random.choice(list(self.orders))
            status = random.choice(["confirmed", "shipped", "cancelled", "cancelled"])
            path = f"/orders/{order}/status?new_status={status}"
            if await self.send(client, "PATCH", path):
                self.orders[order] = "?"
                if status != "confirmed":
                    assert self.ended.setdefault(order, status) == status

    async def register(self, client: httpx.AsyncClient, random: Random) -> None:
        """Register users, one or many, under few names."""
        users = [
            {"name": "Ada", "email": f"{self.seed}-{random.randint(1, self.names)}@example.com"}
            for _ in range(random.randint(1, 3))
        ]
        if len(users) == 1:
            stored = await self.send(client, "POST", "/users", users[0])
        else:
            stored = await self.send(client, "POST", "/users/bulk", users)
        if stored:
            self.emails.update({user["email"] for user in users})

    async def hide(self, client: httpx.AsyncClient, random: Random) -> None:
        """Hide, restore or deactivate users."""
        user = random.choice(self.users)
        method, path, body = random.choice(
            [
                ("DELETE", f"/users/{user}/soft", None),
                ("POST", f"/users/{user}/restore", None),
                ("POST", f"/users/{user}/restore", None),
                ("PATCH", "/users/bulk/deactivate", {"user_ids": [user]}),
            ]
        )
        await self.send(client, method, path, body)

    async def tag(self, client: httpx.AsyncClient, random: Random) -> None:
        """Add or delete a tag, of few names."""
        if random.random() < 0.6:
            name = f"tag{random.randint(1, 4)}"
            await self.send(client, "POST", "/tags", {"name": name})
        else:
            await self.send(client, "DELETE", f"/tags/{random.randint(1, 6)}")

    async def post(self, client: httpx.AsyncClient, random: Random) -> None:
        """Write a post or replace its tags; move categories."""
        text = {"title": "A fine title", "content": "Twenty characters at the least."}
        tags = {"tag_ids": random.sample(range(1, 7), random.randint(0, 2))}
        number = random.randint(1, 5)
        method, path, body = random.choice(
            [
                ("POST", "/posts", text | tags),
                ("PATCH", f"/posts/{number}", tags),
                ("PATCH", f"/posts/{number}", tags),
                (
                    "POST",
                    "/categories",
                    {"name": f"c{number}", "parent_id": random.choice([None, 1])},
                ),
                ("PATCH", f"/categories/{number}", {"parent_id": random.randint(1, 5)}),
                ("PATCH", f"/products/{random.choice(self.products)}", {"category_id": number}),
                ("DELETE", f"/categories/{number}", None),
            ]
        )
        await self.send(client, method, path, body)


def check(url: str, history: History, client: httpx.Client) -> None:
    """Check what must hold, in the database and over HTTP."""
    with migration_engine(parse_url(url)).connect() as connection:
        for what, statement in WRONG.items():
            assert connection.exec_driver_sql(statement).all() == [], what
        for product in history.products:
            sold = connection.execute(
                sa.text(
                    "SELECT COALESCE(sum(quantity), 0) FROM order_items i JOIN orders o"
                    " ON o.id = i.order_id WHERE product_id = :p AND status <> 'cancelled'"
                ),
                {"p": product},
            ).scalar()
            stock = client.get(f"/products/{product}").json()["stock"]
            assert stock + int(sold or 0) == history.stock
        emails = set(connection.scalars(sa.text("SELECT email FROM users")))
        statuses = connection.execute(sa.text("SELECT id, status FROM orders")).all()
        orders = {row.id: row.status for row in statuses}
    assert set(history.emails) <= emails
    assert max(history.emails.values(), default=1) == 1, "an e-mail was given twice"
    assert set(history.orders) <= set(orders)
    assert not [n for n, last in history.orders.items() if (last, orders[n]) == ("?", "pending")]
    assert history.ended.items() <= orders.items()
    assert client.get("/categories/tree").status_code == 200  # no ring


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_books_are_right_after_random_histories(
    request: pytest.FixtureRequest, url: str
) -> None:
    """Five histories, or 200 with --all-proofs, on two server processes."""
    number = 200 if request.config.getoption("--all-proofs") else 5
    first = 1000 * int(request.config.getoption("--sample"))
    with (
        server_process(url) as (_, one, _),
        server_process(url) as (_, two, _),
        httpx.Client(base_url=one) as client,
    ):
        for seed in range(first, first + number):
            history = History(seed, [one, two])
            history.users = [new_user(client)["id"] for _ in range(3)]
            history.products = [new_product(client, stock=STOCK)["id"] for _ in range(3)]
            asyncio.run(history.play())
            check(url, history, client)
