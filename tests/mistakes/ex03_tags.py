"""Wrong solutions of exercise 03 that learners write."""

LOCK = "    session.exec(update(Post).where(col(Post.id) == post_id).values(title=Post.title))\n"

MISTAKES = [
    {
        "name": "no unique constraint",
        "step": 1,
        "replace": {", unique=True": ""},
        "says": "no unique=True",
    },
    {
        "name": "response class without id",
        "step": 2,
        "replace": {"    id: int\n    tags: list[Tag]\n": "    tags: list[Tag]\n"},
        "says": "the response class has no id",
    },
    {
        "name": "primary key of one column",
        "step": 2,
        "replace": {"tag_id: int = Field(primary_key=True, ": "tag_id: int = Field("},
        "says": "a column of the link table is unique",
    },
    {
        "name": "table class as response model",
        "step": 2,
        "replace": {", status_code=201, response_model=PostWithTags)": ", status_code=201)"},
        "says": "answers its columns only",
    },
    {
        "name": "number of tags not compared",
        "step": 2,
        "replace": {"if len(tags) != len(set(tag_ids)):": "if not tags and tag_ids:"},
        "says": "nobody compares the two numbers",
    },
    {
        "name": "link is a column of the tag",
        "step": 2,
        "replace": {
            """    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)
""": """    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)
    post_id: int | None = Field(default=None, foreign_key="posts.id")
""",
            "link_model=PostTag, ": "",
        },
        "says": "many need a link table",
    },
    {
        "name": "tags in the answer only",
        "step": 2,
        "replace": {
            "content=data.content, tags=get_tags(session, data.tag_ids))": "content=data.content)",
            """    session.add(post)
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", """: """    tags = [tag.model_dump() for tag in get_tags(session, data.tag_ids)]
    session.add(post)
    session.commit()
    session.refresh(post)
    return {**post.model_dump(), "tags": tags}


@app.get("/posts", """,
        },
        "says": "not into the link table",
    },
    {
        "name": "a pair for each id that was sent",
        "step": 2,
        "replace": {
            "content=data.content, tags=get_tags(session, data.tag_ids))": "content=data.content)",
            """    session.add(post)
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", """: """    get_tags(session, data.tag_ids)
    session.add(post)
    session.flush()
    session.add_all([PostTag(post_id=post.id, tag_id=tag_id) for tag_id in data.tag_ids])
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", """,
        },
        "says": "a pair is inserted for each id",
    },
    {
        "name": "join although no tag is asked for",
        "step": 3,
        "replace": {
            "statement = select(Post)": "statement = select(Post).join(PostTag).join(Tag)",
            "statement.join(PostTag).join(Tag).where": "statement.where",
        },
        "says": "joins the tags although none is asked for",
    },
    {
        "name": "tags loaded from the join that filters",
        "step": 3,
        "replace": {
            "statement.join(PostTag).join(Tag).where(Tag.name == tag)": (
                "statement.join(Post.tags).where(Tag.name == tag).options("
                "__import__('sqlalchemy.orm').orm.contains_eager(Post.tags))"
            ),
            "return session.exec(statement).all()": "return session.exec(statement).unique().all()",
        },
        "says": "only the one asked for",
    },
    {
        "name": "tags not joined",
        "step": 3,
        "replace": {"statement.join(PostTag).join(Tag).where": "statement.join(PostTag).where"},
        "says": "a table is not joined",
    },
    {
        "name": "LIKE, where _ is any character",
        "step": 3,
        "replace": {"Tag.name == tag": "col(Tag.name).ilike(tag)"},
        "says": "== and not contains() or like()",
    },
    {
        "name": "part of the name is enough",
        "step": 3,
        "replace": {"Tag.name == tag": "col(Tag.name).contains(tag)"},
        "says": "== and not contains()",
    },
    {
        "name": "no ORDER BY",
        "step": 3,
        "replace": {"select(Post).order_by(col(Post.id))": "select(Post)"},
        "says": "no ORDER BY",
    },
    {
        "name": "committed before the tags were looked for",
        "step": 3,
        "replace": {
            "content=data.content, tags=get_tags(session, data.tag_ids))": "content=data.content)",
            """    session.add(post)
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", """: """    session.add(post)
    session.commit()
    post.tags = get_tags(session, data.tag_ids)
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", """,
        },
        "says": "committed before its tags were looked for",
    },
    {
        "name": "title required on update",
        "step": 4,
        "replace": {
            '''class PostUpdate(SQLModel):
    """What a client may change; no field takes null."""

    title: str = Field(default=None, min_length=1, max_length=200)
    content: str = Field(default=None, min_length=1, max_length=20_000)
''': "class PostUpdate(PostBase):\n"
        },
        "says": "title and content are required",
    },
    {
        "name": "exclude_unset forgotten",
        "step": 4,
        "replace": {"exclude_unset=True, ": ""},
        "says": "exclude_unset=True is missing",
    },
    {
        "name": "tags added and not replaced",
        "step": 4,
        "replace": {
            "post.tags = get_tags(session, data.tag_ids)": (
                "post.tags.extend(t for t in get_tags(session, data.tag_ids) if t not in post.tags)"
            )
        },
        "says": "added to the old ones",
    },
    {
        "name": "empty list taken for not sent",
        "step": 4,
        "replace": {'if "tag_ids" in data.model_fields_set:': "if data.tag_ids:"},
        "says": "is false for an empty list too",
    },
    {
        "name": "tags not sent count as none",
        "step": 4,
        "replace": {
            "tag_ids: list[int] = Field(default=None)": "tag_ids: list[int] = []",
            'if "tag_ids" in data.model_fields_set:': "if True:",
        },
        "says": "count as an empty list",
    },
    {
        "name": "statement leaves the pairs",
        "step": 5,
        "replace": {
            "    session.delete(post)\n": (
                "    from sqlmodel import delete\n"
                "    session.exec(delete(Post).where(col(Post.id) == post.id))\n"
            )
        },
        "says": "still in the link table",
    },
    {
        "name": "cascade to the tags",
        "step": 5,
        "replace": {'"lazy": "selectin", ': '"lazy": "selectin", "cascade": "all", '},
        "says": "a cascade that goes too far",
    },
    {
        "name": "select before insert as the only guard",
        "step": 6,
        "replace": {
            "    tag = Tag.model_validate(data)": (
                "    if session.exec(select(Tag).where(Tag.name == data.name)).first():\n"
                '        raise HTTPException(409, "Tag already exists")\n'
                "    tag = Tag.model_validate(data)"
            ),
            ", unique=True": "",
        },
        "says": "SELECT before the INSERT",
    },
    {
        "name": "tags read without a lock",
        "step": 6,
        "replace": {LOCK: ""},
        "says": "lock the post first",
    },
    {
        "name": "tags read without a lock, on PostgreSQL",
        "step": 6,
        "replace": {LOCK: ""},
        "says": "lock the post first",
        "database": "postgresql",
    },
]
