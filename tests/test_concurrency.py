"""Many clients at once: constraints decide, nothing is lost, nobody sees a 500."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import httpx

from conftest import new_post, new_user, serve


def at_once(number: int, call: Callable[[int], Any]) -> list[Any]:
    """Call with 0, 1, 2 … from so many threads, all let go at the same moment."""
    barrier = Barrier(number)

    def wait_and_call(n: int) -> Any:
        barrier.wait()
        return call(n)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(wait_and_call, range(number)))


def register(client: httpx.Client, path: str, body: dict[str, str], _number: int) -> httpx.Response:
    """Post to a path."""
    return client.post(path, json=body)


def test_the_same_email_from_32_clients(client: httpx.Client) -> None:
    for path in ("/users", "/async/users"):
        body = {"name": "Ada Lovelace", "email": f"{path[1:6]}@example.com"}
        answers = at_once(32, partial(register, client, path, body))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 31}
        details = {answer.json().get("detail") for answer in answers} - {None}
        assert details == {"Email already registered"}
    assert len(client.get("/users").json()) == 2


def test_different_users_from_32_clients(client: httpx.Client) -> None:
    def register(n: int) -> int:
        path = "/users" if n % 2 else "/async/users"
        body = {"name": "Ada Lovelace", "email": f"u{n}@example.com"}
        return int(client.post(path, json=body).json()["id"])

    assert len(set(at_once(32, register))) == 32


def test_the_same_title_from_16_clients(client: httpx.Client) -> None:
    slugs = at_once(16, lambda _: new_post(client, title="The same title")["slug"])
    assert len(set(slugs)) == 16


def test_publishing_at_once_sets_one_time(client: httpx.Client) -> None:
    new_post(client)
    answers = at_once(16, lambda _: client.post("/posts/1/publish").json()["published_at"])
    assert len(set(answers)) == 1


def test_readers_and_writers_together(client: httpx.Client) -> None:
    user = new_user(client, age=0)

    def work(n: int) -> int:
        if n % 2:
            return client.patch(f"/users/{user['id']}", json={"age": n}).status_code
        return client.get("/users?limit=100").status_code

    assert set(at_once(32, work)) == {200}


def test_more_waiting_than_allowed_is_503(url: str) -> None:
    settings = {"DATABASE_MAX_WAITING": "1", "DATABASE_POOL_SIZE": "1"}
    with serve(url, **settings) as client:
        body = [{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(500)]

        def register(n: int) -> httpx.Response:
            users = [user | {"email": f"{n}-{user['email']}"} for user in body]
            return client.post("/users/bulk", json=users)

        answers = at_once(16, register)
        assert {answer.status_code for answer in answers} == {201, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["Retry-After"] == "1"
        assert refused.json() == {"detail": "The database is busy or away; try again"}
        stored = client.get("/users/stats/active-count").json()["active_users"]
        assert stored == 500 * sum(answer.status_code == 201 for answer in answers)
