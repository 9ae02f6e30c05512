"""The HTTP API: for each route what comes in, the crud function that runs, what goes out.

Sections: lifespan, app, parameters, service, users, tags, posts, comments, categories, products,
orders, async.
"""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Body, Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BeforeValidator

import crud
import models
from core.access import Guard, Label, prepare_access
from core.checks import refuse_nul, refuse_unusual_digits
from core.docs import SECTIONS, add_docs
from core.errors import HANDLERS, Error
from core.logs import prepare_logs
from core.middleware import AllowOrigins, AnswerHead, ExplainFailedStart, IgnoreLastSlash, Limits
from core.passwords import changes_of, columns_of, refuse_many_passwords
from core.routing import DatabaseRoute
from core.schema import prepare_schema, schema_revisions
from core.settings import read_settings
from core.windows import windows
from database import AsyncDb, AsyncReadDb, Database, Db, ReadDb, ReportDb, get_database

# ── Lifespan ─────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open the database for as long as the app runs; what is yielded is each request's state."""
    settings = read_settings()
    prepare_logs(settings.log_format)
    prepare_access(app, settings)
    database = Database(settings)
    await run_in_threadpool(prepare_schema, database.url, database.read_url)
    with windows(app, database, settings):
        gc.set_threshold(20_000)  # garbage is rare here; looking for it so often costs a tenth
        gc.freeze()  # what start-up made is never garbage: full collections would pause requests
        yield {"database": database, "settings": settings}
        gc.unfreeze()
    await database.dispose()


# ── App ──────────────────────────────────────────────────────────────────────────────────────────


app = FastAPI(
    title="onemodel",
    description="A blog and a shop: one SQLModel class is both the table and the schema.",
    version="1.0.0",
    lifespan=lifespan,
    docs_url=None,  # core/docs.py serves them, without internet
    redoc_url=None,
    openapi_tags=[{"name": name, "description": text} for name, text in SECTIONS.items()],
    redirect_slashes=False,
    exception_handlers=HANDLERS,
    responses={status: {"model": Error} for status in (400, 404, 409, 413, 503)},
)
app.router.route_class = DatabaseRoute
add_docs(app)
for layer in (Limits, AnswerHead, Guard, IgnoreLastSlash, AllowOrigins, Label, ExplainFailedStart):
    app.add_middleware(layer)


# ── Parameters ───────────────────────────────────────────────────────────────────────────────────


PathId = Annotated[int, Path(ge=1, le=models.MAX_INTEGER), BeforeValidator(refuse_unusual_digits)]
PathText = Annotated[str, Path(max_length=254), AfterValidator(refuse_nul)]
UserIds = Annotated[list[models.Id] | None, Body(embed=True, min_length=1, max_length=1000)]
Difference = Annotated[
    models.Integer, Body(embed=True, ge=-models.MAX_INTEGER, le=models.MAX_INTEGER)
]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=64)]
NewUsers = Annotated[
    list[models.UserCreate],
    Body(min_length=1, max_length=1000),
    AfterValidator(refuse_many_passwords),
]
NewProducts = Annotated[list[models.ProductCreate], Body(min_length=1, max_length=1000)]
ListQuery = Annotated[models.KeysetPagination, Query()]
PageQuery = Annotated[models.Pagination, Query()]
LongPageQuery = Annotated[models.LongPagination, Query()]
UserQuery = Annotated[models.UserFilters, Query()]
PostQuery = Annotated[models.PostFilters, Query()]
ProductQuery = Annotated[models.ProductFilters, Query()]
OrderQuery = Annotated[models.OrderFilters, Query()]


async def get_user_columns(data: models.UserCreate) -> dict[str, Any]:
    """Return the columns of a new user. Before the session: a hash is slow."""
    return await columns_of(data)


async def get_user_rows(data: NewUsers) -> list[dict[str, Any]]:
    """Return the columns of many new users."""
    return [await columns_of(user) for user in data]


async def get_all_columns(id: PathId, data: models.UserCreate, request: Request) -> dict[str, Any]:
    """Return all columns of a user that there is."""
    return await changes_of(data, request, id)


async def get_user_changes(id: PathId, data: models.UserUpdate, request: Request) -> dict[str, Any]:
    """Return the columns that a client changes."""
    return await changes_of(data, request, id)


UserColumns = Annotated[dict[str, Any], Depends(get_user_columns)]
UserRows = Annotated[list[dict[str, Any]], Depends(get_user_rows)]
AllColumns = Annotated[dict[str, Any], Depends(get_all_columns)]
UserChanges = Annotated[dict[str, Any], Depends(get_user_changes)]


async def get_paginate(request: Request, response: Response) -> Callable[..., Any]:
    """Return a function that gives a full page the header with the address of the next."""

    def paginate(rows: list[Any], query: models.Pagination) -> list[Any]:
        if len(rows) == query.limit:
            parameters = {**request.query_params, "after_id": rows[-1].id}
            parameters.pop("skip", None)
            address = f"{quote(request.scope['path'])}?{urlencode(parameters)}"
            response.headers["Link"] = f'<{address}>; rel="next"'
        return rows

    return paginate


Paginate = Annotated[Callable[..., Any], Depends(get_paginate)]


# ── Service ──────────────────────────────────────────────────────────────────────────────────────


@app.get("/", tags=["Service"])
async def read_root(request: Request) -> dict[str, str]:
    """Say that the API runs, and where to try it out."""
    docs = f"{request.scope['root_path']}/docs"
    return {"message": "API is running", "docs": docs, "version": app.version}


@app.get("/health", tags=["Service"], responses={503: {"description": "Database out of reach"}})
async def check_health(request: Request, response: Response) -> dict[str, Any]:
    """Answer after a real round trip to the database, within 2 seconds whatever happens to it."""
    database = get_database(request)
    seconds = await database.ping()
    if seconds is None:
        response.status_code = 503
        return {"status": "unhealthy", "database": database.pool_status()}
    report = database.pool_status() | {"latency_ms": round(seconds * 1000, 3)}
    return {"status": "healthy", "database": report}


@app.get("/health/db", tags=["Service"])
def check_database(db: ReadDb, request: Request) -> dict[str, Any]:
    """Show the pool of writing connections and whether the schema is the newest."""
    database = get_database(request)
    current, newest = schema_revisions(db.connection())
    revision = {"revision": current, "is_newest_revision": current == newest}
    return database.pool_status() | revision


# ── Users ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/users", tags=["Users"], status_code=201)
def create_user(columns: UserColumns, db: Db) -> models.User:
    """Register a user; an e-mail or username that is taken gives 409."""
    return crud.add(db, models.User, columns)


@app.post("/users/bulk", tags=["Users"], status_code=201)
def create_users(rows: UserRows, db: Db) -> list[models.User]:
    """Register up to 1000 users in one transaction: all of them or none."""
    return crud.create_users(db, rows)


@app.get("/users", tags=["Users"])
@app.get("/users/search", tags=["Users"])
def read_users(db: ReadDb, query: UserQuery, paginate: Paginate) -> list[models.User]:
    """List users; every filter that is given must hold."""
    return paginate(crud.list_users(db, query), query)


@app.get("/users/page", tags=["Users"])
def read_users_page(
    db: ReadDb,
    page: Annotated[int, Query(ge=1, le=models.MAX_INTEGER)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> models.Page[models.User]:
    """List users by page number, newest first, with totals for a pager."""
    return crud.page_users(db, page, page_size)


@app.get("/users/active", tags=["Users"])
def read_active_users(db: ReadDb, query: ListQuery, paginate: Paginate) -> list[models.User]:
    """List the users who are active and not deleted."""
    active = models.UserFilters(is_active=True, **query.model_dump())
    return paginate(crud.list_users(db, active), query)


@app.get("/users/by-email/{email:path}", tags=["Users"])
def read_user_by_email(email: PathText, db: ReadDb) -> models.User:
    """Find a user by e-mail, in any case."""
    return crud.get_user_by_email(db, email)


@app.get("/users/stats/active-count", tags=["Users"])
def count_active_users(db: ReportDb) -> dict[str, int]:
    """Count the users who are active and not deleted."""
    return {"active_users": crud.count_active_users(db)}


@app.get("/users/top-spenders", tags=["Users"])
def read_top_spenders(
    db: ReportDb, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> list[models.Spender]:
    """List who spent most; cancelled orders do not count."""
    return crud.list_top_spenders(db, limit)


@app.get("/users/{id}", tags=["Users"])
def read_user(id: PathId, db: ReadDb) -> models.User:
    """Show a user; one who is soft-deleted is not found."""
    return crud.get(db, models.User, id)


@app.get("/users/{id}/posts", tags=["Users"])
def read_user_with_posts(id: PathId, db: ReadDb, query: LongPageQuery) -> models.UserWithPosts:
    """Show a user with what the user wrote, the first 100 posts unless you say otherwise."""
    return crud.get_user_with_posts(db, id, query)


@app.put("/users/{id}", tags=["Users"])
def replace_user(id: PathId, columns: AllColumns, db: Db) -> models.User:
    """Replace all fields: one that is left out goes back to its default, but the password stays."""
    return crud.change(db, models.User, id, columns)


@app.patch("/users/bulk/deactivate", tags=["Users"])
def deactivate_users(
    db: Db,
    user_ids: UserIds = None,
    days: Annotated[int | None, Query(ge=0, le=36_500)] = None,
) -> dict[str, int]:
    """Deactivate the users named in the body or, with `?days=`, those unchanged for so long."""
    if user_ids is None and days is None:
        missing = {"type": "missing", "loc": ["body", "user_ids"], "msg": "Send user_ids, or days"}
        raise HTTPException(422, [missing])
    return {"deactivated_count": crud.deactivate_users(db, user_ids, days)}


@app.patch("/users/{id}", tags=["Users"])
def update_user(id: PathId, changes: UserChanges, db: Db) -> models.User:
    """Change only the fields that are sent."""
    return crud.change(db, models.User, id, changes)


@app.delete("/users/bulk/inactive", tags=["Users"])
def delete_inactive_users(db: Db) -> dict[str, int]:
    """Delete all inactive users but those who have orders."""
    return crud.delete_inactive_users(db)


@app.delete("/users/{id}", tags=["Deletes"], status_code=204)
def delete_user(id: PathId, db: Db) -> None:
    """Delete a user for good, posts and comments included."""
    crud.remove(db, models.User, id)


@app.delete("/users/{id}/soft", tags=["Users"])
def soft_delete_user(id: PathId, db: Db) -> dict[str, str]:
    """Hide a user and keep the rows."""
    crud.soft_delete_user(db, id)
    return {"message": f"User {id} has been deactivated"}


@app.post("/users/{id}/restore", tags=["Users"])
def restore_user(id: PathId, db: Db) -> models.User:
    """Undo a soft delete."""
    return crud.restore_user(db, id)


@app.get("/users/{id}/orders", tags=["Users"])
def read_user_orders(id: PathId, db: ReadDb, query: PageQuery) -> list[models.Order]:
    """List a user's orders without their items, newest first."""
    return crud.list_of_user(db, models.Order, id, query)


@app.get("/users/{id}/notifications", tags=["Users"])
def read_notifications(id: PathId, db: ReadDb, query: PageQuery) -> list[models.Notification]:
    """List a user's notifications, newest first."""
    return crud.list_of_user(db, models.Notification, id, query)


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────


@app.post("/tags", tags=["Tags"], status_code=201)
def create_tag(data: models.TagCreate, db: Db) -> models.Tag:
    """Add a tag; names are stored in lower case."""
    return crud.add(db, models.Tag, data.columns())


@app.get("/tags", tags=["Tags"])
def read_tags(db: ReadDb, query: ListQuery, paginate: Paginate) -> list[models.Tag]:
    """List tags."""
    return paginate(crud.list_rows(db, models.Tag, query), query)


@app.delete("/tags/{id}", tags=["Deletes"], status_code=204)
def delete_tag(id: PathId, db: Db) -> None:
    """Delete a tag; posts that had it stay."""
    crud.remove(db, models.Tag, id)


# ── Posts ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/posts", tags=["Posts"], status_code=201)
def create_post(data: models.PostCreate, db: Db) -> models.PostDetail:
    """Write a post, with tags that exist; the slug comes from the title unless it is sent."""
    return crud.create_post(db, data)


@app.get("/posts", tags=["Posts"])
def read_posts(db: ReadDb, query: PostQuery, paginate: Paginate) -> list[models.PostDetail]:
    """List posts with author and tags."""
    return paginate(crud.list_posts(db, query), query)


@app.get("/posts/with-comments", tags=["Posts"])
def read_posts_with_comments(
    db: ReadDb, query: ListQuery, paginate: Paginate
) -> list[models.PostWithComments]:
    """List posts with tags and the first 30 comments of each."""
    return paginate(crud.list_posts_with_comments(db, query), query)


@app.get("/posts/{id}", tags=["Posts"])
def read_post(id: PathId, db: ReadDb) -> models.PostDetail:
    """Show a post with author and tags."""
    return crud.get_post(db, id)


@app.put("/posts/{id}", tags=["Posts"])
@app.patch("/posts/{id}", tags=["Posts"])
def update_post(id: PathId, data: models.PostUpdate, db: Db) -> models.PostDetail:
    """Change the fields that are sent; tags are replaced if `tag_ids` is."""
    return crud.update_post(db, id, data)


@app.post("/posts/{id}/publish", tags=["Posts"])
def publish_post(id: PathId, db: Db) -> models.PostDetail:
    """Publish a post; doing it again changes nothing."""
    return crud.publish_post(db, id)


@app.delete("/posts/{id}", tags=["Deletes"], status_code=204)
def delete_post(id: PathId, db: Db) -> None:
    """Delete a post with its comments and tag links."""
    crud.remove(db, models.Post, id)


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


@app.post("/posts/{id}/comments", tags=["Comments"], status_code=201)
def create_comment(id: PathId, data: models.CommentCreate, db: Db) -> models.Comment:
    """Comment on a post."""
    return crud.create_comment(db, id, data)


@app.get("/posts/{id}/comments", tags=["Comments"])
def read_comments(
    id: PathId, db: ReadDb, query: ListQuery, paginate: Paginate
) -> list[models.Comment]:
    """List the comments of a post."""
    return paginate(crud.list_comments(db, id, query), query)


# ── Categories ───────────────────────────────────────────────────────────────────────────────────


@app.post("/categories", tags=["Categories"], status_code=201)
def create_category(data: models.CategoryCreate, db: Db) -> models.Category:
    """Add a category, below another one if `parent_id` is sent."""
    return crud.create_category(db, data)


@app.get("/categories", tags=["Categories"])
def read_categories(db: ReadDb, query: ListQuery, paginate: Paginate) -> list[models.Category]:
    """List categories."""
    return paginate(crud.list_rows(db, models.Category, query), query)


@app.get("/categories/tree", tags=["Categories"])
def read_category_tree(db: ReadDb) -> list[models.CategoryTree]:
    """Show all categories, each with its children inside."""
    return crud.read_category_tree(db)


@app.get("/categories/{id}/products", tags=["Categories"])
def read_category_with_products(
    id: PathId, db: ReadDb, query: LongPageQuery
) -> models.CategoryWithProducts:
    """Show a category's products, the first 100 unless you say otherwise, and count them all."""
    return crud.read_category_with_products(db, id, query)


@app.patch("/categories/{id}", tags=["Categories"])
def update_category(id: PathId, data: models.CategoryUpdate, db: Db) -> models.Category:
    """Change the fields that are sent; a category cannot be moved below itself."""
    return crud.update_category(db, id, data)


@app.delete("/categories/{id}", tags=["Deletes"], status_code=204)
def delete_category(id: PathId, db: Db) -> None:
    """Delete a category; its products and children stay, without it."""
    crud.delete_category(db, id)


# ── Products ─────────────────────────────────────────────────────────────────────────────────────


@app.post("/products", tags=["Products"], status_code=201)
def create_product(data: models.ProductCreate, db: Db) -> models.Product:
    """Add a product."""
    return crud.create_product(db, data)


@app.post("/products/bulk", tags=["Products"], status_code=201)
def create_products(data: NewProducts, db: Db) -> list[models.Product]:
    """Add up to 1000 products in one transaction: all of them or none."""
    return crud.create_products(db, data)


@app.get("/products", tags=["Products"])
def read_products(db: ReadDb, query: ProductQuery, paginate: Paginate) -> list[models.Product]:
    """List products; every filter that is given must hold."""
    return paginate(crud.list_rows(db, models.Product, query), query)


@app.get("/products/with-categories", tags=["Products"])
def read_products_with_categories(
    db: ReadDb, query: ListQuery, paginate: Paginate
) -> list[models.ProductDetail]:
    """List active products with their categories."""
    return paginate(crud.list_products_with_categories(db, query), query)


@app.get("/products/by-category-stats", tags=["Products"])
def read_category_stats(db: ReportDb) -> list[models.CategoryStats]:
    """Show how many active products the 1000 largest categories have, and their prices."""
    return crud.list_category_stats(db)


@app.get("/products/low-stock", tags=["Products"])
def read_low_stock(
    db: ReadDb, query: PageQuery, threshold: Annotated[int, Query(ge=0, le=models.MAX_INTEGER)] = 10
) -> list[models.Product]:
    """List active products with at most `threshold` in stock, the fewest first."""
    return crud.list_low_stock(db, threshold, query)


@app.get("/products/by-sku/{sku}", tags=["Products"])
def read_product_by_sku(sku: PathText, db: ReadDb) -> models.Product:
    """Find a product by its SKU, in any case."""
    return crud.get_product_by_sku(db, sku)


@app.get("/products/{id}", tags=["Products"])
def read_product(id: PathId, db: ReadDb) -> models.ProductDetail:
    """Show a product with its category."""
    return crud.get_product(db, id)


@app.patch("/products/{id}", tags=["Products"])
def update_product(id: PathId, data: models.ProductUpdate, db: Db) -> models.Product:
    """Change the fields that are sent."""
    return crud.update_product(db, id, data)


@app.post("/products/{id}/stock", tags=["Products"])
def adjust_stock(id: PathId, change: Difference, db: Db) -> models.Product:
    """Add to the stock or, with a negative number, take from it."""
    return crud.adjust_stock(db, id, change)


@app.delete("/products/{id}", tags=["Deletes"], status_code=204)
def delete_product(id: PathId, db: Db) -> None:
    """Delete a product that was never ordered."""
    crud.remove(db, models.Product, id)


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────


@app.post("/orders", tags=["Orders"], status_code=201)
def place_order(
    data: models.OrderCreate, db: Db, idempotency_key: IdempotencyKey = None
) -> models.OrderWithItems:
    """Order products; sent again with the same Idempotency-Key, it answers the first order."""
    return crud.place_order(db, data, idempotency_key)


@app.get("/orders", tags=["Orders"])
def read_orders(db: ReadDb, query: OrderQuery, paginate: Paginate) -> list[models.Order]:
    """List orders without their items."""
    return paginate(crud.list_rows(db, models.Order, query), query)


@app.get("/orders/stats/summary", tags=["Orders"])
def read_order_summary(
    db: ReportDb, user_id: Annotated[int | None, Query(ge=1, le=models.MAX_INTEGER)] = None
) -> models.OrderSummary:
    """Count orders and what they brought, of one user if `user_id` is given."""
    return crud.summarize_orders(db, user_id)


@app.get("/orders/user/{id}", tags=["Orders"])
def read_orders_of_user(
    id: PathId, db: ReadDb, query: ListQuery, paginate: Paginate
) -> list[models.Order]:
    """List a user's orders without their items."""
    crud.get(db, models.User, id)
    own = models.OrderFilters(user_id=id, **query.model_dump())
    return paginate(crud.list_rows(db, models.Order, own), query)


@app.get("/orders/{id}", tags=["Orders"])
def read_order(id: PathId, db: ReadDb) -> models.OrderWithItems:
    """Show an order with its items."""
    return crud.get_order(db, id)


@app.get("/orders/{id}/details", tags=["Orders"], response_model=models.OrderDetail)
def read_order_details(id: PathId, db: ReadDb) -> models.Order:
    """Show an order with its user, its items and their products."""
    return crud.get_order_details(db, id)


@app.patch("/orders/{id}/status", tags=["Orders"])
def change_order_status(
    id: PathId, new_status: models.OrderStatus, db: Db
) -> dict[str, int | models.OrderStatus]:
    """Move an order on; cancelling it puts the stock back."""
    return {"order_id": id, "new_status": crud.change_status(db, id, new_status)}


# ── Async ────────────────────────────────────────────────────────────────────────────────────────


@app.post("/async/users", tags=["Async"], status_code=201)
async def create_user_async(columns: UserColumns, db: AsyncDb) -> models.User:
    """Do what POST /users does, without a thread: run_sync lends crud the async connection."""
    return await db.run_sync(crud.add, models.User, columns)


@app.get("/async/users", tags=["Async"])
async def read_users_async(
    db: AsyncReadDb, query: UserQuery, paginate: Paginate
) -> list[models.User]:
    """List users like GET /users."""
    return paginate(await db.run_sync(crud.list_users, query), query)


@app.get("/async/users/{id}", tags=["Async"])
async def read_user_async(id: PathId, db: AsyncReadDb) -> models.User:
    """Show a user like GET /users/{id}."""
    return await db.run_sync(crud.get, models.User, id)


@app.get("/async/users/{id}/with-posts", tags=["Async"])
async def read_user_with_posts_async(
    id: PathId, db: AsyncReadDb, query: LongPageQuery
) -> models.UserWithPosts:
    """Show a user with posts like GET /users/{id}/posts."""
    return await db.run_sync(crud.get_user_with_posts, id, query)


@app.put("/async/users/{id}", tags=["Async"])
async def replace_user_async(id: PathId, columns: AllColumns, db: AsyncDb) -> models.User:
    """Replace all fields like PUT /users/{id}."""
    return await db.run_sync(crud.change, models.User, id, columns)


@app.delete("/async/users/{id}", tags=["Async"], status_code=204)
async def delete_user_async(id: PathId, db: AsyncDb) -> None:
    """Delete a user like DELETE /users/{id}."""
    await db.run_sync(crud.remove, models.User, id)
