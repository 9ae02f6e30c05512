"""Checks of exercise 01; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, shorten, unique

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_FOUND = (
    "session.get() gave None, and None was answered or used; or the error was returned: "
    "`raise HTTPException(404)`."
)
UPDATE = (
    "fields that were not sent are required: an update class of its own gives each a default. Or "
    "they are written with that default: exclude_unset=True is missing."
)


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def create(api: Api, **changes: Any) -> dict[str, Any]:
    """Create a user through the API; give the answered row."""
    sent = a_user(**changes)
    reply = api.post("/users", sent).expect(201, 200)
    reply.has("the answer is not what was sent; is it the stored row?", **sent)
    return sent | {"id": reply.id}


def rows_with(api: Api, email: str) -> list[dict[str, Any]]:
    """Find the stored users with this address."""
    return [row for row in api.list_all("/users") if row["email"].lower() == email.lower()]


@pytest.mark.step(1)
def test_create_user(api: Api) -> None:
    """POST /users stores a user and answers the row with its id."""
    create(api)


@pytest.mark.step(1)
def test_created_user_is_there_in_the_next_request(api: Api) -> None:
    """What POST /users answered, the next request finds."""
    user = create(api)
    api.get(f"/users/{user['id']}").expect(200, why=NO_COMMIT).has(NO_COMMIT, **user)


@pytest.mark.step(1)
def test_created_user_survives_a_restart(api: Api) -> None:
    """A user is still there when the server has been restarted."""
    user = create(api)
    api.restart()
    why = "the data lives in memory, or the tables are dropped when the app starts; " + NO_COMMIT
    api.get(f"/users/{user['id']}").expect(200, why=why).has(why, **user)


@pytest.mark.step(1)
def test_create_user_without_city(api: Api) -> None:
    """A user without a city lives in "Unknown"."""
    sent = a_user()
    del sent["city"]
    why = "the field has no default."
    api.post("/users", sent).expect(201, 200, why=why).has(why, city="Unknown")


@pytest.mark.step(1)
def test_create_user_stores_email_tidied(api: Api) -> None:
    """An address is stored in lower case, without spaces around it."""
    sent = a_user()
    email = sent["email"]
    sent["email"] = f"  {email.upper()} "
    reply = api.post("/users", sent).expect(201, 200)
    reply.has("the address is stored as it came; a validator on the input class.", email=email)


@pytest.mark.step(1)
@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "A"), ("name", "A" * 51), ("age", -1), ("age", 151), ("age", "many"), ("email", 7)],
    ids=["short-name", "long-name", "age-below", "age-above", "age-word", "email-number"],
)
def test_create_user_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """POST /users answers 422 to a value out of bounds or of the wrong type."""
    why = (
        "the bound is missing in the input class, or the table class is the request body: a class "
        "with table=True does not validate."
    )
    api.post("/users", a_user(**{field: value})).expect(422, why=why)


@pytest.mark.step(1)
def test_create_user_refuses_missing_email(api: Api) -> None:
    """POST /users answers 422 when a field is missing."""
    why = "the field has a default, or the table class is the request body and does not validate."
    api.post("/users", {"name": "Nobody", "age": 1, "city": "Nowhere"}).expect(422, why=why)


@pytest.mark.step(1)
def test_create_user_ignores_id(api: Api) -> None:
    """The database chooses the id, not the client."""
    reply = api.post("/users", a_user(id=NO_SUCH_ID))
    if reply.status == 422:
        return
    reply.expect(201, 200)
    if reply.object().get("id") == NO_SUCH_ID:
        reply.wrong("the id that the client sent was stored.", "the table class is the body.")


@pytest.mark.step(2)
def test_read_user(api: Api) -> None:
    """GET /users/{id} answers the user."""
    user, other = create(api), create(api)
    api.get(f"/users/{user['id']}").expect(200).has("this is another row.", **user)
    api.get(f"/users/{other['id']}").expect(200).has("this is another row.", **other)


@pytest.mark.step(2)
def test_read_user_not_found(api: Api) -> None:
    """GET /users/{id} answers 404 when there is no such user."""
    api.get(f"/users/{NO_SUCH_ID}").expect(404, why=NOT_FOUND)


@pytest.mark.step(2)
def test_read_user_closes_its_session(api: Api) -> None:
    """GET /users/{id} gives its connection back, whether there is such a user or not."""
    user = create(api)
    for reply in (
        api.get(f"/users/{user['id']}").expect(200),
        api.get(f"/users/{NO_SUCH_ID}").expect(404, why=NOT_FOUND),
    ):
        if reply.open_connections:
            reply.wrong(
                "the request kept its connection; after a few more the pool is empty.",
                "the session is never closed, or not after an error: `with Session(engine) as "
                "session: yield session`, or session.close() in a `finally`.",
            )


@pytest.mark.step(3)
def test_list_users(api: Api) -> None:
    """GET /users lists the users, each once."""
    users = [create(api) for _ in range(3)]
    listed = {row["id"]: row for row in api.list_all("/users")}
    for user in users:
        if user["id"] not in listed:
            fail(f"GET /users never listed user {user['id']}, who was created.", NO_COMMIT)


@pytest.mark.step(3)
def test_list_users_ordered_by_id(api: Api) -> None:
    """GET /users is ordered by id, also after an update."""
    first = create(api)
    for _ in range(2):
        create(api)
    # PostgreSQL moves an updated row; PATCH itself is checked in step 4.
    api.patch(f"/users/{first['id']}", {"city": "Paris"})
    ids = [row["id"] for row in api.list_all("/users")]
    if ids != sorted(ids):
        fail(
            f"GET /users answered the ids {shorten(ids[-12:])}.",
            "no ORDER BY: without it the database may answer in any order, and skip/limit then "
            "repeat some rows and lose others.",
        )


@pytest.mark.step(3)
def test_list_users_skip_and_limit(api: Api) -> None:
    """The parameters skip and limit cut the list."""
    for _ in range(4):
        create(api)
    ids = [row["id"] for row in api.list_all("/users")]
    skip = len(ids) - 3
    reply = api.get(f"/users?skip={skip}&limit=2").expect(200)
    got = [row["id"] for row in reply.items()]
    if got != ids[skip : skip + 2]:
        reply.wrong(
            f"the ids are {shorten(got)}, not {ids[skip : skip + 2]}.",
            "skip or limit does not reach the query: .offset(skip).limit(limit).",
        )


@pytest.mark.step(4)
def test_update_user(api: Api) -> None:
    """PATCH /users/{id} changes what is sent, for good."""
    user = create(api)
    path = f"/users/{user['id']}"
    why = "the new values are not set on the row, or `if data.age:` is false for 0."
    change = {"name": "Grace Hopper", "age": 0}
    api.patch(path, change).expect(200, why=UPDATE).has(why, **user | change)
    api.get(path).expect(200).has("no session.commit() after the change.", **user | change)


@pytest.mark.step(4)
def test_update_user_leaves_other_fields(api: Api) -> None:
    """PATCH /users/{id} leaves alone what is not sent."""
    user = create(api, city="Paris")
    path = f"/users/{user['id']}"
    reply = api.patch(path, {"age": 37}).expect(200, why=UPDATE)
    reply.has(UPDATE, **user | {"age": 37})
    api.get(path).expect(200).has(UPDATE, **user | {"age": 37})


@pytest.mark.step(4)
def test_update_user_never_stores_null(api: Api) -> None:
    """An explicit null for name is refused or ignored, never stored."""
    user = create(api)
    path = f"/users/{user['id']}"
    why = "an explicit null is let through by `name: str | None`, to the column."
    api.patch(path, {"name": None}).expect(422, 400, 200, why=why)
    api.get(path).expect(200, why=why).has(why, **user)


@pytest.mark.step(4)
def test_update_user_refuses_invalid_input(api: Api) -> None:
    """PATCH /users/{id} answers 422 to a value out of bounds, and changes nothing."""
    user = create(api)
    path = f"/users/{user['id']}"
    why = "the bounds of the input class are missing in the update class, or it is a table class."
    api.patch(path, {"age": -1}).expect(422, why=why)
    api.patch(path, {"name": "A"}).expect(422, why=why)
    api.get(path).expect(200).has(why, **user)


@pytest.mark.step(4)
def test_update_user_not_found(api: Api) -> None:
    """PATCH /users/{id} answers 404 when there is no such user."""
    why = "the row is changed without looking whether it is there."
    api.patch(f"/users/{NO_SUCH_ID}", {"age": 37}).expect(404, why=why)


@pytest.mark.step(5)
def test_delete_user(api: Api) -> None:
    """DELETE /users/{id} removes the user, and only this one."""
    user, other = create(api), create(api)
    path = f"/users/{user['id']}"
    api.delete(path).expect(204, 200)
    api.get(path).expect(404, why="no session.commit() after session.delete().")
    api.get(f"/users/{other['id']}").expect(200, why="the WHERE of the DELETE is missing.")


@pytest.mark.step(5)
def test_delete_user_not_found(api: Api) -> None:
    """DELETE /users/{id} answers 404 when there is no such user."""
    why = "the row is deleted without looking whether it is there."
    api.delete(f"/users/{NO_SUCH_ID}").expect(404, why=why)


def found_by(api: Api, query: str) -> set[int]:
    """Search; give the ids."""
    reply: Reply = api.get(f"/users/search?{query}")
    why = (
        "the route stands below /users/{user_id}, which takes 'search' for an id: move it above. "
        "Or a term has no default."
    )
    reply.expect(200, why=why if reply.status == 422 else "")
    return {row["id"] for row in reply.items()}


@pytest.mark.step(6)
@pytest.mark.parametrize(
    "query",
    ["name={name}", "name={part}", "city={city}", "name={part}&city=LON"],
    ids=["name", "part-of-name", "city", "name-and-city"],
)
def test_search_users(api: Api, query: str) -> None:
    """GET /users/search finds users by parts of name and city, in any case."""
    name, city = unique("Ada "), unique("London ")
    user, other = create(api, name=name, city=city), create(api)
    query = query.format(name=name, part=name[2:-1].upper(), city=city[2:-1].upper())
    found = found_by(api, query)
    if user["id"] not in found:
        fail(
            f"GET /users/search?{query} did not find {name!r} in {city!r}.",
            "the comparison is exact or minds case: icontains(), or ilike with % on both sides.",
        )
    if other["id"] in found:
        fail(
            f"GET /users/search?{query} found {other['name']!r} too.",
            "a term does not reach the query's WHERE, or the terms are joined by OR.",
        )


@pytest.mark.step(6)
def test_search_users_by_both_terms(api: Api) -> None:
    """GET /users/search wants each given term to match."""
    name = unique("Ada ")
    user = create(api, name=name, city="London")
    elsewhere = create(api, name=name + "b", city="Paris")
    found = found_by(api, f"name={name}&city=lon")
    if user["id"] not in found or elsewhere["id"] in found:
        fail(
            f"a search for {name!r} in 'lon' found {len(found)} users, not the one in London.",
            "the terms are joined by OR, or one does not reach the query, or replaces the other.",
        )


@pytest.mark.step(7)
def test_create_user_with_taken_email(api: Api) -> None:
    """POST /users answers 400 or 409 to an address that is taken, in upper case too."""
    user = create(api)
    why = "the column has no unique=True, or its IntegrityError is not caught."
    api.post("/users", a_user(email=user["email"])).expect(409, 400, why=why)
    upper = a_user(email=user["email"].upper())
    api.post("/users", upper).expect(409, 400, why="addresses are compared as they came. " + why)
    if len(rows_with(api, user["email"])) != 1:
        fail(f"{user['email']} is stored more than once.", why)


@pytest.mark.step(7)
def test_requests_after_a_refused_one(api: Api) -> None:
    """A refused request does not disturb the next ones."""
    user = create(api)
    api.post("/users", a_user(email=user["email"])).expect(409, 400)
    why = "no session.rollback() after the error, on a session that is used again."
    api.get(f"/users/{user['id']}").expect(200, why=why)
    api.post("/users", a_user()).expect(201, 200, why=why)


@pytest.mark.step(8)
def test_update_user_with_taken_email(api: Api) -> None:
    """PATCH /users/{id} answers 400 or 409 to the address of another user."""
    user, other = create(api), create(api)
    path = f"/users/{other['id']}"
    why = "PATCH has to catch the IntegrityError, and to tidy the address, as POST does."
    for email in (user["email"], user["email"].upper()):
        api.patch(path, {"email": email}).expect(409, 400, why=why)
    api.get(path).expect(200).has(why, **other)


@pytest.mark.step(8)
def test_create_user_twice_at_once(api: Api) -> None:
    """Of eight equal POST /users at one moment, one is answered 201, the others 400 or 409."""
    # Each write is held back by 20 ms. To get through, an app that looks first would have to
    # serve eight requests one after the other, eight times: 7 x 8 gaps without one overlap.
    for _ in range(8):
        create_eight_times_at_once(api, a_user())


def create_eight_times_at_once(api: Api, sent: dict[str, Any]) -> None:
    """Race eight equal requests; fail unless one of them wins."""
    why = (
        "a SELECT before the INSERT is the only guard: all requests look before one has written. "
        "Let the unique constraint decide, and catch its IntegrityError."
    )
    replies = api.at_once(8, lambda number: api.post("/users", sent))
    for reply in replies:
        reply.expect(201, 200, 400, 409, why=why)
    if sum(reply.ok for reply in replies) != 1:
        statuses = sorted(reply.status for reply in replies)
        fail(f"eight equal POST /users at one moment were answered {statuses}.", why)
    if len(rows_with(api, sent["email"])) != 1:
        fail(f"{sent['email']} is stored more than once.", why)
