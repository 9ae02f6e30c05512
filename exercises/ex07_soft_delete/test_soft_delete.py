"""Checks of exercise 07; each speaks to the app over HTTP only."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    NO_SUCH_ID,
    Api,
    Reply,
    addresses_nearly,
    ask_ahead,
    fail,
    found,
    same_row,
    shorten,
    unique,
)

Row = dict[str, Any]
ALL = "/users?include_deleted=true"
MARK = ("deleted_at", "is_active", "updated_at")
QUARTER = 15 * 60  # what the clocks of all time zones differ by, or a multiple of it
ONE_COMMIT = (
    "deleted_at and is_active are written in two transactions, and a server that stops in between "
    "leaves half of the mark: change both, then commit once."
)
MEMORY = (
    "who is deleted is remembered in memory, where another process does not see it, or undone when "
    "the app starts: the mark belongs into the table."
)


def a_user(**changes: Any) -> Row:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def create(api: Api, **changes: Any) -> Row:
    """Create a user; give the fields that the task names."""
    sent = a_user(**changes)
    reply = api.post("/users", sent).expect(201, 200)
    reply.has("is it the stored row?", email=sent["email"])
    return {"id": reply.id, "name": sent["name"], "email": sent["email"], "is_active": True}


def soft_delete(api: Api, user: Row) -> Reply:
    """Delete a user softly."""
    id_again = (
        "the id of a deleted user was given to the next one: a row that is moved to another table, "
        "or removed, frees its id. Keep the row where it is, and mark it."
    )
    why: Why = dict.fromkeys((400, 409, "UNIQUE constraint", "unique constraint"), id_again)
    reply = api.delete(f"/users/{user['id']}/soft").expect(200, 204, why=why)
    if reply.status == 200 and not reply.body:
        reply.wrong("the answer is empty.", "a 200 carries a message; 204 is for no answer.")
    return reply.commits_once(ONE_COMMIT).committed_first()


def restore(api: Api, user: Row, why: str = "") -> Reply:
    """Restore a user; the answer may show the user."""
    reply = api.post(f"/users/{user['id']}/restore").expect(200, why={4: why})
    if isinstance(reply.body, dict) and "email" in reply.body:
        kept = "a restore changes deleted_at and is_active, and no other field of the row."
        reply.has(kept, **{name: value for name, value in user.items() if name != "is_active"})
        why = "a restore has to undo both: deleted_at is null again, and is_active true."
        reply.has(why, is_active=True)
        if "deleted_at" in reply.body:
            reply.has("the user is answered as before the restore.", deleted_at=None)
    if reply.body == {}:
        reply.object()
    return reply.commits_once(ONE_COMMIT).committed_first()


def row_of(api: Api, user: Row) -> Row:
    """Find the user's row, deleted or not; fail when there is none, or it has no deleted_at."""
    rows = [row for row in api.list_all(ALL) if row["id"] == user["id"]]
    if not rows:
        fail(
            f"GET {ALL} does not list user {user['id']}; all users belong there, deleted or not.",
            "session.delete() removed the row, or include_deleted does not reach the query, or "
            "chooses the deleted only.",
        )
    for name in ("deleted_at", "is_active"):
        if name not in rows[0]:
            fail(
                f"the rows of GET {ALL} have no field {name!r}.",
                "the column is missing, or the response class leaves it out.",
            )
    return rows[0]


def ids_in(api: Api, path: str) -> list[int]:
    """List the ids that a route lists."""
    return [row["id"] for row in api.list_all(path)]


def expect_marked(row: Row, why: str = "") -> None:
    """Fail unless the row is marked as deleted, in both fields."""
    if row["deleted_at"] is None or row.get("is_active") is not False:
        fail(
            f"a soft-deleted user has deleted_at {shorten(row['deleted_at'])} and is_active "
            f"{shorten(row.get('is_active'))}.",
            why or "the other field is forgotten, or no session.commit() after the change.",
        )


def time_in(row: Row) -> datetime:
    """Read deleted_at; fail unless it is a point in time, in ISO 8601."""
    told = row["deleted_at"]
    try:
        moment = datetime.fromisoformat(told)
        at_hour = ":" in told
    except (TypeError, ValueError):
        at_hour = False
    if not at_hour:
        fail(f"deleted_at is {shorten(told)}, not a time.", "it should be datetime | None.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.mark.step(1)
def test_soft_delete_user(api: Api) -> None:
    """DELETE /users/{id}/soft marks the row, for good, and this one only."""
    before, user, after = (create(api) for _ in range(3))
    rows = {other["id"]: row_of(api, other) for other in (before, after)}
    soft_delete(api, user)
    expect_marked(row_of(api, user))
    for other in (before, after):
        why = "the WHERE is missing: a user who was not deleted is marked as well."
        same_row(rows[other["id"]], row_of(api, other), why=why)
        if rows[other["id"]]["deleted_at"] is not None:
            fail("deleted_at of a user who is there is not null.", "the column has a default.")


@pytest.mark.step(1)
def test_soft_delete_notes_the_time(api: Api) -> None:
    """The field deleted_at is the time of the deletion, in ISO 8601."""
    user = create(api)
    asked = datetime.now(UTC)
    reply = soft_delete(api, user)
    took = (datetime.now(UTC) - asked).total_seconds()
    row = row_of(api, user)
    # Without its zone it may be of any, and with --url by another machine's clock.
    seconds = off = (time_in(row) - asked).total_seconds()
    if not re.search(r"(Z|[+-]\d\d:?\d\d)$", row["deleted_at"]):
        off = (seconds + QUARTER / 2) % QUARTER - QUARTER / 2
    if abs(seconds) > 26 * 3600 or (reply.seen and not -2 < off < took + 2):
        fail(
            f"deleted_at is {row['deleted_at']}, but it was {asked:%Y-%m-%d %H:%M:%S} in UTC.",
            "it is the time when the user was made, or when the server started, or midnight; or it "
            "is written in the wrong way: %m is the month, Z says UTC.",
        )
    later = until_another_time(api, row)
    if later == row["deleted_at"]:
        fail(
            f"two users who were deleted at different times both have deleted_at {later}.",
            "the time is taken once, when the file is imported: call datetime.now(UTC) in the "
            "route.",
        )
    why = "deleted_at is made anew for each answer, and not stored."
    same_row(row, row_of(api, user), but=("updated_at",), why=why)


def until_another_time(api: Api, row: Row) -> str:
    """Delete other users until one has another time; whole seconds may take more than one."""
    end = time.monotonic() + (0.1 if "." in row["deleted_at"] else 1.1)
    while True:
        other = create(api)
        soft_delete(api, other)
        told = str(row_of(api, other)["deleted_at"])
        if told != row["deleted_at"] or time.monotonic() > end:
            return told


@pytest.mark.step(1)
def test_soft_delete_keeps_the_rest(api: Api) -> None:
    """A soft delete leaves the rest of the row, and the row its place in the list of all."""
    user, other = create(api, name="ada O'Brien-de la  Cruz"), create(api)
    before = row_of(api, user)
    soft_delete(api, user)
    after = row_of(api, user)
    same_row(before, after, but=MARK, why="only deleted_at and is_active change.")
    at = ids_in(api, ALL).index(user["id"])
    for limit, wanted in ((2, [user["id"], other["id"]]), (1, [user["id"]])):
        reply = api.get(f"{ALL}&skip={at}&limit={limit}").expect(200)
        got = [row["id"] for row in reply.rows()]
        if got != wanted:
            reply.wrong(
                f"the ids are {got}, not {wanted}.",
                "deleted users are listed apart from the others, or skip or limit does not reach "
                "the query: it is one list, by id.",
            )


@pytest.mark.step(1)
def test_soft_delete_is_seen_by_another_process(api: Api) -> None:
    """A soft delete is in the database, where another server process finds it."""
    user = create(api)
    soft_delete(api, user)
    row = row_of(api, user)
    told = [other for other in api.second().list_all(ALL) if other["id"] == user["id"]]
    if not told:
        fail("another process of the server does not list the deleted user.", MEMORY)
    same_row(row, told[0], why=MEMORY)


@pytest.mark.step(1)
def test_soft_delete_not_found(api: Api) -> None:
    """DELETE /users/{id}/soft answers 404 when there is no such user."""
    why = "the row is changed without looking whether it is there."
    api.delete(f"/users/{NO_SUCH_ID}/soft").expect(404, why=why)


@pytest.mark.step(1)
def test_soft_delete_first_user(api: Api) -> None:
    """The user with the id 1 is like any other."""
    create(api)
    why: Why = {422: "a bound refuses the smallest id that there is: ge=1 and not gt=1."}
    if api.server.database_url:  # of the check's own: with --url this may be anybody
        api.delete("/users/1/soft").expect(200, 204, 404, why=why)


@pytest.mark.step(1)
def test_client_does_not_choose_the_time(api: Api) -> None:
    """What a client sends as deleted_at is not stored."""
    told = "2020-01-01T00:00:00"
    why = "deleted_at stands in the class of the input: the client decides what only DELETE sets."
    made = api.post("/users", a_user(deleted_at=told))
    user = create(api)
    changed = api.patch(f"/users/{user['id']}", {"name": "Ada King", "deleted_at": told})
    changed.expect(200, 422, 400)
    for row in [{"id": made.id}] * made.ok + [user]:
        if row_of(api, row)["deleted_at"] is not None:
            fail(f"user {row['id']} has the deleted_at that the client sent.", why)


@pytest.mark.step(2)
def test_read_deleted_user(api: Api) -> None:
    """GET /users/{id} answers 404 for a deleted user, and the others are there."""
    first = create(api)["id"]
    api.get(f"/users/{first}").expect(200)
    ask_ahead(api, first, lambda process, number: process.get(f"/users/{number}"))
    user, other = create(api), create(api)
    for process in (api, api.second()):  # what a cache would keep
        found(process.get(f"/users/{user['id']}")).has("", **user)
    soft_delete(api, user)
    why = "session.get() finds deleted users too: look at deleted_at, in one place for all routes."
    api.get(f"/users/{user['id']}").expect(404, why={2: why})
    api.second().get(f"/users/{user['id']}").expect(404, why=MEMORY)
    api.get(f"/users/{other['id']}").expect(200).has("", **other)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "changes", [{"name": "Nobody"}, {"email": "new@example.com"}, {}], ids=["name", "email", "none"]
)
def test_update_deleted_user(api: Api, changes: Row) -> None:
    """PATCH /users/{id} answers 404 for a deleted user and changes nothing."""
    user = create(api)
    soft_delete(api, user)
    before = row_of(api, user)
    if "email" in changes:
        changes = {"email": a_user()["email"]}
    why = "PATCH finds its user by another way than GET; it needs the same condition."
    api.patch(f"/users/{user['id']}", changes).expect(404, why={2: why})
    same_row(before, row_of(api, user), why=f"PATCH changed a deleted user: {why}")


@pytest.mark.step(2)
def test_update_user(api: Api) -> None:
    """PATCH /users/{id} changes a user who is not deleted, as ever."""
    user, gone = create(api), create(api)
    soft_delete(api, gone)
    path, why = f"/users/{user['id']}", "the condition is turned around, or no session.commit()."
    own = "an address that nobody else has counts as taken, the one that the user has already, say."
    guesses: Why = {400: own, 409: own, "": why}
    new = {"name": "Ada King", "email": a_user()["email"]}
    for sent in ({"name": new["name"]}, {"email": new["email"]}, new):
        user |= sent
        api.patch(path, sent).expect(200, why=guesses).has(why, **user)
        api.get(path).expect(200, why=why).has(why, **user)


@pytest.mark.step(2)
def test_update_and_soft_delete_at_once(api: Api) -> None:
    """A user who is changed and deleted at one moment is deleted."""
    why = (
        "PATCH writes the whole row as it has read it, and with it that nobody had deleted the "
        "user: write the fields that were sent, and no others."
    )
    for _ in range(4):  # where the deletion is the last to write, nothing shows
        user = create(api)
        path = f"/users/{user['id']}"

        def change_or_delete(number: int, path: str = path) -> Reply:
            if number == 1:
                return api.delete(f"{path}/soft")
            return api.patch(path, {"name": f"Ada {number}"})

        replies = api.at_once(6, change_or_delete)
        replies[1].expect(200, 204, why=why)
        expect_marked(row_of(api, user), why)
        api.get(path).expect(404, why=why)


@pytest.mark.step(2)
def test_list_users_leaves_out_the_deleted(api: Api) -> None:
    """GET /users leaves out deleted users, and its pages are as full as ever."""
    first, user, gone, third, _ = (create(api) for _ in range(5))
    soft_delete(api, user)
    soft_delete(api, gone)
    ids = ids_in(api, "/users")
    if user["id"] in ids:
        fail(
            f"GET /users lists user {user['id']}, who is deleted.",
            "the query has no .where(col(User.deleted_at).is_(None)), or include_deleted is true "
            "from the start.",
        )
    if user["id"] in ids_in(api, "/users?include_deleted=false"):
        fail(
            f"GET /users?include_deleted=false lists user {user['id']}, who is deleted.",
            "without a type the text 'false' is true: write include_deleted: bool = False.",
        )
    if user["id"] in ids_in(api.second(), "/users"):
        fail("GET /users of another process lists a deleted user.", MEMORY)
    if not {first["id"], third["id"]} <= set(ids):
        fail(
            "GET /users does not list the users who are not deleted.",
            "`User.deleted_at is None` is Python, and False: write col(User.deleted_at).is_(None).",
        )
    expect_full_page(api, "/users", [first["id"], third["id"]])
    expect_first_page(api, "/users", ids)


def expect_first_page(api: Api, path: str, ids: list[int]) -> None:
    """Fail unless the list begins with its first user when nobody says where to begin."""
    reply = api.get(path).expect(200, why="skip and limit have no default.")
    got = [row.get("id") for row in reply.items()[:3]]
    if got != ids[:3]:
        reply.wrong(f"the first ids are {got}, not {ids[:3]}.", "skip has a default other than 0.")


def expect_full_page(api: Api, path: str, wanted: list[int]) -> None:
    """Fail unless the next page that begins with the first of these users has all of them."""
    at = ids_in(api, path).index(wanted[0])
    reply = api.get(f"{path}?skip={at}&limit={len(wanted)}").expect(200)
    page = [row.get("id") for row in reply.items()]
    if len(page) > len(wanted):
        reply.wrong(f"the ids are {page}, not {wanted}.", "limit does not reach the query.")
    if page != wanted:
        reply.wrong(
            f"the ids are {page}, not {wanted}: deleted users between them take a place.",
            "deleted users are left out in Python, after OFFSET and LIMIT have counted them.",
        )


@pytest.mark.step(2)
def test_list_active_users(api: Api) -> None:
    """GET /users/active lists the users who are not deleted."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    why = "the route stands below /users/{user_id}, which takes 'active' for an id: move it above."
    api.get("/users/active").expect(200, why=why)
    ids = ids_in(api, "/users/active")
    if other["id"] not in ids:
        fail(f"GET /users/active does not list user {other['id']}.", "the condition is reversed.")
    if user["id"] in ids:
        fail("GET /users/active lists a deleted user.", "the query does not look at deleted_at.")
    if user["id"] in ids_in(api.second(), "/users/active"):
        fail("GET /users/active of another process lists a deleted user.", MEMORY)


@pytest.mark.step(2)
def test_list_all_active_users(api: Api) -> None:
    """GET /users/active leaves out nobody who is active, however many these are."""
    rows = api.list_all("/users")
    made = [create(api)["id"] for _ in range(101 - len(rows))]
    ids = {row["id"] for row in rows if row.get("is_active")} | set(made)
    missing = ids - set(ids_in(api, "/users/active"))
    if missing:
        why = (
            "a limit cuts the list, and no skip and limit of the client's reach what is behind it; "
            "or deleted users are left out in Python, after LIMIT has counted them."
        )
        fail(f"of {len(ids)} active users GET /users/active does not list {len(missing)}.", why)
    gone = create(api)
    soft_delete(api, gone)
    expect_marked(row_of(api, gone))


@pytest.mark.step(2)
def test_list_active_users_in_pages(api: Api) -> None:
    """GET /users/active lists all users at once, or in pages by id that leave nobody out."""
    user, _, _ = (create(api) for _ in range(3))
    # PostgreSQL moves a row of which it has to change an index, too.
    api.patch(f"/users/{user['id']}", {"email": a_user()["email"]}).expect(200)
    ids = ids_in(api, "/users/active")
    reply = api.get("/users/active?skip=1&limit=2").expect(200)
    page = [row.get("id") for row in reply.items()]
    if set(page) == set(ids):
        return  # all at once
    if page != ids[1:3]:
        why = "skip or limit does not reach the query, or they count deleted users."
        reply.wrong(f"the ids are {page}, not {ids[1:3]}.", why)
    if ids != sorted(ids):
        why = "no ORDER BY the id: what comes on which page is left to the database."
        fail(f"GET /users/active answered the ids {shorten(ids[-12:])} last.", why)
    expect_first_page(api, "/users/active", ids)


@pytest.mark.step(3)
def test_restore_user(api: Api) -> None:
    """POST /users/{id}/restore brings a user back, for good, with all fields as they were."""
    user, other = create(api), create(api)
    user["name"] = "Ada King"
    api.patch(f"/users/{user['id']}", {"name": user["name"]}).expect(200)
    rows = [row_of(api, each) for each in (user, other)]
    soft_delete(api, user)
    soft_delete(api, other)
    marked = row_of(api, other)
    for process in (api, api.second()):  # what a cache would keep
        process.get(f"/users/{user['id']}").expect(404, why={2: MEMORY})
    restore(api, user, "the helper that hides deleted users cannot find the one to restore.")
    why = "restore has to undo both, deleted_at and is_active, and to commit."
    for process in (api, api.second()):
        reply = process.get(f"/users/{user['id']}")
        if reply.unrouted:
            reply.wrong("the restored user is not found.", reply.stale(why))
        reply.expect(200, why=reply.stale(why)).has(reply.stale(why), **user)
    same_row(rows[0], row_of(api, user), but=("updated_at",), why=why)
    for path in ("/users", "/users/active"):
        if user["id"] not in ids_in(api, path):
            fail(f"GET {path} does not list the restored user.", why)
    same_row(marked, row_of(api, other), why="the WHERE is missing: another user came back too.")
    if other["id"] in ids_in(api, "/users"):
        fail("another deleted user came back as well.", "the WHERE is missing.")


@pytest.mark.step(3)
def test_restore_user_after_a_restart(api: Api) -> None:
    """A user who was deleted before the server started anew can be restored after it."""
    user = create(api)
    before = row_of(api, user)
    soft_delete(api, user)
    marked = row_of(api, user)
    api.restart()
    api.get(f"/users/{user['id']}").expect(404, why=MEMORY)
    same_row(marked, row_of(api, user), why=MEMORY)
    restore(api, user, MEMORY)
    same_row(before, row_of(api, user), but=("updated_at",), why=MEMORY)


@pytest.mark.step(3)
def test_restore_user_not_found(api: Api) -> None:
    """POST /users/{id}/restore answers 404 when there is no such user."""
    why = "session.get() gave None, and None was changed."
    api.post(f"/users/{NO_SUCH_ID}/restore").expect(404, why=why)


@pytest.mark.step(3)
def test_delete_restore_and_delete(api: Api) -> None:
    """A restored user can be changed, soft-deleted and restored again."""
    user = create(api)
    before = row_of(api, user)
    why = "restore leaves a mark of its own, or undoes half."
    times: list[str] = []
    for name in ("Ada King", "Ada Byron"):
        soft_delete(api, user)
        expect_marked(row := row_of(api, user))
        end = time.monotonic() + 1.1  # in whole seconds, another time is seen in the next one
        while row["deleted_at"] in times and "." not in times[0] and time.monotonic() < end:
            restore(api, user)
            soft_delete(api, user)
            row = row_of(api, user)
        if row["deleted_at"] in times:
            fail(
                f"a user who was deleted, restored and deleted again has deleted_at {times[0]} as "
                "the first time.",
                "the time of the first deletion is kept somewhere, and written again.",
            )
        times.append(row["deleted_at"])
        api.get(f"/users/{user['id']}").expect(404, why=why)
        restore(api, user)
        same_row(before | user, row_of(api, user), but=("updated_at",), why=why)
        user["name"] = name
        api.patch(f"/users/{user['id']}", {"name": name}).expect(200, why=why).has(why, **user)


def repeat(act: Callable[[], Reply], api: Api, user: Row, seconds: float) -> tuple[Reply, Row]:
    """Repeat a request until it changes the row, or the time is over; give both."""
    before, end = row_of(api, user), time.monotonic() + seconds
    while True:
        reply, after = act(), row_of(api, user)
        if after["deleted_at"] != before["deleted_at"] or time.monotonic() > end:
            return reply, after


@pytest.mark.step(4)
def test_soft_delete_twice(api: Api) -> None:
    """A second soft delete leaves the time of the first."""
    user = create(api, name="Grace Hopper")
    soft_delete(api, user)
    before = row_of(api, user)
    why = (
        "soft delete does not look whether the user is deleted already, and writes the time anew, "
        "or turns the mark around."
    )
    # CURRENT_TIMESTAMP counts whole seconds on SQLite: another time is seen in the next one.
    seconds = 0 if "." in str(before["deleted_at"]) else 1.1
    path = f"/users/{user['id']}/soft"
    reply, after = repeat(lambda: api.delete(path), api, user, seconds)
    same_row(before, after, but=("updated_at",), why=why)
    if reply.status >= 500:
        reply.expect(404, 200, 204)
    restore(api, user, why)


@pytest.mark.step(4)
def test_restore_user_who_is_not_deleted(api: Api) -> None:
    """A restore of a user who is not deleted changes nothing."""
    user = create(api)
    before = row_of(api, user)
    why = "restore takes for granted that deleted_at is set."
    for _ in range(2):
        reply = api.post(f"/users/{user['id']}/restore")
        if reply.status >= 500:
            reply.expect(200, 409, why=why)
    api.get(f"/users/{user['id']}").expect(200, why=why).has(why, **user)
    same_row(before, row_of(api, user), but=("updated_at",), why=why)


FREE = (
    "the address is looked for among the users who are not deleted, or the unique constraint is "
    "gone: the constraint sees hidden rows too."
)


@pytest.mark.step(5)
def test_create_user_with_address_of_a_deleted_one(api: Api) -> None:
    """POST /users answers 409 or 400 to the address of a deleted user, who can be restored."""
    user = create(api)
    soft_delete(api, user)
    before = row_of(api, user)
    for process in (api, api.second()):
        reply = process.post("/users", a_user(email=user["email"]))
        if reply.ok and reply.id == user["id"]:
            reply.wrong(
                "the deleted user was brought back.", "POST restores, or overwrites, a row."
            )
        reply.expect(409, 400, why={2: FREE})
    if sum(row.get("email") == user["email"] for row in api.list_all(ALL)) != 1:
        fail(f"{user['email']} is stored twice.", FREE)
    changed = "POST changes the deleted user in place of refusing: the row is kept for restore."
    same_row(before, row_of(api, user), why=changed)
    restore(api, user)
    api.get(f"/users/{user['id']}").expect(200).has(changed, **user)


@pytest.mark.step(5)
def test_create_user_with_address_in_upper_case(api: Api) -> None:
    """The address of a deleted user is taken in every form in which it would be otherwise."""
    user, other = create(api), create(api)
    if api.post("/users", a_user(email=other["email"].upper())).ok:
        return  # an app to which these are two addresses
    soft_delete(api, user)
    shouted = a_user(email=user["email"].upper())
    api.post("/users", shouted).expect(409, 400, 422, why={2: FREE})


@pytest.mark.step(5)
def test_create_user_with_an_address_given_up(api: Api) -> None:
    """The address that a user had before a change is free, the one after it is not."""
    user = create(api)
    old, new = user["email"], a_user()["email"]
    api.patch(f"/users/{user['id']}", {"email": new}).expect(200)
    soft_delete(api, user)
    why = "taken are the addresses of the table, not those that were ever sent."
    api.post("/users", a_user(email=old)).expect(201, 200, why=why)
    api.post("/users", a_user(email=new)).expect(409, 400, why={2: FREE})


@pytest.mark.step(5)
def test_address_nearly_that_of_a_deleted_user(api: Api) -> None:
    """An address that is only nearly that of a deleted user is free."""
    user = create(api)
    why = "another address counts as this one: compare with == and not with like(), all of it."
    for change in (False, True):
        free = f"{unique('ada_l.')}@example.com"
        near, *others = addresses_nearly(free)
        soft_delete(api, create(api, email=near))
        for email in (free, *others):
            if change:
                reply = api.patch(f"/users/{user['id']}", {"email": email})
            else:
                reply = api.post("/users", a_user(email=email))
            reply.expect(200, 201, why=why).has(why, email=email)


@pytest.mark.step(5)
def test_update_user_with_address_of_a_deleted_one(api: Api) -> None:
    """PATCH /users/{id} answers 409 or 400 to the address of a deleted user."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    rows = [row_of(api, each) for each in (user, other)]
    path = f"/users/{other['id']}"
    for sent in ({"email": user["email"]}, {"name": "Ada King", "email": user["email"]}):
        api.patch(path, sent).expect(409, 400, why={2: FREE})
    for each, row in zip((user, other), rows, strict=True):
        same_row(row, row_of(api, each), why="the refused PATCH changed the row.")
    api.patch(path, {"email": other["email"]}).expect(200, why="it is the user's own address.")
    restore(api, user)
    api.patch(path, {"email": user["email"]}).expect(409, 400, why={2: FREE})
