"""Checks of exercise 03; each speaks to the app over HTTP only."""

from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from exercises.causes import Why
from exercises.checks import (
    AS_IT_IS,
    AWKWARD_TEXTS,
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    WHOLE_ROW,
    WILDCARD_TWINS,
    Api,
    Reply,
    as_json,
    ask_ahead,
    fail,
    one_letter,
    one_wins,
    same,
    same_row,
    shorten,
    unique,
    why_accepted,
)

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_STORED_ROW = "the answer is not what was sent: another row, or a text that the app changes."
NOT_FOUND = (
    "session.get() gave None, and None was answered or used; or the error was returned: "
    "`raise HTTPException(404)`."
)
NOT_UNIQUE = "the column has no unique=True, or its IntegrityError is not caught."
IN_ONE_PROCESS = (
    "a dictionary, a list or a cache in memory belongs to one process: another one, and the one "
    "after a restart, know only what is in the database."
)
NOT_VALIDATED = (
    "the table class is the request body: a class with table=True does not validate. Or the field "
    "has a default, or no type; or the app makes a text of a number."
)
NO_TAGS = (
    "the response class does not have `tags: list[Tag]`; a table class answers its columns only, "
    "not its relationships."
)
UNLINKED = "the tags were not given to the post, or went into the answer only: post.tags = tags."
SOME_TAGS = "a limit cuts the tags of a post, or they are not those of this post."
NOT_COUNTED = "fewer tags are found than ids were sent, and nobody compares the two numbers."
ONE_KEY = (
    "a column of the link table is unique, or the primary key, on its own; it takes both columns: "
    "the pair is there only once."
)
IN_PARTS = (
    "a post and its tags are committed one after the other: flush() gives the post its id as well, "
    "and one commit at the end makes all of it permanent."
)
NONE_LEFT = "that no post is left is no error: the list is empty then."
UNSET = "fields that were not sent are written with a default: exclude_unset=True is missing."
ALL_REQUIRED = (
    "title and content are required in the update class, too: a class that inherits them from "
    "that of POST wants all of them."
)

Tags = list[dict[str, Any]]


def create_tag(api: Api, name: str = "") -> dict[str, Any]:
    """Create a tag through the API; give the answered row."""
    api.second()  # it starts before there is anything to be lost
    name = name or unique("tag-")
    reply = api.post("/tags", {"name": name}).expect(201, 200)
    return {"id": id_of(reply, name=name), "name": name}


def id_of(reply: Reply, **sent: Any) -> int:
    """Give the id of the answered row; fail unless the row is what was sent."""
    reply.has(NOT_STORED_ROW, **sent)
    return reply.id


def a_post(**changes: Any) -> dict[str, Any]:
    """Describe a post that no other check knows."""
    return {"title": unique("Post "), "content": "What there is to say about it."} | changes


def create_post(api: Api, *tags: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Create a post with these tags through the API; give what it has to be from now on."""
    sent = a_post(**changes)
    reply = api.post("/posts", sent | {"tag_ids": [tag["id"] for tag in tags]})
    reply.expect(201, 200, why={"onstraint": ONE_KEY})
    post = sent | {"id": id_of(reply, **sent), "tags": list(tags)}
    expect_post(reply, post, SOME_TAGS if reply.body.get("tags") else UNLINKED)
    return post


def path_of(post: dict[str, Any]) -> str:
    """Name the post's path."""
    return f"/posts/{post['id']}"


def expect_post(reply: Reply, post: dict[str, Any], why: str) -> None:
    """Fail unless the answered object is this post, with these tags, each once."""
    expect_among(reply, reply.object(), post, why)


def expect_among(reply: Reply, row: dict[str, Any], post: dict[str, Any], why: str) -> None:
    """Fail unless this one of the answered rows is the post, with these tags, each once."""
    got = row.get("tags")
    if not isinstance(got, list) or not all(isinstance(tag, dict) for tag in got):
        reply.wrong("there is no list of objects under 'tags'.", NO_TAGS)
    if {} in got:
        reply.wrong("a tag is an empty object.", "commit() empties table objects: refresh(post).")
    names = sorted(str(tag.get("name")) for tag in got)
    wanted = sorted(tag["name"] for tag in post["tags"])
    if names != wanted:
        reply.wrong(f"the tags are {shorten(names)}, not {shorten(wanted)}.", why)
    if {tag.get("id") for tag in got} != {tag["id"] for tag in post["tags"]}:
        reply.wrong("the tags do not have the ids that POST /tags answered.", NO_TAGS)
    for field in ("id", "title", "content"):
        if field not in row:
            reply.wrong(f"the field {field!r} is missing.", "the response class leaves it out.")
        if not same(post[field], row.get(field)):
            reply.wrong(f"the field {field!r} is {row.get(field)!r}, not {post[field]!r}.", why)


def is_stored(api: Api, post: dict[str, Any], why: str) -> None:
    """Fail unless each process answers the post as it has to be."""
    reply = api.get(path_of(post)).expect(200, why={404: f"{NO_COMMIT} Or {why}"})
    expect_post(reply, post, why)
    reply = api.second().get(path_of(post)).expect(200, why={404: IN_ONE_PROCESS})
    expect_post(reply, post, f"{IN_ONE_PROCESS} Or one session serves all requests: no commit.")


def expect_posts(reply: Reply, wanted: list[dict[str, Any]], why: str) -> None:
    """Fail unless these posts are listed, in this order, with all that belongs to them."""
    rows = reply.expect(200, why={404: NONE_LEFT}).rows()
    got, ids = [row["id"] for row in rows], [post["id"] for post in wanted]
    if got != ids:
        reply.wrong(f"the posts {shorten(got)} are listed, not {shorten(ids)}.", why)
    why = "the tags of a post are cut: it has these and more."
    if "tag=" in reply.asked:
        why = "the tags are loaded from the join that filters: only the one asked for is in it."
    for row, post in zip(rows, wanted, strict=True):
        expect_among(reply, row, post, why)


def refused(reply: Reply, why: Why, *statuses: int) -> None:
    """Fail unless the request is refused, with nothing changed and its connection given back."""
    reply.expect(*statuses, why=why)
    if reply.commits:
        reply.wrong("the request was refused, and has committed a change.", IN_PARTS)
    if reply.seen.get("open"):
        reply.wrong(
            "the request kept its connection; after a few more the pool is empty.",
            "the session is never closed, or not after an error: `with Session(engine) as "
            "session: yield session`, or session.close() in a `finally`.",
        )


def titles(api: Api) -> list[str]:
    """List the titles of all posts."""
    return [str(post.get("title")) for post in api.list_all("/posts")]


def rows_named(api: Api, name: str, first: int, last: int) -> int:
    """Count the tags of this name among those with an id between the two."""
    posts = [api.post("/posts", a_post(tag_ids=[number])) for number in range(first + 1, last)]
    return sum(post.ok and name in as_json(post.object().get("tags")) for post in posts)


@pytest.mark.step(1)
def test_create_tag(api: Api) -> None:
    """POST /tags stores a tag and answers the row with its id."""
    create_tag(api)


@pytest.mark.step(1)
def test_create_tag_with_taken_name(api: Api) -> None:
    """POST /tags answers 400 or 409 to a name that is taken, in every process."""
    tag = create_tag(api)
    for process in (api, api.second(), api):
        reply = process.post("/tags", {"name": tag["name"]})
        refused(reply, why_accepted(reply, tag["id"]), 409, 400)
        create_tag(process)


@pytest.mark.step(1)
def test_create_tag_of_any_name(api: Api) -> None:
    """A name is text: no sign in it means anything to the app, and no other name is it."""
    end, twins = unique(" "), [name for pair in WILDCARD_TWINS for name in pair[::-1]]
    for text in dict.fromkeys([*twins, *AWKWARD_TEXTS]):
        reply = api.post("/tags", {"name": text.lower() + end})
        twin = "another name counts as this one: == and not like()."
        own = "a rule of the app's own refuses the name: any text is one."
        reply.expect(201, 200, why={422: own, "": twin})
        reply.has(NOT_STORED_ROW, name=text.lower() + end)


@pytest.mark.step(1)
def test_create_tag_at_the_bounds(api: Api) -> None:
    """A name has up to 50 characters; one is enough, and 50 are allowed."""
    why = "a bound that is itself refused, or another one: max_length=50."
    for name in (one_letter(), unique("tag-").ljust(50, "é")):
        reply = api.post("/tags", {"name": name})
        # The one letter may be taken, by an earlier run on the same server.
        reply.expect(201, 200, *[400, 409] * (len(name) == 1), why=why)
        if reply.ok:
            reply.has(why, name=name)


@pytest.mark.step(1)
def test_create_tag_refuses_invalid_name(api: Api) -> None:
    """POST /tags answers 422 to a name that is missing, null or a number."""
    for sent in ({}, {"name": None}, {"name": 7}):
        refused(api.post("/tags", sent), {2: NOT_VALIDATED, 5: NOT_VALIDATED}, 422)


@pytest.mark.step(2)
def test_create_post_with_tags(api: Api) -> None:
    """POST /posts stores a post and answers the row with its tags."""
    create_post(api, create_tag(api), create_tag(api))


@pytest.mark.step(2)
def test_first_tag_and_first_post(api: Api) -> None:
    """The tag and the post with the id 1 are like any others."""
    create_post(api, create_tag(api))
    why = "a bound refuses the smallest id that there is: ge=1 and not gt=1."
    # Only on a database that was empty is it certain that nobody has deleted them.
    api.post("/posts", a_post(tag_ids=[1])).expect(201, 200, 404, why={422: why})
    api.get("/posts/1").expect(200, 404, why={422: why})


@pytest.mark.step(2)
def test_read_post_with_tags(api: Api) -> None:
    """GET /posts/{id} answers the post with its own tags, in every process."""
    python, fastapi = create_tag(api), create_tag(api)
    others = [create_tag(api) for _ in range(24)]
    ask_ahead(api, create_post(api)["id"], lambda process, n: process.get(f"/posts/{n}"))
    both = create_post(api, fastapi, python)
    is_stored(api, both, "the tags were put into the answer and not into the link table.")
    one, many = create_post(api, fastapi), create_post(api.second(), *others[::-1], python)
    is_stored(api, one, "the tags were put into the answer and not into the link table.")
    is_stored(api, many, "not all of the tags are stored.")
    why = (
        "the next post took the tag from this one: a column in the tag holds one post only, many "
        "need a link table."
    )
    is_stored(api, both, why)
    again = create_post(api, fastapi, title=one["title"], content=one["content"])
    if again["id"] == one["id"]:
        why = "a post that is there is taken for the new one: each POST stores a row of its own."
        fail(f"two equal posts were both answered with the id {one['id']}.", why)
    create_post(api, python, title=one["title"], content=one["content"])
    is_stored(api, one, "another post with the same title was written over it.")


@pytest.mark.step(2)
def test_create_post_ignores_id(api: Api) -> None:
    """POST /posts leaves alone the post whose id the client sends."""
    post = create_post(api, create_tag(api))
    api.post("/posts", a_post(id=post["id"])).expect(201, 200, 422, 400, 409)
    is_stored(api, post, "the id is taken from the body: the input class has none.")


@pytest.mark.step(2)
def test_post_is_stored_as_sent(api: Api) -> None:
    """A title is text: no sign in it means anything to the app."""
    for title, content in zip(AWKWARD_TEXTS[::2], AWKWARD_TEXTS[1::2], strict=True):
        post = create_post(api, title=f"{title} {unique('')}", content=f"{content} " * 20 + ".")
        is_stored(api, post, "the text is changed on its way.")
    content = ("All that there is to say.\n\n" * 370).strip()
    sent = a_post(title=unique("Post ").ljust(100, "é"), content=content)
    why = "a bound of the app's own refuses what the task allows."
    reply = api.post("/posts", sent).expect(201, 200, why=why)
    why = (
        "a long text is cut, or does not fit its column: Text has no length. Or its lines are not "
    )
    why += "as they were."
    is_stored(api, sent | {"id": id_of(reply), "tags": []}, why)


@pytest.mark.step(2)
def test_post_survives_a_restart(api: Api) -> None:
    """A post and its tags are still there when the server has been restarted."""
    tag = create_tag(api)
    post = create_post(api, tag, create_tag(api))
    api.restart()
    why = "the data lives in memory, or the tables are dropped when the app starts."
    is_stored(api, post, why)
    later = create_post(api, tag, create_tag(api))
    if later["id"] <= post["id"]:
        fail("a post that is made later has a smaller id.", "the ids are counted in memory.")
    is_stored(api, post, "a later one was written over it.")


@pytest.mark.step(2)
def test_create_post_without_tags(api: Api) -> None:
    """A post without tag_ids has no tags."""
    sent = a_post()
    reply = api.post("/posts", sent)
    reply.expect(201, 200, why="tag_ids has no default: tag_ids: list[int] = [].")
    post = sent | {"id": id_of(reply, **sent), "tags": []}
    expect_post(reply, post, "a list is shared between posts, or the tags of another post came.")
    is_stored(api, post, "the tags of another post came.")
    create_post(api)


@pytest.mark.step(2)
def test_create_post_refuses_invalid_input(api: Api) -> None:
    """POST /posts answers 422 to a title or a content that is missing or null."""
    for field in ("title", "content"):
        sent = a_post()
        del sent[field]
        for body in (sent, sent | {field: None}, sent | {field: 7}):
            refused(api.post("/posts", body), {2: NOT_VALIDATED, 5: NOT_VALIDATED}, 422)


@pytest.mark.step(2)
def test_create_post_with_missing_tag(api: Api) -> None:
    """POST /posts answers 404 when one of the tags does not exist."""
    tag, *more = (create_tag(api)["id"] for _ in range(4))
    lists = ([tag, NO_SUCH_ID], [NO_SUCH_ID], [NO_SUCH_ID, tag], [tag, tag, NO_SUCH_ID])
    for ids in (*lists, [tag, *more, NO_SUCH_ID]):
        refused(api.post("/posts", a_post(tag_ids=ids)), {"": NOT_COUNTED}, 404)
    last = create_tag(api)["id"]
    ask_ahead(api, last, lambda process, n: process.post("/posts", a_post(tag_ids=[n])))
    sent = a_post(tag_ids=[create_tag(api)["id"]])
    for process in (api, api.second()):
        process.post("/posts", sent).expect(201, 200, why={404: MISSING_REMEMBERED})


@pytest.mark.step(2)
def test_create_post_with_the_same_tag_twice(api: Api) -> None:
    """A tag that is sent twice is on the post once, or is refused."""
    tag, other = create_tag(api), create_tag(api)
    why = "a pair is inserted for each id that was sent, and the link table holds each pair once."
    sent = a_post()
    reply = api.post("/posts", sent | {"tag_ids": [tag["id"], other["id"], tag["id"]]})
    reply.expect(201, 200, 400, 404, 409, 422, why={"onstraint": why, "": why})
    if reply.ok:
        is_stored(api, sent | {"id": id_of(reply, **sent), "tags": [tag, other]}, why)


@pytest.mark.step(2)
def test_read_post_not_found(api: Api) -> None:
    """GET /posts/{id} answers 404 when there is no such post."""
    refused(api.get(f"/posts/{NO_SUCH_ID}"), NOT_FOUND, 404)


@pytest.mark.step(3)
def test_list_posts(api: Api) -> None:
    """GET /posts lists posts with and without tags, each once, with all of their tags."""
    python, fastapi = create_tag(api), create_tag(api)
    gone, _ = create_post(api), create_post(api)
    # Now places and ids differ; DELETE itself is checked in step 5.
    api.delete(path_of(gone))
    api.second().list_all("/posts")  # a cache of it has them now
    made = [create_post(api), create_post(api, fastapi, python)]
    made += [create_post(api, python, *(create_tag(api) for _ in range(12)))]
    listed = [post["id"] for post in api.list_all("/posts")]
    ids = [post["id"] for post in made]
    why = why_not_listed(listed, ids)
    if listed[-3:] != ids:
        fail(f"the last posts that GET /posts lists are {listed[-3:]}, not {ids}.", why)
    skip = len(listed) - 3
    for process in (api, api.second()):
        expect_posts(process.get(f"/posts?skip={skip}&limit=10"), made, why)
        expect_posts(process.get(f"/posts?skip={skip}"), made, why)
    expect_posts(api.get(f"/posts?skip={skip}&limit=2"), made[:2], why)
    expect_posts(api.get(f"/posts?skip={skip + 3}"), [], why)
    expect_posts(api.get("/posts?skip=10000"), [], why)
    first = api.get("/posts").expect(200, why="skip or limit has no default.").rows()
    if [post["id"] for post in first[:5]] != listed[:5]:
        fail("GET /posts does not begin with the posts of the smallest ids.", why)


def why_not_listed(listed: list[int], ids: list[int]) -> str:
    """Say what may be wrong with a list of all posts; the first of the last three has no tags."""
    if listed != sorted(listed):
        return "the order is not by id: .order_by(Post.id)."
    if ids[0] not in listed and ids[1] in listed:
        return (
            "the query joins the tags although none is asked for: then a post without tags is left "
            "out and a post with two comes twice."
        )
    return (
        "skip or limit does not reach the query, skip is compared with ids in place of counting "
        "posts, a limit of 100 is cut to less, or rows of a join are counted: a post with two tags "
        "has two."
    )


@pytest.mark.step(3)
def test_list_posts_by_tag(api: Api) -> None:
    """GET /posts?tag= answers the posts with this tag, each with all of its tags."""
    name = unique("tag-")
    for process in (api, api.second()):  # a cache would remember that there is no such tag
        process.get(f"/posts?tag={name}").expect(200, 404)
    python, fastapi = create_tag(api, name), create_tag(api)
    one, both = create_post(api, python), create_post(api, python, fastapi)
    other = create_post(api, fastapi)
    create_post(api, title=python["name"])
    why = (
        "the tag does not reach the query's WHERE, or a table is not joined: "
        f".join(PostTag).join(Tag). Or the order is not by id. Or {IN_ONE_PROCESS}"
    )
    for process in (api, api.second()):
        expect_posts(process.get(f"/posts?tag={python['name']}"), [one, both], why)
        expect_posts(process.get(f"/posts?tag={fastapi['name']}"), [both, other], why)
    many = create_post(api, python, *(create_tag(api) for _ in range(12)))
    tagged = api.get(f"/posts?tag={python['name']}")
    expect_posts(tagged, [one, both, many], "a post with many tags is lost.")


@pytest.mark.step(3)
def test_list_posts_by_part_of_a_tag(api: Api) -> None:
    """GET /posts?tag= wants the whole name, and takes its signs as they are."""
    end = unique(" ")
    pairs = [
        *WILDCARD_TWINS,
        ("python", "pythonic"),
        ("0", "00"),
        ("fast api", "api"),
        ("it's", "a:b"),
        ("#web", "web"),
    ]
    names = [name + end for name in dict.fromkeys(name for pair in pairs for name in pair)]
    posts = {}
    for name in (*names, *(unique("c") + sign for sign in ("++", "#", "!"))):
        posts[name] = create_post(api, create_tag(api, name))
    create_post(api, *(tag for post in posts.values() for tag in post["tags"][:0]))
    why = (
        "the name is looked for as a part of others: == and not contains() or like(). Or it is "
        "changed before it is looked for."
    )
    for name, post in posts.items():
        expect_posts(api.get(f"/posts?tag={quote(name)}"), [post], why)
    for part in (f"python{end}"[:-1], end.strip(), "%", unique("nobody-")):
        reply = api.get(f"/posts?tag={quote(part)}").expect(200, 404)
        if reply.ok:
            expect_posts(reply, [], why)


@pytest.mark.step(3)
def test_list_posts_by_tag_of_commas_or_digits(api: Api) -> None:
    """A comma in a name divides nothing, and a name of digits is no id."""
    other = create_tag(api)
    for name in (unique("a, b,"), str(int(unique("1"), 16))):
        tag, sent = create_tag(api, name), a_post()
        reply = api.post("/posts", sent | {"tag_ids": [other["id"], tag["id"]]}).expect(201, 200)
        post = sent | {"id": id_of(reply, **sent), "tags": [other, tag]}
        why = "names are glued into one text, and taken apart at its commas: read them as rows."
        expect_post(reply, post, why)
        why = "the tag that is asked for is taken apart at commas, or a number taken for an id."
        reply = api.get(f"/posts?tag={quote(name)}").expect(200, why=why)
        if post["id"] not in [row["id"] for row in reply.rows()]:
            reply.wrong(f"post {post['id']}, which has the tag, is not listed.", why)


@pytest.mark.step(3)
def test_list_posts_by_tag_in_capitals(api: Api) -> None:
    """GET /posts?tag= minds the case of a name, if the app does not make all names lower case."""
    name = unique("Tag-")
    reply = api.post("/tags", {"name": name}).expect(201, 200)
    if reply.object().get("name") == name:
        post = create_post(api, {"id": reply.id, "name": name})
        why = "the name is asked for in small letters, and stored as it came."
        expect_posts(api.get(f"/posts?tag={name}").expect(200, why=why), [post], why)
        reply = api.get(f"/posts?tag={name.lower()}").expect(200, 404)
        if reply.ok:
            expect_posts(reply, [], "another name is found: == and not ilike() or lower().")


@pytest.mark.step(3)
def test_list_posts_by_tag_skip_and_limit(api: Api) -> None:
    """The parameters skip and limit cut the list of those that have the tag."""
    tag, more = create_tag(api), [create_tag(api) for _ in range(3)]
    made = []
    for _ in range(12):
        made.append(create_post(api, *more, tag))
        create_post(api, *more)
    why = (
        "skip or limit does not reach the query, is cut to less, cuts before the tag is looked at, "
        "or cuts rows of a join, of which a post with four tags has four."
    )
    for skip, limit in ((0, 100), (1, 1), (0, 3), (3, 5), (11, 10), (12, 10)):
        reply = api.get(f"/posts?tag={tag['name']}&skip={skip}&limit={limit}")
        expect_posts(reply, made[skip : skip + limit], why)


@pytest.mark.step(3)
def test_list_posts_ordered_by_id(api: Api) -> None:
    """GET /posts is ordered by id, also where the pairs were made in another order."""
    tag = create_tag(api)
    first = create_post(api, title=unique("Zebra "))
    second = create_post(api, tag, title=unique("Aardvark "))
    # PUT itself is checked in step 4.
    api.put(path_of(first), a_post(tag_ids=[tag["id"]]))
    why = "no ORDER BY: without it the database may answer in any order."
    reply = api.get(f"/posts?tag={tag['name']}").expect(200)
    if [post["id"] for post in reply.rows()] == [second["id"], first["id"]]:
        reply.wrong("the ids are not in order.", why)
    ids = [post["id"] for post in api.list_all("/posts")]
    if ids != sorted(ids):
        fail(f"GET /posts answered the ids {shorten(ids[-12:])}.", why)


@pytest.mark.step(3)
def test_refused_post_is_not_stored(api: Api) -> None:
    """A post that was refused for a missing tag is not listed."""
    for ids in ([NO_SUCH_ID], [create_tag(api)["id"], NO_SUCH_ID]):
        sent = a_post(tag_ids=ids)
        api.post("/posts", sent).expect(404, why={"": NOT_COUNTED})
        if sent["title"] in titles(api):
            fail(
                "POST /posts answered that a tag does not exist, and the post is listed all the "
                "same.",
                "the post was committed before its tags were looked for.",
            )


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "fields",
    ["title", "content", "tags", "title content", "content tags", "title content tags", ""],
    ids=lambda fields: fields.replace(" ", "-and-") or "nothing",
)
def test_update_post(api: Api, fields: str) -> None:
    """PUT /posts/{id} changes what is sent and nothing else, for good."""
    python, fastapi, database = (create_tag(api) for _ in range(3))
    others = [create_post(api, python, fastapi)]
    post = create_post(api, python, fastapi)
    namesake = {"title": post["title"], "content": post["content"]}
    others.append(create_post(api, python, fastapi, **namesake))
    before = api.get(path_of(post)).expect(200).object()
    api.second().get(path_of(post)).expect(200)  # a cache of the other process has it now
    title, content = unique("Post ").ljust(100, "é"), "Something else, twenty characters."
    new = {"title": title, "content": content, "tags": [database, fastapi]}
    change: dict[str, Any] = {field: new[field] for field in fields.split()}
    wanted = post | change
    if tags := change.pop("tags", []):
        change["tag_ids"] = [tag["id"] for tag in tags]
    why = (
        "tag_ids that were not sent count as an empty list, or required ones are missing."
        if not tags
        else "the new tags are added to the old ones; post.tags = tags replaces them."
    )
    required = ALL_REQUIRED if tags else f"{ALL_REQUIRED} Or {why}"
    guesses: Why = {422: required, "NOT NULL": UNSET, "null value": UNSET, "": UNSET}
    reply = api.put(path_of(post), change)
    if change or reply.status not in (400, 422):
        reply.expect(200, why=guesses)
        kept = {field: post[field] for field in ("title", "content") if field not in change}
        reply.has(UNSET, **kept)
        expect_post(reply, wanted, f"{why} Or the new values are not set on the row.")
    is_stored(api, wanted, f"no session.commit() after the change. Or {why}")
    for other in others:
        is_stored(api, other, "the WHERE is missing, or finds more posts than the one of this id.")
    stored = api.get(path_of(post))
    same_row(before, stored, but=("title", "content", "tags", "slug", "updated_at"))


@pytest.mark.step(4)
def test_update_post_keeps_its_id(api: Api) -> None:
    """PUT /posts/{id} leaves the id alone, whatever is sent."""
    post, title = create_post(api, create_tag(api)), unique("Post ")
    why = "the id is taken from the body: an update class of its own has no id."
    reply = api.put(path_of(post), {"id": NO_SUCH_ID, "title": title})
    reply.expect(200, 422, why={"onstraint": why, "": why})
    api.get(path_of(post)).expect(200, why=why)
    is_stored(api, post | {"title": title} if reply.ok else post, why)


@pytest.mark.step(4)
def test_update_post_takes_what_post_takes(api: Api) -> None:
    """PUT /posts/{id} takes as long a text as POST, and the title of another post."""
    post, other = create_post(api, create_tag(api)), create_post(api)
    new = {"title": other["title"], "content": "All there is to say. " * 476 + "End."}
    why = "a bound of the app's own, in the class of PUT, refuses what the task allows."
    twice = "the title of another post counts as taken: only names of tags are there once."
    api.put(path_of(post), new).expect(200, why={422: why, 4: twice, "onstraint": twice})
    is_stored(api, post | new, "a long text is cut, or does not fit its column.")


@pytest.mark.step(4)
def test_replace_tags(api: Api) -> None:
    """PUT /posts/{id} replaces the tags by fewer, others, the same, and none, one after another."""
    python, fastapi, database = (create_tag(api) for _ in range(3))
    post, with_python = create_post(api, python, fastapi), f"/posts?tag={python['name']}"
    expect_posts(api.second().get(with_python), [post], "a tag is lost.")  # a cache has it now
    why = "the new tags are added to the old ones; post.tags = tags replaces them."
    for tags in ([fastapi], [fastapi], [database, python], [database, python, fastapi], []):
        if not tags:
            why = "`if data.tag_ids:` is false for an empty list too: was it sent, or was it not?"
        reply = api.put(path_of(post), {"tag_ids": [tag["id"] for tag in tags]})
        same = "the same tags once more are no error."
        gone = "a tag that no post has any longer was deleted: tags stay."
        unset: dict[int | str, str] = {"NOT NULL": UNSET, "": UNSET}
        reply.expect(200, why={422: ALL_REQUIRED, 404: gone, 4: same, **unset})
        post["tags"] = tags
        expect_post(reply, post, why)
        is_stored(api, post, "no session.commit() after the change. Or " + why)
    expect_posts(api.get(with_python), [], why)
    expect_posts(api.second().get(with_python), [], IN_ONE_PROCESS)


@pytest.mark.step(4)
def test_update_post_with_what_it_has(api: Api) -> None:
    """PUT /posts/{id} takes the title and the tags that are there, alone and beside a change."""
    python, fastapi = create_tag(api), create_tag(api)
    post = create_post(api, python)
    ids = [python["id"]]
    expect_post(api.put(path_of(post), {"title": post["title"]}).expect(200), post, AS_IT_IS)
    post["title"] = unique("Post ")
    sent = {"title": post["title"], "tag_ids": ids}
    expect_post(api.put(path_of(post), sent).expect(200), post, AS_IT_IS)
    post["tags"] = [python, fastapi]
    sent["tag_ids"] = [*ids, fastapi["id"]]
    expect_post(api.put(path_of(post), sent).expect(200), post, AS_IT_IS)
    is_stored(api, post, AS_IT_IS)


@pytest.mark.step(4)
def test_replace_tags_with_the_same_tag_twice(api: Api) -> None:
    """A tag that PUT /posts/{id} is sent twice is on the post once, or is refused."""
    old, tag, other = (create_tag(api) for _ in range(3))
    post = create_post(api, old)
    why = "a pair is inserted for each id that was sent, and the link table holds each pair once."
    reply = api.put(path_of(post), {"tag_ids": [tag["id"], other["id"], tag["id"]]})
    reply.expect(200, 400, 404, 409, 422, why={"onstraint": why, "": why})
    why += " Or the ids beside it are lost."
    is_stored(api, post | {"tags": [tag, other]} if reply.ok else post, why)


@pytest.mark.step(4)
def test_update_post_with_missing_tag(api: Api) -> None:
    """PUT /posts/{id} answers 404 when a tag does not exist, and changes nothing."""
    post = create_post(api, create_tag(api), create_tag(api))
    before = api.get(path_of(post)).expect(200).object()
    for ids in ([post["tags"][0]["id"], NO_SUCH_ID], [NO_SUCH_ID]):
        for sent in (a_post(tag_ids=ids), {"tag_ids": ids}):
            reply = api.put(path_of(post), sent).expect(404, why={"": NOT_COUNTED})
            why = "a part of the change was committed before the tags were looked for."
            same_row(before, api.get(path_of(post)), why=why)
            refused(reply, NOT_COUNTED, 404)


@pytest.mark.step(4)
def test_update_post_not_found(api: Api) -> None:
    """PUT /posts/{id} answers 404 when there is no such post."""
    why = "the row is changed without looking whether it is there."
    for sent in (a_post(tag_ids=[]), {"tag_ids": [create_tag(api)["id"]]}, a_post()):
        refused(api.put(f"/posts/{NO_SUCH_ID}", sent), why, 404)


@pytest.mark.step(5)
def test_delete_post(api: Api) -> None:
    """DELETE /posts/{id} removes the post, and neither its tags nor other posts."""
    tag, lonely = create_tag(api), create_tag(api)
    post = create_post(api, tag, lonely, create_tag(api))
    other = create_post(api, tag, title=post["title"])
    api.second().get(path_of(post)).expect(200)  # a cache of the other process has it now
    pairs = "its pairs have to go with it."
    api.delete(path_of(post)).expect(204, 200, why={"onstraint": pairs, "": pairs})
    api.get(path_of(post)).expect(404, why="no session.commit() after session.delete().")
    api.second().get(path_of(post)).expect(404, why=IN_ONE_PROCESS)
    why = "another post, the tag or all of its pairs went with the post: a WHERE or a cascade that "
    why += "goes too far."
    is_stored(api, other, why)
    expect_posts(api.get(f"/posts?tag={tag['name']}"), [other], why)
    ids = [row["id"] for row in api.list_all("/posts")]
    at = ids.index(other["id"])
    left_out = "the deleted post takes a place: it is only marked, and left out after the LIMIT."
    expect_posts(api.get(f"/posts?skip={at}&limit=1"), [other], left_out)
    if post["id"] in ids:
        fail("GET /posts still lists the deleted post.", "it is only marked as deleted.")
    reply = api.post("/posts", a_post(tag_ids=[lonely["id"]]))
    reply.expect(201, 200, why={404: "a tag that no post has any longer was deleted; tags stay."})


PAIRS_LEFT = (
    "the pairs of the deleted post are still in the link table, where the next post finds them "
    "when SQLite gives its id away again: session.delete(post) removes them, a DELETE statement of "
    "your own does not, and SQLite heeds ON DELETE CASCADE only with PRAGMA foreign_keys=ON."
)


@pytest.mark.step(5)
def test_deleted_post_leaves_no_pairs(api: Api) -> None:
    """The post that is made next has no tags of the one that was deleted."""
    post = create_post(api, create_tag(api))
    api.delete(path_of(post)).expect(204, 200)
    sent = a_post()
    reply = api.post("/posts", sent).expect(201, 200)
    is_stored(api, sent | {"id": id_of(reply, **sent), "tags": []}, PAIRS_LEFT)


@pytest.mark.step(5)
def test_deleted_post_leaves_no_rows(api: Api) -> None:
    """The database holds as many rows as before the post was made."""
    tags = [create_tag(api) for _ in range(7)]
    before = table_sizes(api)
    post = create_post(api, *tags)
    with_post = table_sizes(api)
    api.delete(path_of(post)).expect(204, 200)
    after = table_sizes(api)
    for table, size in with_post.items():
        if size - before[table] == len(tags) != size - after[table]:
            left = len(tags) - size + after[table]
            fail(
                f"a post with 7 tags was deleted, and {left} of its rows are in {table}.",
                PAIRS_LEFT,
            )


def table_sizes(api: Api) -> dict[str, int]:
    """Count the rows of each table."""
    engine = sa.create_engine(api.server.database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        count = "SELECT count(*) FROM "
        return {table: connection.scalar(sa.text(f'{count}"{table}"')) or 0 for table in tables}


@pytest.mark.step(5)
def test_delete_post_not_found(api: Api) -> None:
    """DELETE and PUT /posts/{id} answer 404 when there is no such post, or no longer."""
    why = "the row is deleted without looking whether it is there."
    refused(api.delete(f"/posts/{NO_SUCH_ID}"), why, 404)
    path = path_of(create_post(api, create_tag(api)))
    api.delete(path).expect(204, 200)
    api.delete(path).expect(404, why=why)
    api.put(path, a_post()).expect(404, why="the row is changed though it is not there.")


@pytest.mark.step(6)
def test_create_tag_twice_at_once(api: Api) -> None:
    """Of eight equal POST /tags at one moment, one is answered 201, the others 400 or 409."""
    for _ in range(2):
        name, first = unique("tag-"), create_tag(api)["id"]
        one_wins(
            api,
            "/tags",
            {"name": name},
            lambda: rows_named(api, name, first, create_tag(api)["id"]),  # noqa: B023 - called at once
        )


@pytest.mark.step(6)
def test_post_and_tags_are_one_transaction(api: Api) -> None:
    """A post is stored, changed and deleted with its tags, also when the server is killed."""
    old, new = [create_tag(api) for _ in range(2)], [create_tag(api) for _ in range(3)]
    sent = a_post(tag_ids=[tag["id"] for tag in new])
    post = create_post(api, *old)
    changed = {"title": sent["title"], "content": sent["content"], "id": post["id"], "tags": new}
    api.post("/posts", a_post(tag_ids=sent["tag_ids"])).expect(201, 200).commits_once(IN_PARTS)
    api.put(path_of(post), {"tag_ids": sent["tag_ids"]}).expect(200).commits_once(IN_PARTS)
    api.delete(path_of(create_post(api, *old))).expect(204, 200).commits_once(IN_PARTS)
    api.kill_during("POST", "/posts", sent)
    stored = [row for row in api.list_all("/posts") if row.get("title") == sent["title"]]
    for row in stored[:1]:
        reply = api.get(path_of(row)).expect(200)
        expect_post(reply, sent | {"id": row["id"], "tags": new}, f"killed meanwhile: {IN_PARTS}")
    api.put(path_of(post), {"tag_ids": [tag["id"] for tag in old]}).expect(200)
    api.kill_during("PUT", path_of(post), sent)
    reply = api.get(path_of(post)).expect(200)
    unchanged = reply.object().get("title") == post["title"]
    expect_post(reply, post if unchanged else changed, f"killed meanwhile: {IN_PARTS}")


@pytest.mark.step(6)
def test_answered_means_committed(api: Api) -> None:
    """The commit is done when the answer is sent."""
    api.post("/tags", {"name": unique("tag-")}).committed_first()
    path = path_of(create_post(api))
    api.post("/posts", a_post(tag_ids=[create_tag(api)["id"]])).committed_first()
    api.put(path, {"title": unique("Post ")}).committed_first()
    api.delete(path).committed_first()


@pytest.mark.step(6)
def test_replace_tags_at_once(api: Api) -> None:
    """After four PUT /posts/{id} at one moment the post has the tags of one of them."""
    why = (
        "each request read the tags before one had replaced them, and removes or adds pairs that "
        "are no longer as it read them: lock the post first, with a write."
    )
    tags = [create_tag(api) for _ in range(4)]
    ids = [tag["id"] for tag in tags]
    if "postgresql" in api.dialects:  # where a lock on any other post would do as well
        for row in api.list_all("/posts"):
            api.delete(path_of(row)).expect(204, 200)
    path = path_of(create_post(api, *tags))
    for _ in range(2):
        replies = api.at_once(
            4, lambda number: api.put(path, a_post(tag_ids=[ids[number], ids[number - 1]]))
        )
        for reply in replies:
            reply.expect(200, why={"StaleDataError": why, "onstraint": why, "": why})
        stored = api.get(path).expect(200)
        got = {tag["id"] for tag in stored.object()["tags"]}
        if got not in [{ids[number], ids[number - 1]} for number in range(4)]:
            stored.wrong("these are the tags of no single one of the four requests.", why)


@pytest.mark.step(6)
def test_update_title_content_and_tags_at_once(api: Api) -> None:
    """PUT of the title, of the content and of the tags at one moment all leave their mark."""
    for _ in range(3):
        old, tag = create_tag(api), create_tag(api)
        path, new = path_of(create_post(api, old)), a_post(content="Something else by now.")
        title, content = ({field: new[field]} for field in ("title", "content"))
        changes = ({"tag_ids": [tag["id"]]}, title, content, title, content, content, title)
        for reply in api.at_once(7, lambda n: api.put(path, changes[n])):  # noqa: B023 - called at once
            reply.expect(200, why=WHOLE_ROW)
        stored = api.get(path).expect(200)
        stored.has(WHOLE_ROW[""], **new)
        why = "a request that sends no tag_ids puts back the tags that it has read."
        expect_post(stored, stored.object() | {"tags": [tag]}, why)


@pytest.mark.step(6)
def test_create_posts_with_the_same_tags_at_once(api: Api) -> None:
    """Posts that are made at one moment with the same tags all get them."""
    tags = [create_tag(api) for _ in range(2)]
    ids, sent = [tag["id"] for tag in tags], [a_post() for _ in range(4)]
    replies = api.at_once(4, lambda n: api.post("/posts", sent[n] | {"tag_ids": ids}))
    for reply, post in zip(replies, sent, strict=True):
        why = "the app counts ids itself, or shares a session or a list between requests."
        reply.expect(201, 200, why={"onstraint": why, "": why})
        is_stored(api, post | {"id": id_of(reply, **post), "tags": tags}, why)
