"""`fairlead worker`: do the jobs."""

from typing import Annotated

import typer

from fairlead.cli.long_running import WithParent, begin, leave_now, marketplace_when_there
from fairlead.settings import load_settings
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=100, help="Leads decided at once (FAIRLEAD_WORKER_CONCURRENCY).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Where /readyz and /metrics are (FAIRLEAD_WORKER_PORT).")
    ] = None,
    with_parent: WithParent = None,
) -> None:
    """Do what waits: distribute approved leads, tell providers, keep the marketplace in order. Runs until stopped.

    Start as many as you like, on as many machines as you like: each job is done by one of them, and the jobs of one
    that dies are rescued by the others. Ctrl-C or SIGTERM takes no more work, finishes what is under way
    (FAIRLEAD_SHUTDOWN_TIMEOUT_SECONDS at the most) and ends; a second Ctrl-C ends at once, which loses nothing either.

    A database that is away is waited for. /livez, /readyz and /metrics answer on FAIRLEAD_WORKER_PORT; logs go to
    standard error, one JSON object per line (FAIRLEAD_LOG_FORMAT=console for people).

    Examples:

        fairlead worker

        fairlead worker --concurrency 10 --port 0
    """
    # Imported here: the HTTP server is slow to import, and only this verb needs them.
    from fairlead.flows.access.encryption_keys import with_encryption_keys
    from fairlead.worker import connections_needed, work

    given = {"worker_concurrency": concurrency, "worker_port": port}
    settings = load_settings().model_copy(update={name: value for name, value in given.items() if value is not None})
    stop = begin(settings, "worker", with_parent)
    with marketplace_when_there(settings, stop, connections_needed(settings)) as database:
        if database is None:
            return
        settings = with_encryption_keys(database, settings)
        is_drained = work(database, settings, stop, lambda: log.info("serving the queues"))
    if not is_drained:
        log.warning("jobs did not end in time: other workers take them over", seconds=settings.shutdown_timeout_seconds)
    log.info("worker stopped")
    leave_now(0)
