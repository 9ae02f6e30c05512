"""One check for each step of exercise 01: for tests of the command line, which need no more."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, unique


def create(api: Api) -> dict[str, Any]:
    """Create a user."""
    sent: dict[str, Any] = {"name": "Ada Lovelace", "email": f"{unique('ada.')}@example.com"}
    return api.post("/users", sent | {"age": 36}).expect(201).has(**sent)


@pytest.mark.step(1)
def test_create_user(api: Api) -> None:
    """POST /users stores a user and answers the row with its id."""
    assert create(api)["city"] == "Unknown"


@pytest.mark.step(2)
def test_read_user_not_found(api: Api) -> None:
    """GET /users/{id} answers 404 when there is no such user, and keeps no connection."""
    reply = api.get(f"/users/{NO_SUCH_ID}").expect(404)
    if reply.open_connections:
        reply.wrong("the request kept its connection.")


@pytest.mark.step(3)
def test_list_users(api: Api) -> None:
    """GET /users lists the users."""
    create(api)
    assert api.list_all("/users")


@pytest.mark.step(4)
def test_update_user(api: Api) -> None:
    """PATCH /users/{id} changes what is sent."""
    api.patch(f"/users/{create(api)['id']}", {"age": 37}).expect(200).has(age=37)


@pytest.mark.step(5)
def test_delete_user(api: Api) -> None:
    """DELETE /users/{id} removes the user."""
    api.delete(f"/users/{create(api)['id']}").expect(204)


@pytest.mark.step(6)
def test_search_users(api: Api) -> None:
    """GET /users/search finds users by parts of their names."""
    create(api)
    assert api.get("/users/search?name=ada").expect(200).items()


@pytest.mark.step(7)
def test_create_user_with_taken_email(api: Api) -> None:
    """POST /users answers 409 to an address that is taken."""
    user = create(api)
    api.post("/users", {name: user[name] for name in ("name", "email", "age")}).expect(409)


@pytest.mark.step(8)
def test_create_users_at_once(api: Api) -> None:
    """Two POST /users at one moment are both stored."""
    sent = [create(api) | {"email": f"{unique('ada.')}@example.com"} for _ in range(2)]
    for reply in api.at_once(2, lambda number: api.post("/users", sent[number])):
        reply.expect(201)
