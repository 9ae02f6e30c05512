"""Checks of exercise 04; each speaks to the app over HTTP only."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from exercises.checks import (
    SWAPPED,
    Api,
    Reply,
    fail,
    left_out,
    multiplied,
    one_letter,
    same_row,
    shorten,
    unique,
)

Row = dict[str, Any]
CROWD = 103  # more than the longest window
BEHIND = 1_000_000
# In LIKE, as its usual escapes, in GLOB, in a regular expression or in SQL; an address takes some.
SIGNS = {"name": r"%_\/!^#$*?.[(|+':;{&<" + '"', "email": "%_/!^#$*?|+'{&"}
# As long as an address can be: 254 characters with the ten that make it another each time.
LONGEST_DOMAIN = f"{'d' * 63}.{'e' * 63}.{'f' * 63}.{'g' * 43}.com"
NO_ROUTE = (
    "there is no such route yet, or it stands below /users/{user_id}, which takes 'page' for an "
    "id: move it above."
)
OWN_BOUND = "a bound of the app's own refuses what the task allows."
NONE_LEFT = "that no user is left is no error: the list is empty then."
TURNED = (
    "the page is cut out of the oldest users, and turned round then: ORDER BY id DESC has to come "
    "before the LIMIT."
)
WINDOW = "skip or limit does not reach the query: .offset(skip).limit(limit)."
CUT_FIRST = "skip and limit cut first, and what does not fit is removed afterwards, in Python."
ORDER = (
    "no ORDER BY id: without it the database answers in any order, for example in that of an "
    "index; by another column it is another order."
)

REMEMBERED = (
    "what was found is remembered in memory, where another process does not change it: ask the "
    "database each time."
)
NEWEST_FIRST = (
    "the order is not newest first. By created_at alone the order of users made in the same second "
    "is open: order by id too."
)


def create(api: Api, **changes: Any) -> Row:
    """Create a user through the API; give the row."""
    email = f"{unique('ada.')}@example.com"
    sent = {"name": unique("Ada "), "email": email, "age": 36} | changes
    reply = api.post("/users", sent).expect(201, 200)
    reply.has("the answer is not the stored row.", **sent)
    return sent | {"id": reply.id}


@pytest.fixture(scope="module")
def crowd(api: Api) -> list[Row]:
    """Create more users than any limit; neither names, e-mails nor ages follow the ids."""
    stem = unique("crowd.")
    users = []
    for n in range(CROWD):
        user = create(
            api,
            name=f"Ada {n * 37 % CROWD // 2:03}",
            email=f"{n * 53 % CROWD:03}.{stem}@example.com",
            age=20 + n * 29 % CROWD // 3,
        )
        users.append(user)
        if n % 20 == 0:  # if it is refused, a gap between the ids of PostgreSQL is left
            again = api.post("/users", {name: user[name] for name in ("name", "email", "age")})
            users += [user | {"id": again.id}] if again.ok else []
    return users


def all_users(api: Api) -> list[Row]:
    """List all users by id."""
    return sorted(api.list_all("/users"), key=lambda row: row["id"])


def ids_of(rows: list[Row]) -> list[int]:
    """Give the ids, in the order of the rows."""
    return [row["id"] for row in rows]


def expect_rows(reply: Reply, wanted: list[Row], why: str) -> None:
    """Fail unless these users are listed, in this order and with all their fields."""
    is_page = "/users/page" in reply.asked
    rows = items_of(reply) if is_page else reply.expect(200, why={404: NONE_LEFT}).rows()
    got, ids = ids_of(rows), ids_of(wanted)
    if got != ids:
        in_order = got == sorted(got, reverse=is_page)
        cause = why if in_order else NEWEST_FIRST if is_page else ORDER
        reply.wrong(f"the ids are {shorten(got)}, not {shorten(ids)}.", cause)
    for row, user in zip(rows, wanted, strict=True):
        shown = {name: row[name] for name in user if name in row}
        same_row(user, shown, why="the response class leaves a field out, or renames it.")


def expect_window(
    api: Api, query: str, fitting: list[Row], skip: int, limit: int, why: str = WINDOW
) -> None:
    """Fail unless the list is this part of all users that fit, and says so beside it."""
    reply = api.get(f"/users?{query}&skip={skip}&limit={limit}".replace("?&", "?"))
    wanted = fitting[skip : skip + limit]
    expect_rows(reply, wanted, CUT_FIRST if cuts_first(api, query, reply, wanted, limit) else why)
    told = {"total": len(fitting), "skip": skip, "limit": limit}
    beside = reply.body if isinstance(reply.body, dict) else {}
    for name in told.keys() & beside.keys():
        if beside[name] != told[name]:
            reply.wrong(
                f"{len(fitting)} users fit, and {name!r} is {shorten(beside[name])}, not "
                f"{told[name]}.",
                "the total is counted without the filter, or after the limit."
                if name == "total"
                else "the window that was asked for is answered beside the list.",
            )


def cuts_first(api: Api, query: str, reply: Reply, wanted: list[Row], limit: int) -> bool:
    """Tell whether the answer has room for users whom a wider window shows."""
    got = ids_of(reply.expect(200).rows())
    missing = set(ids_of(wanted)) - set(got)
    if not missing or len(got) >= limit:
        return False
    windows = (api.get(f"/users?{query}&skip={skip}&limit=100") for skip in (0, 100, 200))
    return missing <= {row["id"] for reply in windows for row in reply.expect(200).rows()}


def get_page(api: Api, page: int, page_size: int) -> Reply:
    """Read a page of the users."""
    reply = api.get(f"/users/page?page={page}&page_size={page_size}")
    return reply.expect(200, why=why_no_page(reply))


def why_no_page(reply: Reply) -> str:
    """Say why there is no page: its number or size is refused, or another route has answered."""
    return OWN_BOUND if reply.status == 422 and '"query"' in reply.text else NO_ROUTE


def items_of(reply: Reply) -> list[Row]:
    """Give the rows of a page."""
    items = reply.object().get("items")
    if not isinstance(items, list):
        reply.wrong("there is no list under 'items'.", "the names in the answer are in the task.")
    return reply.rows(items)


def expect_fields(reply: Reply) -> None:
    """Fail unless a page has all its numbers and flags."""
    kinds = dict.fromkeys(("total", "page", "page_size", "total_pages"), int)
    for name, kind in (kinds | {"has_next": bool, "has_previous": bool}).items():
        if type(reply.object().get(name)) is not kind:
            reply.wrong(f"there is no {kind.__name__} under {name!r}.", "see the task's example.")


# Before anybody is there


@pytest.mark.step(5)
def test_page_of_an_empty_table(api: Api) -> None:
    """Without users the first page is empty, or there is none."""
    first = api.get("/users/page?page_size=1").expect(200, 404, why=NO_ROUTE)
    if first.ok and items_of(first):
        left_out("the table is not empty any more")
    reply = api.get("/users/page").expect(200, 404, why=NO_ROUTE)
    if reply.ok:
        expect_fields(reply)
        why = "a division by the total, or a count that is one too many, where there is nobody."
        reply.has(why, items=[], total=0)
        why_next = (
            "has_next is page < total_pages, and has_previous page > 1, also where no page is."
        )
        reply.has(why_next, has_next=False, has_previous=False)
        if reply.object().get("total_pages") not in (0, 1):
            reply.wrong("for no users there are neither 0 pages nor 1.", why)


# Lists


@pytest.mark.step(1)
def test_list_users_window(api: Api, crowd: list[Row]) -> None:
    """GET /users?skip=&limit= answers a window of the list, ordered by id."""
    users = all_users(api)
    crowd_at = ids_of(users).index(crowd[0]["id"])
    for skip, limit in ((crowd_at + 2, 7), (crowd_at, 2), (0, 2), (len(users) - 1, 2)):
        expect_window(api, "", users, skip, limit)
    expect_rows(api.get(f"/users?skip={crowd_at}&limit=40"), crowd[:40], WINDOW)


@pytest.mark.step(1)
def test_list_users_up_to_the_largest_limit(api: Api, crowd: list[Row]) -> None:
    """A limit of 100 answers a hundred users, a limit of 1 answers one."""
    users = all_users(api)
    why = "a smaller number than the limit that was sent reaches the query."
    expect_window(api, "", users, 0, 100, why)
    expect_window(api, "", users, 1, 100, why)
    expect_window(api, "", users, len(crowd) // 2, 1, why)


@pytest.mark.step(1)
@pytest.mark.usefixtures("crowd")
def test_list_users_defaults(api: Api) -> None:
    """GET /users answers the first ten."""
    users, why = all_users(api), "skip is not 0 or limit is not 10 by default."
    expect_rows(api.get("/users"), users[:10], why)
    expect_rows(api.get("/users?skip=3"), users[3:13], why)
    expect_rows(api.get("/users?limit=3"), users[:3], why)


@pytest.mark.step(1)
def test_list_users_behind_the_last(api: Api) -> None:
    """Behind the last user the list is empty."""
    create(api)
    users = all_users(api)
    expect_window(api, "", users, len(users), 10)
    expect_window(api, "", users, BEHIND, 10)


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "query", ["skip=-1", "skip=some", "limit=0", "limit=-1", "limit=101", "limit=many"]
)
def test_list_users_refuses_a_wrong_window(api: Api, query: str) -> None:
    """GET /users answers 422 to a window that cannot be."""
    why = "skip or limit has no bounds: limit=-1 is no limit at all on SQLite, an error elsewhere."
    api.get(f"/users?{query}").expect(422, 400, why={2: why, 5: why})


AGES = (0, 17, 18, 19, 39, 40, 41, 149, 150)


@pytest.fixture(scope="module")
def aged(api: Api) -> dict[int, int]:
    """Create a user of each age, and say how old each id is."""
    return {create(api, age=age)["id"]: age for age in AGES}


@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("query", "low", "high"),
    [
        ("", 0, 150),
        ("min_age=18", 18, 150),
        ("max_age=18", 0, 18),
        ("min_age=18&max_age=40", 18, 40),
        ("min_age=18&max_age=18", 18, 18),
        ("min_age=0", 0, 150),
        ("max_age=0", 0, 0),
        ("min_age=0&max_age=0", 0, 0),
        ("min_age=0&max_age=40", 0, 40),
        ("min_age=150", 150, 150),
        ("max_age=150", 0, 150),
        ("max_age=148", 0, 148),
        ("min_age=42&max_age=148", 42, 148),
        ("min_age=40&max_age=18", 40, 18),
    ],
)
def test_list_users_by_age(api: Api, aged: dict[int, int], query: str, low: int, high: int) -> None:
    """GET /users?min_age=&max_age= answers those between the two, both included."""
    path = f"/users?{query}".rstrip("?")
    got = sorted(aged[row["id"]] for row in api.list_all(path) if row["id"] in aged)
    wanted = [age for age in AGES if low <= age <= high]
    if got != wanted:
        fail(
            f"of users aged {', '.join(map(str, AGES))} GET {path} lists those aged {got}, not "
            f"{wanted}.",
            SWAPPED
            if low > high and got == [age for age in AGES if high <= age <= low]
            else "a filter does not reach the query, leaves out its own bound, works though it is "
            "not given, or `if max_age:` is false for 0: `if max_age is not None:`.",
        )


@pytest.mark.step(2)
@pytest.mark.parametrize("query", ["min_age=old", "max_age=old"])
def test_list_users_refuses_what_is_no_age(api: Api, query: str) -> None:
    """GET /users answers 422 to an age that is no number."""
    api.get(f"/users?{query}").expect(422, 400, why="the parameter is not declared as an int.")


@pytest.mark.step(2)
def test_filter_comes_before_limit(api: Api) -> None:
    """The parameters skip and limit cut what the filter has left."""
    for age in (20, 150, 20, 150, 20, 150):
        create(api, age=age)
    fitting = [user for user in all_users(api) if user["age"] == 150]
    for skip, limit in ((0, 2), (1, 1), (2, 100)):
        expect_window(api, "min_age=150", fitting, skip, limit, CUT_FIRST)


@pytest.mark.step(2)
def test_filtered_list_ordered_by_id(api: Api, crowd: list[Row]) -> None:
    """The filtered list is ordered by id too."""
    low, high = 25, 40
    wanted = [user for user in crowd if low <= user["age"] <= high]
    first = crowd[0]["id"]
    path = f"/users?min_age={low}&max_age={high}"
    rows = [row for row in api.list_all(path) if first <= row["id"] <= crowd[-1]["id"]]
    if ids_of(rows) != ids_of(wanted):
        fail(f"GET {path} answered the ids {shorten(ids_of(rows))}.", ORDER)


@pytest.mark.step(2)
def test_total_beside_the_list(api: Api) -> None:
    """A total beside the list counts all users that fit, not those in the answer."""
    for age in (146, 146, 146, 30):
        create(api, age=age)
    fitting = [user for user in all_users(api) if user["age"] == 146]
    expect_window(api, "min_age=146&max_age=146", fitting, 1, 1)


@pytest.mark.step(3)
@pytest.mark.parametrize("field", ["name", "email"])
def test_search_users(api: Api, field: str) -> None:
    """GET /users?search= finds users by a part of their name or e-mail, in any case."""
    term = unique("ada")
    first, second = f"x{term}x", f"Y{term.upper()}" if field == "name" else f"y{term}"
    domain = "" if field == "name" else "@example.com"
    users = [create(api, **{field: value + domain}) for value in (first, second)]
    users.append(create(api, name=f"Ada {term}", email=f"{term}@example.com"))
    create(api)
    for typed in (term, term.upper(), term[:-1], term[1:].title()):
        expect_found(api, typed, *users)


def expect_found(api: Api, typed: str, *users: Row) -> None:
    """Fail unless a search finds these users and no others."""
    search = f"search={quote(typed)}"
    reply = api.get(f"/users?{search}")
    found = ids_of(reply.expect(200).rows())
    if len(set(found)) < len(found):
        why = "a user with the term in name and e-mail comes twice: or_() in one WHERE."
        reply.wrong(f"the ids are {shorten(found)}.", why)
    more = set(found) - {user["id"] for user in users}
    why = (
        "the term does not reach the WHERE as it is: something else is compared than the whole "
        "term with name and with e-mail, each on its own."
        if more
        else "the term is compared with one column only, or has to be in both: or_(). Or it is "
        "compared exactly, or case matters: icontains(). Or a part of what is stored is left out."
    )
    wanted = list(users)
    expect_rows(reply, wanted, CUT_FIRST if cuts_first(api, search, reply, wanted, 10) else why)


@pytest.mark.step(3)
def test_search_users_by_what_is_nearly_there(api: Api) -> None:
    """The whole term is in the name, or in the e-mail; parts of it in both are not enough."""
    one, two = unique("x"), unique("y")
    create(api, name=f"{two} {one}")
    create(api, name=f"Ada {one}", email=f"{two}@example.com")
    create(api, name=f"{one}-{two}")
    user = create(api, name=f"{one} {two}")
    expect_found(api, f"{one} ", user)
    glued = create(api, email=f"{one}{two}@example.com")
    expect_found(api, f"{one} {two}", user)
    expect_found(api, f"{one}{two}", glued)
    create(api, name=f"{two}a")
    spaced = create(api, name=f"Ada {two}a")
    expect_found(api, f" {two}a", spaced)
    create(api, name=f"{one} {two[:-1]}!")
    expect_found(api, f"{one} {two}", user)
    expect_found(api, unique("nobody"))
    wide = create(api, name=f"{one}  {two}", email=f"{one}.{two}@example.com")
    expect_found(api, f"{one}  {two}", wide)
    expect_found(api, f"{one} {two}", user)


@pytest.mark.step(3)
def test_search_users_by_a_short_and_a_long_term(api: Api) -> None:
    """A term may be one letter, a whole address, or any part of it."""
    name, domain = unique(one_letter()), f"{'d' * 60}.{unique('e')}.example.com"
    user = create(api, name=name, email=f"{unique('ada.')}@{domain}")
    why = "a bound of the app's own refuses the term."
    for typed in (name[0], user["email"], f"@{domain}", user["email"][5:20], domain[55:]):
        api.get(f"/users?search={quote(typed)}").expect(200, why={422: why})
        expect_found(api, typed, user)
    create(api, email=user["email"].replace(".com", ".org"))
    expect_found(api, user["email"], user)
    sent: Row = {"name": "Ada", "email": f"{unique('ada.')}@{LONGEST_DOMAIN}", "age": 36}
    reply = api.post("/users", sent).expect(201, 200, 422, 400)
    if reply.ok:  # else an app with a bound for addresses
        longest = {"id": reply.id, "email": reply.object().get("email")}
        api.get(f"/users?search={sent['email']}").expect(200, why={422: why})
        expect_found(api, sent["email"], longest)
    shouted = f"{unique('ADA.')}@EXAMPLE.COM"
    reply = api.post("/users", {"name": "Ada", "email": shouted, "age": 36}).expect(201, 200)
    made = {"id": reply.id, "email": reply.object().get("email")}
    expect_found(api, shouted.lower(), made)
    expect_found(api, shouted, made)


@pytest.mark.step(3)
def test_list_users_after_a_new_user(api: Api) -> None:
    """A user who was made a moment ago, by another server process too, is found and listed."""
    term, made = unique("ada"), []
    for process in (api, api.second(), api):
        made.append(create(process, name=term, age=144))
        for query in (f"search={term}", "min_age=144&max_age=144", f"search={term}&min_age=144"):
            rows = api.list_all(f"/users?{query}")
            missing = {user["id"] for user in made} - set(ids_of(rows))
            if missing:
                fail(f"GET /users?{query} does not list the users {missing}.", REMEMBERED)


@pytest.mark.step(3)
def test_search_looks_at_name_and_email_only(api: Api) -> None:
    """GET /users?search= does not look at ids and ages."""
    # Letters in the place of the digits that make a name unique: no number is a part of it.
    letters = unique("").translate(str.maketrans("0123456789", "ghijklmnop"))
    user = create(api, name=f"Ada {letters}", email=f"{letters}@example.com", age=0)
    for field in ("id", "age"):
        path = f"/users?search={user[field]}"
        if user["id"] in ids_of(api.list_all(path)):
            fail(
                f"GET {path} lists user {user['id']}, who has this number as {field} and neither "
                "in the name nor in the e-mail.",
                f"the {field} is searched as well: name and e-mail are all that counts.",
            )


@pytest.mark.step(3)
def test_search_users_by_a_name_with_accents(api: Api) -> None:
    """A name is found by what stands in it, letters beyond A to Z included."""
    stem = unique("x")
    user = create(api, name=f"Élodie {stem} ÖÑ")
    create(api, name=f"Elodie {stem} ON")
    why = "str.lower() changes É, and SQLite's lower() does not: leave both sides to the database."
    for typed in (f"Élodie {stem}", f"{stem} ÖÑ", f"É{'LODIE'} {stem}"):
        expect_rows(api.get(f"/users?search={quote(typed)}"), [user], why)


@pytest.mark.step(3)
def test_search_users_by_age_too(api: Api) -> None:
    """A search goes together with the ages: all that is given must hold."""
    term = unique("ada")
    baby, young = create(api, name=f"x {term}", age=0), create(api, name=f"z {term}", age=20)
    old = create(api, name=f"y {term}", age=60)
    older = create(api, email=f"{term}@example.com", age=61)
    oldest = create(api, name=f"a {term}", age=70)
    why = (
        "the conditions are joined by OR, one replaces the other, leaves out its own bound, or "
        "works though it is not given."
    )
    term = f"search={term}"
    expect_window(api, term, [baby, young, old, older, oldest], 0, 3, why)
    expect_window(api, term, [baby, young, old, older, oldest], 2, 2, why)
    expect_window(api, f"{term}&min_age=60", [old, older, oldest], 0, 10, why)
    expect_window(api, f"{term}&max_age=20", [baby, young], 0, 10, why)
    expect_window(api, f"{term}&min_age=20", [young, old, older, oldest], 1, 1, why)
    expect_window(api, f"{term}&min_age=0", [baby, young, old, older, oldest], 0, 10, why)
    expect_window(api, f"{term}&min_age=60&max_age=61", [old, older], 0, 1, why)


# Pages


@pytest.mark.step(4)
@pytest.mark.usefixtures("crowd")
def test_page_has_its_place_in_the_whole(api: Api) -> None:
    """GET /users/page answers the items, and the total of all pages."""
    total = len(all_users(api))
    for page, size in ((1, 2), (2, 1), (1, 100), (3, 30)):
        reply = get_page(api, page, size)
        why = "the page is counted from 0, or a default is answered for what was sent."
        reply.has(why, page=page, page_size=size)
        by_page = reply.body.get("total") in (len(items_of(reply)), size)
        why = (
            "the total is the length of the page: count all users."
            if by_page
            else "what is counted is not each row of the table: select(func.count()) counts rows."
        )
        reply.has(why, total=total)
        expect_fields(reply)


@pytest.mark.step(4)
@pytest.mark.usefixtures("crowd")
def test_page_is_newest_first(api: Api) -> None:
    """GET /users/page answers the newest users first."""
    newest = all_users(api)[::-1]
    reply = get_page(api, 1, 40)
    turned = ids_of(items_of(reply)) == ids_of(newest[-40:])
    expect_rows(reply, newest[:40], TURNED if turned else "the offset of page 1 is not 0.")


@pytest.mark.step(4)
@pytest.mark.parametrize("size", [19, 100])
@pytest.mark.usefixtures("crowd")
def test_pages_have_each_user_once(api: Api, size: int) -> None:
    """The pages together have each user once, and each is full but the last."""
    newest = all_users(api)[::-1]
    why = "the offset is not (page - 1) * page_size, or the limit is not page_size."
    for page in range(-(-len(newest) // size)):
        wanted = newest[page * size : (page + 1) * size]
        expect_rows(get_page(api, page + 1, size), wanted, why)


@pytest.mark.step(4)
@pytest.mark.usefixtures("crowd")
def test_page_defaults(api: Api) -> None:
    """GET /users/page without parameters is page 1 with 20 users."""
    newest = all_users(api)[::-1]
    why = "page has to be 1 and page_size 20 by default."
    for query, page, size in (("", 1, 20), ("?page=2", 2, 20), ("?page_size=5", 1, 5)):
        reply = api.get(f"/users/page{query}").expect(200, why=NO_ROUTE)
        reply.has(why, page=page, page_size=size)
        expect_rows(reply, newest[(page - 1) * size : page * size], why)


@pytest.mark.step(4)
def test_page_after_a_new_user(api: Api) -> None:
    """A user who was made a moment ago, by another server process too, is on page 1."""
    get_page(api, 1, 1)
    why = (
        "the page or its total is remembered in memory, where another process does not change it: "
        "ask the database each time."
    )
    for process in (api, api.second(), api):
        user = create(process)
        reply = get_page(api, 1, 1)
        expect_rows(reply, [user], why)
        reply.has(why, total=len(all_users(api)))


@pytest.mark.step(5)
@pytest.mark.usefixtures("crowd")
def test_total_pages_are_rounded_up(api: Api) -> None:
    """The number of pages is rounded up."""
    total = len(all_users(api))
    # Among them are sizes that leave little on the last page, much of it, and nothing.
    sizes = {1, 2, 3, 7, 50, 99, 100} | {size for size in range(1, 101) if total % size == 0}
    why = "the division rounds down, or to the nearest, or adds 1 where nothing is left over."
    for size in sorted(sizes):
        get_page(api, 1, size).has(why, total_pages=(total + size - 1) // size)


@pytest.mark.step(5)
@pytest.mark.usefixtures("crowd")
def test_next_and_previous(api: Api) -> None:
    """The first page has no previous one, the last one no next, full or not."""
    if len(all_users(api)) % 2:
        create(api)
    total = len(all_users(api))
    why = (
        "has_next is page < total_pages, has_previous is page > 1; that a page is full does not "
        "say that another one follows."
    )
    for size in (1, 2, 7, 100):
        last = -(-total // size)
        for page in {1, 2, last - 1, last}:
            wanted = {"has_previous": page > 1, "has_next": page < last}
            get_page(api, page, size).has(why, **wanted)


@pytest.mark.step(5)
@pytest.mark.usefixtures("crowd")
def test_page_behind_the_last(api: Api) -> None:
    """A page behind the last one is empty, or is not found."""
    total = len(all_users(api))
    for page, size in ((total + 1, 1), (total // 100 + 2, 100), (BEHIND, 20)):
        reply = api.get(f"/users/page?page={page}&page_size={size}")
        reply.expect(200, 404, why=why_no_page(reply))
        if reply.ok:
            last = (total + size - 1) // size
            if items := items_of(reply):
                why = "page does not reach the offset."
                if items == items_of(get_page(api, last, size)):
                    why = "the last page is answered in its place."
                reply.wrong("a page behind the last one has items.", why)
            why = "the total comes from the rows of the page, and there are none."
            reply.has(why, total=total, total_pages=last)
            why = "has_next is page < total_pages, and page is what was asked for."
            reply.has(why, has_next=False, page=page)


@pytest.mark.step(5)
@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=first", "page_size=0", "page_size=-1", "page_size=101"]
)
def test_page_refuses_a_wrong_number(api: Api, query: str) -> None:
    """GET /users/page answers 422 to a page that cannot be."""
    create(api)
    api.get("/users/page").expect(200, why=NO_ROUTE)
    why = "page or page_size has no bounds; a negative offset is an error on PostgreSQL."
    api.get(f"/users/page?{query}").expect(422, 400, why={2: why, 5: why})


@pytest.mark.step(6)
@pytest.mark.parametrize("field", ["name", "email"])
def test_search_takes_signs_as_they_are(api: Api, field: str) -> None:
    """A % or _ in the search is a character like any other."""
    stem = unique("ada")
    users = {sign: create(api, **{field: f"{stem}5.{sign}x@example.com"}) for sign in SIGNS[field]}
    for other in ("5.7x", "5.x", "5.77"):
        create(api, **{field: f"{stem}{other}@example.com"})
    for sign, user in users.items():
        why = (
            f"{sign!r} stands for other characters, or is the escape of those that do and is not "
            "escaped itself: icontains(search, autoescape=True)."
        )
        for typed in (f"{stem}5.{sign}", f"{stem}5.{sign}x"):
            expect_rows(api.get(f"/users?search={quote(typed, safe='')}"), [user], why)


@pytest.mark.step(7)
@pytest.mark.usefixtures("crowd")
def test_page_counts_in_the_database(api: Api) -> None:
    """A page takes the same few statements whatever its size, and one of them is a COUNT."""
    small, second, large = get_page(api, 2, 1), get_page(api, 2, 50), get_page(api, 1, 100)
    if small.statements != large.statements:
        large.wrong(
            f"a page of 100 took {large.statements} statements, a page of 1 took "
            f"{small.statements}:\n{large.sql}",
            "there is a query for each item, or for each batch of items.",
        )
    for reply in (small, second, large):
        rows = len(items_of(reply))
        if reply.rows_fetched > rows + 2:
            reply.wrong(
                f"for {rows} users it fetched {reply.rows_fetched} rows:\n{reply.sql}",
                "all users are read for their number: select(func.count()).select_from(User). Or "
                "Python cuts the page out: .offset(…).limit(page_size).",
            )
    if not re.search(r"count\s*\(", large.sql, re.IGNORECASE):
        large.wrong(
            f"none of its statements counts:\n{large.sql}",
            "the number comes from somewhere else, and the highest id is not it: "
            "select(func.count()).select_from(User).",
        )


@pytest.mark.step(7)
@pytest.mark.usefixtures("crowd")
def test_lists_of_thousands(api: Api) -> None:
    """Of thousands of users each is counted, and the last one is as near as the first."""
    stem = unique("ada")
    users, user = all_users(api), create(api, email=f"{stem}@example.com", age=143)
    why = "a number of the app's own ends the count, or the list: every user that fits counts."
    with multiplied(api, user, "email", 14) as copies:
        total = len(users) + copies
        for page, size in ((1, 20), (-(-total // 100), 100)):
            reply = get_page(api, page, size)
            last = -(-total // size)
            reply.has(why, total=total, total_pages=last, has_next=page < last)
        expect_rows(get_page(api, total, 1), users[:1], why)
        for query in (f"search={stem}", "min_age=143&max_age=143"):
            reply = api.get(f"/users?{query}&skip={copies - 3}").expect(200)
            if len(reply.items()) != 3:
                reply.wrong(
                    f"{copies} users fit, and {len(reply.items())} of the last 3 come.", why
                )
            if isinstance(reply.body, dict) and "total" in reply.body:
                reply.has(why, total=copies)
        newest = create(api)
    # Now there is a gap between the ids, on SQLite as well.
    why = "the place of a page is computed from ids: it is counted in users, .offset()."
    for page, there in ((2, user), (3, users[-1])):
        expect_rows(get_page(api, page, 1), [there], why)
    get_page(api, 1, 1).has("the total is computed from ids.", total=len(users) + 2)
    expect_rows(api.get(f"/users?skip={len(users)}"), [user, newest], why)
