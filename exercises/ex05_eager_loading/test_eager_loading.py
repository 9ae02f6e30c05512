"""Checks of exercise 05; over HTTP only, and a header says how many statements it took."""

from collections.abc import Sequence
from typing import Any

import pytest

from exercises.causes import EXCEPTIONS, Guesses
from exercises.checks import (
    AWKWARD_TEXTS,
    NO_SUCH_ID,
    Api,
    Reply,
    as_json,
    ask_ahead,
    found,
    shorten,
    unique,
)

Row = dict[str, Any]
SHORT, LONG = 2, 10
MANY = 60  # more than a smaller limit lets through
ALL = 100  # posts of a user; a longer list may come in parts
FEW_ROWS = 20  # more than the rows of two posts, or of a user without any
LONG_TEXT = ("I see.\n" * 200).strip()
# What a comment says that others do not, by its place below the post.
SAID = {n + 10: text for n, text in enumerate(AWKWARD_TEXTS)} | {29: LONG_TEXT}
# For each post of the library: the place of its author, those of its tags, how many comments.
LIBRARY = (
    (2, (0, 1), 2),
    (0, (1,), 0),
    (2, tuple(range(21)), 1),
    (1, (), 3),
    (0, (), 0),
    (2, (2,), 1),
    (1, (2, 0), 30),
)
COLUMNS_ONLY = (
    "the response class does not name it, or as text only: a table class, like model_dump(), "
    "answers its columns only, without its relationships."
)
MISSING = (
    "an inner JOIN leaves out rows without a partner; a JOIN with a list beside a LIMIT cuts the "
    "joined rows: limit has to count posts."
)
WINDOW = "skip or limit does not reach the query as it was sent."
ORDER = "the order is not by id: the WHERE or the JOIN decides it, or another column."
DOUBLED = (
    "a JOIN with a list repeats the post for each row of the list: .unique(), or selectinload."
)
OTHERS = "the rows of another post came, or some are left out or doubled by a JOIN."
TAKEN_FOR_ONE = (
    "rows that say the same are taken for one, in a set or by a DISTINCT: the id tells them apart. "
    "Or the list is cut."
)
NULL_LEFT_OUT = (
    "what is null is left out of the answer: response_model_exclude_none; or the response class "
    "does not name the field."
)
NO_LIST: Guesses = {
    "unique()": "a joinedload() of a list wants .unique() before .all().",
    "DetachedInstanceError": EXCEPTIONS["DetachedInstanceError"],
    "validation error": "a response class has to take null where there is no author, and an "
    "empty list.",
    422: "limit may be up to 100; `/posts/{post_id}` above `/posts/with-comments` takes it for an "
    "id.",
}
N_PLUS_1 = (
    "N+1: there is a query for each row, by a lazy relationship or in a loop. joinedload() for one "
    "row and selectinload() for a list bring them along."
)
REMEMBERED = (
    "rows are remembered in memory, where another server process does not change them: load them "
    "for each request."
)


def create(api: Api, path: str, **sent: Any) -> Row:
    """Create a row through the API; give what was sent, and the id."""
    return sent | {"id": api.post(path, sent).expect(201, 200).id}


def create_user(api: Api, name: str = "") -> Row:
    """Create a user."""
    email = f"{unique('ada.')}@example.com"
    return create(api, "/users", name=name or unique("Ada "), email=email, age=36)


def create_tags(api: Api, number: int) -> list[Row]:
    """Create tags."""
    return [create(api, "/tags", name=unique("tag, ")) for _ in range(number)]


def create_post(
    api: Api,
    author: Row | None,
    tags: Sequence[Row] = (),
    comments: int = 0,
    commenters: Sequence[Row | None] = (),
    **changes: Any,
) -> Row:
    """Create a post with comments that mostly say the same; give it as a list should show it."""
    content = f"What there is to say about <{unique('it ')}> & you.\n" * 100
    sent = {"title": unique("Post "), "content": content.strip()} | changes
    ids = [tag["id"] for tag in tags]
    post = create(api, "/posts", author_id=author and author["id"], tag_ids=ids, **sent)
    who = [each and each["id"] for each in commenters or (author,)]
    said = [
        {"body": SAID.get(n, "I see."), "author_id": who[n % len(who)]} for n in range(comments)
    ]
    made = [create(api, f"/posts/{post['id']}/comments", **each) for each in said]
    return post | {"author": author, "tags": list(tags), "comments": made}


@pytest.fixture(scope="module")
def library(api: Api) -> list[Row]:
    """Create posts that share authors, tags, titles and names; no title follows the ids."""
    name = unique("Ada ")
    authors, tags = [create_user(api, name) for _ in range(3)], create_tags(api, 21)
    twin = api.post("/tags", {"name": tags[0]["name"]})
    if twin.ok and twin.id != tags[0]["id"]:  # else an app in which a name is there once
        tags[1] = {"id": twin.id, "name": tags[0]["name"]}
    return [
        create_post(
            api,
            authors[author],
            [tags[place] for place in places],
            comments,
            authors,
            title=f"{(3 * n + 2) % 5} of five",
        )
        for n, (author, places, comments) in enumerate(LIBRARY)
    ]


def read_posts(api: Api, path: str, skip: int, limit: int) -> Reply:
    """Read a part of a list of posts."""
    return api.get(f"{path}?skip={skip}&limit={limit}").expect(200, why=NO_LIST)


def all_posts(api: Api) -> list[Row]:
    """List all posts, in windows that are small enough for most mistakes."""
    read_posts(api, "/posts", 0, 100)
    return api.list_all("/posts", limit=10)


def place_of(api: Api, post: Row) -> int:
    """Count the posts before this one."""
    return sum(row["id"] < post["id"] for row in all_posts(api))


def expect_posts(reply: Reply, wanted: list[Row], why: str = "") -> None:
    """Fail unless the list has these posts, each once and with its own columns."""
    rows = reply.rows()
    got, ids = [row["id"] for row in rows], [post["id"] for post in wanted]
    if got != ids:
        cause = why or why_not(got, ids)
        reply.wrong(f"the posts {shorten(got)} are listed, not {shorten(ids)}.", cause)
    for row, post in zip(rows, wanted, strict=True):
        for name in ("title", "content"):
            if name in post and row.get(name) != post[name]:
                why = "the text is cut or changed." if row.get(name) else COLUMNS_ONLY
                reply.wrong(f"post {row['id']} does not show its {name} as it was sent.", why)


def why_not(got: list[int], wanted: list[int]) -> str:
    """Say what makes a list of other posts."""
    if len(set(got)) < len(got):
        return DOUBLED
    if got != sorted(got):
        return ORDER
    return MISSING if set(got) < set(wanted) else WINDOW


def expect_related(reply: Reply, posts: list[Row], field: str) -> None:
    """Fail unless each post shows its own related rows, each once."""
    for row, post in zip(reply.items(), posts, strict=True):
        if field == "author":
            expect_author(reply, row, post["author"])
        else:
            key = "name" if field == "tags" else "body"
            expect_nested(reply, f"post {row['id']}", row, post, field, key)


def expect_author(reply: Reply, row: Row, author: Row | None) -> None:
    """Fail unless the post shows this author, or null."""
    got = row.get("author", "nothing")
    if author is None:
        if got == "nothing":
            reply.wrong("there is no field 'author', which is null here.", NULL_LEFT_OUT)
        if got is not None:
            reply.wrong("the field 'author' is not null.", COLUMNS_ONLY)
        return
    if not isinstance(got, dict):
        reply.wrong("there is no object under 'author'.", COLUMNS_ONLY)
    for name in ("id", "name"):
        if got.get(name) != author[name]:
            shown, wanted = as_json(got.get(name)), as_json(author[name])
            reply.wrong(
                f"the author of post {row['id']} has the {name} {shown}, not {wanted}.", OTHERS
            )


def expect_nested(reply: Reply, what: str, row: Row, wanted: Row, field: str, key: str) -> None:
    """Fail unless the row shows exactly these related rows, in any order."""
    got = row.get(field)
    if not isinstance(got, list) or not all(isinstance(each, dict) for each in got):
        reply.wrong(f"{what} has no list of objects under {field!r}.", COLUMNS_ONLY)
    shown = sorted(((each.get("id"), each.get(key)) for each in got), key=str)
    expected = sorted(((each["id"], each[key]) for each in wanted[field]), key=str)
    if shown != expected:
        same_texts = {text for _, text in shown} == {text for _, text in expected}
        why = TAKEN_FOR_ONE if same_texts and set(shown) < set(expected) else OTHERS
        if [number for number, _ in shown] == [number for number, _ in expected]:
            why = "the texts are cut or changed."
        reply.wrong(f"{what} has the {field} {shorten(shown)}, not {shorten(expected)}.", why)


def expect_as_many(short: Reply, long: Reply, what: str) -> None:
    """Fail when the longer answer took more statements."""
    if long.statements > short.statements:
        long.wrong(
            f"{long.statements} statements for {what}, {short.statements} for fewer; "
            f"the most frequent first:\n{long.sql}",
            N_PLUS_1,
        )


def check_library(api: Api, library: list[Row], path: str, field: str) -> None:
    """Read the library in several windows; fail unless every post shows the related rows."""
    start = place_of(api, library[0])
    for skip, limit in ((0, 7), (0, 2), (2, 3), (6, 1)):
        wanted = library[skip : skip + limit]
        reply = read_posts(api, path, start + skip, limit)
        expect_posts(reply, wanted)
        expect_related(reply, wanted, field)


def check_statements(api: Api, path: str, comments: int, *fields: str) -> None:
    """Read posts that this server process has never seen; many take as many statements as few."""
    other = api.second()
    known = all_posts(api)
    start, replies = len(known), []
    ahead = read_posts(api, path, start, LONG)
    if any(row["id"] > known[-1]["id"] for row in ahead.rows() if known):
        ahead.wrong("there are posts that GET /posts?skip=0&limit=100 does not show.", REMEMBERED)
    expect_posts(ahead, [])
    for number in (LONG, SHORT):
        tags = create_tags(other, number + 1)
        # Who writes a comment is not the author of a post, whom the session would know already.
        commenters = [create_user(other) for _ in range(number * comments)]
        posts = [
            create_post(other, create_user(other), tags[n : n + 2], comments, commenters[n : n + 1])
            for n in range(number)
        ]
        reply = read_posts(api, path, start, number)
        expect_posts(reply, posts, "" if reply.items() else REMEMBERED)
        for field in fields:
            expect_related(reply, posts, field)
        replies.append(reply)
        start += number
    expect_as_many(replies[1], replies[0], f"{LONG} posts, each with rows of its own")


@pytest.mark.step(1)
def test_posts_with_author(api: Api, library: list[Row]) -> None:
    """GET /posts answers each post with its author in it."""
    check_library(api, library, "/posts", "author")


@pytest.mark.step(1)
def test_posts_without_author(api: Api) -> None:
    """A post without an author is in the list too."""
    made = api.post("/posts", {"title": "Nobody's", "content": "Found."}).expect(201, 200, 422)
    if not made.ok:
        return  # an app in which each post has to have an author
    post = {"title": "Nobody's", "content": "Found.", "author": None, "id": made.id}
    reply = read_posts(api, "/posts", place_of(api, post), 1)
    expect_posts(reply, [post])
    expect_related(reply, [post], "author")


@pytest.mark.step(1)
def test_posts_with_author_take_as_many_statements(api: Api) -> None:
    """GET /posts takes as many statements for ten posts of ten authors as for two."""
    check_statements(api, "/posts", 0, "author")


def check_limits(api: Api, path: str) -> None:
    """Fail unless ten posts come by default, and as many as there are up to a hundred."""
    posts = all_posts(api)
    new = max(SHORT, MANY - len(posts))
    posts += [create_post(api, create_user(api)) for _ in range(new)]
    start = max(0, len(posts) - 100)
    longest, shorter = (read_posts(api, path, start, limit) for limit in (100, 99))
    old = len(shorter.items()) > len(longest.items())
    why = REMEMBERED if old else "a smaller number than the limit that was sent reaches the query."
    expect_posts(longest, posts[start:], why)
    reply = api.get(f"{path}?skip={start}").expect(200, why=NO_LIST)
    expect_posts(reply, posts[start : start + 10], "limit is not 10 by default.")
    expect_as_many(reply, longest, f"{len(posts) - start} posts")
    first = api.get(f"{path}?limit=3").expect(200, why=NO_LIST)
    expect_posts(first, posts[:3], "skip is not 0 by default.")
    few = read_posts(api, path, len(posts) - SHORT, SHORT)
    expect_few_rows(few, f"{SHORT} posts of {len(posts)}, without tags and comments,")


def expect_few_rows(reply: Reply, what: str) -> None:
    """Fail when rows were fetched that are not in the answer."""
    if reply.rows_fetched > FEW_ROWS:
        reply.wrong(
            f"for {what} {reply.rows_fetched} rows were fetched:\n{reply.sql}",
            "all rows of a table are read, and most are thrown away in Python: .offset(skip)."
            "limit(limit) belongs into the query, or a WHERE with the ids of these rows.",
        )


@pytest.mark.step(1)
def test_posts_up_to_the_largest_limit(api: Api) -> None:
    """GET /posts answers ten posts by default, and up to a hundred."""
    check_limits(api, "/posts")


@pytest.mark.step(2)
def test_posts_with_tags(api: Api, library: list[Row]) -> None:
    """GET /posts answers each post with its tags in it."""
    check_library(api, library, "/posts", "tags")


@pytest.mark.step(2)
def test_posts_with_tags_take_as_many_statements(api: Api) -> None:
    """GET /posts takes as many statements for ten posts with tags as for two."""
    check_statements(api, "/posts", 0, "author", "tags")


@pytest.mark.step(3)
@pytest.mark.parametrize("field", ["tags", "comments"])
def test_posts_with_comments(api: Api, library: list[Row], field: str) -> None:
    """GET /posts/with-comments answers each post with its tags and comments in it."""
    check_library(api, library, "/posts/with-comments", field)


@pytest.mark.step(3)
def test_posts_with_comments_without_authors(api: Api) -> None:
    """A post or a comment of nobody is in the list too."""
    made = api.post("/posts", {"title": "Nobody's", "content": "Found."}).expect(201, 200, 422)
    author = create_user(api)
    post = create_post(api, author, comments=1)
    said = api.post(f"/posts/{post['id']}/comments", {"body": "Me too."}).expect(201, 200, 422)
    if said.ok:  # else an app in which each comment has to have an author
        post["comments"] += [{"id": said.id, "body": "Me too."}]
    start = place_of(api, post) - made.ok
    reply = read_posts(api, "/posts/with-comments", start, 2)
    nobodys = {"id": made.id, "title": "Nobody's", "content": "Found."} if made.ok else {}
    expect_posts(reply, [nobodys, post] if nobodys else [post])
    none = {**nobodys, "tags": [], "comments": []}
    expect_related(reply, [none, post] if nobodys else [post], "comments")


@pytest.mark.step(3)
def test_posts_with_a_new_comment(api: Api) -> None:
    """A comment that was made a moment ago, by another server process too, is in the list."""
    post = create_post(api, create_user(api), comments=1)
    start = place_of(api, post)
    for process in (api, api.second()):
        said = {"body": unique("Me too "), "author_id": post["author"]["id"]}
        post["comments"] += [create(process, f"/posts/{post['id']}/comments", **said)]
        reply = read_posts(api, "/posts/with-comments", start, 1)
        expect_posts(reply, [post])
        shown = reply.items()[0].get("comments")
        if isinstance(shown, list) and len(shown) < len(post["comments"]):
            reply.wrong("the newest comment is not there.", REMEMBERED)
        expect_related(reply, [post], "comments")


@pytest.mark.step(3)
def test_posts_with_comments_take_as_many_statements(api: Api) -> None:
    """GET /posts/with-comments takes as many statements for ten posts as for two."""
    check_statements(api, "/posts/with-comments", 1, "tags", "comments")


@pytest.mark.step(3)
def test_posts_with_comments_up_to_the_largest_limit(api: Api) -> None:
    """GET /posts/with-comments answers ten posts by default, and up to a hundred."""
    check_limits(api, "/posts/with-comments")


def read_user(api: Api, user: Row, posts: list[Row]) -> Reply:
    """Read a user with posts; fail unless the posts are these."""
    why = "an inner JOIN finds no user who has no posts, and an empty list is no reason for a 404."
    reply = api.get(f"/users/{user['id']}/posts").expect(200, why={404: why, **NO_LIST})
    why = "the answer is the user, id, name and email, with the list as a field."
    reply.has(why, id=user["id"], name=user["name"], email=user["email"])
    expect_nested(reply, "the user", reply.body, {"posts": posts}, "posts", "title")
    texts = {post["id"]: post["content"] for post in posts}
    for row in reply.body["posts"]:
        if row.get("content", texts[row["id"]]) != texts[row["id"]]:
            reply.wrong(f"post {row['id']} does not show its whole text.", "it is cut or changed.")
    return reply


@pytest.mark.step(4)
def test_user_with_posts(api: Api) -> None:
    """GET /users/{id}/posts answers the user with all posts, and with no one else's."""
    user, quiet = create_user(api), create_user(api)
    other = create_user(api, user["name"])
    api.post("/posts", {"title": "Nobody's", "content": "Found."}).expect(201, 200, 422)
    tags = create_tags(api, 2)
    same = [create_post(api, user, title="The same") for _ in range(2)]
    posts = same + [create_post(api, user, tags[: n % 3]) for n in range(ALL - 2)]
    others = [create_post(api, other, tags, comments=1, commenters=[user])]
    twin = api.post("/users", {"name": "Ada", "email": user["email"], "age": 36})
    if twin.ok:  # else an app in which an address is there once
        create_post(api, {"id": twin.id})
    read_user(api, other, others)
    read_user(api, user, posts)
    read_user(api, quiet, [])


@pytest.mark.step(4)
def test_user_with_a_new_post(api: Api) -> None:
    """A post that was made a moment ago, by another server process too, is among the posts."""
    first = create_user(api)
    read_user(api, first, [])
    ask_ahead(api, first["id"], lambda process, number: process.get(f"/users/{number}/posts"))
    user = create_user(api)
    posts: list[Row] = []
    for process in (api, api, api.second()):
        posts.append(create_post(process, user))
        reply = found(api.get(f"/users/{user['id']}/posts"))
        shown = reply.object().get("posts")
        if isinstance(shown, list) and len(shown) < len(posts) > 1:
            reply.wrong("the newest post is not there.", REMEMBERED)
        read_user(api, user, posts)


@pytest.mark.step(4)
def test_user_with_posts_not_found(api: Api) -> None:
    """GET /users/{id}/posts answers 404 when there is no such user."""
    why = "get() or first() gave None, and None was answered or used; .one() raises instead."
    api.get(f"/users/{NO_SUCH_ID}/posts").expect(404, why=why)
    create_user(api)
    why = "a bound refuses the smallest id that there is: ge=1 and not gt=1."
    # Only on a database that was empty is it certain that nobody has deleted this user.
    api.get("/users/1/posts").expect(200, 404, why={422: why})


@pytest.mark.step(4)
def test_user_with_posts_takes_as_many_statements(api: Api) -> None:
    """GET /users/{id}/posts takes as many statements for 30 posts as for one."""
    other = api.second()
    replies = []
    for number in (30, 1):
        user, tags = create_user(other), create_tags(other, number + 1)
        posts = [create_post(other, user, tags[n : n + 2]) for n in range(number)]
        replies.append(read_user(api, user, posts))
    expect_as_many(replies[1], replies[0], "a user with 30 posts")
    expect_few_rows(read_user(api, create_user(other), []), "a user without a post")
