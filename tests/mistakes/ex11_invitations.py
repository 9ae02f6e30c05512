"""Wrong solutions of exercise 11 that learners write."""

INSERT = """\
    session.add(membership)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "User is already a member") from None
"""
LOOK = """\
    there = select(Membership).where(
        Membership.project_id == project.id, Membership.user_id == invited.id
    )
    if session.exec(there).first():
        raise HTTPException(409, "User is already a member")
"""

MISTAKES = [
    {
        "name": "projects ordered by their owners",
        "step": 3,
        "replace": {"mine.order_by(col(Project.id))": "mine.order_by(col(Project.owner_id))"},
        "says": "ordered by another column than the id",
    },
    {
        "name": "owner from the body",
        "step": 1,
        "replace": {
            '    """What a client sends to start or rename a project."""\n': (
                "    owner_id: int = 0\n"
            ),
            'update={"owner_id": user.id}': 'update={"owner_id": data.owner_id or user.id}',
        },
        "says": "the owner comes from the body",
    },
    {
        "name": "nobody is the first user",
        "step": 1,
        "replace": {
            "session.get(User, x_user_id) if x_user_id else None": (
                "session.get(User, x_user_id or 1)"
            )
        },
        "says": "the header has a default",
    },
    {
        "name": "list of all projects",
        "step": 2,
        "replace": {".join(Membership).where(Membership.user_id == user.id)": ""},
        "says": "the WHERE is missing",
    },
    {
        "name": "list of owned projects only",
        "step": 3,
        "replace": {
            ".join(Membership).where(Membership.user_id == user.id)": (
                ".where(Project.owner_id == user.id)"
            )
        },
        "says": "not those that one belongs to",
    },
    {
        "name": "members of all projects",
        "step": 2,
        "replace": {
            "select(Membership).where(Membership.project_id == project.id)": "select(Membership)"
        },
        "says": "has no WHERE for the project",
    },
    {
        "name": "owner not stored as member",
        "step": 2,
        "replace": {
            'session.add(Membership(project_id=project.id, user_id=user.id, role="owner"))': "pass"
        },
        "says": "the owner is not stored as first member",
    },
    {
        "name": "membership of any project",
        "step": 2,
        "replace": {
            "membership = session.get(Membership, (project.id, user.id))": (
                "membership = session.exec("
                "select(Membership).where(Membership.user_id == user.id)).first()"
            )
        },
        "says": "names the user but not the project",
    },
    {
        "name": "a project for each of its members",
        "step": 3,
        "replace": {
            ".where(Membership.user_id == user.id)": (
                ".where((Membership.user_id == user.id) | (Project.owner_id == user.id))"
            )
        },
        "says": "a project for each of its members",
    },
    {
        "name": "merge in place of add",
        "step": 3,
        "replace": {
            "    session.add(membership)\n": "    membership = session.merge(membership)\n"
        },
        "says": "write over the role",
    },
    {
        "name": "any role may be given",
        "step": 3,
        "replace": {'role: Literal["viewer", "member", "admin"] =': "role: str ="},
        "says": "the role is any string",
    },
    {
        "name": "the user looked for before the right",
        "step": 3,
        "replace": {
            '"/projects/{project_id}/invite", status_code=201, dependencies=[Owner])': (
                '"/projects/{project_id}/invite", status_code=201)'
            ),
            "def invite_member(project: ProjectDep,": (
                "def invite_member(project: ProjectDep, user: CurrentUser,"
            ),
            "    membership = Membership(project_id=project.id, user_id=invited.id": (
                "    if project.owner_id != user.id:\n"
                '        raise HTTPException(403, "Only the owner may invite")\n'
                "    membership = Membership(project_id=project.id, user_id=invited.id"
            ),
        },
        "says": "strangers learn who is registered",
    },
    {
        "name": "duplicate not caught",
        "step": 3,
        "replace": {INSERT: "    session.add(membership)\n    session.commit()\n"},
        "says": "IntegrityError",
    },
    {
        "name": "every member may invite",
        "step": 4,
        "replace": {
            "status_code=201, dependencies=[Owner])": "status_code=201, dependencies=[Viewer])"
        },
        "says": "the role of whoever asks",
    },
    {
        "name": "roles compared as text",
        "step": 4,
        "replace": {"ROLES.index(membership.role) < ROLES.index(role)": "membership.role < role"},
        "says": "the role of whoever asks",
    },
    {
        "name": "the owner can be removed",
        "step": 5,
        "replace": {'    if membership.role == "owner":': "    if membership is None:"},
        "says": "a project would be without owner",
    },
    {
        "name": "all memberships of the user removed",
        "step": 5,
        "replace": {
            "    session.delete(membership)\n": (
                "    every = select(Membership).where(Membership.user_id == user_id)\n"
                "    for membership in session.exec(every):\n"
                "        session.delete(membership)\n"
            )
        },
        "says": "by this project and this user",
    },
    {
        "name": "select before insert as the only guard",
        "step": 6,
        "replace": {
            'project_id: int = Field(foreign_key="projects.id", primary_key=True)': (
                "id: int = Field(default=None, primary_key=True)\n"
                '    project_id: int = Field(foreign_key="projects.id")'
            ),
            'user_id: int = Field(foreign_key="users.id", primary_key=True, index=True)': (
                'user_id: int = Field(foreign_key="users.id", index=True)'
            ),
            "membership = session.get(Membership, (project.id, user.id))": (
                "membership = session.exec("
                "select(Membership).where(Membership.user_id == user.id,"
                " Membership.project_id == project.id)).first()"
            ),
            INSERT: LOOK + "    session.add(membership)\n    session.commit()\n",
        },
        "says": "a SELECT before the INSERT is the only guard",
    },
    {
        "name": "all projects renamed",
        "step": 4,
        "replace": {
            """    project.name = data.name
""": """    session.exec(__import__('sqlmodel').update(Project).values(name=data.name))
"""
        },
        "says": "the WHERE of the UPDATE is missing",
    },
    {
        "name": "left all projects of others at once",
        "step": 5,
        "replace": {
            """    session.delete(membership)
""": """    session.exec(__import__('sqlmodel').delete(Membership).where(col(Membership.user_id) == user_id, col(Membership.role) != 'owner'))
"""
        },
        "says": "by this project and this user",
    },
    {
        "name": "roles remembered in a dictionary",
        "step": 5,
        "replace": {
            """        membership = session.get(Membership, (project.id, user.id))
        if""": """        key = (project.id, user.id)
        membership = CACHE.get(key) or session.get(Membership, key)
        if membership is not None:
            CACHE[key] = Membership(**membership.model_dump())
        if""",
            "app = FastAPI": """CACHE: dict = {}
app = FastAPI""",
        },
        "says": "still let in",
    },
    {
        "name": "without a header it is user 1",
        "step": 1,
        "replace": {"Header()] = None": "Header()] = 1"},
        "says": "the header has a default",
    },
    {
        "name": "the owner may leave",
        "step": 5,
        "replace": {
            '    if membership.role == "owner":': '    if membership.role == "owner" and user_id != asking.user_id:'
        },
        "says": "owner",
    },
    {
        "name": "ten members at most are listed",
        "step": 3,
        "base": "tests/right/ex11_sqlalchemy.py",
        "replace": {
            """    return project.members
""": """    return project.members[:10]
""",
        },
        "says": "the list of members is cut",
    },
    {
        "name": "projects listed by their ids only",
        "step": 2,
        "base": "tests/right/ex11_sqlalchemy.py",
        "replace": {
            '@app.get("/projects", response_model=list[ProjectOut])': '@app.get("/projects")',
            "    return db.scalars(select(Project).where(Project.id.in_(mine)).order_by(Project.id)).all()": "    return [{'id': id_} for id_ in db.scalars(select(Project.id).where(Project.id.in_(mine)).order_by(Project.id))]",
        },
        "says": "a list of ids only",
    },
    {
        "name": "projects read from a cache",
        "step": 4,
        "base": "tests/right/ex11_sqlalchemy.py",
        "replace": {
            """    require(db, project, user, "viewer", "member", "admin", "owner")
    return project
""": """    require(db, project, user, "viewer", "member", "admin", "owner")
    if project.id not in cache:
        cache[project.id] = ProjectOut.model_validate(project)
    return cache[project.id]
""",
            """    project.name = data.name
""": """    project.name = data.name
    cache.pop(project.id, None)
""",
            "app = FastAPI()": """app = FastAPI()
cache = {}""",
        },
        "says": "in the memory of one process, e.g. in a cache",
    },
    {
        "name": "a name once for each owner",
        "step": 1,
        "base": "tests/right/ex11_sqlalchemy.py",
        "replace": {
            """    __tablename__ = "projects"
""": """    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)
""",
            """    db.add(project)
    db.commit()
""": """    db.add(project)
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, 'You have a project of this name') from None
""",
        },
        "says": "nothing says that it is",
    },
    {
        "name": "the role stored later",
        "step": 3,
        "base": "tests/right/ex11_sqlalchemy.py",
        "replace": {
            """    member = Member(project_id=project.id, user_id=guest.id, role=data.role.value)
    db.add(member)
    try:
        db.commit()
""": """    member = Member(project_id=project.id, user_id=guest.id, role='member')
    db.add(member)
    try:
        db.commit()
        member.role = data.role.value
        db.commit()
""",
        },
        "says": "its role later: one commit",
    },
    {
        "name": "the name is all that renaming answers",
        "step": 4,
        "replace": {
            "data: ProjectInput, session: SessionDep) -> Project:": (
                "data: ProjectInput, session: SessionDep) -> ProjectInput:"
            )
        },
        "says": "the answer is not the renamed project",
    },
    {
        "name": "a hundred projects at most",
        "step": 3,
        "replace": {"mine.order_by(col(Project.id))": "mine.order_by(col(Project.id)).limit(100)"},
        "says": "the list of projects is cut",
    },
    {
        "name": "a hundred members at most",
        "step": 3,
        "replace": {
            "members.order_by(col(Membership.user_id))": (
                "members.order_by(col(Membership.user_id)).limit(100)"
            )
        },
        "says": "of 102 members 2 are not listed",
    },
    {
        "name": "renamed only if another word",
        "step": 4,
        "replace": {
            "    project.name = data.name\n": (
                "    if data.name.lower() != project.name.lower():\n        project.name = data.name\n"
            )
        },
        "says": "the field 'name' is",
    },
    {
        "name": "the sign of who asks left out",
        "step": 1,
        "replace": {"session.get(User, x_user_id)": "session.get(User, abs(x_user_id))"},
        "says": "the user that it names is not looked for",
    },
    {
        "name": "address looked for in small letters",
        "step": 3,
        "replace": {"User.email == data.email": "User.email == data.email.lower()"},
        "says": "the address is looked for in small letters",
    },
    {
        "name": "who has no account gets one",
        "step": 3,
        "replace": {
            """        raise HTTPException(404, "User not found")
""": """        invited = User(name="Guest", email=data.email)
        session.add(invited)
        session.flush()
"""
        },
        "says": "an address that nobody has makes a user",
    },
    {
        "name": "one project for each user",
        "step": 1,
        "replace": {"primary_key=True, index=True)": "primary_key=True, unique=True)"},
        "says": "a user belongs to many projects",
    },
    {
        "name": "admins remove no admins",
        "step": 5,
        "replace": {
            """    if membership.role == "owner":
""": """    if membership.role == asking.role == "admin" and user_id != asking.user_id:
        raise HTTPException(403, "Admins remove no admins")
    if membership.role == "owner":
"""
        },
        "says": "other admins too",
    },
    {
        "name": "another role stored",
        "step": 3,
        "replace": {"role=data.role)": "role='invited')"},
        "says": "the role that is stored is not the one of the invitation",
    },
    {
        "name": "a viewer sees no other members",
        "step": 3,
        "replace": {
            "def list_members(project: ProjectDep, session: SessionDep)": (
                "def list_members(project: ProjectDep, session: SessionDep, user: CurrentUser)"
            ),
            "    return session.exec(members.order_by(col(Membership.user_id))).all()": (
                "    asking = session.get(Membership, (project.id, user.id))\n"
                "    if asking and asking.role == 'viewer':\n"
                "        members = members.where(Membership.user_id == user.id)\n"
                "    return session.exec(members.order_by(col(Membership.user_id))).all()"
            ),
        },
        "says": "each member sees all members",
    },
    {
        "name": "projects of one name renamed together",
        "step": 4,
        "replace": {
            "    project.name = data.name\n": (
                "    named = select(Project).where(\n"
                "        Project.owner_id == project.owner_id, Project.name == project.name\n"
                "    )\n"
                "    for namesake in session.exec(named).all():\n"
                "        namesake.name = data.name\n"
            )
        },
        "says": "compares another column than the id",
    },
    {
        "name": "role remembered for good",
        "step": 5,
        "replace": {
            "        if membership is None or ROLES": (
                "        key = (project.id, user.id)\n"
                "        known = KNOWN.setdefault(key, membership.role) if membership else ''\n"
                "        if membership is None or ROLES"
            ),
            "ROLES.index(membership.role)": "ROLES.index(known)",
            "app = FastAPI(": "KNOWN: dict[tuple[int, int], str] = {}\napp = FastAPI(",
        },
        "says": "the role from before is still in force",
    },
    {
        "name": "role of the last invitation",
        "step": 6,
        "replace": {
            INSERT: LOOK
            + (
                "    from sqlalchemy.dialects.sqlite import insert\n"
                "    new = insert(Membership).values(\n"
                "        project_id=project.id, user_id=invited.id, role=data.role\n"
                "    )\n"
                "    session.exec(\n"
                "        new.on_conflict_do_update(\n"
                "            index_elements=['project_id', 'user_id'], set_={'role': data.role}\n"
                "        )\n"
                "    )\n"
                "    session.commit()\n"
                "    membership = session.get_one(Membership, (project.id, invited.id))\n"
            ),
        },
        "says": "each invitation writes over the one before it",
    },
    {
        "name": "projects that are not there yet remembered as missing",
        "step": 1,
        "replace": {
            "def get_project(": "missing: set[int] = set()\n\n\ndef get_project(",
            """    project = session.get(Project, project_id)
    if project is None:
""": """    project = session.get(Project, project_id)
    if project is None or project_id in missing:
        missing.add(project_id)
""",
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "users who are not there yet remembered as missing",
        "step": 1,
        "replace": {
            "def get_current_user(": "missing: set[int | None] = set()\n\n\ndef get_current_user(",
            "    if user is None:\n": (
                "    if user is None or x_user_id in missing:\n        missing.add(x_user_id)\n"
            ),
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "addresses that nobody has yet remembered",
        "step": 3,
        "replace": {
            "app = FastAPI(": "unknown: set[str] = set()\n\napp = FastAPI(",
            "    if invited is None:\n": (
                "    if invited is None or data.email in unknown:\n"
                "        unknown.add(data.email)\n"
            ),
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "committed after the answer",
        "step": 1,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            'role="owner"))\n    session.commit()': 'role="owner"))\n    session.flush()',
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "names without their outer spaces",
        "step": 1,
        "replace": {
            "    project = Project.model_validate(data, ": (
                "    data.name = data.name.strip()\n    project = Project.model_validate(data, "
            ),
        },
        "says": "spaces taken away",
    },
    {
        "name": "new names without their outer spaces",
        "step": 4,
        "replace": {
            "    project.name = data.name\n": "    project.name = data.name.strip()\n",
        },
        "says": "spaces taken away",
    },
    {
        "name": "whoever renames becomes the owner",
        "step": 4,
        "replace": {
            "def rename_project(project: ProjectDep, ": (
                "def rename_project(user: CurrentUser, project: ProjectDep, "
            ),
            "    project.name = data.name\n": (
                "    project.name = data.name\n    project.owner_id = user.id\n"
            ),
        },
        "says": "or from whoever renames",
    },
    {
        "name": "a role of null counts as left out",
        "step": 3,
        "replace": {
            'role: Literal["viewer", "member", "admin"] = "member"': (
                'role: Literal["viewer", "member", "admin"] | None = None'
            ),
            "role=data.role)": 'role=data.role or "member")',
        },
        "says": "taken for a role that is left out",
    },
    {
        "name": "removing asks for the membership only",
        "step": 5,
        "replace": {
            "def remove_member(user_id: int, session: SessionDep, asking: Annotated[Membership, Viewer]) -> None:": (
                "def remove_member(\n"
                "    project_id: int, user_id: int, user: CurrentUser, session: SessionDep\n"
                ") -> None:"
            ),
            "    if user_id != asking.user_id and": """\
    asking = session.get(Membership, (project_id, user.id))
    if asking is None:
        raise HTTPException(403, "Only for members")
    if user_id != asking.user_id and""",
        },
        "says": "the project is not",
    },
    {
        "name": "members found before the right to invite",
        "step": 3,
        "replace": {
            'invite", status_code=201, dependencies=[Owner])': 'invite", status_code=201)',
            "def invite_member(project: ProjectDep, data: Invitation, session: SessionDep) -> Membership:": (
                "def invite_member(\n"
                "    project: ProjectDep, data: Invitation, session: SessionDep, user: CurrentUser\n"
                ") -> Membership:"
            ),
            """    if invited is None:
        raise HTTPException(404, "User not found")
""": """    if invited and session.get(Membership, (project.id, invited.id)):
        raise HTTPException(409, "User is already a member")
    if project.owner_id != user.id:
        raise HTTPException(403, "Only for the owner")
    if invited is None:
        raise HTTPException(404, "User not found")
""",
        },
        "says": "before the right to invite",
    },
    {
        "name": "inviting a member again succeeds",
        "step": 3,
        "replace": {
            "    membership = Membership(project_id=project.id, user_id=invited.id, role=data.role)\n": """\
    if already := session.get(Membership, (project.id, invited.id)):
        return already
    membership = Membership(project_id=project.id, user_id=invited.id, role=data.role)
""",
        },
        "says": "nothing has changed",
    },
    {
        "name": "no projects is a 404",
        "step": 2,
        "replace": {
            "    return session.exec(mine.order_by(col(Project.id))).all()": """\
    projects = session.exec(mine.order_by(col(Project.id))).all()
    if not projects:
        raise HTTPException(404, "No projects found")
    return projects""",
        },
        "says": "gets an empty list",
    },
    {
        "name": "projects listed once for each name",
        "step": 2,
        "replace": {
            "    return session.exec(mine.order_by(col(Project.id))).all()": """\
    projects = session.exec(mine.order_by(col(Project.id)))
    return list({project.name: project for project in projects}.values())""",
        },
        "says": "projects of one name are taken for one",
    },
    {
        "name": "a new name has to be another than the old one",
        "step": 4,
        "replace": {
            "    project.name = data.name\n": """\
    if project.name == data.name:
        raise HTTPException(400, "Nothing to change")
    project.name = data.name
""",
        },
        "says": "or keep their name",
    },
    {
        "name": "a new name that no other project of the owner has",
        "step": 4,
        "replace": {
            "    project.name = data.name\n": """\
    others = select(Project).where(Project.id != project.id, Project.name == data.name)
    if session.exec(others.where(Project.owner_id == project.owner_id)).first():
        raise HTTPException(409, "Name already used")
    project.name = data.name
""",
        },
        "says": "projects may have the same name",
    },
    {
        "name": "leaving the first of one's projects",
        "step": 5,
        "replace": {
            "    session.delete(membership)\n": """\
    own = select(Membership).where(Membership.user_id == user_id, Membership.role != "owner")
    session.delete(session.exec(own.order_by(col(Membership.project_id))).first())
""",
        },
        "says": "by this project and this user",
    },
    {
        "name": "whoever has left is a member without a role",
        "step": 5,
        "replace": {
            """    session.delete(membership)
    session.commit()""": """    membership.role = "left"
    session.commit()"""
        },
        "says": "whoever has left is one still",
    },
]
