"""Checks of exercise 11; each speaks to the app over HTTP only."""

from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
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
REMOVED = "the membership that goes is not looked for by this project and this user, by both."
RACE = (
    "a SELECT before the INSERT is the only guard: all requests look before one has written. Make "
    "(project_id, user_id) unique, or the primary key, and catch the IntegrityError."
)
INVITED_ROLES = ["viewer", "member", "admin"]


def ask(api: Api, user: dict[str, Any], method: str, path: str, sent: Any = None) -> Reply:
    """Send a request as this user, and let messages say so."""
    reply = api.request(method, path, sent, {"X-User-Id": str(user["id"])})
    reply.asked += f", X-User-Id: {user['id']}"
    return reply


def sign_up(api: Api) -> dict[str, Any]:
    """Make a user who has a project of their own, so that they own something somewhere."""
    sent = {"name": "Ada", "email": f"{unique('ada.')}@example.com"}
    user = sent | {"id": api.post("/users", sent).expect(201, 200).has(NO_COMMIT, **sent).get("id")}
    start(api, user)
    return user


def start(api: Api, user: dict[str, Any]) -> int:
    """Start a project; give its id."""
    sent = {"name": unique("Engine ")}
    reply = ask(api, user, "POST", "/projects", sent).expect(201, 200)
    reply.has("the answer is not the stored row.", **sent, owner_id=user["id"])
    return reply.id


def invite(
    api: Api, asking: dict[str, Any], project: int, email: str, role: str = "member"
) -> Reply:
    """Ask for an invitation."""
    return ask(api, asking, "POST", f"/projects/{project}/invite", {"email": email, "role": role})


def join(api: Api, owner: dict[str, Any], project: int, role: str) -> dict[str, Any]:
    """Let the owner invite a new user."""
    user = sign_up(api)
    invite(api, owner, project, user["email"], role).expect(201, 200)
    return user


def roles_in(api: Api, asking: dict[str, Any], project: int) -> dict[int, str]:
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


@pytest.mark.step(1)
def test_create_project(api: Api) -> None:
    """POST /projects starts a project that belongs to the user of X-User-Id, for good."""
    user = sign_up(api)
    project = start(api, user)
    reply = ask(api, user, "GET", f"/projects/{project}").expect(200, why=NO_COMMIT)
    reply.has(NO_COMMIT, id=project, owner_id=user["id"])


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
    """POST /projects answers 422 when there is no name."""
    user = sign_up(api)
    why = "min_length is missing, or the table class is the request body and does not validate."
    for sent in ({}, {"name": ""}, {"name": "x" * 101}):
        ask(api, user, "POST", "/projects", sent).expect(422, why=why)


@pytest.mark.step(1)
def test_create_project_by_nobody(api: Api) -> None:
    """Without X-User-Id, or with one that nobody has, the answer is 401."""
    sign_up(api)
    why = "the header has a default, or the user that it names is not looked for."
    api.post("/projects", {"name": "Nobody's"}).expect(401, 403, 422, why=why)
    nobody = {"id": NO_SUCH_ID}
    ask(api, nobody, "POST", "/projects", {"name": "Nobody's"}).expect(401, 403, 404, why=why)


@pytest.mark.step(1)
def test_read_project_not_found(api: Api) -> None:
    """GET /projects/{id} answers 404 when there is no such project."""
    why = "session.get() gave None, and it was used."
    ask(api, sign_up(api), "GET", f"/projects/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_list_projects(api: Api) -> None:
    """GET /projects lists the projects of whoever asks, by id, and no others."""
    user, other = sign_up(api), sign_up(api)
    mine = [start(api, user), start(api, user)]
    others = start(api, other)
    reply = ask(api, user, "GET", "/projects").expect(200)
    ids = [row.get("id") for row in reply.items()]
    if others in ids:
        reply.wrong(f"project {others} belongs to somebody else.", "the WHERE is missing.")
    if ids[-2:] != mine or ids != sorted(ids):
        reply.wrong(
            f"the ids are {ids}; they should end in {mine}.", f"there is no ORDER BY, or {FIRST}"
        )


@pytest.mark.step(2)
def test_read_project_of_others(api: Api) -> None:
    """A project and its members are 403, or 404, for those who do not belong to it."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    for path in (f"/projects/{project}", f"/projects/{project}/members"):
        ask(api, owner, "GET", path).expect(200, why=FIRST)
        ask(api, stranger, "GET", path).expect(403, 404, why=STRANGER)


@pytest.mark.step(2)
def test_owner_is_a_member(api: Api) -> None:
    """GET /projects/{id}/members lists the owner with the role "owner"."""
    owner = sign_up(api)
    project = start(api, owner)
    if roles_in(api, owner, project) != {owner["id"]: "owner"}:
        fail(
            f"the members of a new project are {roles_in(api, owner, project)}.",
            f"the list has no WHERE for the project, or {FIRST}",
        )


@pytest.mark.step(3)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_invite(api: Api, role: str) -> None:
    """The owner invites a user, who then belongs to the project with the role."""
    owner = sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, role)
    roles = roles_in(api, owner, project)
    if roles.get(user["id"]) != role:
        fail(f"the invited {role} {user['id']} is not among the members {roles}.", NO_COMMIT)
    why = "who is invited does not belong to the project yet."
    ask(api, user, "GET", f"/projects/{project}").expect(200, why=why)
    for asking in (user, owner):
        reply = ask(api, asking, "GET", "/projects").expect(200)
        listed = [row.get("id") for row in reply.items()]
        if listed.count(project) != 1:
            reply.wrong(
                f"the ids are {listed}; project {project} should be there once.",
                "the list holds the projects that one owns, not those that one belongs to, or a "
                "project for each of its members.",
            )


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
@pytest.mark.parametrize("role", ["owner", "boss", "", None])
def test_invite_refuses_role(api: Api, role: Any) -> None:
    """An invitation with the role "owner", or one that does not exist, is refused."""
    owner, user = sign_up(api), sign_up(api)
    project = start(api, owner)
    why = "the role is any string: Literal['viewer', 'member', 'admin'] in the input class."
    invite(api, owner, project, user["email"], role).expect(422, 400, 403, why=why)
    if user["id"] in roles_in(api, owner, project):
        fail("the user became a member all the same.", why)


@pytest.mark.step(3)
def test_invite_not_found(api: Api) -> None:
    """POST /projects/{id}/invite answers 404 to a missing project and to a missing user."""
    owner, user = sign_up(api), sign_up(api)
    why = "session.get() or .first() gave None, and it was used."
    invite(api, owner, NO_SUCH_ID, user["email"]).expect(404, why=why)
    invite(api, owner, start(api, owner), f"{unique('nobody.')}@example.com").expect(404, why=why)


@pytest.mark.step(3)
def test_invite_to_a_project_of_others(api: Api) -> None:
    """Who does not own the project is answered 403, also for an address that nobody has."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    invite(api, stranger, project, stranger["email"]).expect(403, 404, why=STRANGER)
    if stranger["id"] in roles_in(api, owner, project):
        fail("the stranger invited themselves.", STRANGER)
    known = invite(api, stranger, project, owner["email"])
    unknown = invite(api, stranger, project, f"{unique('nobody.')}@example.com")
    if (known.status, known.body) != (unknown.status, unknown.body):
        unknown.wrong(
            f"for an address that somebody has it is {known.status} {known.text}.",
            "the user is looked for before the right to invite: strangers learn who is registered.",
        )


@pytest.mark.step(3)
def test_invite_twice(api: Api) -> None:
    """Who is a member already, or the owner, is 409 (or 400), and keeps the role."""
    owner = sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, "viewer")
    invite(api, owner, project, user["email"], "admin").expect(409, 400, why=TAKEN)
    invite(api, owner, project, owner["email"], "viewer").expect(409, 400, why=TAKEN)
    if roles_in(api, owner, project) != {owner["id"]: "owner", user["id"]: "viewer"}:
        fail(f"the members are now {roles_in(api, owner, project)}.", TAKEN)


@pytest.mark.step(4)
@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("member", True), ("admin", True), ("owner", True)]
)
def test_rename_project(api: Api, role: str, may: bool) -> None:
    """PATCH /projects/{id} is for members, admins and the owner, not for viewers."""
    owner = sign_up(api)
    project = start(api, owner)
    user = owner if role == "owner" else join(api, owner, project, role)
    name = unique("Renamed ")
    reply = ask(api, user, "PATCH", f"/projects/{project}", {"name": name})
    if may:
        reply.expect(200, why=ROLE).has(NO_COMMIT, name=name)
    else:
        reply.expect(403, why=ROLE)
    now = ask(api, owner, "GET", f"/projects/{project}").expect(200)
    if (now.has().get("name") == name) != may:
        now.wrong(f"after PATCH by the {role} this is the wrong name.", NO_COMMIT if may else ROLE)


@pytest.mark.step(4)
def test_rename_project_of_others(api: Api) -> None:
    """PATCH /projects/{id} is 403, or 404, for strangers, and 404 for a missing project."""
    owner, stranger = sign_up(api), sign_up(api)
    path = f"/projects/{start(api, owner)}"
    ask(api, stranger, "PATCH", path, {"name": "Stolen"}).expect(403, 404, why=STRANGER)
    ask(api, owner, "PATCH", f"/projects/{NO_SUCH_ID}", {"name": "New"}).expect(404)


@pytest.mark.step(4)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_only_the_owner_invites(api: Api, role: str) -> None:
    """Nobody but the owner may invite: viewers, members and admins are answered 403."""
    owner, friend = sign_up(api), sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, role)
    invite(api, user, project, friend["email"]).expect(403, why=ROLE)
    if friend["id"] in roles_in(api, owner, project):
        fail("the friend became a member all the same.", ROLE)


@pytest.mark.step(5)
@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("member", False), ("admin", True), ("owner", True)]
)
def test_remove_member(api: Api, role: str, may: bool) -> None:
    """DELETE /projects/{id}/members/{user_id} is for admins and the owner."""
    owner = sign_up(api)
    project = start(api, owner)
    user = owner if role == "owner" else join(api, owner, project, role)
    other = join(api, owner, project, "member")
    path = f"/projects/{project}/members/{other['id']}"
    ask(api, user, "DELETE", path).expect(
        *((204, 200) if may else (403,)), why=f"{ROLE} Or {REMOVED}" if may else ROLE
    )
    if (other["id"] in roles_in(api, owner, project)) == may:
        fail(f"after DELETE by the {role} the wrong members are left.", NO_COMMIT if may else ROLE)
    if may:
        why = "the membership of the removed user is still there."
        ask(api, other, "GET", f"/projects/{project}").expect(403, 404, why=why)
        ask(api, user, "DELETE", path).expect(404, why="the member is not looked for.")


@pytest.mark.step(5)
@pytest.mark.parametrize("role", INVITED_ROLES)
def test_leave_project(api: Api, role: str) -> None:
    """Everybody but the owner may remove themselves."""
    owner = sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, role)
    why = f"whoever asks is not compared with whom the path names, or {REMOVED}"
    ask(api, user, "DELETE", f"/projects/{project}/members/{user['id']}").expect(204, 200, why=why)
    if roles_in(api, owner, project) != {owner["id"]: "owner"}:
        fail(f"the {role} who left is still there, or somebody else is gone.", NO_COMMIT)
    reply = ask(api, user, "GET", "/projects").expect(200)
    if len(reply.items()) != 1:
        reply.wrong(f"the {role} who left should have one project left, the own one.", REMOVED)


@pytest.mark.step(5)
def test_owner_stays(api: Api) -> None:
    """The owner can neither leave nor be removed."""
    owner = sign_up(api)
    project = start(api, owner)
    admin = join(api, owner, project, "admin")
    why = "the role of the one to be removed is not looked at; a project would be without owner."
    for user in (admin, owner):
        reply = ask(api, user, "DELETE", f"/projects/{project}/members/{owner['id']}")
        reply.expect(409, 400, 403, why=why)
    if roles_in(api, owner, project).get(owner["id"]) != "owner":
        fail("the owner is gone.", why)


@pytest.mark.step(5)
def test_remove_member_of_others(api: Api) -> None:
    """A stranger who owns another project removes nobody here."""
    owner, stranger = sign_up(api), sign_up(api)
    project = start(api, owner)
    user = join(api, owner, project, "member")
    path = f"/projects/{project}/members/{user['id']}"
    ask(api, stranger, "DELETE", path).expect(403, 404, why=STRANGER)
    if user["id"] not in roles_in(api, owner, project):
        fail("the member is gone.", STRANGER)


@pytest.mark.step(6)
def test_invite_twice_at_once(api: Api) -> None:
    """Of eight equal invitations at one moment one succeeds, the others are 409 (or 400)."""
    owner = sign_up(api)
    project = start(api, owner)
    for _ in range(4):
        email = sign_up(api)["email"]
        invite_eight_times_at_once(api, owner, project, email)
        roles_in(api, owner, project)


def invite_eight_times_at_once(api: Api, owner: dict[str, Any], project: int, email: str) -> None:
    """Race eight equal invitations; fail unless one of them wins."""
    replies = api.at_once(8, lambda number: invite(api, owner, project, email))
    for reply in replies:
        reply.expect(201, 200, 409, 400, why=RACE)
    if sum(reply.ok for reply in replies) != 1:
        statuses = sorted(reply.status for reply in replies)
        fail(f"eight equal invitations at one moment were answered {statuses}.", RACE)
