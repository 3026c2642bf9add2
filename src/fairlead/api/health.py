"""Health of a process: /livez, /readyz and /metrics, for supervisors, load balancers and Prometheus.

The routes are a router of their own, so that every application can have them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse

from fairlead.core.errors import Refused
from fairlead.store.connection import Database
from fairlead.store.schema import check_schema
from fairlead.store.watching.gauges import newest_heartbeat_seconds, read_gauges, watching
from fairlead.telemetry.deadline import Bounded
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.gauges import Gauges
from fairlead.telemetry.scrape import Scrape

READY_TIMEOUT_SECONDS = 3.0
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One thing that must hold before work is sent here; `detail` says in a few plain words why it does not."""

    name: str
    holds: bool
    detail: str = ""


class Probe(Protocol):
    """What the routes ask. Both may raise and may hang: the routes bound them."""

    def readiness(self) -> Sequence[ReadinessCheck]:
        """Every check, each with its result."""
        ...

    def gauges(self) -> Gauges:
        """What a scrape shows of the database."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseProbe:
    """Asks the marketplace's database: is it there, is its schema ours, does a worker live.

    `worker_within_seconds` is the greatest age of the newest heartbeat with which this process is ready; None where
    it can do its work without any worker.
    """

    database: Database
    worker_within_seconds: float | None = None

    def readiness(self) -> Sequence[ReadinessCheck]:
        """The checks `database`, `schema` and, where asked for, `worker`."""
        with watching(self.database) as conn:
            checks = [ReadinessCheck("database", True)]
            try:
                check_schema(conn, self.database.schema_name)
            except Refused as refused:
                return [*checks, ReadinessCheck("schema", False, refused.code)]
            checks.append(ReadinessCheck("schema", True))
            if self.worker_within_seconds is not None:
                checks.append(_worker_check(newest_heartbeat_seconds(conn), self.worker_within_seconds))
        return checks

    def gauges(self) -> Gauges:
        """What `read_gauges` reads, on a connection of its own."""
        with watching(self.database) as conn:
            return read_gauges(conn)


def _worker_check(age_seconds: float | None, within_seconds: float) -> ReadinessCheck:
    if age_seconds is None:
        return ReadinessCheck("worker", False, "no worker is registered")
    return ReadinessCheck("worker", age_seconds <= within_seconds, f"newest heartbeat {age_seconds:.0f} s ago")


def health_routes(probe: Probe) -> APIRouter:
    """/livez, /readyz and /metrics, answering from this probe. None of them is ever cached, or in the API's schema."""
    ready = Bounded(probe.readiness, READY_TIMEOUT_SECONDS)
    scrape = Scrape(probe.gauges)
    router = APIRouter(include_in_schema=False)

    # A coroutine, because it waits for nothing: the others need a thread, and these may all be taken.
    @router.get("/livez")
    async def livez() -> Response:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse({"alive": True}, headers=_NO_STORE)

    @router.get("/readyz")
    def readyz() -> Response:  # pyright: ignore[reportUnusedFunction]
        return _ready_answer(ready)

    @router.get("/metrics")
    def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(scrape.text(), media_type=scrape.content_type, headers=_NO_STORE)

    return router


def health_application(probe: Probe) -> FastAPI:
    """An application of nothing but the health routes, for a process that serves nothing else. It makes no spans."""
    application = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    application.include_router(health_routes(probe))
    return application


def _ready_answer(ready: Callable[[], Sequence[ReadinessCheck]]) -> Response:
    try:
        checks = list(ready())
    except Exception as error:
        # Whatever it was, this process is not ready; the kind is enough to know where to look.
        checks = [ReadinessCheck("database", False, error_kind(error))]
    holds = all(check.holds for check in checks)
    body = {
        "ready": holds,
        "checks": {check.name: {"holds": check.holds, "detail": check.detail} for check in checks},
    }
    return JSONResponse(body, status_code=200 if holds else 503, headers=_NO_STORE)
