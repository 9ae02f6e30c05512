"""What the apps are asked for: five workloads, the requests of each, and what a right answer is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.fill import PRODUCTS, USERS

VARIANTS = 2000  # so many requests of a workload differ, then they repeat
UNIQUE = "{unique}"  # the generator puts something else here in each request


@dataclass(frozen=True)
class Workload:
    """One kind of request."""

    name: str
    method: str
    status: int
    requests: list[tuple[str, str]]  # path and body
    is_right: Callable[[Any], bool]  # whether the decoded JSON is the answer that was asked for


def order(chance: Random) -> str:
    """Return the body of an order: some user, three different products."""
    lines = [
        {"product_id": product, "quantity": chance.randint(1, 3)}
        for product in chance.sample(range(1, PRODUCTS + 1), 3)
    ]
    return json.dumps({"user_id": chance.randint(1, USERS), "items": lines})


def make_workloads() -> list[Workload]:
    """Return the workloads; their requests are the same in each run."""
    chance = Random(8)
    every = range(VARIANTS)
    user = json.dumps({"name": "Ada Lovelace", "email": f"{UNIQUE}@example.com", "age": 36})
    return [
        Workload(
            "GET /users/{id}",
            "GET",
            200,
            [(f"/users/{chance.randint(1, USERS)}", "") for _ in every],
            lambda answer: "@" in answer["email"],
        ),
        Workload(
            "GET /posts?limit=100",
            "GET",
            200,
            [("/posts?limit=100", "")],
            lambda answer: (
                len(answer) == 100
                and all("@" in post["author"]["email"] and post["tags"] for post in answer)
            ),
        ),
        Workload(
            "POST /users",
            "POST",
            201,
            [("/users", user)],
            lambda answer: answer["id"] > USERS and answer["age"] == 36,
        ),
        Workload(
            "POST /orders",
            "POST",
            201,
            [("/orders", order(chance)) for _ in every],
            lambda answer: (
                len(answer["items"]) == 3
                and round(sum(item["total_price"] for item in answer["items"]), 2)
                == answer["total_amount"]
            ),
        ),
        Workload(
            "GET /users?skip=N&limit=50",
            "GET",
            200,
            [(f"/users?skip={chance.randint(0, USERS - 50)}&limit=50", "") for _ in every],
            lambda answer: len({user["id"] for user in answer}) == 50,
        ),
    ]
