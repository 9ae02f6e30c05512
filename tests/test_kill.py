"""What was acknowledged is there after the server was killed in the middle of its work."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from conftest import new_product, new_user, serve, server_process
from core.schema import migration_engine
from core.settings import parse_url


def post_until_killed(
    url: str, path: str, body_of: Callable[[str], dict[str, object]], enough: int
) -> dict[str, Any]:
    """Post from eight threads, kill the server, return the acknowledged answers by their name."""
    answers: dict[str, Any] = {}
    reached = threading.Event()
    with server_process(url) as (process, address, _):

        def work(worker: int) -> None:
            with httpx.Client(base_url=address) as client:
                for n in itertools.count():
                    name = f"{worker}-{n}"
                    try:
                        response = client.post(path, json=body_of(name))
                    except httpx.TransportError:
                        return  # killed
                    assert response.status_code == 201, response.text
                    answers[name] = response.json()
                    if len(answers) >= enough:
                        reached.set()

        workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for worker in workers:
            worker.start()
        try:
            assert reached.wait(60)
        finally:
            process.kill()  # SIGKILL on Linux and macOS
            for worker in workers:
                worker.join()
    return answers


@pytest.mark.sample(1)
def test_every_user_answered_201_survives_kill_9(url: str) -> None:
    def body(name: str) -> dict[str, object]:
        return {"name": "Ada Lovelace", "email": f"{name}@example.com"}

    answers = post_until_killed(url, "/users", body, 200)
    with serve(url) as client:
        for name, user in answers.items():
            assert client.get(f"/users/by-email/{name}@example.com").json() == user


@pytest.mark.sample(1)
def test_orders_are_whole_after_kill_9(url: str) -> None:
    stock = 100_000
    with serve(url) as client:
        new_user(client)
        products = [new_product(client, stock=stock)["id"] for _ in range(3)]
    items = [{"product_id": n, "quantity": 2} for n in products]
    order = {"user_id": 1, "items": items}
    answers = post_until_killed(url, "/orders", lambda _: order, 100)
    with serve(url) as client:
        for placed in answers.values():
            assert client.get(f"/orders/{placed['id']}").json() == placed
        orders = client.get("/orders/stats/summary").json()["total_orders"]
        assert orders >= len(answers)
        for product in client.get("/products").json():
            assert product["stock"] == stock - 2 * orders
    with migration_engine(parse_url(url)).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM order_items")) == 3 * orders
