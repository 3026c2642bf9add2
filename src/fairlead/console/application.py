"""The whole web application: the API, and the pages beside it."""

from functools import cache

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from fairlead.api.application import routes_together, web_application
from fairlead.api.health import Probe
from fairlead.api.problems import problem_of_status
from fairlead.console.assets import asset_routes
from fairlead.console.page import page_of_status
from fairlead.console.problem_answers import ProblemsInLanguage
from fairlead.console.routes import ROUTERS
from fairlead.settings import Settings
from fairlead.store.connection import Database


def console_application(database: Database, settings: Settings, probe: Probe | None = None) -> FastAPI:
    """The application of `web_application`, with every page of the console. It opens nothing and owns nothing.

    Raises SettingsError as that does.
    """
    application = web_application(database, settings, probe)
    application.router.routes.extend(_routes_of_pages())
    application.add_exception_handler(404, _not_found)
    application.add_middleware(ProblemsInLanguage)
    return application


@cache
def _routes_of_pages() -> tuple[BaseRoute, ...]:
    """The routes of the console, as `routes_together` has them."""
    return routes_together([asset_routes(), *ROUTERS])


async def _not_found(request: Request, _: Exception) -> Response:
    """A page for a browser that goes to an address which has none; a problem for every other client."""
    is_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    return await run_in_threadpool(page_of_status, request, 404) if is_page else problem_of_status(404)
