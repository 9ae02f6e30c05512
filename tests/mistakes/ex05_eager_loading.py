"""Wrong solutions of exercise 05 that learners write."""

AUTHOR_AND_TAGS = "select(Post).options(joinedload(Post.author), selectinload(Post.tags))"
LAST_LINE = (
    "    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
)
LIST_OF_POSTS = f"    statement = {AUTHOR_AND_TAGS}\n{LAST_LINE}"

MISTAKES = [
    {
        "name": "author loaded lazily",
        "step": 1,
        "replace": {AUTHOR_AND_TAGS: "select(Post).options(selectinload(Post.tags))"},
        "says": "N+1",
    },
    {
        "name": "author loaded in a loop",
        "step": 1,
        "replace": {
            LIST_OF_POSTS: (
                "    statement = select(Post).options(selectinload(Post.tags))\n"
                "    statement = statement.order_by(col(Post.id)).offset(skip).limit(limit)\n"
                "    posts = session.exec(statement).all()\n"
                "    for post in posts:\n"
                "        post.author = session.get(User, post.author_id or 0)\n"
                "    return posts\n"
            )
        },
        "says": "by a lazy relationship or in a loop",
    },
    {
        "name": "table class as response model",
        "step": 1,
        "replace": {
            '@app.get("/posts", response_model=list[PostWithAuthorAndTags])': (
                '@app.get("/posts", response_model=list[Post])'
            )
        },
        "says": "answers its columns only",
    },
    {
        "name": "author takes no null",
        "step": 1,
        "replace": {"    author: User | None\n": "    author: User\n"},
        "says": "has to take null",
    },
    {
        "name": "inner join",
        "step": 1,
        "replace": {AUTHOR_AND_TAGS: f"{AUTHOR_AND_TAGS}.join(User)"},
        "says": "an inner JOIN leaves out",
    },
    {
        "name": "session closed before the answer is built",
        "step": 1,
        "replace": {
            LIST_OF_POSTS: (
                "    statement = select(Post).order_by(col(Post.id)).offset(skip).limit(limit)\n"
                "    posts = session.exec(statement).all()\n"
                "    session.close()\n"
                "    return posts\n"
            )
        },
        "says": "after the session was closed",
    },
    {
        "name": "tags loaded lazily",
        "step": 2,
        "replace": {AUTHOR_AND_TAGS: "select(Post).options(joinedload(Post.author))"},
        "says": "N+1",
    },
    {
        "name": "joinedload of a list without unique",
        "step": 2,
        "replace": {AUTHOR_AND_TAGS: "select(Post).options(joinedload(Post.tags))"},
        "says": "wants .unique()",
    },
    {
        "name": "limit counts the rows of the join",
        "step": 2,
        "replace": {
            LIST_OF_POSTS: (
                "    tags: Any = Post.tags\n"
                "    statement = select(Post).outerjoin(tags).options(orm.contains_eager(tags))\n"
                "    statement = statement.order_by(col(Post.id)).offset(skip).limit(limit)\n"
                "    return session.exec(statement).unique().all()\n"
            )
        },
        "says": "limit has to count posts",
    },
    {
        "name": "comments loaded lazily",
        "step": 3,
        "replace": {", selectinload(Post.comments))": ")"},
        "says": "N+1",
    },
    {
        "name": "inner join with comments",
        "step": 3,
        "replace": {
            "selectinload(Post.comments))": "selectinload(Post.comments)).join(Comment).distinct()"
        },
        "says": "an inner JOIN leaves out",
    },
    {
        "name": "posts of a user in a loop",
        "step": 4,
        "replace": {
            """        raise HTTPException(404, "User not found")
    return user
""": """        raise HTTPException(404, "User not found")
    ids = session.exec(select(Post.id).where(Post.author_id == user_id)).all()
    return {**user.model_dump(), "posts": [session.get(Post, id) for id in ids]}
"""
        },
        "says": "in a loop",
    },
    {
        "name": "user without posts not found",
        "step": 4,
        "replace": {
            "    user = session.get(User, user_id)\n    if user": (
                "    statement = select(User).join(Post).where(User.id == user_id)\n"
                "    user = session.exec(statement).first()\n"
                "    if user"
            )
        },
        "says": "finds no user who has no posts",
    },
]
