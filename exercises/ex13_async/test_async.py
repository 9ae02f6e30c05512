"""Checks of exercise 13; whether a statement blocks the event loop is seen inside the app."""

from typing import Any

import pytest
import sqlalchemy as sa

from exercises.causes import Guesses
from exercises.checks import NO_SUCH_ID, Api, Reply, fail, one_wins, unique, why_accepted

NO_COMMIT = (
    "no commit, or an `await` is missing: `session.commit()`, and `session.get(…)` as well, alone "
    "make a coroutine that nobody runs."
)
BLOCKED = (
    "a sync Session in an async route. It runs on the event loop, the one thread that serves all: "
    "make the engine with create_async_engine(), the session with AsyncSession, and await."
)

IN_MEMORY = (
    "the answer comes from the memory of one process: a session for all requests, a dictionary or "
    "a cache. Another process has written meanwhile; only the database is shared."
)
DROPPED = "the tables are dropped, or made anew, when another process of the app starts."
REFUSED: Guesses = dict.fromkeys(
    (409, 400), "who has another address is another user: only the address is unique."
)
NOT_AWAITED = "the commit is not awaited, and still runs when the session is closed."
HALF = (
    "the refused change, or a part of it, was stored: name and address are committed one after "
    "the other, and not in one transaction."
)
TAKEN_STILL: Guesses = dict.fromkeys(
    (409, 400),
    "nobody has the address any longer, and it is kept all the same: in a list of its own, in "
    "memory or in a table, or in a row that is only marked as deleted.",
)
NOT_LOOKED_FOR = "nobody looks whether there is such a user."
NO_WHERE = "an UPDATE or DELETE without a WHERE for this one user."


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    return {"name": "Ada Lovelace", "email": f"{unique('ada.')}@example.com"} | changes


def create(api: Api, refused: Guesses = REFUSED, **changes: Any) -> dict[str, Any]:
    """Create a user through the API; give the answered row."""
    sent = a_user(**changes)
    reply = api.post("/async/users", sent).expect(201, 200, why=refused)
    body = reply.has("the answer is not the stored row.", **sent)
    if body.get("id") is None:
        reply.wrong("the id is null.", NO_COMMIT)
    return sent | {"id": reply.id}


def create_post(api: Api, author_id: int, title: str = "", times: int = 1) -> Reply:
    """Store a post of this user, its sentence once or several times."""
    content = "Twenty characters at the least: é.\n" * times
    sent = {"title": title or unique("Notes "), "content": content}
    sent_by = sent | {"author_id": author_id}
    reply = api.post("/posts", sent_by).expect(201, 200)
    reply.has("the answer is not the stored row.", id=reply.id, **sent_by)
    return reply


def rows_with(api: Api, email: str) -> list[dict[str, Any]]:
    """Find the stored users with this address."""
    rows = [row for row in api.list_all("/async/users") if row["email"] == email]
    return [{name: row.get(name) for name in ("name", "email", "id")} for row in rows]


@pytest.mark.step(1)
def test_create_user(api: Api) -> None:
    """POST /async/users stores a user, whom the next request finds."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    api.get(path).expect(200, why=NO_COMMIT).has("this is another row.", **user)
    reply, still_there = api.second().get(path), api.get(path).ok
    reply.expect(200, why=f"{NO_COMMIT} Or: {IN_MEMORY}" if still_there else DROPPED)
    reply.has("this is another row.", **user)


@pytest.mark.step(1)
def test_read_user_closes_its_session(api: Api) -> None:
    """GET and POST /async/users give their connection back, whatever the answer."""
    reply = api.post("/async/users", a_user()).expect(201, 200, why=REFUSED)
    for closed in (
        reply,
        api.get(f"/async/users/{reply.id}").expect(200, why=NO_COMMIT),
        api.get(f"/async/users/{NO_SUCH_ID}").expect(404),
    ):
        gives_back(closed)


def gives_back(reply: Reply) -> None:
    """Fail if the request kept a connection."""
    if reply.open_connections:
        reply.wrong(
            "the request kept its connection; after a few more the pool is empty.",
            NOT_AWAITED
            if "already in progress" in reply.error
            else "the session is never closed, or only after a success: `async with "
            "AsyncSession(…) as session: yield session`.",
        )


@pytest.mark.step(1)
def test_created_user_survives_a_restart(api: Api) -> None:
    """A user is still there when the server has been restarted."""
    user = create(api)
    api.restart()
    api.get(f"/async/users/{user['id']}").expect(200, why=NO_COMMIT).has(NO_COMMIT, **user)


def unsuitable() -> list[dict[str, Any]]:
    """Describe users that break a rule."""
    named = {"name": "Ada"}
    return [a_user(name="A"), a_user(name="A" * 51), a_user(name=None), named, {"email": "a@b.cd"}]


@pytest.mark.step(1)
def test_create_user_refuses_invalid_input(api: Api) -> None:
    """POST /async/users answers 422 to a name that is too short or long, and to what is missing."""
    why = (
        "the bound is missing in the input class, or the table class is the request body: a class "
        "with table=True does not validate."
    )
    for sent in unsuitable():
        api.post("/async/users", sent).expect(422, why=why)


@pytest.mark.step(1)
def test_create_user_at_the_bounds(api: Api) -> None:
    """POST /async/users takes a name of 2 and one of 50 characters, of any letters."""
    # A name may be there twice, an address may not.
    for name in ("Al", "A" * 50, "Al", "Zoë" + "é" * 47, "007"):
        user = create(api, name=name)
        api.get(f"/async/users/{user['id']}").expect(200, why=NO_COMMIT).has(**user)


@pytest.mark.step(1)
def test_read_user_not_found(api: Api) -> None:
    """GET /async/users/{id} answers 404 when there is no such user."""
    why = "session.get() gave None, and None was answered or used."
    api.get(f"/async/users/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_list_users(api: Api) -> None:
    """GET /async/users lists the users by id; skip and limit cut the list."""
    users = [create(api) for _ in range(4)]
    # PostgreSQL moves an updated row, and a deleted one leaves a gap between the ids; PUT and
    # DELETE themselves are checked in step 3.
    api.put(f"/async/users/{users[0]['id']}", a_user())
    api.delete(f"/async/users/{users.pop(1)['id']}")
    reply = api.get("/async/users")
    why = "the brackets are missing: `(await session.exec(statement)).all()`."
    reply.expect(200, why=why if "coroutine" in reply.error else "")
    ids = [row["id"] for row in api.list_all("/async/users")]
    missing = {user["id"] for user in users} - set(ids)
    if missing:
        fail(f"GET /async/users never listed the users {sorted(missing)}.", NO_COMMIT)
    if ids != sorted(ids):
        fail(f"GET /async/users answered the ids {ids[-12:]}.", "no ORDER BY.")
    if [row["id"] for row in reply.items()[:3]] != ids[:3]:
        reply.wrong(f"these are not the users {ids[:3]} and so on.", "skip has another default.")
    for skip, limit in ((len(ids) - 3, 2), (len(ids) - 1, 5), (0, 3), (0, 1)):
        reply = api.get(f"/async/users?skip={skip}&limit={limit}").expect(200)
        wanted = ids[skip : skip + limit]
        if [row["id"] for row in reply.items()] != wanted:
            why = "skip or limit does not reach the query, or skip is compared with ids."
            reply.wrong(f"these are not the users {wanted}.", why)


@pytest.mark.step(2)
def test_list_users_of_both_processes(api: Api) -> None:
    """GET /async/users lists whom another process has created since it was asked last."""
    rows_with(api, "nobody")
    user = create(api.second())
    if rows_with(api, user["email"]) != [user]:
        fail("GET /async/users lists no user whom another process has created.", IN_MEMORY)


@pytest.mark.step(2)
def test_list_users_up_to_the_largest_limit(api: Api) -> None:
    """GET /async/users?limit=100 answers a hundred users, and skip=100 those that follow."""
    before = len(api.list_all("/async/users"))
    for _ in range(102 - before):
        create(api)
    for skip, wanted in ((0, 100), (100, max(102, before) - 100)):
        reply = api.get(f"/async/users?skip={skip}&limit=100").expect(200)
        if len(reply.items()) != min(wanted, 100):
            why = "the app has a limit of its own, below 100."
            reply.wrong(f"{len(reply.items())} users came, not {min(wanted, 100)}.", why)


@pytest.mark.step(3)
def test_update_user(api: Api) -> None:
    """PUT /async/users/{id} replaces the user's data, for good, and nobody else's."""
    user, other, sent = create(api), create(api), a_user(name="Grace Hopper")
    path = f"/async/users/{user['id']}"
    api.get(path).expect(200)
    why = "the answer is not the changed row."
    own = "the look for the address finds the user's own row, which autoflush has written already."
    changed = api.second().put(path, sent).expect(200, why={409: own, 400: own})
    changed.has(why, id=user["id"], **sent)
    reply = api.get(path).expect(200)
    reply.has(
        IN_MEMORY if reply.has().items() >= user.items() else NO_COMMIT, id=user["id"], **sent
    )
    api.get(f"/async/users/{other['id']}").expect(200).has(NO_WHERE, **other)
    create(api, TAKEN_STILL, email=user["email"])


@pytest.mark.step(3)
def test_update_user_keeps_the_address(api: Api) -> None:
    """PUT /async/users/{id} may name the address that the user has already."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    why = "the look for the address finds the user's own row."
    for name in ("Al", "AL"):
        sent = {"name": name, "email": user["email"]}
        api.put(path, sent).expect(200, why=why).has(id=user["id"], **sent)
        api.get(path).expect(200).has(NO_COMMIT, id=user["id"], **sent)


@pytest.mark.step(3)
def test_update_user_refuses_invalid_input(api: Api) -> None:
    """PUT /async/users/{id} has the bounds of POST, and a refused change changes nothing."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    why = "PUT takes another class than POST, without bounds, or with fields that may be left out."
    for sent in unsuitable():
        api.put(path, sent).expect(422, why={2: why, 4: why})
    api.get(path).expect(200).has("the refused change was stored.", **user)


@pytest.mark.step(3)
def test_update_user_not_found(api: Api) -> None:
    """PUT /async/users/{id} answers 404 when there is no such user."""
    created = "the user is stored under this id: PUT replaces who is there, and creates nobody."
    reply = api.put(f"/async/users/{NO_SUCH_ID}", a_user())
    stored = reply.ok and api.get(f"/async/users/{NO_SUCH_ID}").ok
    reply.expect(404, why=created if stored else NOT_LOOKED_FOR)


@pytest.mark.step(3)
def test_changes_close_their_session(api: Api) -> None:
    """PUT and DELETE /async/users/{id}, and the list, give their connection back."""
    path = f"/async/users/{create(api)['id']}"
    gives_back(api.get("/async/users").expect(200))
    gives_back(api.put(path, a_user()).expect(200))
    gives_back(api.delete(path).expect(204, 200))
    gives_back(api.delete(path).expect(404, why=NOT_LOOKED_FOR))
    gives_back(api.put(path, a_user()).expect(404, why=NOT_LOOKED_FOR))


@pytest.mark.step(3)
def test_delete_user(api: Api) -> None:
    """DELETE /async/users/{id} removes the user; 404 when there is none."""
    user, other = create(api), create(api)
    path = f"/async/users/{user['id']}"
    api.get(path).expect(200)
    api.second().delete(path).expect(204, 200)
    why = "`session.delete(user)` without await does nothing, and it needs a commit after it."
    api.second().get(path).expect(404, why=why)
    api.get(path).expect(404, why=IN_MEMORY)
    api.delete(path).expect(404, why=NOT_LOOKED_FOR)
    if rows_with(api, user["email"]):
        fail("the deleted user is still in the list.", IN_MEMORY)
    api.get(f"/async/users/{other['id']}").expect(200, why=NO_WHERE).has(NO_WHERE, **other)
    create(api, TAKEN_STILL, email=user["email"])


@pytest.mark.step(4)
def test_read_user_with_posts(api: Api) -> None:
    """GET /async/users/{id}/with-posts answers the user with their posts, and no others."""
    user, other = create(api), create(api)
    posts = [create_post(api, user["id"], times=times).body for times in (1, 100)]
    posts.append(create_post(api, user["id"], "0012.10").body)  # a text, and no number
    create_post(api, other["id"])
    has_posts(api, user, posts, NO_COMMIT)
    gives_back(api.get(f"/async/users/{user['id']}/with-posts"))
    posts += [create_post(api.second(), user["id"]).body for _ in range(98)]
    has_posts(api, user, posts, IN_MEMORY)


def has_posts(api: Api, user: dict[str, Any], posts: list[dict[str, Any]], why: str) -> None:
    """Fail unless the user is answered with these posts."""
    reply = api.get(f"/async/users/{user['id']}/with-posts").expect(200)
    got = reply.has("this is another user.", **user).get("posts")
    if not isinstance(got, list) or not all(isinstance(post, dict) for post in got):
        reply.wrong("there is no list of posts under 'posts'.", "the response model has none.")
    if len(posts) > len(got) >= 10:
        reply.wrong(f"{len(got)} of {len(posts)} posts came.", "the list of posts has a limit.")
    for known in (("title",), ("id", "title", "content")):
        sent, came = (
            sorted([str(post.get(name)) for name in known] for post in of) for of in (posts, got)
        )
        if sent != came:
            part = "a post has its id, its title and its content, as they are stored."
            reply.wrong(f"these are not the user's {len(posts)} posts.", part if known[1:] else why)


@pytest.mark.step(4)
def test_changed_user_keeps_their_posts(api: Api) -> None:
    """PUT /async/users/{id} leaves the user's posts alone."""
    user = create(api)
    posts = [create_post(api, user["id"]).body]
    sent = a_user()
    api.put(f"/async/users/{user['id']}", sent).expect(200)
    why = "PUT deletes the row and stores a new one, and the posts go with the old: change the row."
    has_posts(api, user | sent, posts, why)


@pytest.mark.step(4)
def test_read_user_with_posts_in_a_fixed_number_of_statements(api: Api) -> None:
    """GET /async/users/{id}/with-posts takes as many statements for three posts as for none."""
    user = create(api)
    path = f"/async/users/{user['id']}/with-posts"
    none = api.get(path)
    why = "an inner join leaves out a user without posts."
    none.expect(200, why=why if none.status == 404 else "")
    for _ in range(3):
        create_post(api, user["id"])
    three = api.get(path).expect(200)
    if len(three.object().get("posts", [])) != 3:
        three.wrong("these are not the user's three posts.", IN_MEMORY)
    if three.statements > max(none.statements, 2):
        three.wrong(
            f"it took {three.statements} statements, {none.statements} without posts:\n{three.sql}",
            "N+1: one SELECT for each post; load them together with selectinload().",
        )


@pytest.mark.step(4)
def test_delete_user_with_posts(api: Api) -> None:
    """DELETE /async/users/{id} deletes the user's posts as well, at one stroke, and no others."""
    user, other = create(api), create(api)
    gone = create_post(api, user["id"]).object()
    kept = create_post(api, other["id"], gone["title"]).object()
    why = (
        "the posts still point at the user: cascade_delete=True in the relationship, or a DELETE "
        "of the posts before it."
    )
    reply = api.delete(f"/async/users/{user['id']}")
    if not reply.ok:
        reply.wrong("a user with a post cannot be deleted.", why)
    why_parts = (
        "posts and user are deleted one after the other, each with a commit, or with AUTOCOMMIT."
    )
    reply.commits_once(why_parts)
    # SQLite gives the id of a deleted last row to the next one.
    again = api.get(f"/async/users/{create(api)['id']}/with-posts").expect(200)
    if again.object().get("posts") != []:
        again.wrong("a new user has posts, of a user who was deleted.", why)
    has_posts(api, other, [kept], NO_WHERE)
    if stored_posts(api, gone["title"]) > 1:  # the other one's has the same title
        reply.wrong("the post of the deleted user is still stored.", why)


def stored_posts(api: Api, title: str) -> int:
    """Count the posts of this title in the database, whatever their table is called."""
    engine = sa.create_engine(api.server.database_url, poolclass=sa.NullPool)
    tables = sa.MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        titles = [table.c.title for table in tables.tables.values() if "title" in table.c]
        counts = [sa.select(sa.func.count()).where(column == title) for column in titles]
        return sum(connection.scalar(count) or 0 for count in counts)


@pytest.mark.step(4)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_posts_of_nobody(api: Api, method: str) -> None:
    """There are no posts of a user who is not there, or no longer: 404."""
    gone = create(api)["id"]
    create(api)  # SQLite gives the id of a deleted last row to the next one
    api.delete(f"/async/users/{gone}").expect(204, 200)
    for nobody in (NO_SUCH_ID, gone):
        if method == "GET":
            reply = api.get(f"/async/users/{nobody}/with-posts")
        else:
            body = {"title": "Notes", "content": "Twenty characters at the least."}
            reply = api.post("/posts", body | {"author_id": nobody})
        why = "the user is not looked for; SQLite does not mind a wrong author_id."
        gives_back(reply.expect(404, why=why))


@pytest.mark.step(5)
def test_nothing_blocks_the_event_loop(api: Api) -> None:
    """Every statement is awaited, so that no request stops the others."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    post = {"title": "Notes", "content": "Twenty characters at the least."}
    awaited(api.post("/async/users", a_user()))
    awaited(api.get(path))
    awaited(api.get("/async/users"))
    awaited(api.put(path, a_user()))
    not_blocking(api.get(f"/async/users/{NO_SUCH_ID}"), 404)
    twin = create(api)
    reply = api.post("/async/users", user | {"email": twin["email"]})
    reply.expect(409, 400, why=why_accepted(reply, twin["id"]))
    not_blocking(reply, 409, 400)
    not_blocking(api.post("/posts", post | {"author_id": user["id"]}))
    awaited(api.get(f"{path}/with-posts"))
    awaited(api.delete(path))


def not_blocking(reply: Reply, *statuses: int) -> Reply:
    """Fail if the request's statements ran on the event loop's own thread."""
    reply.expect(*(statuses or (200, 201, 204)))
    if "loop" in reply.ran:
        reply.wrong(
            "while its SQL ran, the server could answer nobody else: the statements blocked the "
            f"event loop.\n{reply.sql}",
            BLOCKED,
        )
    return reply


def awaited(reply: Reply) -> None:
    """Fail unless the request's statements were awaited."""
    ran = not_blocking(reply).ran
    if not ran:
        reply.wrong("the request ran no SQL on a session.", f"{BLOCKED} Or: {IN_MEMORY}")
    if "thread" in ran:
        reply.wrong(
            "its SQL ran on a sync session in a worker thread. That blocks nobody, but the task "
            "asks for an async session.",
            "the route is a plain `def`, or run_in_threadpool() does the work.",
        )


@pytest.mark.step(6)
def test_many_requests_at_once(api: Api) -> None:
    """Eight users created at one moment are eight users."""
    for _ in range(3):
        create_eight_at_once(api, [a_user() for _ in range(8)])


def create_eight_at_once(api: Api, sent: list[dict[str, Any]]) -> None:
    """Create eight users at one moment; fail unless each is stored as it was sent."""
    why = (
        "one AsyncSession, or one connection (StaticPool), for all requests: what two of them do "
        "at once gets mixed up."
    )
    replies = api.at_once(8, lambda number: api.post("/async/users", sent[number]))
    for reply, user in zip(replies, sent, strict=True):
        user_id = reply.expect(201, 200, why=why).has(why, **user).get("id")
        api.get(f"/async/users/{user_id}").expect(200, why=why).has(why, **user)


@pytest.mark.step(6)
def test_taken_email(api: Api) -> None:
    """POST and PUT answer 409 or 400 to an address that is taken, and change nothing."""
    user, other = create(api), create(api)
    why = "the column has no unique=True, or its IntegrityError is not caught."
    for asked in (api, api.second()):
        refused = asked.post("/async/users", a_user(email=user["email"]))
        gives_back(refused.expect(409, 400, why=why_accepted(refused, user["id"])))
        path = f"/async/users/{other['id']}"
        changed = a_user(name="Grace Hopper", email=user["email"])
        asked.put(path, changed).expect(409, 400, why=why)
        asked.get(path).expect(200).has(HALF, **other)
    if rows_with(api, user["email"]) != [user]:
        fail("after a refusal the address is not the one user's, as before.", why)
    create(api)


@pytest.mark.step(6)
def test_create_user_twice_at_once(api: Api) -> None:
    """Of eight equal POST /async/users at one moment one is answered 201, the others 409 or 400."""
    # Each write is held back by 20 ms: to get through, an app that looks first would have to
    # serve one request before the second has come, four times.
    for _ in range(4):
        create_twice_at_once(api, a_user())


def create_twice_at_once(api: Api, sent: dict[str, Any]) -> None:
    """Race eight equal requests; fail unless one of them wins."""
    one_wins(api, "/async/users", sent, lambda: len(rows_with(api, sent["email"])))


@pytest.mark.step(6)
def test_update_users_at_once(api: Api) -> None:
    """Of four users who take one address at one moment one gets it, the others 409 or 400."""
    users = [create(api) for _ in range(4)]
    for _ in range(3):
        take_one_address_at_once(api, users, a_user())


def take_one_address_at_once(api: Api, users: list[dict[str, Any]], sent: dict[str, Any]) -> None:
    """Race one PUT for each user, all with the same address; fail unless one of them wins."""
    replies = api.at_once(
        len(users), lambda number: api.put(f"/async/users/{users[number]['id']}", sent)
    )
    statuses = sorted(reply.expect(200, 409, 400).status for reply in replies)
    if statuses.count(200) != 1 or len(rows_with(api, sent["email"])) != 1:
        why = "a SELECT before the UPDATE is the only guard, or a lock in one process."
        fail(f"four PUT with one address at one moment were answered {statuses}.", why)


@pytest.mark.step(7)
def test_answered_means_committed(api: Api) -> None:
    """The commit is done when the answer is sent."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    committed(api.post("/async/users", a_user()))
    committed(api.put(path, a_user()))
    post = {"title": "Notes", "content": "Twenty characters at the least."}
    committed(api.post("/posts", post | {"author_id": user["id"]}))
    committed(api.delete(path))


def committed(reply: Reply) -> None:
    """Fail if the commit came after the answer."""
    reply.expect(200, 201, 204)
    if reply.late_commit:
        reply.wrong(
            "the answer was sent before the commit: a commit that fails is answered with success.",
            "the commit stands after the `yield` of a dependency. Commit in the route, or write "
            'Depends(get_session, scope="function").',
        )
