"""The route class: a session, a route, its JSON and the commit in one visit to a worker thread."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cached_property
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.utils import is_body_allowed_for_status_code
from sqlmodel import Session
from starlette.routing import Match
from starlette.types import Scope

from database import get_database, get_db, get_read_db, get_report_db

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# Which engine serves a request: the first of these that its route or a dependency asks for.
ENGINES: dict[Any, str] = {get_db: "writer", get_read_db: "reader", get_report_db: "reporter"}
JSON_OPTIONS = [
    "include",
    "exclude",
    "by_alias",
    "exclude_unset",
    "exclude_defaults",
    "exclude_none",
]


def _wanted_engines(dependant: Dependant) -> set[str]:
    if dependant.call in ENGINES:
        return {ENGINES[dependant.call]}
    return set().union(*map(_wanted_engines, dependant.dependencies))


class DatabaseRoute(APIRoute):
    """Runs a `def` route in one visit to a worker thread: session, route, JSON, commit.

    FastAPI would visit threads five times. Without this class everything works, only slower.
    """

    def get_route_handler(self) -> Handler:
        """Return the function that answers a request: FastAPI's, with the visit in it."""
        wanted = _wanted_engines(self.dependant)
        self.engine = next((name for name in ENGINES.values() if name in wanted), "")
        handle = handle_in_one_visit = super().get_route_handler()
        sessions = [d for d in self.dependant.dependencies if d.call in ENGINES and d.name]
        is_json = isinstance(self.response_class, DefaultPlaceholder) and not self.is_json_stream
        if len(sessions) == 1 and is_json and not iscoroutinefunction(self.endpoint):
            self.session_name = str(sessions[0].name)
            others = [d for d in self.dependant.dependencies if d is not sessions[0]]
            handle = self._handle_by_calling(self.run, self.dependant.dependencies)
            if not any(map(_wanted_engines, others)):
                handle_in_one_visit = self._handle_by_calling(self.visit, others)

        async def answer(request: Request) -> Response:
            request.state.engine = self.engine
            # What a test has put in place of a dependency, only FastAPI knows how to call.
            overridden = request.app.dependency_overrides
            return await (handle if overridden else handle_in_one_visit)(request)

        return answer if self.engine else handle

    def _handle_by_calling(self, call: Any, dependencies: list[Dependant]) -> Handler:
        own = self.dependant
        self.dependant = replace(
            own,
            call=call,
            dependencies=dependencies,
            request_param_name="_request",
            response_param_name="_response",
        )
        handler, self.dependant = super().get_route_handler(), own
        return handler

    async def visit(self, **values: Any) -> Response:
        """Wait for a connection; then open a session and run the route, in one worker thread."""
        database = get_database(values["_request"])
        engine = getattr(database, self.engine)

        def visit() -> Response:
            with Session(engine, expire_on_commit=False) as session:
                return self.run(**(values | {self.session_name: session}))

        return await database.threads[engine].run(visit)

    def run(self, _request: Request, _response: Response, **values: Any) -> Response:
        """Run the route, write its JSON while lazy attributes still load, and commit."""
        own = self.dependant
        if own.request_param_name:
            values[own.request_param_name] = _request
        if own.response_param_name:
            values[own.response_param_name] = _response
        answer = self.endpoint(**values)
        if not isinstance(answer, Response):
            answer = self._to_response(answer, _response)
        if self.engine == "writer":
            values[self.session_name].commit()
        return answer

    def _to_response(self, answer: Any, given: Response) -> Response:
        status = given.status_code or self.status_code or 200
        if not is_body_allowed_for_status_code(status):
            content = b""
        elif self.response_field is None:
            content = bytes(JSONResponse(jsonable_encoder(answer)).body)
        else:
            value, errors = self.response_field.validate(answer, {}, loc=("response",))
            if errors:
                raise ResponseValidationError(errors=errors, body=answer)
            options: Any = {name: getattr(self, f"response_model_{name}") for name in JSON_OPTIONS}
            content = self.response_field.serialize_json(value, **options)
        response = Response(content, status, media_type="application/json" if content else None)
        response.headers.raw.extend(given.headers.raw)
        return response

    @cached_property
    def fixed_start(self) -> str:
        """Return what each of the route's paths has in it: /users/ for /users/{id}/posts."""
        return self.path_format.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Look for the fixed start first: patterns are slow, and most belong to other routes."""
        if self.fixed_start not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)
