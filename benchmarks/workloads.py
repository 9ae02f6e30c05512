"""What the apps are asked for: five workloads, the requests of each, and what a right answer is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.fill import PRODUCTS, USERS

VARIANTS = 2000  # so many requests of a workload differ, then they repeat
UNIQUE = "{unique}"  # replaced by another text in each request


@dataclass(frozen=True)
class Workload:
    """One kind of request."""

    name: str
    method: str
    status: int
    requests: list[tuple[str, str]]  # path and body
    is_right: Callable[[Any], bool]  # tells from decoded JSON whether the answer is complete


def is_user(answer: Any) -> bool:
    """Tell whether this is one of the users that were filled in."""
    return answer["id"] <= USERS and "@" in answer["email"]


def are_posts(answer: Any) -> bool:
    """Tell whether these are a hundred posts, all with author and tags."""
    complete = ["@" in post["author"]["email"] and bool(post["tags"]) for post in answer]
    return len(answer) == 100 and all(complete)


def is_new_user(answer: Any) -> bool:
    """Tell whether this is a user who was not filled in."""
    return answer["id"] > USERS and answer["age"] == 36


def is_order(answer: Any) -> bool:
    """Tell whether this is an order of three items and the right total."""
    prices = [item["total_price"] for item in answer["items"]]
    return len(prices) == 3 and round(sum(prices), 2) == answer["total_amount"]


def are_users(answer: Any) -> bool:
    """Tell whether these are fifty users."""
    return len({user["id"] for user in answer}) == 50


def make_order(chance: Random) -> str:
    """Return the body of an order: some user, three different products."""
    lines = [
        {"product_id": product, "quantity": chance.randint(1, 3)}
        for product in chance.sample(range(1, PRODUCTS + 1), 3)
    ]
    return json.dumps({"user_id": chance.randint(1, USERS), "items": lines})


def make_workloads() -> list[Workload]:
    """Return the workloads; their requests are the same in each run."""
    chance = Random(8)
    user = json.dumps({"name": "Ada Lovelace", "email": f"{UNIQUE}@example.com", "age": 36})
    one = [(f"/users/{chance.randint(1, USERS)}", "") for _ in range(VARIANTS)]
    orders = [("/orders", make_order(chance)) for _ in range(VARIANTS)]
    pages = [(f"/users?skip={chance.randint(0, USERS - 50)}&limit=50", "") for _ in range(VARIANTS)]
    return [
        Workload("GET /users/{id}", "GET", 200, one, is_user),
        Workload("GET /posts?limit=100", "GET", 200, [("/posts?limit=100", "")], are_posts),
        Workload("POST /users", "POST", 201, [("/users", user)], is_new_user),
        Workload("POST /orders", "POST", 201, orders, is_order),
        Workload("GET /users?skip=N&limit=50", "GET", 200, pages, are_users),
    ]
