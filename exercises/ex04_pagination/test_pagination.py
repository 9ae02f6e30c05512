"""Checks of exercise 04; each speaks to the app over HTTP only."""

from typing import Any
from urllib.parse import quote

import pytest

from exercises.checks import Api, Reply, fail, shorten, unique

BEHIND = 1_000_000
LIMITS = ("limit", "fetch", "row_number", "between")  # what cuts a page out of a table in SQL
ROUTE_ORDER = (
    "there is no such route yet, or it stands below /users/{user_id}, which takes 'page' for an "
    "id: move it above."
)
NO_ORDER = (
    "no ORDER BY: without it the database answers in any order, here in that of the index on age."
)


def create(api: Api, **changes: Any) -> int:
    """Create a user through the API; give the id."""
    email = f"{unique('ada.')}@example.com"
    sent = {"name": unique("Ada "), "email": email, "age": 36} | changes
    reply = api.post("/users", sent).expect(201, 200)
    reply.has("the answer is not the stored row.", **sent)
    return reply.id


def all_ids(api: Api) -> list[int]:
    """List the ids of all users, in the order in which GET /users answers them."""
    return [row["id"] for row in api.list_all("/users")]


def expect_ids(reply: Reply, wanted: list[int], why: str) -> None:
    """Fail unless the answer lists these users, in this order."""
    got = [row["id"] for row in reply.expect(200).items()]
    if got != wanted:
        reply.wrong(f"the ids are {shorten(got)}, not {shorten(wanted)}.", why)


def get_page(api: Api, page: int, page_size: int) -> Reply:
    """Read a page of the users."""
    reply = api.get(f"/users/page?page={page}&page_size={page_size}")
    return reply.expect(200, why=ROUTE_ORDER if reply.status == 422 else "")


def items_of(reply: Reply) -> list[int]:
    """Give the ids on a page."""
    items = reply.object().get("items")
    if not isinstance(items, list):
        reply.wrong("there is no list under 'items'.", "the names in the answer are in the task.")
    return [row["id"] for row in items]


@pytest.mark.step(1)
def test_list_users_window(api: Api) -> None:
    """GET /users?skip=&limit= answers a window of the list, ordered by id."""
    made = [create(api) for _ in range(5)]
    skip = max(0, len(all_ids(api)) - 5)
    why = (
        "skip or limit does not reach the query: .offset(skip).limit(limit). Or the order is not "
        "by id."
    )
    expect_ids(api.get(f"/users?skip={skip}&limit=2"), made[:2], why)
    expect_ids(api.get(f"/users?skip={skip + 2}&limit=2"), made[2:4], why)
    expect_ids(api.get(f"/users?skip={skip + 4}&limit=2"), made[4:], why)


@pytest.mark.step(1)
def test_list_users_defaults(api: Api) -> None:
    """GET /users answers the first ten."""
    for _ in range(11):
        create(api)
    expect_ids(api.get("/users"), all_ids(api)[:10], "skip is not 0 or limit is not 10 by default.")


@pytest.mark.step(1)
def test_list_users_behind_the_last(api: Api) -> None:
    """Behind the last user the list is empty."""
    create(api)
    expect_ids(api.get(f"/users?skip={BEHIND}"), [], "skip does not reach the query.")


@pytest.mark.step(1)
@pytest.mark.parametrize("query", ["skip=-1", "limit=0", "limit=-1", "limit=101", "limit=many"])
def test_list_users_refuses_a_wrong_window(api: Api, query: str) -> None:
    """GET /users answers 422 to a window that cannot be."""
    why = "skip or limit has no bounds: limit=-1 is no limit at all on SQLite, an error elsewhere."
    api.get(f"/users?{query}").expect(422, 400, why=why)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("query", "ages"),
    [
        ("", {0, 17, 18, 40, 150}),
        ("min_age=18", {18, 40, 150}),
        ("max_age=18", {0, 17, 18}),
        ("min_age=18&max_age=40", {18, 40}),
        ("min_age=0&max_age=0", {0}),
        ("max_age=0", {0}),
        ("min_age=41&max_age=149", set()),
    ],
)
def test_list_users_by_age(api: Api, query: str, ages: set[int]) -> None:
    """GET /users?min_age=&max_age= answers those between the two, both included."""
    made = {create(api, age=age): age for age in (0, 17, 18, 40, 150)}
    path = f"/users?{query}".rstrip("?")
    got = {made[row["id"]] for row in api.list_all(path) if row["id"] in made}
    if got != ages:
        fail(
            f"of users aged 0, 17, 18, 40 and 150, GET {path} lists those aged {sorted(got)}, "
            f"not {sorted(ages)}.",
            "a filter does not reach the query, leaves out its own bound, works though it is not "
            "given, or `if max_age:` is false for 0: `if max_age is not None:`.",
        )


@pytest.mark.step(2)
def test_filter_comes_before_limit(api: Api) -> None:
    """The parameters skip and limit cut what the filter has left."""
    for age in (20, 20, 20, 150, 150):
        create(api, age=age)
    wanted = [row["id"] for row in api.list_all("/users?min_age=150")]
    why = "skip and limit cut first, and what does not fit is removed afterwards, in Python."
    expect_ids(api.get("/users?min_age=150&limit=2"), wanted[:2], why)
    expect_ids(api.get("/users?min_age=150&skip=1&limit=1"), wanted[1:2], why)


@pytest.mark.step(2)
def test_filtered_list_ordered_by_id(api: Api) -> None:
    """The filtered list is ordered by id too."""
    for age in (149, 147, 148):
        create(api, age=age)
    ids = [row["id"] for row in api.list_all("/users?min_age=147&max_age=149")]
    if ids != sorted(ids):
        fail(f"GET /users?min_age=147&max_age=149 answered the ids {shorten(ids)}.", NO_ORDER)


@pytest.mark.step(2)
def test_total_beside_the_list(api: Api) -> None:
    """A total beside the list counts all users that fit, not those in the answer."""
    for age in (146, 146, 30):
        create(api, age=age)
    fitting = len(api.list_all("/users?min_age=146&max_age=146"))
    reply = api.get("/users?min_age=146&max_age=146&limit=1").expect(200)
    if isinstance(reply.body, dict) and reply.body.get("total", fitting) != fitting:
        reply.wrong(
            f"{fitting} users fit, and 'total' is {reply.body['total']}.",
            "the total is counted without the filter, or after the limit.",
        )


@pytest.mark.step(3)
@pytest.mark.parametrize("field", ["name", "email"])
def test_search_users(api: Api, field: str) -> None:
    """GET /users?search= finds users by a part of their name or e-mail, in any case."""
    term = unique("ada")
    value = f"X{term}x" + ("@example.com" if field == "email" else "")
    user = create(api, **{field: value.lower()})
    create(api)
    why = (
        "the term is compared with one column only, or has to be in both: or_(). Or it is compared "
        "exactly, or case matters: icontains()."
    )
    for typed in (term, term.upper(), term[:-1]):
        expect_ids(api.get(f"/users?search={typed}"), [user], why)


@pytest.mark.step(3)
def test_search_users_by_age_too(api: Api) -> None:
    """A search goes together with the ages: all that is given must hold."""
    term = unique("ada")
    young, old = create(api, name=term, age=20), create(api, name=term, age=60)
    older = create(api, email=f"{term}@example.com", age=61)
    why = "the conditions are joined by OR, or one replaces the other."
    expect_ids(api.get(f"/users?search={term}&min_age=60"), [old, older], why)
    expect_ids(api.get(f"/users?search={term}&max_age=20"), [young], why)
    expect_ids(api.get(f"/users?search={term}&min_age=20&skip=1&limit=1"), [old], why)


@pytest.mark.step(3)
def test_search_users_finds_nobody(api: Api) -> None:
    """A search that nobody fits answers an empty list."""
    create(api)
    why = "the term does not reach the query's WHERE."
    expect_ids(api.get(f"/users?search={unique('nobody')}"), [], why)


@pytest.mark.step(4)
def test_page_has_its_place_in_the_whole(api: Api) -> None:
    """GET /users/page answers the items, and the total of all pages."""
    for _ in range(3):
        create(api)
    total = len(all_ids(api))
    reply = get_page(api, 1, 2)
    why = "the total is the length of the page, or the page is counted from 0."
    reply.has(why, total=total, page=1, page_size=2)
    get_page(api, 2, 1).has(why, total=total, page=2, page_size=1)
    for name, kind in (("total_pages", int), ("has_next", bool), ("has_previous", bool)):
        if type(reply.object().get(name)) is not kind:
            reply.wrong(f"there is no {kind.__name__} under {name!r}.", "see the task's example.")


@pytest.mark.step(4)
def test_page_is_newest_first(api: Api) -> None:
    """GET /users/page answers the newest users first."""
    made = [create(api) for _ in range(6)]
    got = items_of(get_page(api, 1, 4))
    if got != made[:1:-1]:
        fail(
            f"of users made in the order {made}, page 1 of size 4 has {got}.",
            "the offset of page 1 is not 0, or the order is not newest first. By created_at alone "
            "the order of users made in the same second is open: order by id too.",
        )


@pytest.mark.step(4)
def test_pages_have_each_user_once(api: Api) -> None:
    """The pages together have each user once."""
    for _ in range(7):
        create(api)
    ids = all_ids(api)
    size = min(100, len(ids) // 3 + 1)
    number_of_pages = -(-len(ids) // size)
    got = [i for page in range(number_of_pages) for i in items_of(get_page(api, page + 1, size))]
    if sorted(got) != sorted(ids):
        fail(
            f"{number_of_pages} pages of {size} have {len(got)} users, {len(set(got))} different "
            f"ones; there are {len(ids)}.",
            "the offset is not (page - 1) * page_size, or the order differs from page to page.",
        )


@pytest.mark.step(4)
def test_page_defaults(api: Api) -> None:
    """GET /users/page without parameters is page 1 with 20 users."""
    create(api)
    reply = api.get("/users/page")
    reply.expect(200, why=ROUTE_ORDER if reply.status == 422 else "")
    reply.has("page has to be 1 and page_size 20 by default.", page=1, page_size=20)


@pytest.mark.step(5)
def test_total_pages_are_rounded_up(api: Api) -> None:
    """The number of pages is rounded up."""
    for _ in range(4):
        create(api)
    total = len(all_ids(api))
    # The last page is less than half full: round() would lose it.
    uneven = next(size for size in range(3, 101) if 0 < total % size < size / 2)
    why = "the division rounds down, or to the nearest, or adds 1 where nothing is left over."
    get_page(api, 1, uneven).has(why, total_pages=total // uneven + 1)
    get_page(api, 1, 1).has(why, total_pages=total)


@pytest.mark.step(5)
def test_next_and_previous(api: Api) -> None:
    """The first page has no previous one, the last one no next, full or not."""
    for _ in range(3):
        create(api)
    total = len(all_ids(api))
    why = (
        "has_next is page < total_pages, has_previous is page > 1; that a page is full does not "
        "say that another one follows."
    )
    get_page(api, 1, 1).has(why, has_previous=False, has_next=True)
    get_page(api, 2, 1).has(why, has_previous=True, has_next=True)
    get_page(api, total, 1).has(why, has_previous=True, has_next=False)


@pytest.mark.step(5)
def test_page_behind_the_last(api: Api) -> None:
    """A page behind the last one is empty, or is not found."""
    create(api)
    reply = api.get(f"/users/page?page={BEHIND}&page_size=100")
    reply.expect(200, 404, why=ROUTE_ORDER if reply.status == 422 else "")
    if reply.ok:
        why = "the total comes from the rows of the page, and there are none."
        reply.has(why, total=len(all_ids(api)), has_next=False)
        if items_of(reply):
            reply.wrong("a page behind the last one has items.", "page does not reach the offset.")


@pytest.mark.step(5)
@pytest.mark.parametrize("query", ["page=0", "page=-1", "page_size=0", "page_size=101"])
def test_page_refuses_a_wrong_number(api: Api, query: str) -> None:
    """GET /users/page answers 422 to a page that cannot be."""
    create(api)
    api.get("/users/page").expect(200, why=ROUTE_ORDER)
    why = "page or page_size has no bounds; a negative offset is an error on PostgreSQL."
    api.get(f"/users/page?{query}").expect(422, 400, why=why)


@pytest.mark.step(6)
@pytest.mark.parametrize("sign", ["%", "_"])
def test_search_takes_signs_as_they_are(api: Api, sign: str) -> None:
    """A % or _ in the search is a character like any other."""
    stem = unique("ada")
    user = create(api, name=f"{stem} 5{sign}x")
    create(api, name=f"{stem} 57x")
    why = f"in LIKE, {sign!r} stands for other characters: icontains(search, autoescape=True)."
    expect_ids(api.get(f"/users?search={quote(f'{stem} 5{sign}')}"), [user], why)


@pytest.mark.step(7)
def test_page_counts_in_the_database(api: Api) -> None:
    """A page takes the same few statements whatever its size, and one of them is a COUNT."""
    for _ in range(6):
        create(api)
    small, large = get_page(api, 1, 1), get_page(api, 1, 6)
    if small.statements != large.statements:
        large.wrong(
            f"a page of 6 took {large.statements} statements, a page of 1 took "
            f"{small.statements}:\n{large.sql}",
            "there is a query for each item.",
        )
    # The log cuts long statements off, and with them a LIMIT or a COUNT at their end.
    cut_off = any(len(line.partition(" x ")[2]) >= 160 for line in large.sql.splitlines())
    if "count(" not in large.sql.lower() and not (large.statements == 1 and cut_off):
        large.wrong(
            f"none of its statements counts:\n{large.sql}",
            "all users are read for their number: select(func.count()).select_from(User).",
        )
    if not cut_off and not any(word in large.sql.lower() for word in LIMITS):
        large.wrong(
            f"none of its statements has a LIMIT:\n{large.sql}",
            "all users are read, and Python cuts the page out: .offset(…).limit(page_size).",
        )
