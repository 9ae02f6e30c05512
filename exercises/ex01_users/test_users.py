"""Checks of exercise 01; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    AS_IT_IS,
    AWKWARD_TEXTS,
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    WHOLE_ROW,
    Api,
    Reply,
    ask_ahead,
    fail,
    one_letter,
    one_wins,
    same_row,
    shorten,
    unique,
    why_not_one,
)

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_FOUND = (
    "session.get() gave None, and None was answered or used; or the error was returned: "
    "`raise HTTPException(404)`."
)
UPDATE = (
    "fields that were not sent are required: an update class of its own gives each a default. Or "
    "they are written with that default: exclude_unset=True is missing."
)
IN_ONE_PROCESS = (
    "a dictionary, a list or a cache in memory belongs to one process: another one, and the one "
    "after a restart, know only what is in the database."
)
NOT_UNIQUE = (
    "nothing in the database keeps a second one out: the column has no unique=True, or its "
    "IntegrityError is not caught."
)
NOTHING_TAKEN = (
    "nobody has this address: something else of a user counts as taken, and only `email` is unique."
)
ANSWERED_ANEW = (
    "the user who was there is answered, as if made now: an address that is taken is refused, "
    "whatever else is sent."
)
OWN_BOUND = "a bound of the app's own refuses what the task allows."
LONG_DOMAIN = f"{'d' * 60}.{'e' * 12}.example.com"  # with a name of 14 characters, 100
FIRST_ID = "a bound refuses the smallest id that there is: ge=1 and not gt=1."
AS_IT_CAME = "the address is compared as it came: POST and PATCH both have to tidy it before."
ONLY_HERE = f"the taken addresses are known to the process that stored them: {IN_ONE_PROCESS}"
BOUNDS: dict[int | str, str] = {
    2: "the bound is missing in the input class, or the table class is the request body: a class "
    "with table=True does not validate. Or the app makes a text, or a whole number, of the value.",
    4: "the app looks at the value itself; a bound in the input class is answered 422 by FastAPI.",
}
BREAKS_A_RULE = pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "A"),
        ("name", "A" * 51),
        ("name", 7),
        ("age", -1),
        ("age", 151),
        ("age", 36.5),
        ("age", "many"),
        ("email", 7),
    ],
    ids=[
        "short-name",
        "long-name",
        "name-number",
        "age-below",
        "age-above",
        "age-not-whole",
        "age-word",
        "email-number",
    ],
)
KEEPS_ALL_RULES = pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Al"), ("name", "é" * 50), ("age", 0), ("age", 150), ("city", "ü" * 50)],
    ids=["name-of-2", "name-of-50", "age-of-0", "age-of-150", "city-of-50"],
)


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada_l.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def create(api: Api, **changes: Any) -> dict[str, Any]:
    """Create a user through the API; give what was sent, and the id."""
    sent = a_user(**changes)
    reply = api.post("/users", sent).expect(201, 200, why={4: NOTHING_TAKEN, 422: OWN_BOUND})
    reply.has("the answer is not what was sent; is it the stored row?", **sent)
    return sent | {"id": reply.id}


def read(api: Api, user: dict[str, Any]) -> dict[str, Any]:
    """Read the user; give every field that the app answers."""
    return api.get(path_of(user)).expect(200).object()


def expect_user(user: dict[str, Any], row: dict[str, Any], why: str) -> None:
    """Fail unless this is the user, whatever other fields the row has."""
    same_row(user, {name: row[name] for name in user if name in row}, why=why)


def path_of(user: dict[str, Any]) -> str:
    """Name the user's path."""
    return f"/users/{user['id']}"


def rows_with(api: Api, email: str) -> list[dict[str, Any]]:
    """Find the stored users with this address."""
    rows = api.list_all("/users")
    return [row for row in rows if str(row.get("email")).strip().lower() == email.lower()]


def variants(email: str) -> list[str]:
    """Write an address in the ways that count as the same one."""
    return [email, email.upper(), f" {email} "]


@pytest.mark.step(1)
def test_create_user(api: Api) -> None:
    """POST /users stores a user and answers the row with its id."""
    create(api)


@pytest.mark.step(1)
@KEEPS_ALL_RULES
def test_create_user_at_the_bounds(api: Api, field: str, value: Any) -> None:
    """POST /users takes what is exactly at a bound."""
    reply = api.post("/users", a_user(**{field: value}))
    why = f"2, 50, 0 and 150 are allowed: ge, le and not gt, lt. Or {OWN_BOUND}"
    reply.expect(201, 200, why=why)
    reply.has("a 0 counts as nothing, or the text was changed.", **{field: value})


@pytest.mark.step(1)
def test_create_user_without_city(api: Api) -> None:
    """A user without a city lives in "Unknown"."""
    sent = a_user()
    del sent["city"]
    why = "the field has no default."
    api.post("/users", sent).expect(201, 200, why=why).has(why, **sent, city="Unknown")
    why = "null is let through to a column that takes none: `city: str`, not `str | None`."
    guesses: Why = {409: why, 400: why, "NOT NULL": why, "null value": why}
    api.post("/users", a_user(city=None)).expect(201, 200, 422, why=guesses)


@pytest.mark.step(1)
def test_create_user_tidies_email(api: Api) -> None:
    """An address is answered in lower case, without spaces around it."""
    sent = a_user()
    email = sent["email"]
    why = "the address is stored as it came; a validator on the input class."
    reply = api.post("/users", sent | {"email": f"  {email.upper()} "})
    reply.expect(201, 200, why={4: NOTHING_TAKEN, "": why}).has(why, **sent)
    create(api, email=f"{unique('ada.')}@{LONG_DOMAIN}")
    sent = a_user(email=f"{unique('straße.')}@example.com")
    reply = api.post("/users", sent).expect(201, 200, 422, 400)
    if reply.ok:  # else an app for which an address is ASCII
        reply.has("another letter is put in its place: casefold() makes ss of ß.", **sent)


@pytest.mark.step(1)
@BREAKS_A_RULE
def test_create_user_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """POST /users answers 422 to a value out of bounds or of the wrong type."""
    api.post("/users", a_user(**{field: value})).expect(422, why=BOUNDS)


@pytest.mark.step(1)
@pytest.mark.parametrize("field", ["name", "email"])
def test_create_user_refuses_missing_field(api: Api, field: str) -> None:
    """POST /users answers 422 when name or email is missing, or null."""
    why = "the field has a default, or the table class is the request body and does not validate."
    sent = a_user()
    api.post("/users", sent | {field: None}).expect(422, why={2: why, 4: BOUNDS[4]})
    del sent[field]
    api.post("/users", sent).expect(422, why={2: why, 4: BOUNDS[4]})


@pytest.mark.step(1)
def test_create_user_ignores_id(api: Api) -> None:
    """The database chooses the id, not the client."""
    reply = api.post("/users", a_user(id=NO_SUCH_ID))
    if reply.status == 422:
        return
    reply.expect(201, 200)
    if reply.object().get("id") == NO_SUCH_ID:
        reply.wrong("the id that the client sent was stored.", "the table class is the body.")
    ids = [create(api)["id"] for _ in range(5)]
    if ids != sorted(ids):
        fail(
            f"five users who were made one after another have the ids {ids}.",
            "the app makes up the ids, and some day hits one that is there: leave them out of the "
            "INSERT.",
        )


@pytest.mark.step(2)
def test_read_user(api: Api) -> None:
    """GET /users/{id} answers the user."""
    user, other = create(api), create(api)
    for row in (user, other):
        reply = api.get(path_of(row)).expect(200, why={404: NO_COMMIT})
        reply.has("this is another row, or not the one that POST stored.", **row)


@pytest.mark.step(2)
def test_first_user(api: Api) -> None:
    """The user with the id 1 is like any other."""
    create(api)
    # Only on a database that was empty is it certain that nobody has deleted it.
    api.get("/users/1").expect(200, 404, why={422: FIRST_ID})


@pytest.mark.step(2)
def test_user_is_stored_as_sent(api: Api) -> None:
    """A name is text: no sign in it means anything to the app."""
    for text in AWKWARD_TEXTS:
        user = create(api, name=f"{text}{text}", city=text)
        api.get(path_of(user)).expect(200).has("the text is changed on its way.", **user)


@pytest.mark.step(2)
def test_read_user_in_another_process(api: Api) -> None:
    """What one process of the server has stored, the other sees at once."""
    ask_ahead(api, create(api)["id"], lambda process, number: process.get(f"/users/{number}"))
    user = create(api)
    api.get(path_of(user)).expect(200, why={404: f"{NO_COMMIT} Or {MISSING_REMEMBERED}"})
    why = f"{NO_COMMIT} Or {IN_ONE_PROCESS}"
    api.second().get(path_of(user)).expect(200, why={404: why}).has(why, **user)


@pytest.mark.step(2)
def test_created_user_survives_a_restart(api: Api) -> None:
    """A user is still there when the server has been restarted, and ids go on."""
    user = create(api)
    api.restart()
    why = "the data lives in memory, or the tables are dropped when the app starts; " + NO_COMMIT
    api.get(path_of(user)).expect(200, why=why).has(why, **user)
    if create(api)["id"] == user["id"]:
        fail("the next user got the same id.", "the ids are counted in memory, from 1.")
    api.get(path_of(user)).expect(200).has("another user was written over it.", **user)


@pytest.mark.step(2)
def test_read_user_not_found(api: Api) -> None:
    """GET /users/{id} answers 404 when there is no such user."""
    api.get(f"/users/{NO_SUCH_ID}").expect(404, why=NOT_FOUND)
    api.get("/users/0").expect(404, 422, why=NOT_FOUND)


@pytest.mark.step(2)
def test_read_user_closes_its_session(api: Api) -> None:
    """GET /users/{id} gives its connection back, whether there is such a user or not."""
    user = create(api)
    for reply in (
        api.get(path_of(user)).expect(200),
        api.get(f"/users/{NO_SUCH_ID}").expect(404, why=NOT_FOUND),
    ):
        expect_closed(reply)


def expect_closed(reply: Reply) -> None:
    """Fail when the request kept a connection."""
    if reply.open_connections:
        reply.wrong(
            "the request kept its connection; after a few more the pool is empty.",
            "the session is never closed, or not after an error: `with Session(engine) as "
            "session: yield session`, or session.close() in a `finally`.",
        )


SESSIONS = [
    ("POST", "/users", 1),
    ("GET", "/users?limit=5", 3),
    ("PATCH", "/users/{id}", 4),
    ("DELETE", "/users/{id}", 5),
    ("GET", "/users/search?name=Love", 6),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [pytest.param(method, path, marks=pytest.mark.step(step)) for method, path, step in SESSIONS],
)
def test_request_closes_its_session(api: Api, method: str, path: str) -> None:
    """A request gives its connection back, whichever it is."""
    sent = {"POST": a_user(), "PATCH": {"age": 37}}.get(method)
    reply = api.request(method, path.format(id=create(api)["id"]), sent)
    expect_closed(reply.expect(200, 201, 204))


def at_least(api: Api, number: int) -> list[int]:
    """Create users until there are so many; give the ids of all."""
    ids = [row["id"] for row in api.list_all("/users", limit=10)]
    return ids + [create(api)["id"] for _ in range(number - len(ids))]


def create_out_of_order(api: Api, count: int) -> list[dict[str, Any]]:
    """Create users whose order by id is their order by no other field."""
    return [
        create(
            api,
            name=unique("zma"[n % 3] + "a "),
            email=f"{unique('mza'[n % 3])}@example.com",
            age=90 - 7 * n,
            city=unique("azm"[n % 3]),
        )
        for n in range(count)
    ]


@pytest.mark.step(2)
def test_create_user_with_an_id_changes_nobody(api: Api) -> None:
    """The id of a user who is there, sent along to POST /users, does nothing to this user."""
    user = create(api)
    api.post("/users", a_user(id=user["id"])).expect(201, 200, 422)
    why = "the id is taken from the body: an input class of its own has none."
    api.get(path_of(user)).expect(200).has(why, email=user["email"])


@pytest.mark.step(3)
def test_list_users(api: Api) -> None:
    """GET /users lists the users as they were answered, each once, in every process."""
    for process, count in ((api, 12), (api.second(), 3)):
        users = create_out_of_order(api, count)
        listed = process.list_all("/users")
        for user in users:
            rows = [row for row in listed if row["id"] == user["id"]]
            if len(rows) != 1:
                why = f"{NO_COMMIT} Or a limit of 100 is cut to less; or {IN_ONE_PROCESS}"
                fail(f"GET /users listed user {user['id']}, who was made, {len(rows)} times.", why)
            expect_user(user, rows[0], "the list answers other rows than POST.")


@pytest.mark.step(3)
def test_list_users_ordered_by_id(api: Api) -> None:
    """GET /users is ordered by id, also after an update."""
    first = create_out_of_order(api, 6)[0]
    # PostgreSQL moves an updated row; PATCH itself is checked in step 4.
    api.patch(path_of(first), {"city": "Paris"})
    ids = [row["id"] for row in api.list_all("/users")]
    if ids != sorted(ids):
        fail(
            f"GET /users answered the ids {shorten(ids[-12:])}.",
            "the ids are compared as text, in which 10 comes before 9."
            if ids == sorted(ids, key=str)
            else "no ORDER BY: without it the database may answer in any order, and skip/limit "
            "then repeat some rows and lose others. Or it is ordered by something else.",
        )


@pytest.mark.step(3)
def test_list_users_skip_and_limit(api: Api) -> None:
    """The parameters skip and limit cut the list, together and each alone."""
    gone = create_out_of_order(api, 12)[0]
    # Now places and ids differ; DELETE itself is checked in step 5.
    api.delete(path_of(gone))
    ids = [row["id"] for row in api.list_all("/users")]
    end = len(ids)
    for query, wanted in (
        (f"skip={end - 3}&limit=2", ids[-3:-1]),
        (f"skip={end - 3}", ids[-3:]),
        (f"skip={end - 1}&limit=100", ids[-1:]),
        (f"skip={end}", []),
        ("skip=1&limit=3", ids[1:4]),
        ("limit=1", ids[:1]),
        ("limit=12", ids[:12]),
        ("skip=10000", []),
    ):
        reply = api.get(f"/users?{query}")
        reply.expect(200, why={404: "that no user is left is no error: the list is empty then."})
        got = [row["id"] for row in reply.rows()]
        if got != wanted:
            reply.wrong(
                f"the ids are {shorten(got)}, not {wanted}.",
                "skip or limit does not reach the query: .offset(skip).limit(limit). Or skip is "
                "compared with ids; it counts users.",
            )
    api.get("/users").expect(200, why="skip or limit has no default.").items()


@pytest.mark.step(3)
def test_list_users_up_to_the_largest_limit(api: Api) -> None:
    """GET /users?limit=100 answers a hundred users, if there are so many."""
    ids = at_least(api, 60)
    why = "a smaller number than the limit that was sent reaches the query."
    reply = api.get("/users?limit=100").expect(200, why="a limit of up to 100 is granted.")
    if len(reply.items()) != min(len(ids), 100):
        reply.wrong(f"there are {len(ids)} users, and {len(reply.items())} are listed.", why)


@pytest.mark.step(3)
def test_refused_user_is_not_stored(api: Api) -> None:
    """Who was refused with a 422 is not in the list."""
    sent = a_user(age=151)
    api.post("/users", sent).expect(422, why=BOUNDS)
    if rows_with(api, sent["email"]):
        fail(f"{sent['email']} was refused with a 422 and is stored.", "stored, then checked.")


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "change",
    [
        {"name": "Grace Hopper"},
        {"age": 0},
        {"age": 37, "name": "Ada King"},
        {"city": "Paris"},
        {"name": "Ada", "age": 1, "city": "Rome"},
        {"city": "Unknown"},
        {"email": "", "name": "Grace Hopper"},
        {},
    ],
    ids=lambda change: "-and-".join(change) or "nothing",
)
def test_update_user(api: Api, change: dict[str, Any]) -> None:
    """PATCH /users/{id} changes what is sent and leaves alone what is not, for good."""
    user, other = create(api, city="Berlin"), create(api)
    path = path_of(user)
    if "email" in change:
        change = change | {"email": a_user()["email"]}
    api.second().get(path).expect(200)  # a cache of the other process has it now
    why = "the new values are not set on the row, or `if data.age:` is false for 0. Or " + UPDATE
    if change == {"city": "Unknown"}:
        why = "what is sent and equals the default counts as not sent: exclude_unset, and no other."
    reply = api.patch(path, change)
    if not change and reply.status in (400, 422):
        change = {}
    else:
        reply.expect(200, why=UPDATE).has(why, **user | change)
    stored = api.get(path).expect(200)
    stored.has("no session.commit() after the change.", **user | change)
    api.second().get(path).expect(200).has(IN_ONE_PROCESS, **user | change)
    api.get(path_of(other)).expect(200).has("the WHERE of the UPDATE is missing.", **other)


@pytest.mark.step(4)
@KEEPS_ALL_RULES
def test_update_user_at_the_bounds(api: Api, field: str, value: Any) -> None:
    """PATCH /users/{id} takes what is exactly at a bound."""
    user = create(api)
    reply = api.patch(path_of(user), {field: value})
    reply.expect(200, why=f"2, 50, 0 and 150 are allowed: ge, le and not gt, lt. Or {OWN_BOUND}")
    api.get(path_of(user)).expect(200).has("a 0 counts as nothing.", **user | {field: value})


@pytest.mark.step(4)
def test_update_user_with_an_empty_city(api: Api) -> None:
    """An empty city that PATCH /users/{id} is sent is stored, or refused."""
    user = create(api)
    reply = api.patch(path_of(user), {"city": ""}).expect(200, 422, 400)
    stored = api.get(path_of(user)).expect(200)
    if reply.ok and stored.object().get("city") == user["city"]:
        stored.wrong(
            f"the city is {user['city']!r} as before, and PATCH was answered {reply.status}.",
            "`if data.city:` is false for an empty text, too, which was sent all the same.",
        )


@pytest.mark.step(4)
def test_update_user_with_what_it_has(api: Api) -> None:
    """PATCH /users/{id} takes what a field has already, alone and beside a change."""
    user = create(api)
    same = {field: user[field] for field in ("name", "age", "city")}
    for field, value in {"name": unique("Ada "), "age": 37, "city": "Paris"}.items():
        api.patch(path_of(user), {field: same[field]}).expect(200).has(AS_IT_IS, **user)
        same[field] = user[field] = value
        api.patch(path_of(user), same).expect(200).has(AS_IT_IS, **user)
    api.get(path_of(user)).expect(200).has(AS_IT_IS, **user)


@pytest.mark.step(4)
def test_update_email(api: Api) -> None:
    """PATCH /users/{id} stores a new address in lower case, without spaces around it."""
    user = create(api)
    why = "the update class does not tidy the address as the class of POST does."
    for domain in ("example.com", LONG_DOMAIN):
        email = f"{unique('ada.')}@{domain}"
        guesses: Why = {422: OWN_BOUND, "": why}
        api.patch(path_of(user), {"email": f" {email.upper()} "}).expect(200, why=guesses)
        stored = api.get(path_of(user)).expect(200)
        stored.has(why, email=email)
        stored.has(UPDATE, **user | {"email": email})


@pytest.mark.step(4)
def test_update_user_keeps_its_id(api: Api) -> None:
    """PATCH /users/{id} leaves the id alone, whatever is sent."""
    user = create(api)
    api.patch(path_of(user), {"id": NO_SUCH_ID, "age": 37}).expect(200, 422)
    why = "the id is taken from the body: an update class of its own has no id."
    api.get(path_of(user)).expect(200, why=why).has(why, id=user["id"])


@pytest.mark.step(4)
@pytest.mark.parametrize("field", ["name", "email"])
def test_update_user_never_stores_null(api: Api, field: str) -> None:
    """An explicit null for name or email is refused or ignored, never stored."""
    user = create(api)
    before = read(api, user)
    why = f"an explicit null is let through by `{field}: str | None`, to the column."
    api.patch(path_of(user), {field: None}).expect(422, 400, 200, why=why)
    stored = api.get(path_of(user)).expect(200, why=why)
    same_row(before, stored, but=("updated_at",), why=why)
    beside = api.patch(path_of(user), {field: None, "age": 37}).expect(422, 400, 200, why=why)
    wanted = before | ({"age": 37} if beside.ok else {})
    why = "a null is ignored, and what was sent beside it too; or half of a refused change stays."
    same_row(wanted, api.get(path_of(user)), but=("updated_at",), why=why)


@pytest.mark.step(4)
@pytest.mark.parametrize("field", ["age", "city"])
def test_update_user_with_null_as(api: Api, field: str) -> None:
    """An explicit null for age or city is a 422, or does no harm."""
    user = create(api)
    before = read(api, user)
    why = (
        "null reaches a column that takes none, and its IntegrityError is answered as if the "
        "address were taken: let the update class refuse null."
    )
    reply = api.patch(path_of(user), {field: None})
    reply.expect(422, 400, 200, why={409: why, "NOT NULL": why, "null value": why})
    same_row(before, api.get(path_of(user)), but=(field, "updated_at"))


@pytest.mark.step(4)
@BREAKS_A_RULE
def test_update_user_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """PATCH /users/{id} answers 422 to a value out of bounds, and changes nothing."""
    user = create(api)
    before = read(api, user)
    why = "the bounds of the input class are missing in the update class, or it is a table class."
    reply = api.patch(path_of(user), {"city": "Paris", field: value})
    reply.expect(422, why={2: why, 4: BOUNDS[4]})
    same_row(before, api.get(path_of(user)), why="a part of a refused change was stored.")


@pytest.mark.step(4)
def test_update_user_not_found(api: Api) -> None:
    """PATCH /users/{id} answers 404 when there is no such user."""
    why = "the row is changed without looking whether it is there."
    not_found(api.patch(f"/users/{NO_SUCH_ID}", {"age": 37}), why)


def not_found(reply: Reply, why: str) -> None:
    """Fail unless there is no such user, and the connection was given back."""
    reply.expect(404, why=why)
    if "statements" in reply.seen:
        expect_closed(reply)


@pytest.mark.step(5)
def test_delete_user(api: Api) -> None:
    """DELETE /users/{id} removes the user, and only this one."""
    user, other = create(api), create(api)
    path = path_of(user)
    api.second().get(path).expect(200)  # a cache of the other process has it now
    rows_with(api.second(), user["email"])
    api.delete(path).expect(204, 200)
    api.get(path).expect(404, why="no session.commit() after session.delete().")
    api.second().get(path).expect(404, why=IN_ONE_PROCESS)
    why = "the WHERE of the DELETE is missing."
    api.get(path_of(other)).expect(200, why=why).has(why, **other)
    for process in (api, api.second()):
        if rows_with(process, user["email"]):
            fail("GET /users still lists the deleted user.", IN_ONE_PROCESS)


@pytest.mark.step(5)
def test_delete_user_not_found(api: Api) -> None:
    """DELETE and PATCH /users/{id} answer 404 when there is no such user, or no longer."""
    why = "the row is deleted without looking whether it is there."
    not_found(api.delete(f"/users/{NO_SUCH_ID}"), why)
    path = path_of(create(api))
    api.delete(path).expect(204, 200)
    not_found(api.delete(path), why)
    not_found(api.patch(path, {"age": 37}), "the row is changed though it is not there.")


def found_by(api: Api, query: str, why_refused: str = "") -> dict[int, dict[str, Any]]:
    """Search; give the rows by id."""
    why = why_refused or (
        "the route stands below /users/{user_id}, which takes 'search' for an id: move it above. "
        "Or a term has no default."
    )
    nobody = "that nobody is found is no error: it is an empty list."
    reply: Reply = api.get(f"/users/search?{query}").expect(200, why={422: why, 404: nobody})
    rows = {row["id"]: row for row in reply.rows()}
    if len(rows) != len(reply.items()):
        reply.wrong(
            f"{len(reply.items())} rows are answered for {len(rows)} users.",
            "a user comes once for each row of a JOIN or of a loop inside of a loop: one WHERE "
            "with both conditions.",
        )
    return rows


@pytest.mark.step(6)
@pytest.mark.parametrize(
    "query",
    ["name={name}", "name={part}", "city={city}", "city={lower}", "name={part}&city=LON"],
    ids=["name", "part-of-name", "city", "part-of-city", "name-and-city"],
)
def test_search_users(api: Api, query: str) -> None:
    """GET /users/search finds users by parts of name and city, in any case."""
    name, city = unique("Ada McKay "), unique("London ")
    user, other = create(api, name=name, city=city), create(api)
    turned = create(api, name=city, city=name, email=f"{name[-10:]}.{city[-10:]}@example.com")
    query = query.format(name=name, part=name[2:-1].upper(), city=city, lower=city[2:-1].lower())
    found = found_by(api, query)
    if user["id"] not in found:
        fail(
            f"GET /users/search?{query} did not find {name!r} in {city!r}.",
            "the comparison is exact or minds case: icontains(), or ilike with % on both sides.",
        )
    expect_user(user, found[user["id"]], "the search answers other rows than POST.")
    for wrong in (other, turned):
        if wrong["id"] in found:
            fail(
                f"GET /users/search?{query} found {wrong['name']!r} in {wrong['city']!r} too.",
                "a term does not reach the query's WHERE, is looked for in another column, or the "
                "terms are joined by OR.",
            )


@pytest.mark.step(6)
def test_search_users_by_both_terms(api: Api) -> None:
    """GET /users/search wants each given term to match."""
    name = unique("Ada ")
    user, elsewhere = create(api, name=name), create(api, name=name + "b", city="Paris")
    found = found_by(api, f"name={name}&city=lon")
    if user["id"] not in found or elsewhere["id"] in found:
        fail(
            f"a search for {name!r} in 'lon' found {len(found)} users, not the one in London.",
            "the terms are joined by OR, or one does not reach the query, or replaces the other.",
        )


@pytest.mark.step(6)
def test_search_users_by_a_short_and_a_long_term(api: Api) -> None:
    """GET /users/search takes a term of one letter, and a whole name of 50."""
    name = f"x{unique(one_letter())}".ljust(50, "x")
    user = create(api, name=name, city=name)
    why = "a bound of the app's own refuses the term, it is cut, or it has to be the beginning."
    for term in (name[1], name):
        for query in (f"name={term}", f"city={term}", f"name={term}&city={term}"):
            if user["id"] not in found_by(api, query, why):
                fail(f"GET /users/search?{query} did not find {name!r}.", why)


@pytest.mark.step(6)
def test_search_users_finds_nobody(api: Api) -> None:
    """GET /users/search answers an empty list when nobody matches."""
    create(api)
    for query in (f"name={unique('nobody')}", f"name=Ada&city={unique('nowhere')}"):
        if found := found_by(api, query):
            fail(f"GET /users/search?{query} found {len(found)} users.", "a term is not looked at.")


@pytest.mark.step(6)
def test_search_finds_all(api: Api) -> None:
    """GET /users/search answers all that match, as they are now."""
    stem = unique("Ada ")
    users = [create(api, name=f"{stem} {n}") for n in range(12)]
    found_by(api.second(), f"name={stem}")  # a cache of the other process has them now
    api.patch(path_of(users[0]), {"name": "Grace Hopper"})
    api.delete(path_of(users[1]))
    for process in (api, api.second()):
        found = found_by(process, f"name={stem}")
        if sorted(found) != [user["id"] for user in users[2:]]:
            fail(
                f"of 12 users {stem!r} one was renamed and one deleted; {len(found)} are found.",
                f"a limit cuts the search; or {IN_ONE_PROCESS}",
            )


@pytest.mark.step(6)
def test_search_users_without_a_term(api: Api) -> None:
    """GET /users/search without a term answers all users, however many they are."""
    ids = at_least(api, 101)  # more than the usual bound
    why = "each term may be left out, also both: its default has to match everybody."
    reply = api.get("/users/search").expect(200, why=why)
    missing = set(ids) - {row["id"] for row in api.list_all("/users/search")}
    if missing:
        cut = "a limit cuts the search, or a condition works without a term."
        cause = cut if reply.items() else why
        reply.wrong(f"of {len(ids)} users {len(missing)} are not found.", cause)


@pytest.mark.step(6)
def test_search_users_by_the_whole_term(api: Api) -> None:
    """GET /users/search looks for the term as it is, not for its words."""
    one, two = unique("x"), unique("y")
    user, turned, half = (create(api, name=f"{a} {b}") for a, b in ((one, two), (two, one), "ab"))
    found = found_by(api, f"name={one} {two}")
    if user["id"] not in found:
        fail(f"a search for '{one} {two}' does not find the user of this name.", "a word is lost.")
    for other in (turned, half):
        if other["id"] in found:
            fail(
                f"a search for '{one} {two}' finds {other['name']!r}.",
                "the term is taken apart into words, and each is looked for on its own.",
            )
    wide = create(api, name=f"{one}  {two}", city=f"{one}  {two}")
    for term, wanted in ((f"{one}%20", [user, wide]), (f"%20{two}", [user, wide])):
        if sorted(found_by(api, f"name={term}")) != [each["id"] for each in wanted]:
            fail(f"a search for '{term}', whose %20 is a space, finds others.", "a space is lost.")
    for field in ("name", "city"):
        if list(found_by(api, f"{field}={one}%20%20{two}")) != [wide["id"]]:
            why = "two spaces of the term are one for the app, or a space is lost."
            fail(f"a search for '{one}  {two}' does not find this one {field}.", why)


@pytest.mark.step(6)
def test_search_name_as_it_is_written(api: Api) -> None:
    """GET /users/search finds what has other letters than a to z as it is written."""
    name = unique("Élodie Ö")
    user = create(api, name=name, city=name)
    for part in (f"{field}={text}" for field in ("name", "city") for text in (name, name[5:])):
        if user["id"] not in found_by(api, part):
            fail(
                f"GET /users/search?{part} did not find {name!r}.",
                "Python's lower() makes é of É and SQLite's does not: let one of them treat both "
                "sides, as icontains() does.",
            )


@pytest.mark.step(6)
def test_search_users_by_signs_of_sql(api: Api) -> None:
    """GET /users/search takes signs as text that are more than text in SQL."""
    stem = unique("Ada ")
    for name in (f"{stem} {sign}" for sign in ("O'Brien", ":b", '"second"', "(a", "--", "x;")):
        user = create(api, name=name, city=name)
        for query in (f"name={name}", f"city={name}"):
            if list(found_by(api, query)) != [user["id"]]:
                why = "the term is changed before it is looked for, or is more than text in SQL."
                fail(f"GET /users/search?{query} does not find this one user.", why)


@pytest.mark.step(7)
def test_create_user_with_taken_email(api: Api) -> None:
    """POST /users answers 400 or 409 to an address that is taken, and changes nothing."""
    user = create(api)
    before = read(api, user)
    again = {name: user[name] for name in user if name != "id"}
    for process in (api, api.second()):
        for email in variants(user["email"]):
            sent = (a_user(name="Somebody Else", email=email), again | {"email": email})
            guess = AS_IT_CAME if email != user["email"] else NOT_UNIQUE
            for reply in (process.post("/users", each) for each in sent):
                anew = reply.ok and reply.object().get("id") == user["id"]
                why = guess if process is api else ONLY_HERE
                expect_refusal(reply, ANSWERED_ANEW if anew else why)
    rows = rows_with(api, user["email"])
    if len(rows) != 1:
        fail(f"{user['email']} is stored {len(rows)} times.", NOT_UNIQUE)
    why = "the refused request was written over the row that was there."
    same_row(before, api.get(path_of(user)).expect(200, why=why), why=why)


def expect_refusal(reply: Reply, why: str = NOT_UNIQUE) -> None:
    """Fail unless the taken address is refused, with the connection given back."""
    reply.expect(409, 400, why={2: why})
    if "statements" in reply.seen:
        expect_closed(reply)


@pytest.mark.step(7)
def test_requests_after_a_refused_one(api: Api) -> None:
    """A refused request does not disturb the next ones."""
    user = create(api)
    expect_refusal(api.post("/users", a_user(email=user["email"])))
    why = "no session.rollback() after the error, on a session that is used again."
    api.get(path_of(user)).expect(200, why=why)
    api.post("/users", a_user()).expect(201, 200, why=why)


@pytest.mark.step(7)
def test_address_is_free_again(api: Api) -> None:
    """An address is free again when its user is deleted, or has got another one."""
    deleted, moved = create(api), create(api)
    api.delete(path_of(deleted)).expect(204, 200)
    api.patch(path_of(moved), {"email": a_user()["email"]}).expect(200)
    why = "the addresses are kept in a second place, in memory or in a table, and not given back."
    marked = f"the user is only marked as deleted, and the row still has the address. Or {why}"
    for user in (deleted, moved):
        reply = api.post("/users", a_user(email=user["email"]))
        reply.expect(201, 200, why=marked if user is deleted else why)


@pytest.mark.step(7)
def test_address_that_is_nearly_taken(api: Api) -> None:
    """An address that is only nearly the same is another one."""
    stem = unique("ada_l.")
    why = "another address counts as this one: compare with == and not with like(), all of it."
    taken = f"{stem}.x@example.com"
    before = [taken.replace("_", "x"), f"b{taken}"]  # which a look for what is taken may find
    after = [f"{taken}.org", taken.replace(".x@", ".x+1@"), taken.replace("_l.", "_l")]
    for email in (*before, taken, *after):
        sent = a_user(email=email)
        api.post("/users", sent).expect(201, 200, why=why).has(why, **sent)
    moved = create(api)
    for email in (taken.replace("_l", "__"), taken[2:], f"{taken}.uk"):
        api.patch(path_of(moved), {"email": email}).expect(200, why=why).has(why, email=email)


@pytest.mark.step(8)
def test_update_user_with_taken_email(api: Api) -> None:
    """PATCH /users/{id} answers 400 or 409 to the address of another user, and changes nothing."""
    user, other = create(api), create(api)
    before, other_before = read(api, user), read(api, other)
    for email in variants(user["email"]):
        change = {"name": "Somebody Else", "email": email, "city": "Paris"}
        reply = api.patch(path_of(other), change)
        expect_refusal(reply, NOT_UNIQUE if email == user["email"] else AS_IT_CAME)
    same_row(other_before, api.get(path_of(other)), why="a part of a refused change was stored.")
    same_row(before, api.get(path_of(user)), why="the refused change reached the other user.")


@pytest.mark.step(8)
def test_update_user_with_own_email(api: Api) -> None:
    """PATCH /users/{id} takes the address that the user has already."""
    user = create(api)
    why = "the user itself is found with this address, and counts as another one."
    api.patch(path_of(user), {"email": user["email"]}).expect(200, why=why).has(why, **user)
    change = {"email": user["email"].upper(), "age": 37}
    reply = api.patch(path_of(user), change).expect(200, why=why)
    reply.has(AS_IT_CAME, **user | {"age": 37})


@pytest.mark.step(8)
def test_answered_means_committed(api: Api) -> None:
    """The commit is done when the answer is sent."""
    path = path_of(create(api))
    api.post("/users", a_user()).committed_first()
    api.patch(path, {"age": 37}).committed_first()
    api.delete(path).committed_first()


@pytest.mark.step(8)
def test_create_user_twice_at_once(api: Api) -> None:
    """Of eight equal POST /users at one moment, one is answered 201, the others 400 or 409."""
    for _ in range(4):
        sent = a_user()
        one_wins(api, "/users", sent, lambda: len(rows_with(api, sent["email"])))  # noqa: B023 - called at once


@pytest.mark.step(8)
def test_update_to_one_email_at_once(api: Api) -> None:
    """Of four PATCH to one free address at one moment, one is answered 200."""
    users = [create(api) for _ in range(4)]
    for _ in range(2):
        email = a_user()["email"]
        replies = api.at_once(4, lambda n: api.patch(path_of(users[n]), {"email": email}))  # noqa: B023 - called at once
        for reply in replies:
            reply.expect(200, 400, 409)
        wins = [n for n, reply in enumerate(replies) if reply.ok]
        rows = len(rows_with(api, email))
        if (len(wins), rows) != (1, 1):
            fail(
                f"of four PATCH to one address {len(wins)} were answered 200; {rows} have it.",
                why_not_one(wins, rows),
            )


@pytest.mark.step(8)
def test_update_different_fields_at_once(api: Api) -> None:
    """Four PATCH of different fields of one user at one moment all leave their mark."""
    user = create(api)
    new = a_user(name="Grace Hopper", age=37, city="Paris")
    changes = [{field: value} for field, value in new.items()]
    for reply in api.at_once(4, lambda n: api.patch(path_of(user), changes[n])):
        reply.expect(200, why=WHOLE_ROW)
    api.get(path_of(user)).expect(200).has(WHOLE_ROW[""], **new)


@pytest.mark.step(8)
def test_create_different_users_at_once(api: Api) -> None:
    """Eight different POST /users at one moment are all stored, each with its own id."""
    sent = [a_user(age=n) for n in range(8)]
    replies = api.at_once(8, lambda n: api.post("/users", sent[n]))
    why = (
        "the app counts the ids itself: max(id) + 1, or a counter in memory. The database gives "
        "each row its own."
    )
    for n, reply in enumerate(replies):
        reply.expect(201, 200, why={"UNIQUE": why, "unique": why, 4: why}).has(why, **sent[n])
        api.get(f"/users/{reply.id}").expect(200).has(why, **sent[n])
