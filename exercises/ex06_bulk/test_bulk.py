"""Checks of exercise 06; each speaks to the app over HTTP only."""

import re
from typing import Any

import pytest

from exercises.checks import (
    AWKWARD_TEXTS,
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    Api,
    Reply,
    addresses_nearly,
    as_json,
    ask_ahead,
    fail,
    found,
    same_row,
    shorten,
    unique,
    why_not_all,
    why_not_one,
)

Row = dict[str, Any]
BULK, DEACTIVATE = "/users/bulk", "/users/bulk/deactivate"
IMPORT = 40  # more than a batch
MANY = 150  # more than the usual bounds and batches
LONG = 1_003  # more than the largest of the usual batches; an app may refuse it
THOUSAND = 1_000  # ids, which an app has to take
ENOUGH = 10  # statements that do not grow with the list
LOOP = (
    "each user, or each batch of users, is committed on its own, by session.commit() or a helper "
    "inside the loop: add all, commit once, roll back when that fails."
)
BODY = "the body is the list itself, data: list[UserCreate], and no object around it."
OBJECT = "the body is an object: user_ids: Annotated[list[int], Body(embed=True)]."
SAME_CLASS = (
    "POST /users takes this user, and the list has to take the same: data: list[UserCreate], whose "
    "validators tidy an address before its length is looked at."
)
MEMORY = "who is active is remembered in memory, where another process does not see it."
SKIPPED = "users who cannot be stored are skipped in silence, and the rest is stored."
OVERWRITTEN = (
    "the user who has the address, or the id, is overwritten: merge(), INSERT OR REPLACE, or ON "
    "CONFLICT DO UPDATE."
)
NO_CONSTRAINT = (
    "whether an address is taken is remembered in memory, or is not asked at all: the unique "
    "constraint of the database knows, whichever process stored it."
)
COUNTED = (
    "the app works out the ids itself, from the largest one, and another list came between: the "
    "database tells the id of each row that it stores."
)
TWICE = "a look into the table cannot see what is twice in the list; the unique constraint can."


def a_user(**changes: Any) -> Row:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "age": 36, "city": "London"} | changes


def some_users(count: int) -> list[Row]:
    """Describe users whose names and addresses stand in no order."""
    stem = unique("ada.")
    return [
        a_user(
            name=f"Ada {n * 7 % count:02}", email=f"{(n * 11 + 1) % count:02}.{stem}@example.com"
        )
        for n in range(count)
    ]


def create(api: Api) -> int:
    """Create one user by POST /users; give the id."""
    reply = api.post("/users", a_user()).expect(201, 200)
    reply.has("users are active from the start.", is_active=True)
    return reply.id


def everybody(api: Api) -> dict[int, Row]:
    """Read all users, by id."""
    return {row["id"]: row for row in api.list_all("/users")}


def expect_unchanged(
    reply: Reply, before: dict[int, Row], after: dict[int, Row], stored: str = SKIPPED
) -> None:
    """Fail when a list that is to be refused has left something behind."""
    new = [str(row.get("email")) for number, row in after.items() if number not in before]
    changed = [row for number, row in before.items() if after.get(number) != row]
    if changed:
        reply.wrong(f"the stored user {shorten(changed[0])} is changed, or gone.", OVERWRITTEN)
    if new:
        why = stored if reply.ok else LOOP
        reply.wrong(f"of the list {len(new)} users are stored: {shorten(', '.join(new))}.", why)
    if reply.commits:
        reply.wrong(
            f"the refused request committed changes {reply.commits} times.",
            "users are stored and deleted again by hand, which nobody does when the server stops "
            "in between: commit once, or not at all.",
        )


def refuse(api: Api, sent: list[Any], *statuses: int, why: str) -> None:
    """Send a list; fail unless it is refused and nothing is stored; `why` all of it would be."""
    before = everybody(api)
    reply = api.post(BULK, sent)
    if not reply.ok:
        reply.expect(*statuses, why={2: why})
    after = everybody(api)
    expect_unchanged(
        reply, before, after, why if len(after) == len(before) + len(sent) else SKIPPED
    )
    reply.expect(*statuses, why={2: why})


def rows_of(reply: Reply, sent: list[Row]) -> list[Row]:
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


def expect_stored(
    api: Api,
    reply: Reply,
    sent: list[Row],
    why: str = "the rows and the ids of the answer were put together in the wrong order.",
) -> None:
    """Fail unless each answered row is what the database has under that id."""
    stored = everybody(api)
    for row, user in zip(rows_of(reply, sent), sent, strict=True):
        if row["id"] not in stored:
            no_commit = "no session.commit() after session.add_all(); each request has its own."
            reply.wrong(f"GET /users does not list user {row['id']}.", no_commit)
        if missing := sorted(stored[row["id"]].keys() - row.keys()):
            reply.wrong(f"the rows have no {missing[0]!r}.", "the response class leaves it out.")
        same_row(row, stored[row["id"]], but=("updated_at",), why=why)
        wanted = {"name": user["name"], "email": user["email"], "is_active": True}
        if {name: row.get(name) for name in wanted} != wanted:
            changed = f"a field is changed on its way; or {why}"
            reply.wrong(f"user {row['id']} is {shorten(row)}, not {shorten(wanted)}.", changed)


@pytest.mark.step(1)
def test_create_users(api: Api) -> None:
    """POST /users/bulk stores the users and answers their rows in order."""
    bound = f"a bound of the app's own refuses a list of {MANY}, or {BODY}"
    for sent in (some_users(IMPORT), some_users(1), some_users(MANY)):
        expect_stored(api, api.post(BULK, sent).expect(201, why=bound), sent)


@pytest.mark.step(1)
def test_create_users_with_awkward_names(api: Api) -> None:
    """POST /users/bulk stores names as they are, the shortest and the longest included."""
    texts = ["Al", "Al", "x" * 50, *(text for text in AWKWARD_TEXTS if len(text) > 1)]
    sent = [a_user(name=text) for text in texts]
    why = "names are compared: two users may have one name, only the address is there once."
    expect_stored(api, api.post(BULK, sent).expect(201, why={4: why, 422: BODY}), sent)


@pytest.mark.step(1)
def test_create_users_as_one_by_one(api: Api) -> None:
    """POST /users/bulk makes of an entry what POST /users makes of it."""
    first = create(api)
    before = everybody(api).get(first)
    as_one_by_one(api, "ADA.{}@EXAMPLE.COM", id=first)
    if (now := everybody(api).get(first)) != before:
        fail(f"user {shorten(before)} was there before, and is {shorten(now)} now.", OVERWRITTEN)
    as_one_by_one(api, " ADA.{}@EXAMPLE.COM  ")
    as_one_by_one(api, "ADA.{}@EXAMPLE.COM", is_active=False)
    as_one_by_one(api, "ada.{}@example.com", name="  Ada  Lovelace ")
    as_one_by_one(api, "Ada.Straße.{}@example.com")  # lower() and casefold() differ
    as_one_by_one(api, f"    ada.{{}}{'x' * 228}@example.com    ")  # 254 characters when tidy


def as_one_by_one(api: Api, address: str, **more: Any) -> None:
    """Send a user to both routes; fail unless the list stores what POST /users stores."""
    tags = unique(""), unique("")
    alone, listed = (a_user(email=address.format(tag), **more) for tag in tags)
    one, many = api.post("/users", alone), api.post(BULK, [listed])
    if not one.ok:
        return  # an app that takes no such address, or field
    many.expect(201, why=SAME_CLASS)
    row, rows = one.object(), many.rows()
    if len(rows) != 1 or rows[0]["id"] not in (users := everybody(api)):
        many.wrong("the answer is not the one row that is stored.", BODY)
    for field in ("name", "email", "is_active"):
        why = "the list takes another way into the table than POST /users, with other steps."
        if field == "is_active":
            why = "the class of the list has is_active, and that of POST /users has not."
        wanted = row.get(field)
        if field == "email":  # but for the tag, which tells the two addresses apart
            wanted = str(wanted).replace(tags[0], tags[1]).replace(tags[0].upper(), tags[1].upper())
        for stored in (rows[0], users[rows[0]["id"]]):
            if field in row and stored.get(field) != wanted:
                got, wanted = as_json(stored.get(field)), as_json(wanted)
                many.wrong(f"the field {field!r} is {got}; POST /users makes {wanted} of it.", why)


@pytest.mark.step(1)
def test_read_users_of_a_list(api: Api) -> None:
    """GET /users/{id} finds each user of a list, also when it was asked for before."""
    first = create(api)
    api.get(f"/users/{first}").expect(200)
    ask_ahead(api, first, lambda process, number: process.get(f"/users/{number}"))
    sent = some_users(3)
    for row in rows_of(api.post(BULK, sent).expect(201), sent):
        for process in (api, api.second()):
            reads = found(process.get(f"/users/{row['id']}"))
            same_row(row, reads, but=("updated_at",), why="it is not the row of POST.")


@pytest.mark.step(1)
def test_create_users_with_addresses_nearly_taken(api: Api) -> None:
    """POST /users/bulk stores addresses that are nearly those of others."""
    taken = f"{unique('ada_l.')}@example.com"
    near = addresses_nearly(taken)
    why = "another address counts as this one: compare with == and not with like(), all of it."
    for emails in (near[:1], [taken, *near[1:]]):
        sent = [a_user(email=email) for email in emails]
        expect_stored(api, api.post(BULK, sent).expect(201, why=why), sent)


INVALID: list[Any] = [
    {"name": "A"},
    {"name": "x" * 51},
    {"name": None},
    {"name": ["Ada"]},
    {"email": None},
    {"email": ""},
    {"email": " x  "},
    {"email": "x" * 255},
]


@pytest.mark.step(2)
@pytest.mark.parametrize("place", [0, 20, IMPORT - 1], ids=["first", "middle", "last"])
def test_create_users_one_invalid(api: Api, place: int) -> None:
    """POST /users/bulk answers 422 and stores nothing when one user is invalid."""
    sent = some_users(IMPORT)
    sent[place]["name"] = "A"
    why = (
        "the entries are not validated: the body is list[dict], or a list of the table class, "
        "which does not validate."
    )
    refuse(api, sent, 422, why=why)


@pytest.mark.step(2)
@pytest.mark.parametrize("field", INVALID, ids=lambda field: shorten(field, 30))
def test_create_users_refuses_what_one_user_is_refused_for(api: Api, field: Row) -> None:
    """POST /users/bulk answers 422 where POST /users does."""
    if api.post("/users", a_user(**field)).status == 422:
        why = "the entries are not checked like the body of POST /users: list[UserCreate]."
        refuse(api, [a_user(), a_user(**field)], 422, why=why)


@pytest.mark.step(2)
def test_create_users_refuses_what_is_no_user(api: Api) -> None:
    """POST /users/bulk answers 422 to a list with something else than users in it."""
    why = "the body is not declared as list[UserCreate]."
    wrongs: tuple[Any, ...] = ("Ada", None, [], {}, {"name": "Ada"})
    for wrong in wrongs:
        refuse(api, [a_user(), wrong], 422, why=why)


@pytest.mark.step(2)
def test_create_no_users(api: Api) -> None:
    """An empty list stores nobody, whatever it is answered."""
    before = everybody(api)
    reply = api.post(BULK, [])
    if reply.status >= 500:
        reply.expect(201, 422, why="an INSERT without rows, or the first of no rows.")
    expect_unchanged(reply, before, everybody(api))


@pytest.mark.step(2)
@pytest.mark.parametrize("place", [0, 20, IMPORT - 1], ids=["first", "middle", "last"])
def test_create_users_one_taken(api: Api, place: int) -> None:
    """POST /users/bulk answers 409 or 400 and stores nothing when one address is taken."""
    for process in (api, api.second()):
        taken = process.post("/users", a_user()).expect(201, 200).object()
        sent = some_users(IMPORT)
        sent[place]["email"] = taken["email"]
        refuse(api, sent, 409, 400, why=NO_CONSTRAINT)


@pytest.mark.step(2)
@pytest.mark.parametrize("place", [1, IMPORT - 1], ids=["neighbours", "apart"])
def test_create_users_same_address_twice(api: Api, place: int) -> None:
    """POST /users/bulk answers 409 or 400 and stores nothing when the list repeats an address."""
    sent = some_users(IMPORT)
    sent[place]["email"] = sent[0]["email"]
    refuse(api, sent, 409, 400, 422, why=TWICE)
    refuse(api, [sent[0], sent[0]], 409, 400, 422, why=TWICE)


@pytest.mark.step(2)
@pytest.mark.parametrize("written", ["upper case", "spaces"])
def test_create_users_same_address_written_otherwise(api: Api, written: str) -> None:
    """Two addresses are the same in the list when they are for POST /users."""
    user, fresh = a_user(), a_user()
    api.post("/users", user).expect(201, 200)
    again, fresh_again = (
        each | {"email": f" {each['email']} " if written == "spaces" else each["email"].upper()}
        for each in (user, fresh)
    )
    if api.post("/users", again).status not in (400, 409):
        return  # an app to which these are two addresses, or which takes no spaces
    why = "the list takes another way into the table than POST /users, and does not tidy addresses."
    refuse(api, [a_user(), again], 409, 400, 422, why=why)
    refuse(api, [fresh, fresh_again], 409, 400, 422, why=why)


@pytest.mark.step(2)
def test_create_users_after_a_refused_list(api: Api) -> None:
    """After a refused list the next one is stored, the good entries of the first included."""
    sent = some_users(3)
    api.post(BULK, [*sent, sent[0]]).expect(409, 400, 422)
    why = "the refused list left rows or an open transaction: no session.rollback() after the error"
    expect_stored(api, api.post(BULK, sent).expect(201, why=f"{why}."), sent)
    refuse(api, sent, 409, 400, why="the same list again is answered as the first time.")


@pytest.mark.step(3)
def test_create_users_twice_at_once(api: Api) -> None:
    """Of eight lists with one address in common at one moment, one is stored whole."""
    for _ in range(3):
        race(api)


def race(api: Api) -> None:
    """Race eight lists that share an address; fail unless one is stored, and nothing else."""
    shared = a_user()
    lists = [[a_user(), shared, a_user()] for _ in range(8)]
    replies = api.at_once(8, lambda number: api.post(BULK, lists[number]))
    emails = [row.get("email") for row in everybody(api).values()]
    for reply in replies:
        reply.expect(201, 400, 409)
    wins = [number for number, reply in enumerate(replies) if reply.ok]
    rows = emails.count(shared["email"])
    if (len(wins), rows) != (1, 1):
        fail(
            f"of eight lists with one address in common {len(wins)} were answered with 201, and "
            f"{rows} users have the address.",
            why_not_one(wins, rows),
        )
    left = sum(user["email"] in emails for users in lists for user in users if user is not shared)
    if left != 2:
        why = LOOP if left > 2 else "the list that was answered with 201 is not stored whole."
        fail(f"one list of three was answered with 201, and {left + 1} users are stored.", why)


@pytest.mark.step(3)
def test_create_different_users_at_once(api: Api) -> None:
    """Four lists at one moment without an address in common are all stored."""
    lists = [some_users(3) for _ in range(4)]
    replies = api.at_once(4, lambda number: api.post(BULK, lists[number]))
    for reply, sent in zip(replies, lists, strict=True):
        why = why_not_all(reply)
        reply.expect(201, why={"UNIQUE": why, "unique": why, 4: why})
        expect_stored(api, reply, sent, COUNTED)


@pytest.mark.step(3)
def test_create_users_when_the_server_is_killed(api: Api) -> None:
    """When the server is killed in the middle of a list, all users are stored or none."""
    sent = some_users(MANY)
    emails = {user["email"] for user in sent}
    api.kill_during("POST", BULK, sent)
    stored = sum(row.get("email") in emails for row in everybody(api).values())
    if stored not in (0, MANY):
        fail(f"of the {MANY} users {stored} are stored after the server was killed.", LOOP)


@pytest.mark.step(3)
def test_create_users_in_one_transaction(api: Api) -> None:
    """POST /users/bulk commits once."""
    sent = some_users(MANY)
    parts = "each user, each batch or each step is committed on its own: add all, commit once."
    reply = api.post(BULK, sent).expect(201).commits_once(parts).committed_first()
    expect_stored(api, reply, sent)


def deactivate(api: Api, ids: list[Any], why: str = OBJECT) -> Reply:
    """Deactivate users."""
    no_error = "an id that is unknown, or needs no change, is no error: it does not count."
    reply = api.patch(DEACTIVATE, {"user_ids": ids})
    return reply.expect(200, why={422: why, 4: no_error, "": why}).committed_first()


def expect_deactivated(
    api: Api, before: dict[int, Row], ids: list[int], why: str = "no session.commit()."
) -> None:
    """Fail unless these users are inactive, and nothing else has changed."""
    after = everybody(api)
    for number, row in before.items():
        if number not in after:
            fail(f"user {number} is gone.", "the row is deleted; who is deactivated stays.")
        same_row(row, after[number], but=("is_active", "updated_at"), why="only is_active changes.")
        if number in ids and after[number].get("is_active") is not False:
            fail(f"user {number} is active after being deactivated.", why)
        if number not in ids and after[number].get("is_active") != row.get("is_active"):
            fail(
                f"user {number}, who was not to be deactivated, is.",
                "the WHERE of the UPDATE is missing, or finds more than these ids.",
            )


@pytest.mark.step(4)
def test_deactivate_users(api: Api) -> None:
    """PATCH /users/bulk/deactivate deactivates these users, for good, and no others."""
    ids = first, other, second = [create(api) for _ in range(3)]
    before = everybody(api)
    for process in (api, api.second()):  # what a cache would keep
        for number in ids:
            process.get(f"/users/{number}").expect(200).has("", is_active=True)
    reply = deactivate(api, [second, first])
    wrong = "no session.commit() after the UPDATE, or only one of the ids reaches the WHERE."
    if reply.object().get("deactivated_count") == 0:
        wrong = reply.stale(wrong)
    expect_deactivated(api, before, [first, second], wrong)
    expect_deactivated(api.second(), before, [first, second], MEMORY)
    for process in (api, api.second()):
        for number in ids:
            reads = process.get(f"/users/{number}").expect(200)
            reads.has(MEMORY, is_active=number == other)
    reply.has("this is not the number of users.", deactivated_count=2)
    reply.commits_once("each user is committed on its own: one UPDATE, one commit.")


@pytest.mark.step(4)
def test_deactivate_users_counts_only_the_active(api: Api) -> None:
    """An unknown id, a repeated one and an inactive user do not count and stop nothing."""
    inactive, user, last = (create(api) for _ in range(3))
    deactivate(api, [inactive])
    why = "session.get() gives None for an unknown id; an UPDATE … WHERE id IN (…) passes over it."
    ask_ahead(api, last, lambda process, number: deactivate(process, [number], why))
    new = create(api)
    counted = f"the answered number is not that of changed rows, or {MISSING_REMEMBERED}"
    deactivate(api, [new]).has(counted, deactivated_count=1)
    before = everybody(api)
    reply = deactivate(api, [inactive, NO_SUCH_ID, user, user, last], why)
    turned = "the flag is turned around, or the rest is not reached; it has to become false."
    expect_deactivated(api, before, [inactive, user, last], turned)
    why = (
        "counted are the ids that were sent, or every row that the WHERE found; let the WHERE find "
        "only active users, and answer the rowcount."
    )
    reply.has(why, deactivated_count=2)
    deactivate(api, [user, last]).has(why, deactivated_count=0)
    ids = [inactive, user, NO_SUCH_ID, last, create(api)]
    deactivate(api, ids).has(why, deactivated_count=1)


@pytest.mark.step(4)
def test_deactivate_the_last_of_many(api: Api) -> None:
    """PATCH /users/bulk/deactivate looks at each id of a long list."""
    user = create(api)
    before = everybody(api)
    why = "only so many of the list are looked at, or a bound of the app's own refuses the list."
    reply = deactivate(api, [*range(NO_SUCH_ID - 999, NO_SUCH_ID), user], why)
    expect_deactivated(api, before, [user], why)
    reply.has(why, deactivated_count=1)


@pytest.mark.step(4)
def test_deactivate_users_at_once(api: Api) -> None:
    """Of four requests at one moment that deactivate the same users, one counts each of them."""
    ids = [create(api) for _ in range(3)]
    before = everybody(api)
    why = (
        "a SELECT counts who is active, and all requests count before one has written: the "
        "rowcount of UPDATE … WHERE is_active says how many this request has changed."
    )
    replies = api.at_once(4, lambda _: deactivate(api, ids))
    expect_deactivated(api, before, ids)
    counts = [reply.object().get("deactivated_count") for reply in replies]
    if sorted(map(str, counts)) != ["0", "0", "0", "3"]:
        fail(f"four requests at one moment to deactivate three users counted {counts}.", why)


@pytest.mark.step(4)
def test_deactivate_nobody(api: Api) -> None:
    """An empty list deactivates nobody."""
    create(api)
    before = everybody(api)
    reply = api.patch(DEACTIVATE, {"user_ids": []}).expect(200, 422, 400)
    expect_deactivated(api, before, [])
    if reply.ok:
        reply.has("nobody was deactivated.", deactivated_count=0)


@pytest.mark.step(4)
def test_deactivate_first_user(api: Api) -> None:
    """The user with the id 1 is like any other."""
    if api.server.database_url:  # of the check's own: with --url this may be anybody
        create(api)
        deactivate(api, [1], "a bound refuses the smallest id that there is: ge=1 and not gt=1.")


@pytest.mark.step(4)
@pytest.mark.parametrize("wrong", ["all", "", None, []], ids=repr)
def test_deactivate_users_refuses_what_is_no_id(api: Api, wrong: Any) -> None:
    """PATCH /users/bulk/deactivate answers 422 to an id that is no number, and changes nothing."""
    user, last = create(api), create(api)
    before = everybody(api)
    why = "the ids are not declared as list[int]."
    api.patch(DEACTIVATE, {"user_ids": [user, wrong, last]}).expect(422, why=why)
    if wrong != []:
        api.patch(DEACTIVATE, {"user_ids": wrong}).expect(422, why=why)
    expect_deactivated(api, before, [])


@pytest.mark.step(4)
def test_create_users_with_the_address_of_an_inactive_one(api: Api) -> None:
    """The address of a user who was deactivated is taken all the same."""
    user = api.post("/users", a_user()).expect(201, 200).object()
    deactivate(api, [user["id"]])
    why = "the address is looked for among active users only, or is free again."
    refuse(api, [a_user(), a_user(email=user["email"])], 409, 400, why=why)


@pytest.mark.step(5)
def test_create_users_without_a_select_for_each(api: Api) -> None:
    """POST /users/bulk does not read the users back one by one."""
    sent = some_users(MANY)
    reply = api.post(BULK, sent).expect(201)
    rows_of(reply, sent)
    log = reply.sql if reply.statements else ""
    selects = sum(int(count) for count in re.findall(r"^ *(\d+) x (?:SELECT|WITH)", log, re.M))
    if selects > ENOUGH:
        reply.wrong(
            f"for {MANY} users it took {selects} SELECTs:\n{shorten(log, 2000)}",
            "one SELECT for each user: session.refresh() in a loop, objects that commit() emptied "
            "(expire_on_commit=False keeps them filled), or a look for each address.",
        )


@pytest.mark.step(5)
def test_deactivate_users_in_few_statements(api: Api) -> None:
    """PATCH /users/bulk/deactivate takes a fixed number of SQL statements."""
    sent = some_users(MANY)
    ids = [row["id"] for row in rows_of(api.post(BULK, sent).expect(201), sent)]
    before = everybody(api)
    reply = deactivate(api, ids)
    expect_deactivated(api, before, ids, "not all ids reach the WHERE.")
    reply.has("it is not the number of users who were deactivated.", deactivated_count=MANY)
    reply.commits_once("each batch of users is committed on its own: one commit at the end.")
    if reply.statements > ENOUGH:
        reply.wrong(
            f"for {MANY} users it took {reply.statements} statements:\n{shorten(reply.sql, 2000)}",
            "session.get() or update() in a loop: one UPDATE … WHERE id IN (…) does.",
        )


# Last, because it leaves the most rows: those who list all users have less to read before it.
@pytest.mark.step(3)
def test_long_list_is_one_transaction(api: Api) -> None:
    """A list that is longer than any batch is one transaction too, unless it is refused."""
    taken = api.post("/users", a_user()).expect(201, 200).object()["email"]
    sent = some_users(LONG)
    batches = "each batch of users is committed on its own: add all, commit once."
    refuse(api, [*sent, a_user(email=taken)], 409, 400, 413, 422, why=batches)
    before = everybody(api)
    reply = api.post(BULK, sent).expect(201, 400, 413, 422, why=batches)
    if reply.ok:
        expect_stored(api, reply.commits_once(batches), sent)
    else:
        expect_unchanged(reply, before, everybody(api))


@pytest.mark.step(4)
def test_deactivate_a_thousand(api: Api) -> None:
    """PATCH /users/bulk/deactivate deactivates a thousand users in one transaction."""
    ours = [row for row in everybody(api).values() if ".ada." in str(row.get("email"))]
    ids = [row["id"] for row in ours if row.get("is_active")]
    while len(ids) <= THOUSAND:
        ids += [row["id"] for row in api.post(BULK, some_users(MANY)).expect(201).rows()]
    before = everybody(api)
    why = "only so many of the list are looked at, or a bound of the app's own refuses the list."
    reply = deactivate(api, ids[:THOUSAND], why)
    expect_deactivated(api, before, ids[:THOUSAND], why)
    reply.has(why, deactivated_count=THOUSAND)
    reply.commits_once("each batch of users is committed on its own: one commit at the end.")
