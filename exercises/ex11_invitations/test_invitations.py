"""Checks of exercise 11; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    Api,
    Reply,
    ask_ahead,
    fail,
    same_row,
    unique,
)

User = dict[str, Any]

NO_COMMIT = "no session.commit() after the change; each request has a session of its own."
STRANGER = (
    "the query for the membership names the user but not the project, or nobody asks: belonging "
    "to one project opens no other."
)
ROLE = "the role of whoever asks, in this project, is not compared with the one that is needed."
FIRST = "the owner is not stored as first member with the new project, in the same transaction."
TAKEN = (
    "the IntegrityError of the second membership is not caught, or there is none: session.merge() "
    "and an UPDATE write over the role that is there."
)
REMOVED = (
    "the membership that goes is not looked for by this project and this user, by both, or more "
    "goes with it."
)
LEFT = (
    "who has left is still let in: the membership was not deleted, or it is remembered somewhere "
    "else, e.g. in the memory of one process."
)
NOBODY = "the header has a default, or the user that it names is not looked for."
MISSING = "session.get() or .first() gave None, and it was used."
PAIR = (
    "a constraint forbids what is allowed: a user belongs to many projects, and a project has many "
    "members. Only the pair (project_id, user_id) is unique."
)
RENAMED_ONLY = (
    "more than the name is written: owner_id is taken from the body, or from whoever renames."
)
TIDIED = (
    "the name is changed: spaces taken away, or other letters put in. A space is a character like "
    "others."
)
NAME = "min_length or max_length is missing, or the table class is the request body."
RACE = (
    "a SELECT before the INSERT is the only guard: all requests look before one has written. Make "
    "(project_id, user_id) unique, or the primary key, and catch the IntegrityError."
)
OVERWRITTEN = (
    "each invitation writes over the one before it, by ON CONFLICT … DO UPDATE or session.merge(), "
    "or its IntegrityError is passed over: only the first succeeds, the others are 409."
)
INVITED_ROLES = ["viewer", "member", "admin"]


def ask(api: Api, user: User, method: str, path: str, sent: Any = None) -> Reply:
    """Send a request as this user, and let messages say so."""
    reply = api.request(method, path, sent, {"X-User-Id": str(user["id"])})
    reply.asked += f", X-User-Id: {user['id']}"
    return reply


def sign_up(api: Api, stem: str = "ada.") -> User:
    """Make a user who has a project of their own, so that they own something somewhere."""
    sent = {"name": "Ada", "email": f"{unique(stem)}@example.com"}
    user = sent | {"id": api.post("/users", sent).expect(201, 200).has(NO_COMMIT, **sent).get("id")}
    start(api, user)
    return user


def start(api: Api, user: User, name: str = "") -> int:
    """Start a project; give its id."""
    sent = {"name": name or unique("Engine ")}
    reply = ask(api, user, "POST", "/projects", sent).expect(201, 200)
    reply.has("the answer is not the stored row.", **sent, owner_id=user["id"])
    return reply.committed_first().id


def invite(api: Api, asking: User, project: int, email: str, role: Any = "member") -> Reply:
    """Ask for an invitation."""
    return ask(api, asking, "POST", f"/projects/{project}/invite", {"email": email, "role": role})


def join(api: Api, owner: User, project: int, role: str) -> User:
    """Let the owner invite a new user."""
    user = sign_up(api)
    invite(api, owner, project, user["email"], role).expect(201, 200).committed_first()
    return user


def roles_in(api: Api, asking: User, project: int) -> dict[int, str]:
    """Read the members of a project."""
    reply = ask(api, asking, "GET", f"/projects/{project}/members").expect(200, why=FIRST)
    rows = reply.items()
    if not all(isinstance(row, dict) and {"user_id", "role"} <= set(row) for row in rows):
        reply.wrong("a member has no 'user_id' or no 'role'.")
    ids = [row["user_id"] for row in rows]
    if len(ids) != len(set(ids)):
        why = "the list has no WHERE for the project, or nothing makes a membership unique."
        reply.wrong("somebody is there twice.", why)
    return {row["user_id"]: row["role"] for row in rows}


def members_are(api: Api, asking: User, project: int, roles: dict[Any, str], why: str) -> None:
    """Fail unless these are the members, with these roles."""
    now = roles_in(api, asking, project)
    if now != roles:
        fail(f"the members of project {project} are {now}, not {roles}.", why)


def projects_of(api: Api, user: User) -> list[Any]:
    """List the ids of the projects that a user belongs to."""
    return [row.get("id") for row in ask(api, user, "GET", "/projects").expect(200).items()]


def nobody_may(api: Api, method: str, path: str, sent: Any = None) -> None:
    """Fail unless the route is closed to whoever does not say who they are."""
    api.request(method, path, sent).expect(401, 403, 422, why=NOBODY)
    for nobody in (NO_SUCH_ID, 0, -1, "ada"):
        reply = ask(api, {"id": nobody}, method, path, sent)
        reply.expect(401, 403, 404, 422, why=NOBODY)


def is_unknown(api: Api, method: str, path: str, sent: Any = None) -> None:
    """Fail unless the route answers 404 to a project that does not exist."""
    path = f"/projects/{NO_SUCH_ID}{path}"
    membership = "the membership is looked for, and the project is not: ask for the project first."
    why = {403: membership, "": MISSING}
    ask(api, sign_up(api), method, path, sent).expect(404, why=why)


@pytest.mark.step(1)
def test_create_project(api: Api) -> None:
    """POST /projects starts a project that belongs to the user of X-User-Id, for good."""
    user = sign_up(api)
    for name in ("x", "é" * 100, " my  ENGINE ", " "):
        reply = ask(api, user, "POST", "/projects", {"name": name})
        reply.expect(201, 200, why={"UNIQUE": PAIR, "unique": PAIR, 422: TIDIED})
        reply.has("the answer is not the stored row.", owner_id=user["id"])
        reply.has(TIDIED if name.strip() != name else "it is another name.", name=name)
        read = ask(api, user, "GET", f"/projects/{reply.id}").expect(200, why=NO_COMMIT)
        read.has(NO_COMMIT, id=reply.id, name=name, owner_id=user["id"])
    why = "the name is unique, and nothing says that it is: projects differ by their ids."
    for asking in (user, sign_up(api)):
        ask(api, asking, "POST", "/projects", {"name": "x"}).expect(201, 200, why=why)


@pytest.mark.step(1)
def test_create_project_for_somebody_else(api: Api) -> None:
    """The owner is whoever asks, whatever the body says."""
    user, other = sign_up(api), sign_up(api)
    reply = ask(api, user, "POST", "/projects", {"name": "Mine", "owner_id": other["id"]})
    if reply.status != 422:
        why = "the owner comes from the body: anybody could act for anybody."
        reply.expect(201, 200).has(why, owner_id=user["id"])


@pytest.mark.step(1)
def test_create_project_refuses_empty_name(api: Api) -> None:
    """POST /projects answers 422 when there is no name, or one that is too long."""
    user = sign_up(api)
    for sent in ({}, {"name": ""}, {"name": "x" * 101}, {"name": None}):
        ask(api, user, "POST", "/projects", sent).expect(422, why=NAME)


@pytest.mark.step(1)
def test_create_project_by_nobody(api: Api) -> None:
    """Without X-User-Id, or with one that nobody has, the answer is 401."""
    project = start(api, sign_up(api))
    nobody_may(api, "POST", "/projects", {"name": "Nobody's"})
    nobody_may(api, "GET", f"/projects/{project}")


@pytest.mark.step(1)
def test_read_project_not_found(api: Api) -> None:
    """GET /projects/{id} answers 404 when there is no such project."""
    is_unknown(api, "GET", "")
    user = sign_up(api)
    ask_ahead(api, start(api, user), lambda on, nr: ask(on, user, "GET", f"/projects/{nr}"))
    path = f"/projects/{start(api, user)}"
    for process in (api, api.second()):
        reply = ask(process, user, "GET", path)
        reply.expect(200, why={403: MISSING_REMEMBERED, 404: MISSING_REMEMBERED})


@pytest.mark.step(1)
def test_new_user_asks(api: Api) -> None:
    """Whoever has signed up may ask, also where somebody has tried their id too early."""
    last = sign_up(api)["id"]
    ask_ahead(api, last, lambda on, nr: ask(on, {"id": nr}, "POST", "/projects", {"name": "x"}))
    sent = {"name": "Ada", "email": f"{unique('ada.')}@example.com"}
    user = api.post("/users", sent).expect(201, 200).object()
    for process in (api, api.second()):
        reply = ask(process, user, "POST", "/projects", {"name": "x"})
        reply.expect(201, 200, why={401: MISSING_REMEMBERED, 404: MISSING_REMEMBERED})


@pytest.mark.step(2)
def test_list_projects(api: Api) -> None:
    """GET /projects lists the projects of whoever asks, by id, all of them and no others."""
    user, other = sign_up(api), sign_up(api)
    newcomer = {"name": "Ada", "email": f"{unique('ada.')}@example.com"}
    reply = ask(api, api.post("/users", newcomer).object(), "GET", "/projects")
    if reply.expect(200, why="who belongs to no project gets an empty list.").items():
        reply.wrong("somebody who has just signed up has projects.", "the WHERE is missing.")
    first = projects_of(api, user)
    mine = first + [start(api, user, "Engine" if n % 2 else "") for n in range(11)]
    others = start(api, other)
    reply = ask(api, user, "GET", "/projects").expect(200)
    ids = [row.get("id") for row in reply.items()]
    if others in ids:
        reply.wrong(f"project {others} belongs to somebody else.", "the WHERE is missing.")
    if sorted({*mine} - {*ids}) == mine[2:-2:2] and len(ids) < len(mine):
        why = "projects of one name are taken for one: they differ by their ids."
        reply.wrong(f"the ids are {ids}, not {mine}.", why)
    if ids != mine or len(first) != 1:
        why = f"there is no ORDER BY, not all are listed, or {FIRST}"
        reply.wrong(f"the ids are {ids}, not {mine}.", why)
    project = ask(api, user, "GET", f"/projects/{mine[-1]}").expect(200, why=FIRST)
    for field in ("name", "owner_id"):
        if reply.items()[-1].get(field) != project.object().get(field):
            reply.wrong(f"the last project has another {field!r}, or none.", "a list of ids only.")
    nobody_may(api, "GET", "/projects")


@pytest.mark.step(2)
def test_read_project_of_others(api: Api) -> None:
    """A project and its members are 403, or 404, for those who do not belong to it."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    for path in (f"/projects/{project}", f"/projects/{project}/members"):
        ask(api, owner, "GET", path).expect(200, why=FIRST)
        ask(api, stranger, "GET", path).expect(403, 404, why=STRANGER)
        nobody_may(api, "GET", path)
    is_unknown(api, "GET", "/members")


@pytest.mark.step(2)
def test_owner_is_a_member(api: Api) -> None:
    """GET /projects/{id}/members lists the owner with the role "owner"."""
    owner = sign_up(api)
    why = f"the list has no WHERE for the project, or {FIRST}"
    members_are(api, owner, start(api, owner), {owner["id"]: "owner"}, why)


@pytest.mark.step(2)
def test_project_and_owner_are_one_transaction(api: Api) -> None:
    """A project is stored together with its first member, also when the server is killed."""
    owner = sign_up(api)
    sent = {"name": unique("Engine ")}
    reply = ask(api, owner, "POST", "/projects", sent).expect(201, 200).commits_once(FIRST)
    api.kill_during("POST", "/projects", sent, {"X-User-Id": str(owner["id"])})
    for project in range(reply.id, start(api, owner)):
        read = ask(api, owner, "GET", f"/projects/{project}").expect(200, 404, why=FIRST)
        if read.ok:
            members_are(api, owner, project, {owner["id"]: "owner"}, FIRST)


@pytest.mark.step(3)
def test_list_projects_of_several_owners(api: Api) -> None:
    """GET /projects is ordered by id, whoever owns the projects."""
    user, owner = sign_up(api), sign_up(api)
    project, later = start(api, owner), start(api, user)
    invite(api, owner, project, user["email"]).expect(201, 200)
    ids = projects_of(api, user)
    if ids[-2:] != [project, later]:
        why = "they are ordered by another column than the id, the owner for example."
        fail(f"the ids end with {ids[-2:]}, not with {[project, later]}.", why)


@pytest.mark.step(3)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_invite(api: Api, role: str) -> None:
    """The owner invites a user, who then belongs to the project with the role."""
    owner = sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, role)
    other = api.second()
    got = roles_in(other, owner, project).get(user["id"], role)
    why = NO_COMMIT if got == role else "the role that is stored is not the one of the invitation."
    members_are(other, owner, project, {owner["id"]: "owner", user["id"]: role}, why)
    why = "who is invited does not belong to the project yet, or in the memory of one process."
    for path in (f"/projects/{project}", f"/projects/{project}/members"):
        ask(other, user, "GET", path).expect(200, why=why)
    why = "each member sees all members, a viewer too."
    members_are(other, user, project, {owner["id"]: "owner", user["id"]: role}, why)
    for asking in (user, owner):
        reply = ask(api, asking, "GET", "/projects").expect(200)
        listed = [row.get("id") for row in reply.items()]
        if listed.count(project) != 1 or len(listed) != 2 or listed != sorted(listed):
            reply.wrong(
                f"the ids are {listed}; project {project} and the own one should be there once, "
                "in this order.",
                "the list holds the projects that one owns, not those that one belongs to, or a "
                "project for each of its members; or there is no ORDER BY the project's id.",
            )


@pytest.mark.step(3)
def test_invite_a_dozen(api: Api) -> None:
    """All members of a project are listed, however many they are."""
    owner = sign_up(api)
    project, roles = start(api, owner), {owner["id"]: "owner"}
    for number in range(12):
        sent = {"name": "Ada", "email": f"{unique('ada.')}@example.com"}
        role = INVITED_ROLES[number % 3]
        user = api.post("/users", sent).expect(201, 200).id
        reply = invite(api, owner, project, sent["email"], role).expect(201, 200)
        reply.commits_once("the membership is stored first, and its role later: one commit.")
        roles[user] = role
    members_are(api, owner, project, roles, "the list of members is cut.")


@pytest.mark.step(3)
def test_lists_are_whole(api: Api) -> None:
    """GET /projects and the list of members are not cut after a hundred."""
    owner = sign_up(api)
    projects = [start(api, owner) for _ in range(101)]
    missing = set(projects) - set(projects_of(api, owner))
    if missing:
        fail(f"of 101 projects {len(missing)} are not listed.", "the list of projects is cut.")
    roles = {owner["id"]: "owner"}
    for _ in range(101):
        sent = {"name": "Ada", "email": f"{unique('ada.')}@example.com"}
        roles[api.post("/users", sent).expect(201, 200).id] = "viewer"
        invite(api, owner, projects[0], sent["email"], "viewer").expect(201, 200)
    left_out = roles.keys() - roles_in(api, owner, projects[0]).keys()
    if left_out:
        fail(f"of 102 members {len(left_out)} are not listed.", "the list of members is cut.")


@pytest.mark.step(3)
def test_invite_as_member_by_default(api: Api) -> None:
    """An invitation without a role makes a member."""
    owner, user = sign_up(api), sign_up(api)
    project = start(api, owner)
    ask(api, owner, "POST", f"/projects/{project}/invite", {"email": user["email"]}).expect(
        201, 200, why="the role has no default."
    )
    if roles_in(api, owner, project).get(user["id"]) != "member":
        fail("an invitation without a role did not make a member.", "the default is another.")


@pytest.mark.step(3)
def test_invite_not_found(api: Api) -> None:
    """POST /projects/{id}/invite answers 404 to a missing project and to a missing user."""
    owner, user = sign_up(api), sign_up(api)
    invite(api, owner, NO_SUCH_ID, user["email"]).expect(404, why=MISSING)
    project = start(api, owner)
    nobody = invite(api, owner, project, f"{unique('nobody.')}@example.com")
    why = "an address that nobody has makes a user, or lets somebody else in."
    nobody.expect(404, why={2: why, "": MISSING})
    nobody_may(api, "POST", f"/projects/{project}/invite", {"email": user["email"]})
    members_are(api, owner, project, {owner["id"]: "owner"}, NOBODY)


@pytest.mark.step(3)
def test_invite_who_has_just_signed_up(api: Api) -> None:
    """Who was invited before they signed up can be invited afterwards."""
    owner = sign_up(api)
    projects = [start(api, owner), start(api, owner)]
    late = {"name": "Ada", "email": f"{unique('late.')}@example.com"}
    both = tuple(zip((api, api.second()), projects, strict=True))
    for process, project in both:
        invite(process, owner, project, late["email"]).expect(404, why=MISSING)
    api.post("/users", late).expect(201, 200)
    for process, project in both:
        reply = invite(process, owner, project, late["email"])
        reply.expect(201, 200, why={404: MISSING_REMEMBERED})


@pytest.mark.step(3)
def test_invite_by_this_very_address(api: Api) -> None:
    """An invitation goes to whoever has this address, not to one that is like it."""
    owner, twin, user = sign_up(api), sign_up(api, "axb."), sign_up(api)
    shout = {"name": "Ada", "email": f"{unique('ADA.')}@Example.com"}
    louder = api.post("/users", shout).expect(201, 200).id
    project = start(api, owner)
    email = twin["email"].replace("axb.", "a_b.")
    sent = {"name": "Ada", "email": email}
    wanted = api.post("/users", sent).expect(201, 200).id
    why = "LIKE takes % and _ as wildcards, and a part for the whole: compare with ==."
    for part in (user["email"][:12], user["email"][1:], "%", "%@example.com"):
        invite(api, owner, project, part).expect(404, 422, why=why)
    invite(api, owner, project, email).expect(201, 200, why=why)
    members_are(api, owner, project, {owner["id"]: "owner", wanted: "member"}, why)
    why = "the address is looked for in small letters, and was stored as it was sent."
    invite(api, owner, project, shout["email"]).expect(201, 200, why={404: why})
    both = dict.fromkeys((wanted, louder), "member")
    members_are(api, owner, project, {owner["id"]: "owner"} | both, why)


@pytest.mark.step(3)
@pytest.mark.parametrize("role", ["owner", "boss", "Admin", "", None])
def test_invite_refuses_role(api: Api, role: Any) -> None:
    """An invitation with the role "owner", or one that does not exist, is refused."""
    owner, user = sign_up(api), sign_up(api)
    project = start(api, owner)
    why = "the role is any string: Literal['viewer', 'member', 'admin'] in the input class."
    if not role:
        why = "null, or an empty text, is taken for a role that is left out: these are others."
    elif role == "Admin":
        why += " Or it is put into small letters first: Admin is none of the three."
    invite(api, owner, project, user["email"], role).expect(422, 400, 403, why=why)
    members_are(api, owner, project, {owner["id"]: "owner"}, why)


def is_told_nothing(api: Api, asking: User, project: int, emails: list[str], why: str) -> None:
    """Fail unless whoever may not invite is refused in the same words for each address."""
    replies = [invite(api, asking, project, email) for email in emails]
    for reply in replies:
        told = "the invited user is looked at before the right to invite: that comes first."
        reply.expect(403, 404, why={409: told, 400: told, "": why})
        if (reply.status, reply.body) != (replies[0].status, replies[0].body):
            reply.wrong(
                f"for another address it is {replies[0].status} {replies[0].text}.",
                "the user is looked for before the right to invite: strangers learn who is "
                "registered.",
            )


@pytest.mark.step(3)
def test_invite_to_a_project_of_others(api: Api) -> None:
    """Who does not own the project is answered 403, also for an address that nobody has."""
    owner, stranger, friend = sign_up(api), sign_up(api), sign_up(api)
    project = start(api, owner)
    unknown = f"{unique('nobody.')}@example.com"
    emails = [stranger["email"], owner["email"], friend["email"], unknown]
    is_told_nothing(api, stranger, project, emails, STRANGER)
    members_are(api, owner, project, {owner["id"]: "owner"}, STRANGER)


@pytest.mark.step(3)
def test_invite_twice(api: Api) -> None:
    """Who is a member already, or the owner, is 409 (or 400), and keeps the role."""
    owner = sign_up(api)
    project = start(api, owner)
    user, admin = join(api, owner, project, "viewer"), join(api, owner, project, "admin")
    roles = {owner["id"]: "owner", user["id"]: "viewer", admin["id"]: "admin"}
    for role in reversed(INVITED_ROLES):
        for member in (user, admin, owner):
            reply = invite(api, owner, project, member["email"], role)
            unchanged = reply.ok and roles[member["id"]] != role
            if unchanged and roles_in(api, owner, project) == roles:
                why = "success is answered, and nothing has changed: say that it was refused."
                reply.wrong("the status is a success, not 409 or 400.", why)
            reply.expect(409, 400, why=TAKEN)
    members_are(api, owner, project, roles, TAKEN)


@pytest.mark.step(4)
@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("member", True), ("admin", True), ("owner", True)]
)
def test_rename_project(api: Api, role: str, may: bool) -> None:
    """PATCH /projects/{id} is for members, admins and the owner, not for viewers."""
    owner, was = sign_up(api), unique("Engine ")
    project = start(api, owner, was)
    user = owner if role == "owner" else join(api, owner, project, role)
    path, other = f"/projects/{project}", f"/projects/{start(api, owner, was)}"  # of equal names
    others = ask(api, owner, "GET", other).expect(200).object()
    ask(api.second(), owner, "GET", path).expect(200)  # what a cache would keep
    name = unique("Renamed ")
    reply = ask(api, user, "PATCH", path, {"name": name, "owner_id": user["id"], "id": 7})
    if reply.status == 422:  # fields that are not known may be refused
        reply = ask(api, user, "PATCH", path, {"name": name})
    if may:
        why = "the answer is not the renamed project."
        reply.expect(200, why=ROLE).committed_first().has(why, name=name, id=project)
        if reply.object().get("owner_id") == user["id"] != owner["id"]:
            reply.wrong("the project has another owner.", RENAMED_ONLY)
        reply.has(why, owner_id=owner["id"])
    else:
        reply.expect(403, why=ROLE)
    now = ask(api, owner, "GET", path).expect(200)
    if (now.has().get("name") == name) != may:
        now.wrong(f"after PATCH by the {role} this is the wrong name.", NO_COMMIT if may else ROLE)
    why = "the project is remembered in the memory of one process, e.g. in a cache."
    same_row(now.object(), ask(api.second(), owner, "GET", path).expect(200), why=why)
    now.has("PATCH changes the name, nothing else.", id=project, owner_id=owner["id"])
    why = "the WHERE of the UPDATE is missing, or compares another column than the id."
    same_row(others, ask(api, owner, "GET", other), why=why)


@pytest.mark.step(4)
def test_rename_project_refuses_empty_name(api: Api) -> None:
    """PATCH /projects/{id} answers 422 to a name that is empty or too long."""
    owner = sign_up(api)
    path = f"/projects/{start(api, owner)}"
    start(api, owner, "Engine")
    why: Why = {4: "a rule of the app's own: projects may have the same name, or keep their name."}
    for name in ("x", "é" * 100, "engine", "Engine", "Engine"):
        reply = ask(api, owner, "PATCH", path, {"name": name}).expect(200, why=why)
        reply.has(NO_COMMIT, name=name)
    for name in (" my  ENGINE ", " "):
        reply = ask(api, owner, "PATCH", path, {"name": name}).expect(200, why={422: TIDIED})
        reply.has(TIDIED, name=name)
    before = ask(api, owner, "GET", path).expect(200).object()
    for name in ("", "x" * 101):
        ask(api, owner, "PATCH", path, {"name": name}).expect(422, why=NAME)
    ask(api, owner, "PATCH", path, {"name": None}).expect(422, 200, why=NAME)
    same_row(before, ask(api, owner, "GET", path).expect(200), why=NAME)


@pytest.mark.step(4)
def test_rename_project_of_others(api: Api) -> None:
    """PATCH /projects/{id} is 403, or 404, for strangers, and 404 for a missing project."""
    owner, stranger = sign_up(api), sign_up(api)
    path = f"/projects/{start(api, owner)}"
    before = ask(api, owner, "GET", path).expect(200).object()
    ask(api, stranger, "PATCH", path, {"name": "Stolen"}).expect(403, 404, why=STRANGER)
    nobody_may(api, "PATCH", path, {"name": "Stolen"})
    same_row(before, ask(api, owner, "GET", path).expect(200), why=STRANGER)
    is_unknown(api, "PATCH", "", {"name": "New"})


@pytest.mark.step(4)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_only_the_owner_invites(api: Api, role: str) -> None:
    """Nobody but the owner may invite: viewers, members and admins are answered 403."""
    owner, friend = sign_up(api), sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, role)
    unknown = f"{unique('nobody.')}@example.com"
    invite(api, user, project, friend["email"], "viewer").expect(403, why=ROLE)
    is_told_nothing(api, user, project, [friend["email"], owner["email"], unknown], ROLE)
    members_are(api, owner, project, {owner["id"]: "owner", user["id"]: role}, ROLE)


@pytest.mark.step(5)
@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("member", False), ("admin", True), ("owner", True)]
)
def test_remove_member(api: Api, role: str, may: bool) -> None:
    """DELETE /projects/{id}/members/{user_id} is for admins and the owner."""
    owner = sign_up(api)
    project = start(api, owner)
    user = owner if role == "owner" else join(api, owner, project, role)
    targets = {join(api, owner, project, other)["id"]: other for other in INVITED_ROLES}
    stays = join(api, owner, project, "member")
    for target in targets:
        path = f"/projects/{project}/members/{target}"
        reply = ask(api, user, "DELETE", path)
        if not may:
            reply.expect(403, why=ROLE)
            continue
        others = "the owner and admins remove everybody but the owner, other admins too."
        reply.expect(204, 200, why={403: others, "": f"{ROLE} Or {REMOVED}"})
        gone: Why = {
            2: "nobody looks whether the member is there, or whoever has left is one still.",
            403: "a role is asked of whoever the path names, before it is clear that they belong.",
        }
        ask(api, user, "DELETE", path).expect(404, why=gone)
    left = {stays["id"]: "member", user["id"]: role, owner["id"]: "owner"}
    why = f"{NO_COMMIT} Or {REMOVED}" if may else ROLE
    members_are(api, owner, project, left if may else left | targets, why)


@pytest.mark.step(5)
def test_remove_who_is_no_member(api: Api) -> None:
    """DELETE /projects/{id}/members/{user_id} answers 404 when the user is no member."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    admin = join(api, owner, project, "admin")
    for user in (owner, admin):
        for target in (stranger["id"], NO_SUCH_ID):
            path = f"/projects/{project}/members/{target}"
            ask(api, user, "DELETE", path).expect(404, why=f"{MISSING} Or {REMOVED}")
    is_unknown(api, "DELETE", f"/members/{owner['id']}")


@pytest.mark.step(5)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_leave_project(api: Api, role: str) -> None:
    """Everybody but the owner may remove themselves."""
    owner = sign_up(api)
    earlier, project, another = (start(api, owner) for _ in range(3))
    user = join(api, owner, earlier, role)
    invite(api, owner, project, user["email"], role).expect(201, 200)
    stays = join(api, owner, project, "viewer")
    invite(api, owner, another, user["email"], role).expect(201, 200)
    why = f"whoever asks is not compared with whom the path names, or {REMOVED}"
    reply = ask(api, user, "DELETE", f"/projects/{project}/members/{user['id']}")
    reply.expect(204, 200, why=why).committed_first()
    left = {owner["id"]: "owner", stays["id"]: "viewer"}
    members_are(api, owner, project, left, f"{NO_COMMIT} Or {REMOVED}")
    reply = ask(api, user, "GET", "/projects").expect(200)
    if len(reply.items()) != 3:
        reply.wrong(f"the {role} who left one of four projects should have three left.", REMOVED)
    for kept in (earlier, another):
        members_are(api, owner, kept, {owner["id"]: "owner", user["id"]: role}, REMOVED)


@pytest.mark.step(5)
@pytest.mark.parametrize("way", ["leaves", "is removed"])
def test_who_has_left_is_a_stranger(api: Api, way: str) -> None:
    """Who has left or was removed may do nothing any more, until they are invited again."""
    owner, friend = sign_up(api), sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, "admin")
    path, other = f"/projects/{project}", api.second()
    ask(other, user, "PATCH", path, {"name": "New"}).expect(200, why=ROLE)
    asking = user if way == "leaves" else owner
    ask(api, asking, "DELETE", f"{path}/members/{user['id']}").expect(204, 200, why=REMOVED)
    for process in (api, other):
        for method, route, sent in (
            ("GET", "", None),
            ("GET", "/members", None),
            ("PATCH", "", {"name": "Stolen"}),
            ("POST", "/invite", {"email": friend["email"]}),
            ("DELETE", f"/members/{owner['id']}", None),
        ):
            ask(process, user, method, path + route, sent).expect(403, 404, why=LEFT)
        if project in projects_of(process, user):
            fail(f"project {project} is still among those of the user who left it.", LEFT)
    members_are(api, owner, project, {owner["id"]: "owner"}, LEFT)
    why = "the membership is marked and not deleted, or it is remembered somewhere else."
    invite(api, owner, project, user["email"], "viewer").expect(201, 200, why=why)
    members_are(other, owner, project, {owner["id"]: "owner", user["id"]: "viewer"}, why)
    why = "the role from before is still in force, remembered somewhere else, e.g. in a cache."
    for process in (api, other):
        ask(process, user, "PATCH", path, {"name": "Stolen"}).expect(403, why=why)


@pytest.mark.step(5)
def test_owner_stays(api: Api) -> None:
    """The owner can neither leave nor be removed."""
    owner = sign_up(api)
    project = start(api, owner)
    users = {role: join(api, owner, project, role) for role in INVITED_ROLES}
    why = "the role of the one to be removed is not looked at; a project would be without owner."
    for user in (*users.values(), owner):
        reply = ask(api, user, "DELETE", f"/projects/{project}/members/{owner['id']}")
        reply.expect(409, 400, 403, why=why)
    roles = {user["id"]: role for role, user in users.items()} | {owner["id"]: "owner"}
    members_are(api, owner, project, roles, why)


@pytest.mark.step(5)
def test_remove_member_of_others(api: Api) -> None:
    """A stranger who owns another project removes nobody here."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, "member")
    path = f"/projects/{project}/members"
    for target in (user, stranger, owner):
        reply = ask(api, stranger, "DELETE", f"{path}/{target['id']}")
        reply.expect(403, 404, why=STRANGER)
    nobody_may(api, "DELETE", f"{path}/{user['id']}")
    members_are(api, owner, project, {owner["id"]: "owner", user["id"]: "member"}, STRANGER)
    if len(projects_of(api, stranger)) != 1:
        fail("the stranger has lost a project of their own.", REMOVED)


@pytest.mark.step(6)
def test_invite_twice_at_once(api: Api) -> None:
    """Of eight invitations of a user at one moment one succeeds, the others are 409 (or 400)."""
    owner = sign_up(api)
    project = start(api, owner)
    for given in (["member"], ["viewer", "viewer", "admin", "admin"]):
        user, roles = sign_up(api), given * (8 // len(given))
        won = invite_eight_times_at_once(api, owner, project, user["email"], roles)
        if roles_in(api, owner, project).get(user["id"]) != won:
            fail(f"the invitation as {won} succeeded, and another role is stored.", TAKEN)


def invite_eight_times_at_once(
    api: Api, owner: User, project: int, email: str, roles: list[str]
) -> str:
    """Race eight invitations; fail unless one of them wins. Give its role."""
    replies = api.at_once(8, lambda number: invite(api, owner, project, email, roles[number]))
    for reply in replies:
        reply.expect(201, 200, 409, 400, why={"": RACE, "unique": RACE, "UNIQUE": RACE})
    won = [role for role, reply in zip(roles, replies, strict=True) if reply.ok]
    if len(won) != 1:
        statuses = sorted(reply.status for reply in replies)
        rows = ask(api, owner, "GET", f"/projects/{project}/members").expect(200).items()
        once = len({row["user_id"] for row in rows}) == len(rows)
        why = OVERWRITTEN if won and once else RACE
        fail(f"eight invitations of a user at one moment were answered {statuses}.", why)
    return won[0]
