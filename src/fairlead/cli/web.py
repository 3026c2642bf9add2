"""`fairlead web`: answer over HTTP."""

from typing import Annotated

import typer

from fairlead.cli.long_running import WithParent, begin, marketplace_when_there
from fairlead.cli.setup_link import show_setup_link
from fairlead.core.errors import Unavailable
from fairlead.flows.access.encryption_keys import with_encryption_keys
from fairlead.settings import Settings, load_settings
from fairlead.store.connection import Database
from fairlead.store.row_level_security.portal_role import portal_role_state
from fairlead.telemetry.logs import get_logger
from fairlead.telemetry.traces import shut_down_traces

log = get_logger(__name__)

PATIENCE_SECONDS = 5.0
"""How long a request waits for a connection, or is tried again: then it is answered that nothing can be had (503)."""


def web(
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Where to listen (FAIRLEAD_WEB_PORT).")] = None,
    with_parent: WithParent = None,
) -> None:
    """Answer over HTTP: the API, and /livez, /readyz and /metrics. Runs until stopped.

    While the marketplace has no operator it prints a link, good once, that lets the first one in: on a terminal. Where
    its output may be kept by a log, it says how to get one: fairlead admin setup-link.

    /readyz says whether the database, its schema and a worker are there: point a load balancer at it.

    Example: FAIRLEAD_HTTP_HOST=0.0.0.0 fairlead web --port 8080
    """
    from fairlead.api.serve import serve_in_thread
    from fairlead.console.application import console_application

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"web_port": port})
    stop = begin(settings, "web", with_parent)
    with marketplace_when_there(settings, stop, settings.web_pool_size, PATIENCE_SECONDS) as database:
        if database is None:
            return
        settings = with_encryption_keys(database, settings)
        _warn_of_row_level_security(database, settings)
        application = console_application(database, settings)
        with serve_in_thread(application, settings.http_host, settings.web_port, "FAIRLEAD_WEB_PORT") as served:
            log.info("web started", host=settings.http_host, port=served.port)
            show_setup_link(database, settings, served.port)
            stop.wait()
    shut_down_traces()
    log.info("web stopped")


def _warn_of_row_level_security(database: Database, settings: Settings) -> None:
    """Log a warning where providers will be refused, or only the conditions of queries keep their rows apart."""
    if settings.row_level_security == "off":
        log.warning("row-level security is switched off: only the conditions of queries keep providers' rows apart")
        return
    try:
        with database.snapshot() as conn:
            is_ready = portal_role_state(conn, settings.schema_name).is_ready
    except Unavailable:
        return  # every request will say so
    if not is_ready:
        log.warning("the portal's database role is missing and providers' requests are refused: run fairlead status")
