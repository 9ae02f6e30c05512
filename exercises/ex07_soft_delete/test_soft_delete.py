"""Checks of exercise 07; each speaks to the app over HTTP only."""

import time
from datetime import datetime
from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, shorten, unique

ALL = "/users?include_deleted=true"


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def create(api: Api) -> dict[str, Any]:
    """Create a user; give the fields that the task names."""
    sent = a_user()
    row = (
        api.post("/users", sent).expect(201, 200).has("is it the stored row?", email=sent["email"])
    )
    return {"id": row.get("id"), "name": sent["name"], "email": sent["email"], "is_active": True}


def soft_delete(api: Api, user: dict[str, Any]) -> Reply:
    """Delete a user softly."""
    return api.delete(f"/users/{user['id']}/soft").expect(200, 204)


def restore(api: Api, user: dict[str, Any], why: str = "") -> Reply:
    """Restore a user."""
    return api.post(f"/users/{user['id']}/restore").expect(200, 201, 204, why=why)


def row_of(api: Api, user: dict[str, Any]) -> dict[str, Any]:
    """Find the user's row, deleted or not; fail when there is none, or it has no deleted_at."""
    rows = [row for row in api.list_all(ALL) if row["id"] == user["id"]]
    if not rows:
        fail(
            f"GET {ALL} does not list user {user['id']}; all users belong there, deleted or not.",
            "session.delete() removed the row, or include_deleted does not reach the query, or "
            "chooses the deleted only.",
        )
    if "deleted_at" not in rows[0]:
        fail(
            f"the rows of GET {ALL} have no field 'deleted_at'.",
            "the column is missing, or the response class leaves it out.",
        )
    return rows[0]


def ids_in(api: Api, path: str) -> list[int]:
    """List the ids that a route lists."""
    return [row["id"] for row in api.list_all(path)]


@pytest.mark.step(1)
def test_soft_delete_user(api: Api) -> None:
    """DELETE /users/{id}/soft marks the row, for good, and this one only."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    row = row_of(api, user)
    no_commit = "no session.commit() after the change."
    if row["deleted_at"] is None or row.get("is_active") is not False:
        fail(
            f"a soft-deleted user has deleted_at {shorten(row['deleted_at'])} and is_active "
            f"{shorten(row.get('is_active'))}.",
            f"the other field is forgotten, or {no_commit}",
        )
    left = row_of(api, other)
    if left["deleted_at"] is not None or left.get("is_active") is not True:
        fail("a user who was not deleted is marked as well.", "the WHERE is missing.")


@pytest.mark.step(1)
def test_soft_delete_notes_the_time(api: Api) -> None:
    """The field deleted_at is a point in time, in ISO 8601."""
    user = create(api)
    soft_delete(api, user)
    told = row_of(api, user)["deleted_at"]
    try:
        datetime.fromisoformat(told)
        at_hour = ":" in told
    except (TypeError, ValueError):
        at_hour = False
    if not at_hour:
        fail(f"deleted_at is {shorten(told)}, not a time.", "it should be datetime | None.")


@pytest.mark.step(1)
def test_soft_delete_keeps_the_rest(api: Api) -> None:
    """A soft delete leaves name and address in the row."""
    user = create(api)
    soft_delete(api, user)
    row = row_of(api, user)
    if (row.get("name"), row.get("email")) != (user["name"], user["email"]):
        fail(f"after the soft delete the row is {shorten(row)}.", "only two fields change.")


@pytest.mark.step(1)
def test_soft_delete_not_found(api: Api) -> None:
    """DELETE /users/{id}/soft answers 404 when there is no such user."""
    why = "the row is changed without looking whether it is there."
    api.delete(f"/users/{NO_SUCH_ID}/soft").expect(404, why=why)


@pytest.mark.step(2)
def test_read_deleted_user(api: Api) -> None:
    """GET /users/{id} answers 404 for a deleted user, and the others are there."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    why = "session.get() finds deleted users too: look at deleted_at, in one place for all routes."
    api.get(f"/users/{user['id']}").expect(404, why=why)
    api.get(f"/users/{other['id']}").expect(200)


@pytest.mark.step(2)
def test_update_deleted_user(api: Api) -> None:
    """PATCH /users/{id} answers 404 for a deleted user and changes nothing."""
    user = create(api)
    soft_delete(api, user)
    why = "PATCH finds its user by another way than GET; it needs the same condition."
    api.patch(f"/users/{user['id']}", {"name": "Nobody"}).expect(404, why=why)
    if row_of(api, user).get("name") != user["name"]:
        fail("PATCH changed a deleted user.", why)


@pytest.mark.step(2)
def test_list_users_leaves_out_the_deleted(api: Api) -> None:
    """GET /users leaves out deleted users, and its pages are as full as ever."""
    first, user, third = (create(api) for _ in range(3))
    soft_delete(api, user)
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
    if not {first["id"], third["id"]} <= set(ids):
        fail(
            "GET /users does not list the users who are not deleted.",
            "`User.deleted_at is None` is Python, and False: write col(User.deleted_at).is_(None).",
        )
    at = ids.index(first["id"])
    reply = api.get(f"/users?skip={at}&limit=2").expect(200)
    page = [row.get("id") for row in reply.items()]
    if page != [first["id"], third["id"]]:
        reply.wrong(
            f"the ids are {page}, not {[first['id'], third['id']]}: the deleted user between them "
            "takes a place.",
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


@pytest.mark.step(3)
def test_restore_user(api: Api) -> None:
    """POST /users/{id}/restore brings a user back, for good, with all fields as they were."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    soft_delete(api, other)
    restore(api, user, "the helper that hides deleted users cannot find the one to restore.")
    why = "restore has to undo both, deleted_at and is_active, and to commit."
    api.get(f"/users/{user['id']}").expect(200, why=why).has(why, **user)
    row = row_of(api, user)
    if row["deleted_at"] is not None or row.get("is_active") is not True:
        fail(f"after the restore the row is {shorten(row)}.", why)
    for path in ("/users", "/users/active"):
        if user["id"] not in ids_in(api, path):
            fail(f"GET {path} does not list the restored user.", why)
    if other["id"] in ids_in(api, "/users"):
        fail("another deleted user came back as well.", "the WHERE is missing.")


@pytest.mark.step(3)
def test_restore_user_not_found(api: Api) -> None:
    """POST /users/{id}/restore answers 404 when there is no such user."""
    why = "session.get() gave None, and None was changed."
    api.post(f"/users/{NO_SUCH_ID}/restore").expect(404, why=why)


@pytest.mark.step(3)
def test_delete_restore_and_delete(api: Api) -> None:
    """A restored user can be soft-deleted again."""
    user = create(api)
    soft_delete(api, user)
    restore(api, user)
    soft_delete(api, user)
    if row_of(api, user)["deleted_at"] is None:
        fail("the second time deleted_at stays null.", "restore leaves a mark of its own.")
    api.get(f"/users/{user['id']}").expect(404)


@pytest.mark.step(4)
def test_soft_delete_twice(api: Api) -> None:
    """A second soft delete leaves the time of the first."""
    user = create(api)
    soft_delete(api, user)
    before = row_of(api, user)["deleted_at"]
    why = "soft delete does not look whether the user is deleted already, and writes the time anew."
    # CURRENT_TIMESTAMP counts whole seconds on SQLite: another time is seen in the next one.
    end = time.monotonic() + (0 if "." in str(before) else 1.1)
    while True:
        again = f"/users/{user['id']}/soft"
        reply = api.delete(again).expect(404, 200, 204, 400, 409, 410, why=why)
        after = row_of(api, user)["deleted_at"]
        if after != before or time.monotonic() > end:
            break
    if after != before:
        reply.wrong(f"deleted_at was {before} and is now {after}.", why)


@pytest.mark.step(4)
def test_restore_user_who_is_not_deleted(api: Api) -> None:
    """A restore of a user who is not deleted changes nothing."""
    user = create(api)
    why = "restore takes for granted that deleted_at is set."
    api.post(f"/users/{user['id']}/restore").expect(200, 201, 204, 400, 404, 409, why=why)
    api.get(f"/users/{user['id']}").expect(200, why=why).has(why, **user)


@pytest.mark.step(5)
def test_create_user_with_address_of_a_deleted_one(api: Api) -> None:
    """POST /users answers 409 or 400 to the address of a deleted user, who can be restored."""
    user = create(api)
    soft_delete(api, user)
    why = (
        "the address is looked for among the users who are not deleted, or the unique constraint "
        "is gone, or POST restores; the constraint sees hidden rows too: catch its IntegrityError."
    )
    api.post("/users", a_user(email=user["email"])).expect(409, 400, why=why)
    if sum(row.get("email") == user["email"] for row in api.list_all(ALL)) != 1:
        fail(f"{user['email']} is stored twice.", why)
    restore(api, user, why)
    api.get(f"/users/{user['id']}").expect(200, why=why).has(why, **user)


@pytest.mark.step(5)
def test_update_user_with_address_of_a_deleted_one(api: Api) -> None:
    """PATCH /users/{id} answers 409 or 400 to the address of a deleted user."""
    user, other = create(api), create(api)
    soft_delete(api, user)
    path = f"/users/{other['id']}"
    why = "PATCH has to catch the IntegrityError of the unique constraint as well."
    api.patch(path, {"email": user["email"]}).expect(409, 400, why=why)
    api.get(path).expect(200).has(why, **other)
