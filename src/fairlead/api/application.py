"""The web application: every route, behind the middleware that all requests pass."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fairlead.api.access import public
from fairlead.api.bodies import new_body_turns
from fairlead.api.concurrency_limits import new_password_slots
from fairlead.api.health import DatabaseProbe, Probe, health_routes
from fairlead.api.live.hub import Hub
from fairlead.api.middleware import RequestMiddleware
from fairlead.api.openapi import api_routes, document_of
from fairlead.api.parameters import refuse_unclear_parameters
from fairlead.api.problems import answer_with_problems, problem_of_status
from fairlead.api.public_pages import OpenToPages
from fairlead.api.published import Published, answer_published, published
from fairlead.api.resources import Resources
from fairlead.api.routes import ROUTERS
from fairlead.delivery.secret_box import secret_box
from fairlead.settings import Settings
from fairlead.store.connection import Database

SPARE_THREADS = 4
"""Beyond one per connection: for /readyz and /metrics, which answer also when every connection is taken."""

DOCUMENT_PATH = "/api/v1/openapi.json"

# None of the framework's own: it records the texts of exceptions, which may hold anything.
NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


def web_application(database: Database, settings: Settings, probe: Probe | None = None) -> FastAPI:
    """An application that answers every route for this marketplace. It opens nothing and owns nothing.

    `probe` answers /readyz and /metrics; by default one that asks for the database and a living worker. Raises
    SettingsError for secret keys that are malformed; without any, what has to seal a secret answers 503.
    """
    trusted = [each.strip() for each in settings.trusted_proxies.split(",") if each.strip()]
    application = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=NO_TELEMETRY,  # pyright: ignore[reportArgumentType]
        lifespan=_lifespan,
        routes=[*_routes_of_all()],
        **_FOR_EVERY_ROUTE,
        # Outermost first. None bounds bodies: each route does, by its model, after it has counted who asks.
        middleware=[
            *([Middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)] if trusted else []),
            Middleware(RequestMiddleware),
            Middleware(OpenToPages),
        ],
    )
    box = None if settings.encryption_keys is None else secret_box(settings)
    application.state.resources = Resources(database, settings, box)
    application.state.live = Hub(database)
    application.state.password_slots = new_password_slots()
    application.state.body_turns = new_body_turns()
    answer_with_problems(application)
    application.add_exception_handler(405, _method_not_allowed)
    _add_document(application)
    application.include_router(health_routes(probe or _probe(database, settings)))
    return application


def _probe(database: Database, settings: Settings) -> DatabaseProbe:
    return DatabaseProbe(database, worker_within_seconds=2.0 * settings.heartbeat_timeout_seconds)


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncGenerator[None]:
    """A request that needs a connection waits for a thread instead of for the pool, which would look like slowness."""
    resources: Resources = application.state.resources
    current_default_thread_limiter().total_tokens = resources.settings.web_pool_size + SPARE_THREADS
    yield
    await run_in_threadpool(application.state.live.stop)


def _operation_id(route: APIRoute) -> str:
    return route.name


_FOR_EVERY_ROUTE: Any = {
    "generate_unique_id_function": _operation_id,
    "dependencies": [Depends(refuse_unclear_parameters, scope="function")],
}


@cache
def _routes_of_all() -> tuple[BaseRoute, ...]:
    """The routes of the API, as `routes_together` has them."""
    return routes_together(ROUTERS)


def routes_together(routers: Sequence[APIRouter]) -> tuple[BaseRoute, ...]:
    """Routes that are the same in every application of this process, so that they are put together once.

    The framework does it at an application's first request, for a third of a second of processor time. They know no
    application: what they need of one they find at the request.
    """
    together = APIRouter(**_FOR_EVERY_ROUTE)
    for router in routers:
        together.include_router(router)
    return tuple(together.routes)


def _add_document(application: FastAPI) -> None:
    made: list[Published] = []

    @application.get(DOCUMENT_PATH, include_in_schema=False, dependencies=[public("says what there is, and no more")])
    async def openapi_document(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        if not made:  # for most of a second, beside the event loop
            made.append(await run_in_threadpool(lambda: published(document_of(application))))
        return answer_published(request, made[0])


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    """405 with every method of the address; the framework names those of the first route that fits."""
    assert isinstance(error, HTTPException), "it was registered for that status"
    path = request.scope["path"]
    methods = {
        method for route in api_routes(request.app) if route.path_regex.match(path) for method in route.methods or ()
    }
    return problem_of_status(405, {"Allow": ", ".join(sorted(methods))})
