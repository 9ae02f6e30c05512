"""Checks of exercise 05; over HTTP only, and a header says how many statements it took."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, unique

SHORT, LONG = 2, 5
COLUMNS_ONLY = (
    "the response class does not name it, or as text only: a table class, like model_dump(), "
    "answers its columns only, without its relationships."
)
MISSING = (
    "an inner JOIN leaves out rows without a partner; a JOIN with a list beside a LIMIT cuts the "
    "joined rows: limit has to count posts."
)
ON_ERROR = (
    "a joinedload() of a list wants .unique() before .all(), and a response class has to take null "
    "where there is no author."
)
ON_422 = (
    "limit may be up to 100; `/posts/{post_id}` above `/posts/with-comments` takes it for an id."
)
WINDOW = "skip or limit does not reach the query, or the order is not by id."


def create(api: Api, path: str, **sent: Any) -> dict[str, Any]:
    """Create a row through the API; give what was sent, and the id."""
    return sent | {"id": api.post(path, sent).expect(201, 200).id}


def create_user(api: Api) -> dict[str, Any]:
    """Create a user."""
    email = f"{unique('ada.')}@example.com"
    return create(api, "/users", name=unique("Ada "), email=email, age=36)


def create_post(api: Api, author: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Create a post, without tags unless they are given."""
    sent = {"title": unique("Post "), "content": "What there is to say about it."} | changes
    return create(api, "/posts", author_id=author["id"], **sent)


def create_full_posts(api: Api, number: int, comments_each: int = 0) -> list[dict[str, Any]]:
    """Create posts, each with an author, two tags and comments of its own."""
    posts = []
    for _ in range(number):
        author = create_user(api)
        tags = [create(api, "/tags", name=unique("tag-")) for _ in range(2)]
        post = create_post(api, author, tag_ids=[tag["id"] for tag in tags])
        path = f"/posts/{post['id']}/comments"
        comments = [
            create(api, path, body=unique("I see "), author_id=author["id"])
            for _ in range(comments_each)
        ]
        posts.append(post | {"author": author, "tags": tags, "comments": comments})
    return posts


def read_last(api: Api, path: str, made: list[dict[str, Any]], limit: int) -> Reply:
    """Read the first of the posts that were just made; fail unless each comes once."""
    first = api.get(f"{path}?skip=0&limit=100")
    first.expect(200, why=ON_422 if first.status == 422 else ON_ERROR).items()
    ids = [post["id"] for post in made]
    before = sorted(row["id"] for row in api.list_all("/posts") if row["id"] < ids[0])
    reply = api.get(f"{path}?skip={len(before)}&limit={limit}").expect(200, why=ON_ERROR)
    got = [row["id"] for row in reply.items()]
    if got != ids[:limit]:
        window = got != sorted(got) or len(got) > limit or got == (before + ids)[:limit]
        why = WINDOW if window else MISSING
        reply.wrong(f"the posts {got} are listed, not {ids[:limit]}.", why)
    return reply


def expect_nested(reply: Reply, made: list[dict[str, Any]], field: str, key: str) -> None:
    """Fail unless each post has its own related rows, each once."""
    for row, post in zip(reply.items(), made, strict=False):
        got = row.get(field)
        if not isinstance(got, list) or not all(isinstance(each, dict) for each in got):
            reply.wrong(f"post {row['id']} has no list of objects under {field!r}.", COLUMNS_ONLY)
        found = sorted(((each.get("id"), each.get(key)) for each in got), key=str)
        wanted = sorted(((each["id"], each[key]) for each in post[field]), key=str)
        if found != wanted:
            reply.wrong(
                f"post {row['id']} has the {field} {found}, not {wanted}.",
                "the rows of another post came, or some are left out or doubled by a JOIN.",
            )


def expect_as_many(short: Reply, long: Reply, what: str) -> None:
    """Fail when the longer answer took more statements."""
    if long.statements > short.statements:
        long.wrong(
            f"{long.statements} statements for {what}, {short.statements} for fewer; "
            f"the most frequent:\n{long.sql}",
            "N+1: there is a query for each row, by a lazy relationship or in a loop. "
            "joinedload() for one row and selectinload() for a list bring them along.",
        )


@pytest.mark.step(1)
def test_posts_with_author(api: Api) -> None:
    """GET /posts answers each post with its author in it."""
    made = create_full_posts(api, 2)
    reply = read_last(api, "/posts", made, 2)
    for row, post in zip(reply.items(), made, strict=True):
        author = row.get("author")
        if not isinstance(author, dict):
            reply.wrong("there is no object under 'author'.", COLUMNS_ONLY)
        wanted = (post["author"]["id"], post["author"]["name"])
        if (author.get("id"), author.get("name")) != wanted:
            reply.wrong(f"the author of post {row['id']} is not {wanted[1]!r}.", COLUMNS_ONLY)


@pytest.mark.step(1)
def test_posts_without_author(api: Api) -> None:
    """A post without an author is in the list too."""
    path = "/posts"
    sent = {"title": unique("Post "), "content": "What there is to say about it."}
    made = api.post(path, sent).expect(201, 200, 422)
    if not made.ok:
        return  # an app in which each post has to have an author
    post = made.object()
    reply = read_last(api, path, [post], 1)
    if reply.items()[0].get("author", "") is not None:
        reply.wrong("the field 'author' is not null.", COLUMNS_ONLY)


@pytest.mark.step(1)
def test_posts_with_author_take_as_many_statements(api: Api) -> None:
    """GET /posts takes as many statements for five posts of five authors as for two."""
    made = create_full_posts(api, LONG)
    short, long = (read_last(api, "/posts", made, limit) for limit in (SHORT, LONG))
    expect_as_many(short, long, "five posts")


@pytest.mark.step(2)
def test_posts_with_tags(api: Api) -> None:
    """GET /posts answers each post with its tags in it."""
    made = [*create_full_posts(api, 2), create_post(api, create_user(api)) | {"tags": []}]
    reply = read_last(api, "/posts", made, 3)
    expect_nested(reply, made, "tags", "name")


@pytest.mark.step(2)
def test_posts_with_tags_take_as_many_statements(api: Api) -> None:
    """GET /posts takes as many statements for five posts with tags as for two."""
    made = create_full_posts(api, LONG)
    short, long = (read_last(api, "/posts", made, limit) for limit in (SHORT, LONG))
    expect_nested(long, made, "tags", "name")
    expect_as_many(short, long, "five posts with two tags each")


@pytest.mark.step(3)
def test_posts_with_comments(api: Api) -> None:
    """GET /posts/with-comments answers each post with its tags and comments in it."""
    nothing = create_post(api, create_user(api)) | {"tags": [], "comments": []}
    made = [nothing, *create_full_posts(api, 2, comments_each=2)]
    reply = read_last(api, "/posts/with-comments", made, 3)
    expect_nested(reply, made, "tags", "name")
    expect_nested(reply, made, "comments", "body")


@pytest.mark.step(3)
def test_posts_with_comments_take_as_many_statements(api: Api) -> None:
    """GET /posts/with-comments takes as many statements for five posts as for two."""
    made = create_full_posts(api, LONG, comments_each=2)
    short, long = (read_last(api, "/posts/with-comments", made, limit) for limit in (SHORT, LONG))
    expect_nested(long, made, "comments", "body")
    expect_as_many(short, long, "five posts with two tags and two comments each")


def read_user(api: Api, user: dict[str, Any], posts: list[dict[str, Any]]) -> Reply:
    """Read a user with posts; fail unless the posts are these."""
    why = "an inner JOIN finds no user who has no posts, and an empty list is no reason for a 404."
    reply = api.get(f"/users/{user['id']}/posts").expect(200, why=why)
    reply.has("the answer is the user, with the list as a field.", id=user["id"], name=user["name"])
    expect_nested_posts(reply, posts)
    return reply


def expect_nested_posts(reply: Reply, posts: list[dict[str, Any]]) -> None:
    """Fail unless the answered user has these posts."""
    got = reply.object().get("posts")
    if not isinstance(got, list) or not all(isinstance(post, dict) for post in got):
        reply.wrong("there is no list of objects under 'posts'.", COLUMNS_ONLY)
    found = sorted(((post.get("id"), post.get("title")) for post in got), key=str)
    wanted = sorted(((post["id"], post["title"]) for post in posts), key=str)
    if found != wanted:
        why = "the WHERE or the join is not right, or a default stands in for the posts."
        reply.wrong(f"the posts are {found}, not {wanted}.", why)


@pytest.mark.step(4)
def test_user_with_posts(api: Api) -> None:
    """GET /users/{id}/posts answers the user with all posts, and with no one else's."""
    user, other, quiet = (create_user(api) for _ in range(3))
    posts = [create_post(api, user) for _ in range(2)]
    read_user(api, other, [create_post(api, other)])
    read_user(api, user, posts)
    read_user(api, quiet, [])


@pytest.mark.step(4)
def test_user_with_posts_not_found(api: Api) -> None:
    """GET /users/{id}/posts answers 404 when there is no such user."""
    why = "get() or first() gave None, and None was answered or used; .one() raises instead."
    api.get(f"/users/{NO_SUCH_ID}/posts").expect(404, why=why)


@pytest.mark.step(4)
def test_user_with_posts_takes_as_many_statements(api: Api) -> None:
    """GET /users/{id}/posts takes as many statements for five posts as for one."""
    one, many = create_user(api), create_user(api)
    short = read_user(api, one, [create_post(api, one)])
    long = read_user(api, many, [create_post(api, many) for _ in range(5)])
    expect_as_many(short, long, "a user with five posts")
