"""Checks of exercise 06; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

LOOP = (
    "each user is committed on its own, by session.commit() or a helper inside the loop: add all, "
    "commit once, roll back when that fails."
)
BODY = "the body is the list itself, data: list[UserCreate], and no object around it."
OBJECT = "the body is an object: user_ids: Annotated[list[int], Body(embed=True)]."
MANY = 60
ENOUGH = 10  # statements that do not grow with the list


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def some_users(count: int) -> list[dict[str, Any]]:
    """Describe users by different names."""
    return [a_user(name=f"Ada {number}") for number in range(count)]


def create(api: Api) -> int:
    """Create one user by POST /users; give the id."""
    reply = api.post("/users", a_user()).expect(201, 200)
    reply.has("users are active from the start.", is_active=True)
    return reply.id


def stored(api: Api, users: list[dict[str, Any]]) -> list[str]:
    """List the addresses of these users that GET /users knows."""
    emails = [user["email"] for user in users]
    found = [str(row.get("email")) for row in api.list_all("/users")]
    return [email for email in found if email in emails]


def nothing_stored(api: Api, reply: Reply, users: list[dict[str, Any]], why: str) -> None:
    """Fail when a refused list has left something behind."""
    if left := stored(api, users):
        reply.wrong(f"of the {len(users)} users {len(left)} are stored: {', '.join(left)}.", why)


def rows_of(reply: Reply, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the answered rows; fail unless they are the ones that were sent, in their order."""
    rows = reply.items("the route has to return the stored users.")
    if {} in rows:
        reply.wrong(
            "the rows are empty objects.",
            "commit() empties table objects; expire_on_commit=False keeps them filled.",
        )
    emails = [row.get("email") for row in rows if isinstance(row, dict)]
    if emails != [user["email"] for user in sent]:
        reply.wrong(
            "these are not the users that were sent, in their order.",
            "a SELECT gives rows in an order of its own, and ids are no rows: answer the objects "
            "that were added.",
        )
    ids = {row.get("id") for row in rows}
    if len(ids) != len(sent) or not all(type(number) is int for number in ids):
        reply.wrong(
            "not each row has an id of its own.",
            "answered is what was sent, or rows without a flush; bulk_save_objects() fetches none.",
        )
    return rows


@pytest.mark.step(1)
def test_create_users(api: Api) -> None:
    """POST /users/bulk stores the users and answers their rows in order."""
    sent = some_users(3)
    rows = rows_of(api.post("/users/bulk", sent).expect(201, 200, why=BODY), sent)
    why = "no session.commit() after session.add_all(); each request has a session of its own."
    for row, user in zip(rows, sent, strict=True):
        reply = api.get(f"/users/{row['id']}").expect(200, why=why)
        reply.has(why, name=user["name"], email=user["email"], is_active=True)


@pytest.mark.step(2)
@pytest.mark.parametrize("place", [0, 2], ids=["first", "last"])
def test_create_users_one_invalid(api: Api, place: int) -> None:
    """POST /users/bulk answers 422 and stores nothing when one user is invalid."""
    sent = some_users(3)
    sent[place]["name"] = "A"
    why = (
        "the entries are not validated: the body is list[dict], or a list of the table class, "
        "which does not validate."
    )
    reply = api.post("/users/bulk", sent).expect(422, why=why)
    nothing_stored(api, reply, sent, "users were stored before the next one was validated.")


@pytest.mark.step(2)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
def test_create_users_one_taken(api: Api, place: int) -> None:
    """POST /users/bulk answers 409 or 400 and stores nothing when one address is taken."""
    taken = a_user()
    api.post("/users", taken).expect(201, 200)
    sent = some_users(3)
    sent[place]["email"] = taken["email"]
    why = (
        "users whose address is taken are skipped and the rest is stored, or the IntegrityError of "
        "the commit does not become a 409."
    )
    others = [user for user in sent if user["email"] != taken["email"]]
    reply = api.post("/users/bulk", sent)
    nothing_stored(api, reply, others, why if reply.ok else LOOP)
    reply.expect(409, 400, why=why)
    if " x DELETE" in reply.sql:
        reply.wrong(f"users were stored and deleted again:\n{reply.sql}", LOOP)


@pytest.mark.step(2)
def test_create_users_same_address_twice(api: Api) -> None:
    """POST /users/bulk answers 409 or 400 and stores nothing when the list repeats an address."""
    sent = some_users(3)
    sent[2]["email"] = sent[0]["email"]
    why = "a look into the table cannot see what is twice in the list; the unique constraint can."
    reply = api.post("/users/bulk", sent)
    nothing_stored(api, reply, sent, why if reply.ok else LOOP)
    reply.expect(409, 400, 422, why=why)


@pytest.mark.step(2)
def test_create_users_after_a_refused_list(api: Api) -> None:
    """After a refused list the next one is stored, the good entries of the first included."""
    sent = some_users(3)
    api.post("/users/bulk", [*sent, sent[0]]).expect(409, 400, 422)
    why = "the refused list left rows or an open transaction: no session.rollback() after the error"
    rows_of(api.post("/users/bulk", sent).expect(201, 200, why=f"{why}."), sent)


@pytest.mark.step(3)
def test_create_users_twice_at_once(api: Api) -> None:
    """Of eight lists with one address in common at one moment, one is stored whole."""
    for _ in range(4):
        race(api)


def race(api: Api) -> None:
    """Race eight lists that share an address; fail unless one is stored, and nothing else."""
    shared = a_user()
    lists = [[a_user(), shared, a_user()] for _ in range(8)]
    why = (
        "a SELECT before the INSERT is the only guard: all requests look before one has written. "
        "Let the unique constraint decide, and catch its IntegrityError."
    )
    replies = api.at_once(8, lambda number: api.post("/users/bulk", lists[number]))
    for reply in replies:
        reply.expect(201, 200, 400, 409, why=why)
    created = sum(reply.ok for reply in replies)
    if created != 1:
        fail(f"of eight lists with one address in common {created} were answered with 201.", why)
    left = stored(api, [user for users in lists for user in users])
    if len(left) != 3:
        fail(f"one list of three was answered with 201, and {len(left)} users are stored.", LOOP)


def is_active(api: Api, user_id: int, expected: bool, why: str) -> None:
    """Fail unless the user is, or is not, active."""
    gone = "the row is deleted; a user who is deactivated stays."
    api.get(f"/users/{user_id}").expect(200, why=gone).has(why, is_active=expected)


def deactivate(api: Api, ids: list[Any], why: str = OBJECT) -> Reply:
    """Deactivate users."""
    return api.patch("/users/bulk/deactivate", {"user_ids": ids}).expect(200, why=why)


@pytest.mark.step(4)
def test_deactivate_users(api: Api) -> None:
    """PATCH /users/bulk/deactivate deactivates these users, for good, and no others."""
    first, second, other = (create(api) for _ in range(3))
    reply = deactivate(api, [first, second])
    is_active(api, first, False, "no session.commit() after the UPDATE.")
    is_active(api, second, False, "only the first id reaches the WHERE.")
    is_active(api, other, True, "the WHERE of the UPDATE is missing: it reached every user.")
    reply.has("this is not the number of users.", deactivated_count=2)


@pytest.mark.step(4)
def test_deactivate_users_counts_only_the_active(api: Api) -> None:
    """An unknown id, a repeated one and an inactive user do not count and stop nothing."""
    inactive, user = create(api), create(api)
    deactivate(api, [inactive])
    why = "session.get() gives None for an unknown id; an UPDATE … WHERE id IN (…) passes over it."
    reply = deactivate(api, [inactive, NO_SUCH_ID, user, user], why)
    is_active(api, user, False, why)
    is_active(api, inactive, False, "the flag is turned around; it has to become false.")
    why = (
        "counted are the ids that were sent, or every row that the WHERE found; let the WHERE find "
        "only active users, and answer the rowcount."
    )
    reply.has(why, deactivated_count=1)


@pytest.mark.step(4)
def test_deactivate_users_refuses_what_is_no_id(api: Api) -> None:
    """PATCH /users/bulk/deactivate answers 422 to an id that is no number, and changes nothing."""
    user = create(api)
    why = "the ids are not declared as list[int]."
    api.patch("/users/bulk/deactivate", {"user_ids": [user, "all"]}).expect(422, why=why)
    is_active(api, user, True, why)


@pytest.mark.step(5)
def test_create_users_without_a_select_for_each(api: Api) -> None:
    """POST /users/bulk does not read the users back one by one."""
    reply = api.post("/users/bulk", some_users(MANY)).expect(201, 200)
    log = reply.sql if reply.statements else ""
    selects = sum(int(line.split(" x ")[0]) for line in log.splitlines() if " x SELECT" in line)
    if selects > ENOUGH:
        reply.wrong(
            f"for {MANY} users it took {selects} SELECTs:\n{log}",
            "one SELECT for each user: session.refresh() in a loop, objects that commit() emptied "
            "(expire_on_commit=False keeps them filled), or a look for each address.",
        )


@pytest.mark.step(5)
def test_deactivate_users_in_few_statements(api: Api) -> None:
    """PATCH /users/bulk/deactivate takes a fixed number of SQL statements."""
    sent = some_users(MANY)
    ids = [row["id"] for row in rows_of(api.post("/users/bulk", sent).expect(201, 200), sent)]
    reply = deactivate(api, ids)
    reply.has("not all were deactivated.", deactivated_count=MANY)
    if reply.statements > ENOUGH:
        reply.wrong(
            f"for {MANY} users it took {reply.statements} statements, most often\n{reply.sql}",
            "session.get() or update() in a loop: one UPDATE … WHERE id IN (…) does.",
        )
