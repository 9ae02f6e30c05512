"""Wrong solutions of exercise 05 that learners write."""

SQLALCHEMY = "tests/right/ex05_sqlalchemy.py"
RAW_SQL = "tests/right/ex05_raw_sql.py"
AUTHORS = (
    '    authors = {row["id"]: row for row in rows("SELECT * FROM users WHERE id IN :ids", '
    "ids=ids)}\n"
)
COMMENTS = (
    '    sql = "SELECT id, body, author_id, post_id AS of_post FROM comments '
    'WHERE post_id IN :ids"\n'
)

AUTHOR_AND_TAGS = "select(Post).options(joinedload(Post.author), selectinload(Post.tags))"
LAST_LINE = (
    "    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
)
LIST_OF_POSTS = f"    statement = {AUTHOR_AND_TAGS}\n{LAST_LINE}"

MISTAKES = [
    {
        "name": "first post left out by default",
        "step": 1,
        "replace": {
            "def list_posts(session: SessionDep, skip: Skip = 0": (
                "def list_posts(session: SessionDep, skip: Skip = 1"
            )
        },
        "says": "skip is not 0 by default",
    },
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
    {
        "name": "authors remembered in memory",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            AUTHORS: """    for id in ids:
        if id not in AUTHORS:
            AUTHORS[id] = (rows("SELECT * FROM users WHERE id = :id", id=id) or [None])[0]
    authors = AUTHORS
""",
            "Row = dict[str, Any]\n": "Row = dict[str, Any]\nAUTHORS: dict[int, Row] = {}\n",
        },
        "says": "N+1",
    },
    {
        "name": "authors remembered when they are made",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            AUTHORS: "    authors = AUTHORS if ids else {}\n",
            "Row = dict[str, Any]\n": "Row = dict[str, Any]\nAUTHORS: dict[int, Row] = {}\n",
            """    return insert("users", **data.model_dump())
""": """    user = insert("users", **data.model_dump())
    AUTHORS[user["id"]] = user
    return user
""",
        },
        "says": "no object under 'author'",
    },
    {
        "name": "list remembered in memory",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            "def list_posts(skip": "@lru_cache\ndef list_posts(skip",
            "from typing import": "from functools import lru_cache\nfrom typing import",
        },
        "says": "remembered in memory",
    },
    {
        "name": "authors in batches of five",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            AUTHORS: """    authors = {}
    for at in range(0, len(ids), 5):
        some = rows("SELECT * FROM users WHERE id IN :ids", ids=ids[at : at + 5])
        authors |= {row["id"]: row for row in some}
""",
        },
        "says": "N+1",
    },
    {
        "name": "author only where the answer names none yet",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            'post | {"author": authors.get(post["author_id"]),': (
                'post | {"author": authors.pop(post["author_id"], None),'
            )
        },
        "says": "no object under 'author'",
    },
    {
        "name": "author of the next post",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            AUTHORS: """    sql = "SELECT * FROM users WHERE id IN :ids ORDER BY id"
    found = rows(sql, ids=ids)
    authors = dict(zip(ids, found))
""",
            'ids = list({post["author_id"] for post in posts})': (
                'ids = list(dict.fromkeys(post["author_id"] for post in posts))'
            ),
        },
        "says": "the rows of another post came",
    },
    {
        "name": "ordered by author",
        "step": 1,
        "replace": {
            AUTHOR_AND_TAGS: f"{AUTHOR_AND_TAGS}.order_by(col(Post.author_id))",
        },
        "says": "the order is not by id",
    },
    {
        "name": "ordered by title",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {"select(Post).order_by(Post.id)": "select(Post).order_by(Post.title)"},
        "says": "the order is not by id",
    },
    {
        "name": "limit capped in silence",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            "return rows(sql, skip=skip, limit=limit)": (
                "return rows(sql, skip=skip, limit=min(limit, 50))"
            )
        },
        "says": "a smaller number than the limit",
    },
    {
        "name": "limit of 100 refused",
        "step": 1,
        "replace": {"Query(ge=1, le=100)": "Query(ge=1, le=50)"},
        "says": "query.limit",
    },
    {
        "name": "another limit by default",
        "step": 1,
        "replace": {
            "def list_posts(session: SessionDep, skip: Skip = 0, limit: Limit = 10)": (
                "def list_posts(session: SessionDep, skip: Skip = 0, limit: Limit = 20)"
            )
        },
        "says": "limit is not 10 by default",
    },
    {
        "name": "skip forgotten",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "select(Post).order_by(Post.id).offset(skip).limit(limit)": (
                "select(Post).order_by(Post.id).limit(limit)"
            )
        },
        "says": "skip or limit does not reach the query",
    },
    {
        "name": "post without its text",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "    title: str\n    content: str\n    author: UserOut": (
                "    title: str\n    author: UserOut"
            )
        },
        "says": "does not show its content",
    },
    {
        "name": "a tag of two posts shown at one of them",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            """        groups[row.pop("of_post")].append(row)
    return groups
""": """        groups[row.pop("of_post")].append(row)
    seen: set[int] = set()
    for group in groups.values():
        group[:] = [row for row in group if row["id"] not in seen]
        seen |= {row["id"] for row in group}
    return groups
"""
        },
        "says": "the rows of another post came",
    },
    {
        "name": "tags loaded for each post",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            """    tags = tags_of([post["id"] for post in posts])
    ids""": """    tags = {post["id"]: tags_of([post["id"]])[post["id"]] for post in posts}
    ids"""
        },
        "says": "N+1",
    },
    {
        "name": "inner join with tags",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            '"SELECT * FROM posts ORDER BY id LIMIT': (
                '"SELECT * FROM posts WHERE id IN (SELECT post_id FROM post_tags) ORDER BY id LIMIT'
            )
        },
        "says": "an inner JOIN leaves out",
    },
    {
        "name": "post repeated for each of its tags",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            '"SELECT * FROM posts ORDER BY id LIMIT': (
                '"SELECT p.* FROM posts p LEFT JOIN post_tags ON post_id = p.id ORDER BY id LIMIT'
            )
        },
        "says": "repeats the post",
    },
    {
        "name": "tags as text",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "    tags: list[TagOut]\n": (
                "    tags: list[str]\n\n"
                '    @field_validator("tags", mode="before")\n'
                "    @classmethod\n"
                "    def names(cls, tags: list[Tag]) -> list[str]:\n"
                "        return [tag.name for tag in tags]\n"
            ),
            "import BaseModel, ConfigDict": "import BaseModel, ConfigDict, field_validator",
        },
        "says": "or as text only",
    },
    {
        "name": "comments doubled by the join with tags",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            COMMENTS: """    sql = "SELECT c.id, c.body, c.post_id AS of_post FROM comments c "
    sql += "LEFT JOIN post_tags t ON t.post_id = c.post_id WHERE c.post_id IN :ids"
"""
        },
        "says": "doubled by a JOIN",
    },
    {
        "name": "equal comments shown once",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            "SELECT id, body, author_id, post_id AS of_post FROM comments WHERE post_id IN :ids": (
                "SELECT MIN(id) AS id, body, author_id, post_id AS of_post FROM comments "
                "WHERE post_id IN :ids GROUP BY body, author_id, post_id"
            )
        },
        "says": "rows that say the same are taken for one",
    },
    {
        "name": "comments of posts with tags only",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            '"comments": comments[post["id"]]}': (
                '"comments": comments[post["id"]] if tags[post["id"]] else []}'
            )
        },
        "says": "are left out or doubled",
    },
    {
        "name": "three comments at most",
        "step": 3,
        "base": RAW_SQL,
        "replace": {'"comments": comments[post["id"]]}': '"comments": comments[post["id"]][:3]}'},
        "says": "are left out or doubled",
    },
    {
        "name": "comments remembered in memory",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            "def list_posts_with_comments(": "@lru_cache\ndef list_posts_with_comments(",
            """    return insert("comments", **data.model_dump(), post_id=post_id)
""": """    list_posts_with_comments.cache_clear()
    return insert("comments", **data.model_dump(), post_id=post_id)
""",
            "from typing import": "from functools import lru_cache\nfrom typing import",
        },
        "says": "remembered in memory",
    },
    {
        "name": "cut in Python after a smaller limit",
        "step": 3,
        "replace": {
            "selectinload(Post.tags), selectinload(Post.comments))\n": (
                "selectinload(Post.tags), selectinload(Post.comments))\n"
                "    limit = min(limit, 20)\n"
            )
        },
        "says": "a smaller number than the limit",
    },
    {
        "name": "ten posts of a user at most",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            "FROM posts WHERE author_id = :id": "FROM posts WHERE author_id = :id LIMIT 10"
        },
        "says": "the posts",
    },
    {
        "name": "posts of nobody among those of a user",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            "FROM posts WHERE author_id = :id": ("FROM posts WHERE COALESCE(author_id, :id) = :id")
        },
        "says": "the posts",
    },
    {
        "name": "tags of each post of a user loaded lazily",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {'secondary=post_tags, lazy="selectin"': "secondary=post_tags"},
        "says": "N+1",
    },
    {
        "name": "missing user is null",
        "step": 4,
        "base": RAW_SQL,
        "replace": {'raise HTTPException(404, "User not found")': "return {}"},
        "says": "get() or first() gave None",
    },
    {
        "name": "posts of a user remembered in memory",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            "def read_user_with_posts(": "@lru_cache\ndef read_user_with_posts(",
            "from typing import": "from functools import lru_cache\nfrom typing import",
        },
        "says": "remembered in memory",
    },
    {
        "name": "text cut to a preview",
        "step": 1,
        "replace": {
            'class PostWithAuthorAndTags(PostBase):\n    """A post in the list."""\n': (
                "class PostWithAuthorAndTags(PostBase):\n"
                '    """A post in the list."""\n'
                "\n"
                "    content: Annotated[str, BeforeValidator(lambda text: text[:100])]\n"
            ),
            "from fastapi import ": ("from pydantic import BeforeValidator\nfrom fastapi import "),
        },
        "says": "its content",
    },
    {
        "name": "fifty posts of a user at most",
        "step": 4,
        "replace": {
            "    return user\n": "    return UserWithPosts(**user.model_dump(), posts=user.posts[:50])\n",
        },
        "says": "some are left out",
    },
    {
        "name": "ten comments at most",
        "step": 3,
        "replace": {
            "    comments: list[Comment]\n": "    comments: Annotated[list[Comment], BeforeValidator(lambda rows: rows[:10])]\n",
            "from fastapi import ": ("from pydantic import BeforeValidator\nfrom fastapi import "),
        },
        "says": "some are left out",
    },
    {
        "name": "five tags at most",
        "step": 2,
        "replace": {
            "    author: User | None\n    tags: list[Tag]\n": (
                "    author: User | None\n"
                "    tags: Annotated[list[Tag], BeforeValidator(lambda rows: rows[:5])]\n"
            ),
            "from fastapi import ": ("from pydantic import BeforeValidator\nfrom fastapi import "),
        },
        "says": "some are left out",
    },
    {
        "name": "authors in batches of ten",
        "step": 1,
        "replace": {
            "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(selectinload(Post.tags))\n"
                "    posts = session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
                "    for at in range(0, len(posts), 10):\n"
                "        ids = [post.author_id for post in posts[at : at + 10]]\n"
                "        kept = session.exec(select(User).where(col(User.id).in_(ids))).all()\n"
                '        session.info.setdefault("kept", []).append(kept)\n'
                "    return posts"
            ),
        },
        "says": "statements for",
    },
    {
        "name": "posts in batches of twenty",
        "step": 1,
        "replace": {
            "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    found = []\n"
                "    for at in range(0, limit, 20):\n"
                "        statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n"
                "        some = session.exec(\n"
                "            statement.order_by(col(Post.id)).offset(skip + at).limit(min(20, limit - at))\n"
                "        ).all()\n"
                "        found += some\n"
                "        if len(some) < 20:\n"
                "            break\n"
                "    return found"
            ),
        },
        "says": "statements for",
    },
    {
        "name": "all posts read and cut in Python",
        "step": 1,
        "replace": {
            "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n"
                "    return session.exec(statement.order_by(col(Post.id))).all()[skip : skip + limit]"
            ),
        },
        "says": "all rows of a table are read",
    },
    {
        "name": "all posts with comments read and cut in Python",
        "step": 3,
        "replace": {
            "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n"
                "    return session.exec(statement.order_by(col(Post.id))).all()[skip : skip + limit]"
            ),
        },
        "says": "all rows of a table are read",
    },
    {
        "name": "posts of one title shown once",
        "step": 1,
        "replace": {
            "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n"
                "    posts = session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
                "    return list({post.title: post for post in reversed(posts)}.values())[::-1]"
            ),
        },
        "says": "are listed, not",
    },
    {
        "name": "authors found by their name",
        "step": 1,
        "replace": {
            "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(joinedload(Post.author), selectinload(Post.tags))\n"
                "    posts = session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
                "    authors = {post.author.name: post.author for post in posts if post.author}\n"
                "    return [\n"
                "        PostWithAuthorAndTags(\n"
                "            **post.model_dump(), author=post.author and authors[post.author.name], tags=post.tags\n"
                "        )\n"
                "        for post in posts\n"
                "    ]"
            ),
        },
        "says": "the author of post",
    },
    {
        "name": "comments of the author only",
        "step": 3,
        "replace": {
            '    comments: list["Comment"] = Relationship(sa_relationship_kwargs={"order_by": "Comment.id"})': (
                '    comments: list["Comment"] = Relationship(\n'
                "        sa_relationship_kwargs={\n"
                '            "order_by": "Comment.id",\n'
                '            "primaryjoin": "and_(Post.id == Comment.post_id, Post.author_id == Comment.author_id)",\n'
                '            "foreign_keys": "Comment.post_id",\n'
                "        }\n"
                "    )"
            ),
        },
        "says": "some are left out",
    },
    {
        "name": "comments of nobody left out",
        "step": 3,
        "replace": {
            "    comments: list[Comment]\n": (
                "    comments: Annotated[\n"
                "        list[Comment], BeforeValidator(lambda rows: [row for row in rows if row.author_id])\n"
                "    ]\n"
            ),
            "from fastapi import ": ("from pydantic import BeforeValidator\nfrom fastapi import "),
        },
        "says": "some are left out",
    },
    {
        "name": "posts of nobody without their comments",
        "step": 3,
        "replace": {
            "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n": (
                "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n"
                "    statement = statement.join(User)\n"
            ),
        },
        "says": "an inner JOIN leaves out rows",
    },
    {
        "name": "ordered by the newest comment",
        "step": 3,
        "replace": {
            "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()": (
                "    statement = select(Post).options(selectinload(Post.tags), selectinload(Post.comments))\n"
                "    newest = select(func.max(Comment.id)).where(Comment.post_id == Post.id).scalar_subquery()\n"
                "    statement = statement.order_by(func.coalesce(newest, 0), col(Post.id))\n"
                "    return session.exec(statement.offset(skip).limit(limit)).all()"
            ),
            "from sqlmodel import ": "from sqlmodel import func, ",
        },
        "says": "the order is not by id",
    },
    {
        "name": "user's own comments make posts of others one's own",
        "step": 4,
        "replace": {
            "    return user\n": (
                "    said = select(Post).join(Comment).where(Comment.author_id == user.id)\n"
                "    own = {post.id: post for post in [*user.posts, *session.exec(said)]}\n"
                "    return UserWithPosts(**user.model_dump(), posts=list(own.values()))\n"
            ),
        },
        "says": "the user has the posts",
    },
    {
        "name": "posts without a tag left to the end",
        "step": 2,
        "replace": {
            '    return session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n\n\n@app.get("/posts/with': (
                "    posts = session.exec(statement.order_by(col(Post.id)).offset(skip).limit(limit)).all()\n"
                "    return sorted(posts, key=lambda post: not post.tags)\n"
                "\n"
                "\n"
                '@app.get("/posts/with'
            ),
        },
        "says": "the order is not by id",
    },
    {
        "name": "authors in batches of 25",
        "step": 1,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '    authors = {row["id"]: row for row in rows("SELECT * FROM users WHERE id IN :ids", ids=ids)}\n': (
                "    authors = {}\n"
                "    for start in range(0, len(ids), 25):\n"
                '        authors |= {row["id"]: row for row in rows("SELECT * FROM users WHERE id IN :ids", ids=ids[start:start + 25])}\n'
            ),
        },
        "says": "N+1",
    },
    {
        "name": "posts of a user in batches of 25",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '    return user[0] | {"posts": rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}': (
                "    posts = []\n"
                "    while True:\n"
                '        more = rows("SELECT * FROM posts WHERE author_id = :id ORDER BY id LIMIT 25 OFFSET :skip", id=user_id, skip=len(posts))\n'
                "        posts += more\n"
                "        if len(more) < 25:\n"
                '            return user[0] | {"posts": posts}'
            ),
        },
        "says": "N+1",
    },
    {
        "name": "all users read",
        "step": 1,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            'rows("SELECT * FROM users WHERE id IN :ids", ids=ids)}': 'rows("SELECT * FROM users")}',
        },
        "says": "all rows of a table are read",
    },
    {
        "name": "all comments read",
        "step": 3,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            'post_id AS of_post FROM comments WHERE post_id IN :ids"': 'post_id AS of_post FROM comments"',
            "by_post(rows(sql, ids=ids))\n": "by_post(rows(sql))\n",
        },
        "says": "all rows of a table are read",
    },
    {
        "name": "posts of a user picked out in Python",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            'rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}': '[post for post in rows("SELECT * FROM posts") if post["author_id"] == user_id]}',
        },
        "says": "all rows of a table are read",
    },
    {
        "name": "authors of comments loaded lazily, posts' authors eagerly",
        "step": 3,
        "base": "tests/right/ex05_sqlalchemy",
        "replace": {
            ("class CommentOut(CommentIn):\n    id: int\n"): (
                "class CommentOut(CommentIn):\n    id: int\n    author: UserOut | None\n"
            ),
            '    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))\n': (
                '    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))\n'
                "    author: Mapped[User | None] = relationship()\n"
            ),
            ', raiseload("*"))': ")",
        },
        "says": "N+1",
    },
    {
        "name": "tags as one text, split at commas",
        "step": 2,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            (
                '    sql = "SELECT t.*, p.post_id AS of_post FROM tags t JOIN post_tags p ON p.tag_id = t.id "\n'
                '    return by_post(rows(sql + "WHERE p.post_id IN :ids ORDER BY t.id", ids=ids))'
            ): (
                '    sql = "SELECT p.post_id, group_concat(t.id) AS ids, group_concat(t.name) AS names FROM tags t JOIN post_tags p ON p.tag_id = t.id WHERE p.post_id IN :ids GROUP BY p.post_id"\n'
                "    found = defaultdict(list)\n"
                "    for row in rows(sql, ids=ids):\n"
                '        found[row["post_id"]] = [{"id": int(i), "name": n} for i, n in zip(row["ids"].split(","), row["names"].split(","))]\n'
                "    return found"
            ),
        },
        "says": "has the tags",
    },
    {
        "name": "texts of at most 1000 signs",
        "step": 1,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '    sql = "SELECT * FROM posts ORDER BY id LIMIT :limit OFFSET :skip"': '    sql = "SELECT id, title, substr(content, 1, 1000) AS content, author_id FROM posts ORDER BY id LIMIT :limit OFFSET :skip"',
        },
        "says": "does not show its content",
    },
    {
        "name": "comments of at most 50 signs",
        "step": 3,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '"SELECT id, body, author_id': '"SELECT id, substr(body, 1, 50) AS body, author_id',
        },
        "says": "has the comments",
    },
    {
        "name": "99 posts of a user at most",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '"SELECT * FROM posts WHERE author_id = :id"': '"SELECT * FROM posts WHERE author_id = :id ORDER BY id LIMIT 99"',
        },
        "says": "has the posts",
    },
    {
        "name": "29 comments at most",
        "step": 3,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '"comments": comments[post["id"]]}': '"comments": comments[post["id"]][:29]}',
        },
        "says": "has the comments",
    },
    {
        "name": "twelve tags at most",
        "step": 2,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            ('"tags": tags[post["id"]]}\n        for'): (
                '"tags": tags[post["id"]][:12]}\n        for'
            ),
        },
        "says": "has the tags",
    },
    {
        "name": "author's posts by name",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            '"SELECT * FROM posts WHERE author_id = :id"': '"SELECT p.* FROM posts p JOIN users u ON u.id = p.author_id WHERE u.name = (SELECT name FROM users WHERE id = :id)"',
        },
        "says": "has the posts",
    },
    {
        "name": "posts of a user once for each title",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            'rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}': 'list({p["title"]: p for p in rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}.values())}',
        },
        "says": "has the posts",
    },
    {
        "name": "null left out of the answer",
        "step": 1,
        "replace": {
            '@app.get("/posts", response_model=list[PostWithAuthorAndTags])': (
                '@app.get(\n    "/posts",\n    response_model=list[PostWithAuthorAndTags],\n'
                "    response_model_exclude_none=True,\n)"
            ),
        },
        "says": "response_model_exclude_none",
    },
    {
        "name": "users who are not there remembered",
        "step": 4,
        "replace": {
            '@app.get("/users/{user_id}/posts"': (
                'missing: set[int] = set()\n\n\n@app.get("/users/{user_id}/posts"'
            ),
            "    user = session.get(User, user_id)\n    if user is None:\n": (
                "    user = None if user_id in missing else session.get(User, user_id)\n"
                "    if user is None:\n        missing.add(user_id)\n"
            ),
        },
        "says": "remembered in memory that there was no such row",
    },
    {
        "name": "posts of a user cut to a preview",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            'rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)': (
                'rows(\n        "SELECT id, title, substr(content, 1, 100) AS content FROM posts '
                'WHERE author_id = :id", id=user_id\n    )'
            ),
        },
        "says": "does not show its whole text",
    },
    {
        "name": "tags of one name shown once",
        "step": 2,
        "replace": {
            "    tags: list[Tag]\n\n\nclass PostWithComments": (
                "    tags: list[Tag]\n\n"
                "    @field_validator('tags')\n"
                "    @classmethod\n"
                "    def once(cls, tags):\n"
                "        return list({tag.name: tag for tag in tags}.values())\n\n\n"
                "class PostWithComments"
            ),
            "from sqlalchemy import orm": "from pydantic import field_validator\nfrom sqlalchemy import orm",
        },
        "says": "the id tells them apart",
    },
    {
        "name": "posts of an address",
        "step": 4,
        "base": "tests/right/ex05_raw_sql",
        "replace": {
            'rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}': (
                'rows("SELECT p.* FROM posts p JOIN users u ON u.id = p.author_id '
                "WHERE u.email = :email\", email=user[0]['email'])}"
            ),
        },
        "says": "the rows of another post came",
    },
    {
        "name": "signs of HTML escaped",
        "step": 1,
        "replace": {
            "class Post(PostBase, table=True):\n": "import html\n\n\nclass Post(PostBase, table=True):\n",
            'Post(**data.model_dump(exclude={"tag_ids"})': (
                'Post(**data.model_dump(exclude={"tag_ids", "content"}), content=html.escape(data.content)'
            ),
        },
        "says": "the text is cut or changed",
    },
]
