"""Checks of exercise 13; whether a statement blocks the event loop is seen inside the app."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

NO_COMMIT = (
    "no commit, or an `await` is missing: `session.commit()`, and `session.get(…)` as well, alone "
    "make a coroutine that nobody runs."
)
BLOCKED = (
    "a sync Session in an async route. It runs on the event loop, the one thread that serves all: "
    "make the engine with create_async_engine(), the session with AsyncSession, and await."
)


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    return {"name": "Ada Lovelace", "email": f"{unique('ada.')}@example.com"} | changes


def create(api: Api, **changes: Any) -> dict[str, Any]:
    """Create a user through the API; give the answered row."""
    sent = a_user(**changes)
    reply = api.post("/async/users", sent).expect(201, 200)
    body = reply.has("the answer is not the stored row.", **sent)
    if body.get("id") is None:
        reply.wrong("the id is null.", NO_COMMIT)
    return sent | {"id": reply.id}


def create_post(api: Api, author_id: int) -> Reply:
    """Store a post of this user."""
    sent = {"title": unique("Notes "), "content": "Twenty characters at the least."}
    reply = api.post("/posts", sent | {"author_id": author_id}).expect(201, 200)
    reply.has("the answer is not the stored row.", **sent)
    return reply


def rows_with(api: Api, email: str) -> list[dict[str, Any]]:
    """Find the stored users with this address."""
    return [row for row in api.list_all("/async/users") if row["email"] == email]


@pytest.mark.step(1)
def test_create_user(api: Api) -> None:
    """POST /async/users stores a user, whom the next request finds."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    api.get(path).expect(200, why=NO_COMMIT).has("this is another row.", **user)


@pytest.mark.step(1)
def test_read_user_closes_its_session(api: Api) -> None:
    """GET /async/users/{id} gives its connection back."""
    reply = api.get(f"/async/users/{create(api)['id']}").expect(200, why=NO_COMMIT)
    if reply.open_connections:
        reply.wrong(
            "the request kept its connection; after a few more the pool is empty.",
            "the session is never closed: `async with AsyncSession(…) as session: yield session`.",
        )


@pytest.mark.step(1)
def test_created_user_survives_a_restart(api: Api) -> None:
    """A user is still there when the server has been restarted."""
    user = create(api)
    api.restart()
    api.get(f"/async/users/{user['id']}").expect(200, why=NO_COMMIT).has(NO_COMMIT, **user)


@pytest.mark.step(1)
def test_create_user_refuses_invalid_input(api: Api) -> None:
    """POST /async/users answers 422 to a name that is too short and to a missing address."""
    why = (
        "the bound is missing in the input class, or the table class is the request body: a class "
        "with table=True does not validate."
    )
    api.post("/async/users", a_user(name="A")).expect(422, why=why)
    api.post("/async/users", {"name": "Ada"}).expect(422, why=why)


@pytest.mark.step(1)
def test_read_user_not_found(api: Api) -> None:
    """GET /async/users/{id} answers 404 when there is no such user."""
    why = "session.get() gave None, and None was answered or used."
    api.get(f"/async/users/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_list_users(api: Api) -> None:
    """GET /async/users lists the users by id; skip and limit cut the list."""
    users = [create(api) for _ in range(4)]
    # PostgreSQL moves an updated row; PUT itself is checked in step 3.
    api.put(f"/async/users/{users[0]['id']}", a_user())
    reply = api.get("/async/users")
    why = "the brackets are missing: `(await session.exec(statement)).all()`."
    reply.expect(200, why=why if "coroutine" in reply.error else "")
    ids = [row["id"] for row in api.list_all("/async/users")]
    missing = {user["id"] for user in users} - set(ids)
    if missing:
        fail(f"GET /async/users never listed the users {sorted(missing)}.", NO_COMMIT)
    if ids != sorted(ids):
        fail(f"GET /async/users answered the ids {ids[-12:]}.", "no ORDER BY.")
    reply = api.get(f"/async/users?skip={len(ids) - 3}&limit=2").expect(200)
    if [row["id"] for row in reply.items()] != ids[-3:-1]:
        reply.wrong(f"these are not the users {ids[-3:-1]}.", "skip or limit does not reach it.")


@pytest.mark.step(3)
def test_update_user(api: Api) -> None:
    """PUT /async/users/{id} replaces the user's data, for good."""
    user, sent = create(api), a_user(name="Grace Hopper")
    path = f"/async/users/{user['id']}"
    why = "the answer is not the changed row."
    api.put(path, sent).expect(200).has(why, id=user["id"], **sent)
    api.get(path).expect(200).has(NO_COMMIT, id=user["id"], **sent)


@pytest.mark.step(3)
def test_update_user_not_found(api: Api) -> None:
    """PUT /async/users/{id} answers 404 when there is no such user."""
    why = "the row is changed without looking whether it is there."
    api.put(f"/async/users/{NO_SUCH_ID}", a_user()).expect(404, why=why)


@pytest.mark.step(3)
def test_delete_user(api: Api) -> None:
    """DELETE /async/users/{id} removes the user; 404 when there is none."""
    user = create(api)
    path = f"/async/users/{user['id']}"
    api.delete(path).expect(204, 200)
    why = "`session.delete(user)` without await does nothing, and it needs a commit after it."
    api.get(path).expect(404, why=why)
    api.delete(path).expect(404, why="the row is deleted without looking whether it is there.")


@pytest.mark.step(4)
def test_read_user_with_posts(api: Api) -> None:
    """GET /async/users/{id}/with-posts answers the user with their posts, and no others."""
    user, other = create(api), create(api)
    posts = [create_post(api, user["id"]).body for _ in range(3)]
    create_post(api, other["id"])
    reply = api.get(f"/async/users/{user['id']}/with-posts").expect(200)
    body = reply.has("this is another user.", **user)
    got = body.get("posts")
    if not isinstance(got, list) or not all(isinstance(post, dict) for post in got):
        reply.wrong("there is no list of posts under 'posts'.", "the response model has none.")
    titles = sorted(post["title"] for post in posts)
    if sorted(str(post.get("title")) for post in got) != titles:
        reply.wrong("these are not the user's three posts.", NO_COMMIT)


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
    if three.statements > max(none.statements, 2):
        three.wrong(
            f"it took {three.statements} statements, {none.statements} without posts:\n{three.sql}",
            "N+1: one SELECT for each post; load them together with selectinload().",
        )


@pytest.mark.step(4)
def test_delete_user_with_posts(api: Api) -> None:
    """DELETE /async/users/{id} deletes the user's posts as well."""
    user = create(api)
    create_post(api, user["id"])
    why = (
        "the posts still point at the user: cascade_delete=True in the relationship, or a DELETE "
        "of the posts before it."
    )
    reply = api.delete(f"/async/users/{user['id']}")
    if not reply.ok:
        reply.wrong("a user with a post cannot be deleted.", why)
    # SQLite gives the id of a deleted last row to the next one.
    reply = api.get(f"/async/users/{create(api)['id']}/with-posts").expect(200)
    if reply.object().get("posts") != []:
        reply.wrong("a new user has posts, of a user who was deleted.", why)


@pytest.mark.step(4)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_posts_of_nobody(api: Api, method: str) -> None:
    """There are no posts of a user who is not there: 404."""
    if method == "GET":
        reply = api.get(f"/async/users/{NO_SUCH_ID}/with-posts")
    else:
        body = {"title": "Notes", "content": "Twenty characters at the least."}
        reply = api.post("/posts", body | {"author_id": NO_SUCH_ID})
    reply.expect(404, why="the user is not looked for; SQLite does not mind a wrong author_id.")


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
    not_blocking(api.post("/posts", post | {"author_id": user["id"]}))
    awaited(api.get(f"{path}/with-posts"))
    awaited(api.delete(path))


def not_blocking(reply: Reply) -> Reply:
    """Fail if the request's statements ran on the event loop's own thread."""
    reply.expect(200, 201, 204)
    if "loop" in reply.ran:
        reply.wrong(
            "while its SQL ran, the server could answer nobody else: the statements blocked the "
            f"event loop.\n{reply.sql}",
            BLOCKED,
        )
    return reply


def awaited(reply: Reply) -> None:
    """Fail unless the request's statements were awaited."""
    if "thread" in not_blocking(reply).ran:
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
    why = "one AsyncSession for all requests: what two of them do at once gets mixed up."
    replies = api.at_once(8, lambda number: api.post("/async/users", sent[number]))
    for reply, user in zip(replies, sent, strict=True):
        user_id = reply.expect(201, 200, why=why).has(why, **user).get("id")
        api.get(f"/async/users/{user_id}").expect(200, why=why).has(why, **user)


@pytest.mark.step(6)
def test_create_user_with_taken_email(api: Api) -> None:
    """POST and PUT answer 409 or 400 to an address that is taken, and the app works on."""
    user, other = create(api), create(api)
    why = "the column has no unique=True, or its IntegrityError is not caught."
    api.post("/async/users", a_user(email=user["email"])).expect(409, 400, why=why)
    path = f"/async/users/{other['id']}"
    api.put(path, a_user(email=user["email"])).expect(409, 400, why=why)
    api.get(path).expect(200).has("the refused change was stored.", **other)
    create(api)


@pytest.mark.step(6)
def test_create_user_twice_at_once(api: Api) -> None:
    """Of eight equal POST /async/users at one moment one is answered 201, the others 409 or 400."""
    # Each write is held back by 20 ms: to get through, an app that looks first would have to
    # serve one request before the second has come, six times.
    for _ in range(6):
        create_eight_times_at_once(api, a_user())


def create_eight_times_at_once(api: Api, sent: dict[str, Any]) -> None:
    """Race eight equal requests; fail unless one of them wins."""
    why = (
        "a SELECT before the INSERT is the only guard: all requests look before one has written. "
        "Let the unique constraint decide, and catch its IntegrityError."
    )
    replies = api.at_once(8, lambda number: api.post("/async/users", sent))
    statuses = [reply.expect(201, 200, 409, 400, why=why).status for reply in replies]
    if sum(reply.ok for reply in replies) != 1 or len(rows_with(api, sent["email"])) != 1:
        fail(f"eight equal POST /async/users at once were answered {sorted(statuses)}.", why)


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
