"""The HTTP API: for each route what comes in, the crud function that runs, what goes out.

Sections: lifespan, app, errors, parameters, service, users, async, posts, tags, comments,
categories, products, orders.
"""

import gc
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel
from sqlalchemy import select
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import crud
from database import (
    AsyncDb,
    AsyncReadDb,
    Database,
    Db,
    ReadDb,
    ReportDb,
    StartupError,
    TooBusyError,
    prepare_schema,
    read_settings,
    schema_revisions,
)
from models import (
    MAX_INTEGER,
    Category,
    CategoryCreate,
    CategoryStats,
    CategoryTree,
    CategoryUpdate,
    CategoryWithProducts,
    Comment,
    CommentCreate,
    Integer,
    Notification,
    Order,
    OrderCreate,
    OrderDetail,
    OrderQuery,
    OrderStatus,
    OrderSummary,
    OrderWithItems,
    Page,
    Post,
    PostCreate,
    PostDetail,
    PostQuery,
    PostUpdate,
    PostWithComments,
    Product,
    ProductCreate,
    ProductDetail,
    ProductQuery,
    ProductUpdate,
    Slice,
    Spender,
    Tag,
    TagCreate,
    User,
    UserCreate,
    UserQuery,
    UserUpdate,
    UserWithPosts,
    Window,
    refuse_nul,
)
from models import Id as JsonId

# ── Lifespan ─────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open the database for as long as the app runs; what is yielded is each request's state."""
    try:
        database = Database(read_settings())
        await run_in_threadpool(prepare_schema, database.url)
    except StartupError:
        sys.tracebacklimit = 0  # the log shall end with the sentence, not with where it was raised
        raise
    gc.collect()
    gc.freeze()  # what start-up made is never garbage: full collections would pause requests for it
    yield {"database": database, "hashing": CapacityLimiter(2)}
    gc.unfreeze()
    await database.dispose()


# ── App ──────────────────────────────────────────────────────────────────────────────────────────


MAX_BODY = 1024 * 1024
TOO_LARGE = "The body is larger than 1 MiB"


class Error(BaseModel):
    """The body of every error but 422, which lists what is invalid."""

    detail: str


app = FastAPI(
    title="onemodel",
    description="A blog and a shop: one SQLModel class is both the table and the schema.",
    version="1.0.0",
    lifespan=lifespan,
    redirect_slashes=False,
    responses={status: {"model": Error} for status in (400, 404, 409, 413, 503)},
)


@app.add_middleware
class PathsAndBodies:
    """Answer /users/ like /users, without a redirect; refuse bodies over 1 MiB with 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:  # FastAPI's max_body_size would answer plain text
                raise HTTPException(413, TOO_LARGE)
            return message

        if (
            scope["type"] == "http"
            and int(Headers(scope=scope).get("content-length", 0)) > MAX_BODY
        ):
            await JSONResponse({"detail": TOO_LARGE}, 413)(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"][:-1] or "/"}
        await self.app(scope, receive_within_limit, send)


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────

RETRY = {"Retry-After": "1"}
STATUS_CODES = {
    crud.NotFoundError: 404,
    crud.ConflictError: 409,
    crud.RuleError: 400,
    crud.TryAgainError: 503,
}


@app.exception_handler(crud.DomainError)
async def answer_domain_error(_: Request, error: crud.DomainError) -> JSONResponse:
    """Answer a rule of crud.py that said no."""
    status = STATUS_CODES[type(error)]
    return JSONResponse({"detail": str(error)}, status, RETRY if status == 503 else None)


@app.exception_handler(IntegrityError)
async def answer_broken_constraint(request: Request, error: IntegrityError) -> JSONResponse:
    """Answer a constraint of the database that said no, without showing its SQL."""
    return await answer_domain_error(request, crud.explain(error))


@app.exception_handler(OperationalError)  # locks, deadlocks, lost connections
@app.exception_handler(InterfaceError)
@app.exception_handler(PoolTimeoutError)
@app.exception_handler(TooBusyError)
async def answer_database_away(_: Request, error: Exception) -> JSONResponse:
    """Answer that the same request may succeed a moment later."""
    detail = "The database is busy or away; try again"
    return JSONResponse({"detail": detail}, 503, RETRY)


@app.exception_handler(DataError)
async def answer_unfit_value(_: Request, error: DataError) -> JSONResponse:
    """Answer a value that passed validation and that the database still refused."""
    return JSONResponse({"detail": "A value does not fit the database"}, 400)


@app.exception_handler(RequestValidationError)
async def answer_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Answer what is invalid and where, without the input: it may be a password."""
    errors = [{key: e[key] for key in ("type", "loc", "msg")} for e in error.errors()]
    return JSONResponse({"detail": errors}, 422)


@app.exception_handler(Exception)
async def answer_bug(_: Request, error: Exception) -> JSONResponse:
    """Answer without details; the server's log has them."""
    return JSONResponse({"detail": "Internal server error"}, 500)


# ── Parameters ───────────────────────────────────────────────────────────────────────────────────

Id = Annotated[int, Path(ge=1, le=MAX_INTEGER)]
Ids = Annotated[list[JsonId], Body(embed=True, min_length=1, max_length=1000)]
Change = Annotated[Integer, Body(embed=True, ge=-MAX_INTEGER, le=MAX_INTEGER)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=64)]
Text = Annotated[str, Path(max_length=254), AfterValidator(refuse_nul)]
NewUsers = Annotated[list[UserCreate], Body(min_length=1, max_length=1000)]
Part = Annotated[Slice, Query()]
Filters = Annotated[Window, Query()]
UserFilters = Annotated[UserQuery, Query()]
PostFilters = Annotated[PostQuery, Query()]
ProductFilters = Annotated[ProductQuery, Query()]
OrderFilters = Annotated[OrderQuery, Query()]


# Dependencies that come before the session: hashing a password holds no connection, and takes
# threads of its own, so that many passwords do not stop the routes that have none.
async def get_user_columns(data: UserCreate, request: Request) -> dict[str, Any]:
    """Return the columns of a new user."""
    return await to_thread.run_sync(crud.user_columns, data, limiter=request.state.hashing)


async def get_user_rows(data: NewUsers, request: Request) -> list[dict[str, Any]]:
    """Return the columns of many new users."""
    return await to_thread.run_sync(crud.user_rows, data, limiter=request.state.hashing)


async def get_user_changes(data: UserUpdate, request: Request) -> dict[str, Any]:
    """Return the columns that a client changes."""
    return await to_thread.run_sync(crud.user_changes, data, limiter=request.state.hashing)


UserColumns = Annotated[dict[str, Any], Depends(get_user_columns)]
UserRows = Annotated[list[dict[str, Any]], Depends(get_user_rows)]
UserChanges = Annotated[dict[str, Any], Depends(get_user_changes)]


async def get_paginate(request: Request, response: Response) -> Callable[..., Any]:
    """Return a function that gives a full page the header with the address of the next."""

    def paginate(rows: Sequence[Any], window: Window) -> Sequence[Any]:
        if len(rows) == window.limit:
            url = request.url.remove_query_params("skip").include_query_params(after_id=rows[-1].id)
            response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return rows

    return paginate


Paginate = Annotated[Callable[..., Any], Depends(get_paginate)]


# ── Service ──────────────────────────────────────────────────────────────────────────────────────


@app.get("/", tags=["Service"])
async def read_root() -> dict[str, str]:
    """Say that the API runs, and where to try it out."""
    return {"message": "API is running", "docs": "/docs", "version": app.version}


@app.get("/health", tags=["Service"], responses={503: {"description": "Database out of reach"}})
def check_health(db: ReadDb, request: Request, response: Response) -> dict[str, Any]:
    """Answer after a real round trip to the database."""
    database: Database = request.state.database
    try:
        seconds = crud.ping(db)
    except SQLAlchemyError:
        response.status_code = 503
        return {"status": "unhealthy", "database": database.pool_status()}
    report = database.pool_status() | {"latency_ms": round(seconds * 1000, 3)}
    return {"status": "healthy", "database": report}


@app.get("/health/db", tags=["Service"])
def check_database(db: ReadDb, request: Request) -> dict[str, Any]:
    """Show the pool of writing connections and whether the schema is the newest."""
    database: Database = request.state.database
    current, newest = schema_revisions(db.connection())
    revision = {"revision": current, "is_newest_revision": current == newest}
    return database.pool_status() | revision


# ── Users ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/users", tags=["Users"], status_code=201)
def create_user(columns: UserColumns, db: Db) -> User:
    """Register a user; an e-mail or username that is taken gives 409."""
    return crud.add(db, User(**columns))


@app.post("/users/bulk", tags=["Users"], status_code=201)
def create_users(rows: UserRows, db: Db) -> list[User]:
    """Register up to 1000 users in one transaction: all of them or none."""
    return crud.create_users(db, rows)


@app.get("/users", tags=["Users"])
@app.get("/users/search", tags=["Users"])
def read_users(db: ReadDb, query: UserFilters, paginate: Paginate) -> Sequence[User]:
    """List users; every filter that is given must hold."""
    return paginate(crud.list_users(db, query), query)


@app.get("/users/page", tags=["Users"])
def read_users_page(
    db: ReadDb,
    page: Annotated[int, Query(ge=1, le=MAX_INTEGER)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[User]:
    """List users by page number, newest first, with totals for a pager."""
    return crud.page_users(db, page, page_size)


@app.get("/users/active", tags=["Users"])
def read_active_users(db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[User]:
    """List the users who are active and not deleted."""
    active = UserQuery(is_active=True, **query.model_dump())
    return paginate(crud.list_users(db, active), query)


@app.get("/users/by-email/{email:path}", tags=["Users"])
def read_user_by_email(email: Text, db: ReadDb) -> User:
    """Find a user by e-mail, in any case."""
    return crud.get_user_by_email(db, email)


@app.get("/users/stats/active-count", tags=["Users"])
def count_active_users(db: ReportDb) -> dict[str, int]:
    """Count the users who are active and not deleted."""
    return {"active_users": crud.count_active_users(db)}


@app.get("/users/top-spenders", tags=["Users"])
def read_top_spenders(
    db: ReportDb, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> list[Spender]:
    """List who spent most; cancelled orders do not count."""
    return crud.list_top_spenders(db, limit)


@app.get("/users/{id}", tags=["Users"])
def read_user(id: Id, db: ReadDb) -> User:
    """Show a user; one who is soft-deleted is not found."""
    return crud.get(db, User, id)


@app.get("/users/{id}/posts", tags=["Users"], response_model=UserWithPosts)
def read_user_with_posts(id: Id, db: ReadDb) -> User:
    """Show a user with everything that the user wrote."""
    return crud.get(db, User, id, crud.eager(User.posts))


@app.put("/users/{id}", tags=["Users"])
def replace_user(id: Id, columns: UserColumns, db: Db) -> User:
    """Replace all fields: one that is left out goes back to its default, but the password stays."""
    return crud.update_user(db, id, columns)


@app.patch("/users/bulk/deactivate", tags=["Users"])
def deactivate_users(user_ids: Ids, db: Db) -> dict[str, int]:
    """Deactivate users; ids that are unknown or inactive already do not count."""
    return {"deactivated_count": crud.deactivate_users(db, user_ids)}


@app.patch("/users/{id}", tags=["Users"])
def update_user(id: Id, changes: UserChanges, db: Db) -> User:
    """Change only the fields that are sent."""
    return crud.update_user(db, id, changes)


@app.delete("/users/bulk/inactive", tags=["Users"])
def delete_inactive_users(db: Db) -> dict[str, int]:
    """Delete all inactive users but those who have orders."""
    return crud.delete_inactive_users(db)


@app.delete("/users/{id}", tags=["Users"], status_code=204)
def delete_user(id: Id, db: Db) -> None:
    """Delete a user for good, posts and comments included."""
    crud.remove(db, User, id)


@app.delete("/users/{id}/soft", tags=["Users"])
def soft_delete_user(id: Id, db: Db) -> dict[str, str]:
    """Hide a user and keep the rows."""
    user = crud.soft_delete_user(db, id)
    return {"message": f"User {user.id} has been deactivated"}


@app.post("/users/{id}/restore", tags=["Users"])
def restore_user(id: Id, db: Db) -> User:
    """Undo a soft delete."""
    return crud.restore_user(db, id)


@app.get("/users/{id}/orders", tags=["Users"])
def read_user_orders(id: Id, db: ReadDb, query: Part) -> Sequence[Order]:
    """List a user's orders without their items, newest first."""
    return crud.list_of_user(db, Order, id, query)


@app.get("/users/{id}/notifications", tags=["Users"])
def read_notifications(id: Id, db: ReadDb, query: Part) -> Sequence[Notification]:
    """List a user's notifications, newest first."""
    return crud.list_of_user(db, Notification, id, query)


# ── Async ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/async/users", tags=["Async"], status_code=201)
async def create_user_async(columns: UserColumns, db: AsyncDb) -> User:
    """Do what POST /users does, without a thread: run_sync lends crud the async connection."""
    return await db.run_sync(crud.add, User(**columns))


@app.get("/async/users", tags=["Async"])
async def read_users_async(
    db: AsyncReadDb, query: UserFilters, paginate: Paginate
) -> Sequence[User]:
    """List users like GET /users."""
    return paginate(await db.run_sync(crud.list_users, query), query)


@app.get("/async/users/{id}", tags=["Async"])
async def read_user_async(id: Id, db: AsyncReadDb) -> User:
    """Show a user like GET /users/{id}."""
    return await db.run_sync(crud.get, User, id)


@app.get("/async/users/{id}/with-posts", tags=["Async"], response_model=UserWithPosts)
async def read_user_with_posts_async(id: Id, db: AsyncReadDb) -> User:
    """Show a user with posts; loading them late would fail here, so crud loads them at once."""
    return await db.run_sync(crud.get, User, id, crud.eager(User.posts))


@app.put("/async/users/{id}", tags=["Async"])
async def replace_user_async(id: Id, columns: UserColumns, db: AsyncDb) -> User:
    """Replace all fields like PUT /users/{id}."""
    return await db.run_sync(crud.update_user, id, columns)


@app.delete("/async/users/{id}", tags=["Async"], status_code=204)
async def delete_user_async(id: Id, db: AsyncDb) -> None:
    """Delete a user like DELETE /users/{id}."""
    await db.run_sync(crud.remove, User, id)


# ── Posts ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/posts", tags=["Posts"], status_code=201, response_model=PostDetail)
def create_post(data: PostCreate, db: Db) -> Post:
    """Write a post, with tags that exist; the slug comes from the title unless it is sent."""
    return crud.create_post(db, data)


@app.get("/posts", tags=["Posts"], response_model=list[PostDetail])
def read_posts(db: ReadDb, query: PostFilters, paginate: Paginate) -> Sequence[Post]:
    """List posts with author and tags."""
    return paginate(crud.list_posts(db, query), query)


@app.get("/posts/with-comments", tags=["Posts"], response_model=list[PostWithComments])
def read_posts_with_comments(db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[Post]:
    """List posts with tags and all comments."""
    return paginate(crud.list_posts_with_comments(db, query), query)


@app.get("/posts/{id}", tags=["Posts"], response_model=PostDetail)
def read_post(id: Id, db: ReadDb) -> Post:
    """Show a post with author and tags."""
    return crud.get(db, Post, id, *crud.AUTHOR_AND_TAGS)


@app.put("/posts/{id}", tags=["Posts"], response_model=PostDetail)
@app.patch("/posts/{id}", tags=["Posts"], response_model=PostDetail)
def update_post(id: Id, data: PostUpdate, db: Db) -> Post:
    """Change the fields that are sent; tags are replaced if `tag_ids` is."""
    return crud.update_post(db, id, data)


@app.post("/posts/{id}/publish", tags=["Posts"], response_model=PostDetail)
def publish_post(id: Id, db: Db) -> Post:
    """Publish a post; doing it again changes nothing."""
    return crud.publish_post(db, id)


@app.delete("/posts/{id}", tags=["Posts"], status_code=204)
def delete_post(id: Id, db: Db) -> None:
    """Delete a post with its comments and tag links."""
    crud.remove(db, Post, id)


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


@app.post("/tags", tags=["Tags"], status_code=201)
def create_tag(data: TagCreate, db: Db) -> Tag:
    """Add a tag; names are stored in lower case."""
    return crud.add(db, Tag(**data.model_dump()))


@app.get("/tags", tags=["Tags"])
def read_tags(db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[Tag]:
    """List tags."""
    return paginate(crud.list_rows(db, select(Tag), Tag, query), query)


@app.delete("/tags/{id}", tags=["Tags"], status_code=204)
def delete_tag(id: Id, db: Db) -> None:
    """Delete a tag; posts that had it stay."""
    crud.remove(db, Tag, id)


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


@app.post("/posts/{id}/comments", tags=["Comments"], status_code=201)
def create_comment(id: Id, data: CommentCreate, db: Db) -> Comment:
    """Comment on a post."""
    return crud.create_comment(db, id, data)


@app.get("/posts/{id}/comments", tags=["Comments"])
def read_comments(id: Id, db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[Comment]:
    """List the comments of a post."""
    return paginate(crud.list_comments(db, id, query), query)


# ── Categories ───────────────────────────────────────────────────────────────────────────────────


@app.post("/categories", tags=["Categories"], status_code=201)
def create_category(data: CategoryCreate, db: Db) -> Category:
    """Add a category, below another one if `parent_id` is sent."""
    return crud.create_category(db, data)


@app.get("/categories", tags=["Categories"])
def read_categories(db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[Category]:
    """List categories."""
    return paginate(crud.list_rows(db, select(Category), Category, query), query)


@app.get("/categories/tree", tags=["Categories"])
def read_category_tree(db: ReadDb) -> list[CategoryTree]:
    """Show all categories, each with its children inside."""
    return crud.read_category_tree(db)


@app.get("/categories/{id}/products", tags=["Categories"])
def read_category_with_products(id: Id, db: ReadDb) -> CategoryWithProducts:
    """Show the products of a category."""
    return crud.read_category_with_products(db, id)


@app.patch("/categories/{id}", tags=["Categories"])
def update_category(id: Id, data: CategoryUpdate, db: Db) -> Category:
    """Change the fields that are sent; a category cannot be moved below itself."""
    return crud.update_category(db, id, data)


@app.delete("/categories/{id}", tags=["Categories"], status_code=204)
def delete_category(id: Id, db: Db) -> None:
    """Delete a category; its products and children stay, without it."""
    crud.delete_category(db, id)


# ── Products ─────────────────────────────────────────────────────────────────────────────────────


@app.post("/products", tags=["Products"], status_code=201)
def create_product(data: ProductCreate, db: Db) -> Product:
    """Add a product."""
    return crud.create_product(db, data)


@app.get("/products", tags=["Products"])
def read_products(db: ReadDb, query: ProductFilters, paginate: Paginate) -> Sequence[Product]:
    """List products; every filter that is given must hold."""
    return paginate(crud.list_products(db, query), query)


@app.get("/products/with-categories", tags=["Products"], response_model=list[ProductDetail])
def read_products_with_categories(
    db: ReadDb, query: Filters, paginate: Paginate
) -> Sequence[Product]:
    """List active products with their categories."""
    return paginate(crud.list_products_with_categories(db, query), query)


@app.get("/products/by-category-stats", tags=["Products"])
def read_category_stats(db: ReportDb) -> list[CategoryStats]:
    """Show how many active products each category has, and their prices."""
    return crud.list_category_stats(db)


@app.get("/products/low-stock", tags=["Products"])
def read_low_stock(
    db: ReadDb, query: Part, threshold: Annotated[int, Query(ge=0, le=MAX_INTEGER)] = 10
) -> Sequence[Product]:
    """List active products with at most `threshold` in stock, the fewest first."""
    return crud.list_low_stock(db, threshold, query)


@app.get("/products/by-sku/{sku}", tags=["Products"])
def read_product_by_sku(sku: Text, db: ReadDb) -> Product:
    """Find a product by its SKU, in any case."""
    return crud.get_product_by_sku(db, sku)


@app.get("/products/{id}", tags=["Products"], response_model=ProductDetail)
def read_product(id: Id, db: ReadDb) -> Product:
    """Show a product with its category."""
    return crud.get(db, Product, id, crud.WITH_CATEGORY)


@app.patch("/products/{id}", tags=["Products"])
def update_product(id: Id, data: ProductUpdate, db: Db) -> Product:
    """Change the fields that are sent."""
    return crud.update_product(db, id, data)


@app.post("/products/{id}/stock", tags=["Products"])
def adjust_stock(id: Id, change: Change, db: Db) -> Product:
    """Add to the stock or, with a negative number, take from it."""
    return crud.adjust_stock(db, id, change)


@app.delete("/products/{id}", tags=["Products"], status_code=204)
def delete_product(id: Id, db: Db) -> None:
    """Delete a product that was never ordered."""
    crud.remove(db, Product, id)


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────


@app.post("/orders", tags=["Orders"], status_code=201, response_model=OrderWithItems)
def place_order(data: OrderCreate, db: Db, idempotency_key: IdempotencyKey = None) -> Order:
    """Order products; sent again with the same Idempotency-Key, it answers the first order."""
    return crud.place_order(db, data, idempotency_key)


@app.get("/orders", tags=["Orders"])
def read_orders(db: ReadDb, query: OrderFilters, paginate: Paginate) -> Sequence[Order]:
    """List orders without their items."""
    return paginate(crud.list_orders(db, query), query)


@app.get("/orders/stats/summary", tags=["Orders"])
def read_order_summary(
    db: ReportDb, user_id: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = None
) -> OrderSummary:
    """Count orders and what they brought, of one user if `user_id` is given."""
    return crud.summarize_orders(db, user_id)


@app.get("/orders/user/{id}", tags=["Orders"])
def read_orders_of_user(id: Id, db: ReadDb, query: Filters, paginate: Paginate) -> Sequence[Order]:
    """List a user's orders without their items."""
    crud.get(db, User, id)
    return paginate(crud.list_orders(db, OrderQuery(user_id=id, **query.model_dump())), query)


@app.get("/orders/{id}", tags=["Orders"], response_model=OrderWithItems)
def read_order(id: Id, db: ReadDb) -> Order:
    """Show an order with its items."""
    return crud.get(db, Order, id, crud.eager(Order.items))


@app.get("/orders/{id}/details", tags=["Orders"], response_model=OrderDetail)
def read_order_details(id: Id, db: ReadDb) -> Order:
    """Show an order with its user, its items and their products."""
    return crud.get_order_details(db, id)


@app.patch("/orders/{id}/status", tags=["Orders"])
def change_order_status(id: Id, new_status: OrderStatus, db: Db) -> dict[str, int | OrderStatus]:
    """Move an order on; cancelling it puts the stock back."""
    order = crud.change_status(db, id, new_status)
    return {"order_id": order.id, "new_status": order.status}
