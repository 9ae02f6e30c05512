"""Checks of exercise 16; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    AWKWARD_TEXTS,
    NO_SUCH_ID,
    Api,
    Reply,
    as_floats,
    fail,
    same,
    same_row,
    shorten,
    unique,
)

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_STORED = (
    "the document does not come back as it was sent: a class with fixed fields as the body drops "
    "the others, str() or a text column makes a string of it, or the app itself leaves out or "
    "changes names and values. A JSON column keeps all."
)
IN_MEMORY = (
    "the answer comes from the memory of one process, a dictionary or a cache, and another process "
    "has written meanwhile. Only the database is shared."
)
NEARLY = (
    "the values are not compared whole: LIKE takes 36 for a part of 365 and % for anything, "
    "ilike(), lower() and NOCASE take no notice of case."
)
DEEPER = "the value is looked for at any depth, or in lists: only the item's own field counts."
NOT_FOUND = (
    "the two sides of the comparison have different forms: in JSON a text stands in quotes, and "
    "SQLite compares JSON as text, where é may be \\u00e9 and true may be 1. PostgreSQL compares "
    "JSONB only, not JSON; and .contains() of this column means LIKE."
)
EITHER = "the conditions are joined by OR, or one replaces the others."
FALSY = "`if value` leaves the condition out where the value is 0, False or an empty text."
CASE = "names of fields are compared as they are, case included: Name is not name."
TOO_LARGE = (
    "a whole number of more than 64 bits does not go through SQLite's driver: send it as JSON, "
    "find nothing for it, or answer 422."
)
OVERFLOW: Why = dict.fromkeys(("OverflowError", "out of range", ""), TOO_LARGE)
SO_FAR = "the path is followed only so far: any depth is asked for."
BOOLEAN = (
    "true has become 1, or false 0: SQLite knows no truth values, so bind the field as JSON, "
    "json('true'), or write the whole document."
)
EMPTY = "the app counts on one field at least: `{}` has none, and changes nothing."
ANY_TYPE = "a number and a string of the same digits are compared as text: the type counts."
FLOATS = "numbers are compared as floats, and two that are as large as these are one float."
SHAPE = (
    "other items hold something else in this field, or nothing: a cast to a number, or an index "
    "into it, fails on them. Compare as JSON."
)
INJECTION = (
    "the value or the name of the field is pasted into the SQL text: bind values as parameters, "
    "and accept only names of letters, digits and _."
)
IN_PLACE = (
    "the dictionary was changed in place: SQLAlchemy compares the attribute with the same object "
    "and sees no change. Assign a new one, `item.data = item.data | changes`."
)
NULL_REMOVES = "null takes the field away, as json_patch() does: it is a value like any other."
REPLACED = "the document is replaced by what was sent, not merged with it."
NOT_AS_SENT = (
    "a field is not set as it was sent: `if value` leaves out 0 and null, and an object, or a "
    "list, is not merged with the one before it, but takes its place."
)
LOST = (
    "the document is read, changed in Python and written whole: what another request wrote "
    "meanwhile is lost. A version column (version_id_col) refuses the second with a 409; a lock in "
    "the database makes it wait, one in memory holds in one process only."
)
NOT_ADDED = "a field that the document did not have is not added: PATCH sets it as well."
ADDED = "the app adds fields of its own to the document, which is the client's."
ANY_CHANGE = "a field may become anything, of another type too: it is set as it was sent."
BY_ID = "there is no ORDER BY the id, or desc() turns it round."
OTHERS = "the UPDATE has no WHERE for this one item."
# Texts that an app may take for dates or numbers, tidy, or write in another form.
LOOK_LIKE = ("2026-01-31T12:00:00Z", "2026-01-31", "007", "1e3", "NaN", "true", " x ", "e\u0301")
COLUMN = "a field of the document is meant, and no column of the table, whatever its name is."
# What a search for 1815 must not find.
OTHER_YEARS = ("1815", "unknown", None, True, [1815], {"from": 1815}, 18.15, 181, 18150, -1815)


def create(api: Api, **data: Any) -> int:
    """Store a document; give its id."""
    why = "the body is the document itself, any JSON object: `data: dict[str, Any]`."
    short = "a column of so many characters does not hold a document of any size."
    own = f"{why} And it has no bound of the app's own."
    reply = api.post("/items", data).expect(201, 200, why={"too long": short, 422: own, "": why})
    if "data" not in reply.object():
        why = "the answer is the item: its id, and the document under 'data'."
        reply.wrong("the field 'data' is missing.", why)
    if isinstance(reply.object()["data"], str):
        reply.wrong("the field 'data' is a text, not an object.", NOT_STORED)
    reply.has(NOT_STORED, data=data)
    return reply.id


def find(api: Api, **fields: Any) -> Reply:
    """Ask for the documents with these fields."""
    return api.post("/items/find", fields)


def expect_found(reply: Reply, wanted: list[int], why: str) -> None:
    """Fail unless exactly these items came back, in this order."""
    body = (
        "the body takes less than it should: its type is `dict[str, str | bool | int | float]`, "
        "and names have letters, digits and _."
    )
    none = "no item is an empty list, and no error."
    reply.expect(200, why={422: body, 404: none, "SqlJson": SHAPE, "": why})
    ids = [row.get("id") for row in reply.items()]
    if ids != wanted:
        why = BY_ID if ids == wanted[::-1] and len(ids) > 1 else why
        reply.wrong(f"the ids are {shorten(ids)}, not {wanted}.", why)


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "John", "email": "john@example.com", "since": "2026-01-31T12:00:00Z"},
        {"title": "Zoë's ☕", "price": 9.5, "sold": False, "note": None, "stock": 0, "new": True},
        {"tags": ["a", "b", [], [True, 1, None]], "size": {"height": 1, "unit": {"name": "cm"}}},
        {"id": 12, "data": {"data": 1}, "version": "mine"},
        {"texts": [*AWKWARD_TEXTS, *LOOK_LIKE], "a.b": "", "": [], "O'Brien": "é"},
        {"numbers": [0.29, 0.57, 0.1, 1e-7, 9007199254740993, -1, 1e20]},
        {"chapters": [f"{number}: {'long ' * 99}" for number in range(40)], "Chapters": 40},
    ],
    ids=["empty", "person", "product", "nested", "names-of-columns", "texts", "numbers", "long"],
)
def test_create_item(api: Api, data: dict[str, Any]) -> None:
    """A document of any shape comes back as it was sent, also in the next request."""
    item_id = create(api, **data)
    for reader in (api, api.second()):
        reply = reader.get(f"/items/{item_id}").expect(200, why=NO_COMMIT)
        reply.has(NOT_STORED, id=item_id, data=data)


@pytest.mark.step(1)
def test_created_item_survives_a_restart(api: Api) -> None:
    """A document is still there when the server has been restarted."""
    item_id = create(api, name="John")
    api.restart()
    why = "the data lives in memory; " + NO_COMMIT
    api.get(f"/items/{item_id}").expect(200, why=why).has(why, data={"name": "John"})


@pytest.mark.step(1)
def test_create_item_refuses_what_is_no_object(api: Api) -> None:
    """POST /items answers 422 to a list, a number or a string."""
    for sent in ([1, 2], [], [{"a": 1}], [["a", 1]], 7, "text", '{"a": 1}', True):
        api.post("/items", sent).expect(422, 400, why="the body is `Any`, not a dict[str, Any].")


@pytest.mark.step(1)
def test_read_item_not_found(api: Api) -> None:
    """GET /items/{id} answers 404 when there is no such item."""
    api.get(f"/items/{NO_SUCH_ID}").expect(404, why="session.get() gave None, and it was used.")


@pytest.mark.step(2)
def test_find_items(api: Api) -> None:
    """POST /items/find answers the items with this value in this field, by id."""
    name = unique("John ")
    ids = [create(api, name=name, n=1)]
    expect_found(find(api, name=name), ids, f"{NOT_FOUND} Or: {NEARLY}")
    ids.append(create(api.second(), n=2, name=name))
    reply = find(api, name=name)
    if [row.get("id") for row in reply.items()] == ids[:1]:
        reply.wrong(f"the item {ids[1]}, of another process, is not found.", reply.stale(IN_MEMORY))
    for other in (name + "x", "x" + name, name.upper(), [name], {"name": name}, name.split()):
        create(api, name=other)
    create(api, other=name)
    named = create(api, Name=name, person={"name": name}, people=[{"name": name}])
    reply = find(api, name=name)
    more = [row for row in reply.rows() if row["id"] not in ids]
    others = [row["id"] for row in more if not isinstance(row["data"].get("name"), str)]
    why = (CASE if others == [named] else DEEPER if others else NEARLY) if more else NOT_FOUND
    expect_found(reply, ids, why)
    for row in reply.items():
        alone = api.get(f"/items/{row['id']}").expect(200)
        why = "the list answers what was asked for, or a part of each item, not the stored items."
        same_row(alone.object(), row, why=why)
    expect_found(find(api, name=unique("Nobody ")), [], "the filter does not reach the query.")
    expect_found(find(api, Name=name), [named], CASE)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "value",
    [
        *AWKWARD_TEXTS,
        "",
        " 36 ",
        "Zoë ☕",
        '5" tube',
        1815,
        0,
        -2.5,
        0.29,
        0.57,
        52.520008,
        2**40,
        True,
        False,
    ],
)
def test_find_items_by_value(api: Api, value: Any) -> None:
    """A string, a number and a truth value are found."""
    field = unique("f")
    item_id = create(api, **{field: value})
    why = f"{NOT_FOUND} Or: numbers are rounded." if isinstance(value, float) else NOT_FOUND
    reply = find(api, **{field: value})
    if reply.ok and not value and any(field not in row["data"] for row in reply.items()):
        why = FALSY
    expect_found(reply, [item_id], why)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("value", "others"),
    [
        ("36", ["365", "136", "3", 36, " 36", "36 "]),
        (36, [365, 36.5, 3, "36", -36]),
        (0, ["", None, "0", [], {}, "false", 0.5]),
        ("", [None, 0, [], {}, " "]),
        ("john", ["John", "JOHN", "johnny"]),
        ("a_b", ["axb", "a__b"]),
        ("null", [None, "Null"]),
        ("true", [True, 1, "True"]),
        (True, ["true", "1", "True", None, 2]),
        ("[1]", [[1]]),
        ('{"a": 1}', [{"a": 1}]),
        (0.29, [0.28, 0.2900001, "0.29", 0]),
        (9007199254740993, [9007199254740992]),
    ],
)
def test_find_items_by_nearly_this_value(api: Api, value: Any, others: list[Any]) -> None:
    """A value finds itself, and nothing that is longer, of other case or of another type."""
    mark = unique("v")
    for other in others:
        create(api, mark=mark, field=other)
    item_id = create(api, mark=mark, field=value)
    reply = find(api, mark=mark, field=value)
    why = EITHER if len(reply.items()) > len(others) else f"{NEARLY} Or: {ANY_TYPE}"
    expect_found(reply, [item_id], FLOATS if type(value) is int and value > 2**53 else why)


@pytest.mark.step(2)
def test_find_items_by_two_fields(api: Api) -> None:
    """All fields have to match."""
    mark = unique("v")
    create(api, mark=mark, city="Paris")
    item_id = create(api, mark=mark, city="London")
    create(api, city="London")
    expect_found(find(api, mark=mark, city="London"), [item_id], EITHER)
    many: dict[str, Any] = {f"field{number}": number for number in range(12)}
    all_of_it = create(api, mark=mark, **many)
    why = "only some of the fields are compared: all of them have to match."
    expect_found(find(api, mark=mark, **many), [all_of_it], why)
    for name in ("field0", "field5", "field11"):
        expect_found(find(api, mark=mark, **(many | {name: "another"})), [], why)
    columns = {"id": -7, "data": "mine", "version": "mine"}
    named = create(api, mark=mark, **columns)
    expect_found(find(api, mark=mark, **columns), [named], COLUMN)
    expect_found(find(api, mark=mark, id=named), [], COLUMN)


@pytest.mark.step(2)
def test_find_items_by_type(api: Api) -> None:
    """The number 1815 is not the string "1815"."""
    mark = unique("v")
    number, text = create(api, mark=mark, year=1815), create(api, mark=mark, year="1815")
    expect_found(find(api, mark=mark, year=1815), [number], ANY_TYPE)
    expect_found(find(api, mark=mark, year="1815"), [text], ANY_TYPE)


@pytest.mark.step(2)
def test_find_items_among_other_shapes(api: Api) -> None:
    """Items that hold something else in the field do not disturb."""
    mark = unique("v")
    for other in OTHER_YEARS:
        create(api, mark=mark, year=other)
    create(api, mark=mark)
    item_id = create(api, mark=mark, year=1815)
    expect_found(find(api, mark=mark, year=1815), [item_id], SHAPE)


@pytest.mark.step(2)
def test_find_items_skip_and_limit(api: Api) -> None:
    """The parameters skip and limit cut the list."""
    mark = unique("v")
    ids = [create(api, mark=mark) for _ in range(4)]
    # PostgreSQL moves an updated row; PATCH itself is checked in step 5.
    api.patch(f"/items/{ids[0]}", {"mark": mark, "n": 1})
    expect_found(find(api, mark=mark), ids, "no ORDER BY.")
    why = "skip or limit does not reach the query: .offset(skip).limit(limit)."
    for skip, limit in ((0, 2), (1, 2), (0, 1)):
        reply = api.post(f"/items/find?skip={skip}&limit={limit}", {"mark": mark})
        expect_found(reply, ids[skip : skip + limit], why)
    ids += [create(api, mark=mark) for _ in range(98)]
    why = "the app has a limit of its own; a limit may be 100, and skip as large as you like."
    for skip in (0, 100):
        reply = api.post(f"/items/find?skip={skip}&limit=100", {"mark": mark})
        reply.expect(200, why="100 is allowed.")
        expect_found(reply, ids[skip : skip + 100], why)


@pytest.mark.step(2)
def test_find_items_in_the_database(api: Api) -> None:
    """The database looks for the items, and hands over no others."""
    mark = unique("v")
    ids = [create(api, mark=mark, city=f"City {number % 4}") for number in range(16)]
    for query, wanted in (("", ids[1::4]), ("?limit=2", ids[1:9:4])):
        reply = api.post(f"/items/find{query}", {"mark": mark, "city": "City 1"})
        expect_found(reply, wanted, "the conditions are not joined by AND.")
        fetched_by_the_database(reply, 4 if query else 16)


def fetched_by_the_database(reply: Reply, too_many: int) -> None:
    """Fail if items were fetched that are not in the answer."""
    if not reply.statements:
        reply.wrong("no SQL was run.", IN_MEMORY)
    if reply.rows_fetched >= too_many:
        reply.wrong(
            f"for {len(reply.items())} items {reply.rows_fetched} rows were fetched:\n{reply.sql}",
            "all items are loaded and compared in Python, or cut there; that grows with every "
            "item. Conditions belong in .where(), skip and limit in the query, too.",
        )


@pytest.mark.step(3)
def test_find_items_inside(api: Api) -> None:
    """A path like "address.city" finds a field inside a field."""
    mark, city = unique("v"), "Zürich"
    item_id = create(api, mark=mark, address={"city": city, "geo": {"lat": 47, "sea": False}})
    create(api, mark=mark, address={"city": "Bern", "geo": {"lat": 46, "sea": True}}, city=city)
    create(api, mark=mark, **{"address.city": city, "address.geo.lat": 47})
    why = "the path is not split at its dots, or also taken for one name; " + NOT_FOUND
    for path, value in [
        ("address.city", city),
        ("address.geo.lat", 47),
        ("address.geo.sea", False),
    ]:
        reply = find(api, mark=mark, **{path: value})
        expect_found(reply, [item_id], SO_FAR if path.count(".") > 1 and reply.body == [] else why)
    deep = create(api, mark=mark, a={"b_1": {"C2": {"_d": {"e": {"f": "deep"}}}}})
    create(api, mark=mark, a={"b_1": {"C2": {"_d": {"e": "deep"}}}}, f="deep")
    expect_found(find(api, mark=mark, **{"a.b_1.C2._d.e.f": "deep"}), [deep], SO_FAR)


@pytest.mark.step(3)
def test_find_items_inside_in_the_database(api: Api) -> None:
    """The database looks inside the items, and hands over no others."""
    mark = unique("v")
    ids = [create(api, mark=mark, size={"height": number % 4}) for number in range(16)]
    for sent in ({"mark": mark, "size.height": 1}, {"size.height": 1, "mark": mark}):
        reply = api.post("/items/find?limit=2", sent)
        expect_found(reply, ids[1:9:4], "the conditions are not joined by AND.")
        fetched_by_the_database(reply, 4)


@pytest.mark.step(3)
def test_find_items_inside_other_shapes(api: Api) -> None:
    """Items where the outer field is a text, a list or missing do not disturb."""
    mark = unique("v")
    others = ("London", None, 7, ["London"], {"town": "London"}, {"city": None}, {"City": "London"})
    for other in (*others, {"city": {"name": "London"}}, {"city": ["London"]}, {"city": "Londons"}):
        create(api, mark=mark, address=other)
    create(api, mark=mark, home={"address": {"city": "London"}}, city="London")
    create(api, mark=mark)
    item_id = create(api, mark=mark, address={"city": "London"})
    expect_found(find(api, mark=mark, **{"address.city": "London"}), [item_id], SHAPE)


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "value", ["' OR '1'='1", "x' OR 1=1 --", '" OR ""="', "');", "%", "\\", "null", ":name"]
)
def test_find_items_with_hostile_value(api: Api, value: str) -> None:
    """A value is a value, whatever it looks like: it finds itself and nothing else."""
    mark = unique("v")
    create(api, mark=mark, name="secret")
    expect_found(find(api, mark=mark, name=value), [], INJECTION)
    item_id = create(api, mark=mark, name=value)
    expect_found(find(api, mark=mark, name=value), [item_id], INJECTION)


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "path",
    [
        "name' OR '1'='1",
        'name" OR 1=1',
        "name') OR 1=1 --",
        "$",
        "name..name",
        ".",
        "[0",
        '"',
        "",
        "*",
        "name.",
        "$.*",
        "na%",
        "name'); DELETE FROM items; --",
        "name\n",
        "tags.0",
        "tags[0]",
        "tags[#-1]",
        "a" * 3000,
        "%s",
        ":x",
    ],
    ids=lambda path: repr(path)[:20],
)
def test_find_items_with_hostile_path(api: Api, path: str) -> None:
    """A field with a strange name finds nothing or is refused (422 or 400)."""
    mark = unique("v")
    secret = create(api, mark=mark, name="secret", note=None, tags=["secret"])
    for value in (mark, "secret"):
        reply = find(api, mark=mark, **{path: value}).expect(200, 422, 400, why=INJECTION)
        if reply.ok and reply.items():
            why = "a number in the path, or in brackets, leads into a list: only names are fields."
            if "tags" not in path:
                part = "a path whose parts are empty is not `name`, nor any other."
                why = part if path.strip(".").isalpha() or path == "name..name" else INJECTION
            reply.wrong("it found items that have no such field.", why)
    api.get(f"/items/{secret}").expect(200, why=INJECTION)


@pytest.mark.step(4)
@pytest.mark.parametrize("value", [[1], [], {"a": 1}, {}, None], ids=repr)
def test_find_items_with_unsuitable_value(api: Api, value: Any) -> None:
    """A list, an object or null as the value is refused, or finds nothing."""
    mark = unique("v")
    create(api, mark=mark)
    others: list[Any] = ["a", 1, 0, "", "null", False, [1, 2], {"a": 2}, "[1]", {"b": []}, value]
    for other in others:
        create(api, mark=mark, field=other)
    why = "any value reaches the query: `dict[str, str | bool | int | float]` as the body."
    reply = find(api, mark=mark, field=value).expect(200, 422, 400, why=why)
    found = [row["data"] for row in reply.items()] if reply.ok else []
    if found:
        absent = "null is compared with IS NULL, which is true of a field that is not there, too."
        why = absent if any("field" not in data for data in found) else why
        reply.wrong(f"it found items, {shorten(found[0])} and so on.", why)


@pytest.mark.step(4)
def test_find_items_by_a_number_of_any_size(api: Api) -> None:
    """A whole number beyond 64 bits finds its own, or nothing, or is refused; it is no 500."""
    mark = unique("v")
    create(api, mark=mark, size=2**63 - 1)
    for size in (2**63, -(2**63) - 1, 10**30):
        reply = find(api, mark=mark, size=size).expect(200, 422, 400, why=OVERFLOW)
        if reply.ok and reply.items():
            reply.wrong("it found an item with another number.", FLOATS)
    for size in (2**63, 10**30):
        made = api.post("/items", {"size": size}).expect(201, 200, 422, 400, why=OVERFLOW)
        if made.ok:
            for reply in (made, api.get(f"/items/{made.id}").expect(200)):
                reply.has(NOT_STORED, data={"size": size})
    reply = find(api, mark=mark, size=2**63 - 1)
    expect_found(reply, [row["id"] for row in find(api, mark=mark).items()], NOT_FOUND)


@pytest.mark.step(4)
def test_find_items_by_nothing(api: Api) -> None:
    """No field at all finds all items, or is refused."""
    create(api)
    why = "the conditions are put together by hand, and WHERE stands alone where there are none."
    reply = api.post("/items/find", {}).expect(200, 422, 400, why={"syntax error": why, "": why})
    if reply.ok and not reply.items():
        reply.wrong("no item was found.", "what asks for nothing is true of each item.")


def expect_data(reply: Reply, before: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Fail unless the document is as wanted; what it is instead tells the cause."""
    data = reply.expect(200, why={422: ANY_CHANGE, 400: ANY_CHANGE}).object().get("data")
    number = int(reply.path.rpartition("/")[2])
    reply.has("the answer is the item, its id included.", id=number)
    why = NOT_AS_SENT
    if same(wanted, data):
        return
    names = data.keys() if isinstance(data, dict) else wanted.keys()
    if not before.keys() <= names:
        nulls = all(wanted[name] is None for name in before.keys() - names)
        why = NULL_REMOVES if nulls else REPLACED
    elif names - wanted.keys():
        why = ADDED
    elif data != before and any(wanted[name] for name in wanted.keys() - names):
        why = NOT_ADDED
    elif data == before or (
        isinstance(data, dict) and all(same(wanted[name], data[name]) for name in data)
    ):
        why = IN_PLACE
    elif as_floats(data) == as_floats(wanted):
        reply.wrong(f"the document is {shorten(data)}, not {shorten(wanted)}.", BOOLEAN)
    reply.has(why, data=wanted)


@pytest.mark.step(5)
def test_update_item(api: Api) -> None:
    """PATCH /items/{id} sets the fields that are sent, keeps the others, for good."""
    name = unique("John ")
    before = {"name": name, "age": 36, "note": "new", "address": {"city": "London", "zip": "N1"}}
    before["tags"] = ["old"]
    item_id = create(api, **before)
    path = f"/items/{item_id}"
    twin = create(api, **before)
    untouched = api.get(f"/items/{twin}").expect(200).object()
    api.second().get(path).expect(200, why=NO_COMMIT)  # what a cache would keep
    sent: dict[str, Any] = {"age": 0, "note": None, "address": {"city": "Paris"}, "vip": True}
    sent["tags"] = ["new"]
    expect_data(api.patch(path, sent), before, before | sent)
    expect_data(api.get(path), before, before | sent)
    reply = api.second().get(path)
    reply.has(IN_MEMORY, data=before | sent)
    why = "the search does not look at the document itself, but at a copy that was not changed."
    expect_found(find(api, age=0, vip=True, name=name), [item_id], why)
    for was in ({"age": 36}, {"address.city": "London"}, {"address.zip": "N1"}):
        expect_found(find(api, name=name, **was), [twin], why)
    same_row(untouched, api.get(f"/items/{twin}").expect(200), why=OTHERS)


@pytest.mark.step(5)
@pytest.mark.parametrize(
    "value", [*AWKWARD_TEXTS[:4], "", 0.29, False, {}, [], [True, 1]], ids=repr
)
def test_update_item_with_any_value(api: Api, value: Any) -> None:
    """PATCH /items/{id} sets a field to any JSON value, as it was sent."""
    before = {"n": 1, "field": {"a": 1}, "kept": [True, None, "1"]}
    path = f"/items/{create(api, **before)}"
    expect_data(api.patch(path, {"field": value}), before, before | {"field": value})
    expect_data(api.get(path), before, before | {"field": value})


@pytest.mark.step(5)
def test_update_item_with_a_number_of_any_size(api: Api) -> None:
    """PATCH /items/{id} sets a whole number beyond 64 bits, or refuses it; it is no 500."""
    before: dict[str, Any] = {"n": 1, "large": 2**53 + 1}
    path = f"/items/{create(api, **before)}"
    for size in (2**63, 10**30, [10**30]):  # SQLite's own JSON functions make a float of it
        changed = api.patch(path, {"size": size}).expect(200, 422, 400, why=OVERFLOW)
        wanted = before | {"size": size} if changed.ok else before
        for reply in (changed, api.get(path).expect(200))[not changed.ok :]:
            reply.has(NOT_AS_SENT, data=wanted)
        before = wanted


@pytest.mark.step(5)
@pytest.mark.parametrize(
    "name",
    [
        "address.city",
        "tags.0",
        "$.n",
        "id",
        "data",
        "version",
        "",
        "O'Brien",
        'the "n"',
        "%",
        "a\\b",
        "[0]",
        "tags[#]",
        "é ☕",
    ],
)
def test_update_item_with_any_name(api: Api, name: str) -> None:
    """PATCH /items/{id} sets the field of exactly this name, a dot in it or not."""
    before: dict[str, Any] = {"n": 1, "address": {"city": "London"}, "tags": ["a"]}
    path = f"/items/{create(api, **before)}"
    for value in ("Paris", {"city": "Rome"}):
        wanted = before | {name: value}
        why = "any name is allowed here: only POST /items/find may refuse some."
        reply = api.patch(path, {name: value}).expect(200, why={422: why, 400: why})
        own = "the body is the change itself, and each name in it one of the document's own fields."
        path_or = (
            "the name is taken for a path, where dots lead inside, and where a quote or a "
            "backslash has a meaning of its own: only POST /items/find knows paths."
        )
        why = own if name.isalpha() else path_or
        reply.has(why, data=wanted)
        api.get(path).expect(200).has(why, data=wanted)


@pytest.mark.step(5)
def test_update_item_with_many_fields(api: Api) -> None:
    """PATCH /items/{id} sets all fields that are sent, however many they are."""
    before = {f"field{number}": number for number in range(12)}
    path = f"/items/{create(api, kept=1, **before)}"
    sent = {f"field{number}": f"new {number}" for number in range(6, 18)}
    wanted = {"kept": 1} | before | sent
    for reply in (api.patch(path, sent), api.get(path)):
        reply.expect(200).has("only some of the fields are set.", data=wanted)


@pytest.mark.step(5)
def test_update_item_with_nothing(api: Api) -> None:
    """PATCH /items/{id} with {} changes nothing, with what is no object it answers 422."""
    before = {"n": 1, "note": None}
    empty: Why = dict.fromkeys(("IndexError", "syntax error", ""), EMPTY)
    path = f"/items/{create(api, **before)}"
    expect_data(api.patch(path, {}).expect(200, why=empty), before, before)
    unsuitable: list[Any] = [[1], [], [["n", 2]], 7, "text", None]
    for sent in unsuitable:
        reply = api.patch(path, sent)
        reply.expect(422, 400, why="the body is `Any`, not a dict[str, Any].")
    expect_data(api.get(path), before, before)


@pytest.mark.step(5)
def test_update_item_again(api: Api) -> None:
    """The second and the third change are kept as the first was, whichever process made it."""
    path = f"/items/{create(api, n=0)}"
    for n, writer in enumerate((api, api.second(), api), start=1):
        writer.patch(path, {f"field{n}": n}).expect(200)
    wanted = {"n": 0, "field1": 1, "field2": 2, "field3": 3}
    expect_data(api.get(path), {"n": 0}, wanted)


@pytest.mark.step(5)
def test_update_item_not_found(api: Api) -> None:
    """PATCH /items/{id} answers 404 when there is no such item."""
    why: Why = {
        2: "the item is made when it is not there, or nobody looks whether the UPDATE found it.",
        "": "session.get() gave None, and it was used.",
    }
    api.patch(f"/items/{NO_SUCH_ID}", {"age": 37}).expect(404, why=why)


@pytest.mark.step(6)
def test_update_item_at_once(api: Api) -> None:
    """Of eight changes at one moment, each that was answered 200 is in the document."""
    path = f"/items/{create(api, n=0)}"
    wanted = {"n": 0}
    for turn in range(3):
        wanted |= change_eight_times_at_once(api, path, f"turn{turn}_")
    kept = api.get(path).expect(200).object().get("data", {})
    lost = [name for name in wanted if name not in kept]
    if lost:
        fail(f"of {len(wanted) - 1} changes that were answered 200, {len(lost)} are lost.", LOST)


def change_eight_times_at_once(api: Api, path: str, stem: str) -> dict[str, int]:
    """Set eight fields at one moment; give those that were set."""
    replies = api.at_once(8, lambda number: api.patch(path, {f"{stem}{number}": 1}))
    for reply in replies:
        reply.expect(200, 409, 503, why="a refused change is answered 409; " + LOST)
    done = {f"{stem}{number}": 1 for number, reply in enumerate(replies) if reply.ok}
    if not done:
        fail("none of eight changes at one moment was answered 200.", "one has to win.")
    return done
