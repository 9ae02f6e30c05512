"""What stands between the server and the app, and sees each request and answer."""

from functools import cache

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import StartupError, settings_of

MAX_BODY = 1024 * 1024
TOO_LARGE = "The body is larger than 1 MiB"


class Middleware:
    """What stands between the server and the app, and sees each request and answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app


class LimitBody(Middleware):
    """Refuse bodies over 1 MiB with 413 and JSON, where FastAPI's max_body_size sends text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Believe a Content-Length that is too large; count the bytes of every other body."""
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        if int(dict(scope.get("headers", ())).get(b"content-length", 0)) > MAX_BODY:
            await JSONResponse({"detail": TOO_LARGE}, 413)(scope, receive, send)
        else:
            await self.app(scope, receive_within_limit, send)


class IgnoreLastSlash(Middleware):
    """Answer /users/ like /users, without a redirect, also below a proxy's prefix."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the path on without its last slash."""
        if scope["type"] == "http":
            prefix = scope.get("root_path", "")
            path = _below(prefix, scope["path"])
            path = _below(prefix, path)  # uvicorn adds it, even to a path that has it already
            if path.endswith("/") and path != "/admin/":  # whose pages have addresses of their own
                path = path[:-1]
            scope = {**scope, "path": prefix + (path or "/")}
        await self.app(scope, receive, send)


def _below(prefix: str, path: str) -> str:
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path


class AllowOrigins(Middleware):
    """Let the pages of CORS_ORIGINS call the API from a browser."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.allowing = cache(self.allow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what a browser asks before the request itself, and tell it what it may read."""
        origins = settings_of(scope).cors_origins if scope["type"] == "http" else ""
        await (self.allowing(origins) if origins else self.app)(scope, receive, send)

    def allow(self, origins: str) -> ASGIApp:
        """Return the app for the pages of these origins."""
        return CORSMiddleware(
            self.app,
            allow_origins=[origin.strip().rstrip("/") for origin in origins.split(",")],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Link", "Retry-After", "X-Request-ID"],
        )


class AnswerHead(Middleware):
    """Answer HEAD like GET, without the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app see a GET and take the body out of its answer."""

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, send_without_body)
        else:
            await self.app(scope, receive, send)


class ExplainFailedStart(Middleware):
    """End the log of a failed start with the reason, without a traceback of where it was found."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the traceback from what the server is to log."""

        async def send_reason(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                _, known, reason = message["message"].rpartition(f"{StartupError.__name__}: ")
                message = {**message, "message": reason.strip() if known else message["message"]}
            await send(message)

        await self.app(scope, receive, send_reason if scope["type"] == "lifespan" else send)
