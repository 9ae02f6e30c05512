"""The pages that look into the app, /admin and /sql: there only if a setting asks for them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fastapi import FastAPI

from core.settings import Settings
from database import Database


@contextmanager
def windows(app: FastAPI, database: Database, settings: Settings) -> Iterator[None]:
    """Add the pages for as long as the app runs; without the settings, not even import them."""
    routes, stack = list(app.router.routes), app.middleware_stack
    if password := settings.admin_password.get_secret_value():
        from core.admin import add_admin

        add_admin(app, database, password)
    with ExitStack() as open_windows:
        if settings.sql_lens:
            from core.sql_lens import check_address, sql_lens

            check_address()
            open_windows.enter_context(sql_lens(app, database))
        yield
    app.router.routes[:] = routes
    app.middleware_stack = stack
