"""Checks of exercise 03; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_STORED_ROW = "the answer is not what was sent; is it the stored row?"
NO_TAGS = (
    "the response class does not have `tags: list[Tag]`; a table class answers its columns only, "
    "not its relationships."
)
UNLINKED = "the tags were not given to the post, or went into the answer only: post.tags = tags."


def create_tag(api: Api) -> dict[str, Any]:
    """Create a tag through the API; give the answered row."""
    name = unique("tag-")
    reply = api.post("/tags", {"name": name}).expect(201, 200)
    return {"id": id_of(reply, name=name), "name": name}


def id_of(reply: Reply, **sent: Any) -> int:
    """Give the id of the answered row; fail unless the row is what was sent."""
    reply.has(NOT_STORED_ROW, **sent)
    return reply.id


def a_post(**changes: Any) -> dict[str, Any]:
    """Describe a post that no other check knows."""
    return {"title": unique("Post "), "content": "What there is to say about it."} | changes


def create_post(api: Api, *tags: dict[str, Any]) -> int:
    """Create a post with these tags through the API; give its id."""
    sent = a_post()
    reply = api.post("/posts", sent | {"tag_ids": [tag["id"] for tag in tags]})
    why = (
        "a column of the link table is unique, or the primary key, on its own; it takes both "
        "columns: the pair is there only once."
    )
    number = id_of(reply.expect(201, 200, why=why if "constraint" in reply.error else ""), **sent)
    expect_tags(reply, *tags, why=UNLINKED)
    return number


def expect_tags(reply: Reply, *tags: dict[str, Any], why: str) -> None:
    """Fail unless the answered post has these tags, each once."""
    expect_tags_in(reply, reply.object(), *tags, why=why)


def expect_tags_in(reply: Reply, post: dict[str, Any], *tags: dict[str, Any], why: str) -> None:
    """Fail unless this one of the answered posts has these tags, each once."""
    got = post.get("tags")
    if not isinstance(got, list) or not all(isinstance(tag, dict) for tag in got):
        reply.wrong("there is no list of objects under 'tags'.", NO_TAGS)
    if {} in got:
        reply.wrong("a tag is an empty object.", "commit() empties table objects: refresh(post).")
    got_names = sorted(str(tag.get("name")) for tag in got)
    wanted = sorted(tag["name"] for tag in tags)
    if got_names != wanted:
        reply.wrong(f"the tags are {got_names}, not {wanted}.", why)
    if {tag.get("id") for tag in got} != {tag["id"] for tag in tags}:
        reply.wrong("the tags do not have the ids that POST /tags answered.", NO_TAGS)


def expect_posts(reply: Reply, wanted: list[int], why: str) -> list[dict[str, Any]]:
    """Give the listed posts; fail unless they are these, in this order."""
    posts = reply.expect(200).items()
    got = [post["id"] for post in posts]
    if got != wanted:
        reply.wrong(f"the posts {got} are listed, not {wanted}.", why)
    return posts


@pytest.mark.step(1)
def test_create_tag(api: Api) -> None:
    """POST /tags stores a tag and answers the row with its id."""
    create_tag(api)


@pytest.mark.step(1)
def test_create_tag_with_taken_name(api: Api) -> None:
    """POST /tags answers 400 or 409 to a name that is taken."""
    name = create_tag(api)["name"]
    why = "the column has no unique=True, or its IntegrityError is not caught; or " + NO_COMMIT
    api.post("/tags", {"name": name}).expect(409, 400, why=why)
    create_tag(api)


@pytest.mark.step(2)
def test_create_post_with_tags(api: Api) -> None:
    """POST /posts stores a post and answers the row with its tags."""
    create_post(api, create_tag(api), create_tag(api))


@pytest.mark.step(2)
def test_read_post_with_tags(api: Api) -> None:
    """GET /posts/{id} answers the post with its own tags."""
    python, fastapi = create_tag(api), create_tag(api)
    both = create_post(api, python, fastapi)
    reply = api.get(f"/posts/{both}").expect(200, why=NO_COMMIT)
    why = "the tags were put into the answer and not into the link table: post.tags = tags."
    expect_tags(reply, python, fastapi, why=why)
    one = create_post(api, fastapi)
    expect_tags(api.get(f"/posts/{one}").expect(200), fastapi, why=why)
    why = (
        "the next post took the tag from this one: a column in the tag holds one post only, many "
        "need a link table."
    )
    expect_tags(api.get(f"/posts/{both}").expect(200), python, fastapi, why=why)


@pytest.mark.step(2)
def test_create_post_without_tags(api: Api) -> None:
    """A post without tag_ids has no tags."""
    reply = api.post("/posts", a_post())
    reply.expect(201, 200, why="tag_ids has no default: tag_ids: list[int] = [].")
    expect_tags(reply, why="a list is shared between posts, or the tags of another post came.")


@pytest.mark.step(2)
def test_create_post_with_missing_tag(api: Api) -> None:
    """POST /posts answers 404 when one of the tags does not exist."""
    tag = create_tag(api)
    why = "fewer tags are found than ids were sent, and nobody compares the two numbers."
    sent = a_post(tag_ids=[tag["id"], NO_SUCH_ID])
    api.post("/posts", sent).expect(404, 400, 422, why=why)
    api.post("/posts", a_post(tag_ids=[NO_SUCH_ID])).expect(404, 400, 422, why=why)


@pytest.mark.step(2)
def test_create_post_with_the_same_tag_twice(api: Api) -> None:
    """A tag that is sent twice is on the post once, or is refused."""
    tag = create_tag(api)
    why = "a pair is inserted for each id that was sent, and the link table holds each pair once."
    reply = api.post("/posts", a_post(tag_ids=[tag["id"], tag["id"]]))
    reply.expect(201, 200, 400, 404, 409, 422, why=why)
    if reply.ok:
        expect_tags(api.get(f"/posts/{id_of(reply)}").expect(200, why=NO_COMMIT), tag, why=why)


@pytest.mark.step(2)
def test_read_post_not_found(api: Api) -> None:
    """GET /posts/{id} answers 404 when there is no such post."""
    why = (
        "session.get() gave None, and None was answered or used; or the error was returned: "
        "`raise HTTPException(404)`."
    )
    api.get(f"/posts/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(3)
def test_list_posts(api: Api) -> None:
    """GET /posts lists posts with and without tags, each once."""
    python, fastapi = create_tag(api), create_tag(api)
    made = [create_post(api), create_post(api, python, fastapi)]
    listed = [post["id"] for post in api.list_all("/posts")]
    why = (
        "the query joins the tags although none is asked for: then a post without tags is left out "
        "and a post with two comes twice. Or skip does not reach the query, or the order is not by "
        "id."
    )
    if listed[-2:] != made:
        fail(f"the last posts that GET /posts lists are {listed[-2:]}, not {made}.", why)
    skip = len(listed) - 2
    posts = expect_posts(api.get(f"/posts?skip={skip}&limit=10"), made, why)
    expect_tags_in(api.get(f"/posts?skip={skip}"), posts[1], python, fastapi, why=why)


@pytest.mark.step(3)
def test_list_posts_by_tag(api: Api) -> None:
    """GET /posts?tag= answers the posts with this tag, each with all of its tags."""
    python, fastapi = create_tag(api), create_tag(api)
    one, both = create_post(api, python), create_post(api, python, fastapi)
    other = create_post(api, fastapi)
    why = (
        "the tag does not reach the query's WHERE, or a table is not joined: "
        ".join(PostTag).join(Tag). Or the order is not by id."
    )
    path = f"/posts?tag={python['name']}"
    posts = expect_posts(api.get(path), [one, both], why)
    expect_posts(api.get(f"/posts?tag={fastapi['name']}"), [both, other], why)
    why = "the tags are loaded from the join that filters: only the one asked for is in it."
    expect_tags_in(api.get(path), posts[1], python, fastapi, why=why)


@pytest.mark.step(3)
def test_list_posts_by_part_of_a_tag(api: Api) -> None:
    """GET /posts?tag= wants the whole name."""
    tag = create_tag(api)
    create_post(api, tag)
    why = "the name is looked for as a part of others: == and not contains() or like()."
    for part in (tag["name"][:-1], tag["name"].replace("-", "_"), unique("nobody-")):
        reply = api.get(f"/posts?tag={part}").expect(200, 404)
        if reply.ok:
            expect_posts(reply, [], why)


@pytest.mark.step(3)
def test_list_posts_by_tag_skip_and_limit(api: Api) -> None:
    """The parameters skip and limit cut the list of those that have the tag."""
    tag = create_tag(api)
    create_post(api)
    made = [create_post(api, tag) for _ in range(3)]
    why = "skip or limit does not reach the query, or cuts before the tag is looked at."
    expect_posts(api.get(f"/posts?tag={tag['name']}&skip=1&limit=1"), made[1:2], why)


@pytest.mark.step(3)
def test_list_posts_ordered_by_id(api: Api) -> None:
    """GET /posts is ordered by id, also where the pairs were made in another order."""
    tag = create_tag(api)
    first, second = create_post(api), create_post(api, tag)
    # PUT itself is checked in step 4.
    api.put(f"/posts/{first}", a_post(tag_ids=[tag["id"]]))
    reply = api.get(f"/posts?tag={tag['name']}").expect(200)
    if [post["id"] for post in reply.items()] == [second, first]:
        reply.wrong(
            "the ids are not in order.",
            "no ORDER BY: without it the database may answer in any order.",
        )


@pytest.mark.step(3)
def test_refused_post_is_not_stored(api: Api) -> None:
    """A post that was refused for a missing tag is not listed."""
    sent = a_post(tag_ids=[NO_SUCH_ID])
    api.post("/posts", sent).expect(404, 400, 422)
    if sent["title"] in [post["title"] for post in api.list_all("/posts")]:
        fail(
            "POST /posts answered that a tag does not exist, and the post is listed all the same.",
            "the post was committed before its tags were looked for.",
        )


@pytest.mark.step(4)
def test_replace_tags(api: Api) -> None:
    """PUT /posts/{id} with tag_ids alone replaces the tags, for good."""
    python, fastapi, database = (create_tag(api) for _ in range(3))
    path = f"/posts/{create_post(api, python, fastapi)}"
    unset = "fields that were not sent are written with a default: exclude_unset=True is missing."
    why = (
        "title and content are required in the update class, too: a class that inherits them from "
        "that of POST wants all of them."
    )
    before = api.get(path).expect(200).object()
    reply = api.put(path, {"tag_ids": [fastapi["id"], database["id"]]})
    reply.expect(200, why=why if reply.status == 422 else unset)
    why = "the new tags are added to the old ones; post.tags = tags replaces them."
    expect_tags(reply, fastapi, database, why=why)
    stored = api.get(path).expect(200)
    expect_tags(stored, fastapi, database, why="no session.commit() after the change. Or " + why)
    stored.has(unset, title=before["title"], content=before["content"])


@pytest.mark.step(4)
def test_remove_tags(api: Api) -> None:
    """PUT /posts/{id} with an empty list removes the tags."""
    path = f"/posts/{create_post(api, create_tag(api))}"
    why = "`if data.tag_ids:` is false for an empty list too: was it sent, or was it not?"
    expect_tags(api.put(path, a_post(tag_ids=[])).expect(200), why=why)
    expect_tags(api.get(path).expect(200), why=why)


@pytest.mark.step(4)
def test_update_post_leaves_tags(api: Api) -> None:
    """PUT /posts/{id} without tag_ids leaves the tags alone."""
    tag = create_tag(api)
    path = f"/posts/{create_post(api, tag)}"
    why = "tag_ids that were not sent count as an empty list."
    sent = a_post()
    reply = api.put(path, sent).expect(200, why="tag_ids is required in the update class.")
    reply.has("the new values are not set on the row.", **sent)
    expect_tags(api.get(path).expect(200), tag, why=why)


@pytest.mark.step(4)
def test_update_post_with_missing_tag(api: Api) -> None:
    """PUT /posts/{id} answers 404 when a tag does not exist, and changes nothing."""
    tag = create_tag(api)
    path = f"/posts/{create_post(api, tag)}"
    before = api.get(path).expect(200).object()
    sent = a_post(tag_ids=[tag["id"], NO_SUCH_ID])
    why = "fewer tags are found than ids were sent, and nobody compares the two numbers."
    api.put(path, sent).expect(404, 400, 422, why=why)
    stored = api.get(path).expect(200)
    why = "a part of the change was committed before the tags were looked for."
    stored.has(why, title=before["title"])
    expect_tags(stored, tag, why=why)


@pytest.mark.step(4)
def test_update_post_not_found(api: Api) -> None:
    """PUT /posts/{id} answers 404 when there is no such post."""
    why = "the row is changed without looking whether it is there."
    api.put(f"/posts/{NO_SUCH_ID}", a_post(tag_ids=[])).expect(404, why=why)


@pytest.mark.step(5)
def test_delete_post(api: Api) -> None:
    """DELETE /posts/{id} removes the post, and neither its tags nor other posts."""
    tag = create_tag(api)
    post, other = create_post(api, tag), create_post(api, tag)
    api.delete(f"/posts/{post}").expect(204, 200, why="its pairs have to go with it.")
    api.get(f"/posts/{post}").expect(404, why="no session.commit() after session.delete().")
    why = "the tag, or all of its pairs, went with the post: a cascade that goes too far."
    expect_tags(api.get(f"/posts/{other}").expect(200, why=why), tag, why=why)
    expect_posts(api.get(f"/posts?tag={tag['name']}"), [other], why)


@pytest.mark.step(5)
def test_deleted_post_leaves_no_pairs(api: Api) -> None:
    """The post that is made next has no tags of the one that was deleted."""
    post = create_post(api, create_tag(api))
    api.delete(f"/posts/{post}").expect(204, 200)
    reply = api.post("/posts", a_post()).expect(201, 200)
    why = (
        "the pairs of the deleted post are still in the link table, and SQLite gave its id away "
        "again: session.delete(post) removes them, a DELETE statement of your own does not, and "
        "SQLite heeds ON DELETE CASCADE only with PRAGMA foreign_keys=ON."
    )
    expect_tags(api.get(f"/posts/{reply.object().get('id')}").expect(200), why=why)


@pytest.mark.step(5)
def test_delete_post_not_found(api: Api) -> None:
    """DELETE /posts/{id} answers 404 when there is no such post."""
    why = "the row is deleted without looking whether it is there."
    api.delete(f"/posts/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(6)
def test_create_tag_twice_at_once(api: Api) -> None:
    """Of eight equal POST /tags at one moment, one is answered 201, the others 400 or 409."""
    for _ in range(4):
        create_tag_eight_times_at_once(api, unique("tag-"))


def create_tag_eight_times_at_once(api: Api, name: str) -> None:
    """Race eight equal requests; fail unless one of them wins."""
    why = (
        "a SELECT before the INSERT is the only guard: all requests look before one has written. "
        "Let the unique constraint decide, and catch its IntegrityError."
    )
    replies = api.at_once(8, lambda number: api.post("/tags", {"name": name}))
    for reply in replies:
        reply.expect(201, 200, 400, 409, why=why)
    if sum(reply.ok for reply in replies) != 1:
        statuses = sorted(reply.status for reply in replies)
        fail(f"eight equal POST /tags at one moment were answered {statuses}.", why)


@pytest.mark.step(6)
def test_replace_tags_at_once(api: Api) -> None:
    """After four PUT /posts/{id} at one moment the post has the tags of one of them."""
    why = (
        "each request read the tags before one had replaced them, and removes or adds pairs that "
        "are no longer as it read them: lock the post first, with a write."
    )
    tags = [create_tag(api) for _ in range(4)]
    ids = [tag["id"] for tag in tags]
    path = f"/posts/{create_post(api, *tags)}"
    for _ in range(2):
        replies = api.at_once(
            4, lambda number: api.put(path, a_post(tag_ids=[ids[number], ids[number - 1]]))
        )
        for reply in replies:
            reply.expect(200, why=why)
        stored = api.get(path).expect(200)
        got = {tag["id"] for tag in stored.object()["tags"]}
        if got not in [{ids[number], ids[number - 1]} for number in range(4)]:
            stored.wrong("these are the tags of no single one of the four requests.", why)
