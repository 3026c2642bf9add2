"""Workers: take jobs, call one flow each, and keep the marketplace going."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from fairlead.api.health import DatabaseProbe, health_application
from fairlead.api.serve import serve_in_thread
from fairlead.core.errors import Unavailable
from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.flows.upkeep.duties import QUICK, SLOW, Upkeep, run_due_duties
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import QUEUE_OF, JobRun, Task
from fairlead.store.jobs.rate_limits import take_turn
from fairlead.store.jobs.runner import Bounds, Handler, Lane, run_worker
from fairlead.telemetry import metrics
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import correlation, get_logger
from fairlead.telemetry.traces import span

log = get_logger(__name__)

UPKEEP_TICK_SECONDS = 1.0

LONGEST_WAIT_SECONDS = 60.0


def connections_needed(settings: Settings) -> int:
    """How many connections the jobs, duties and health checks of one worker process may hold at once."""
    return settings.worker_concurrency + 2 * settings.delivery_concurrency + 5


def work(database: Database, settings: Settings, stop: threading.Event, on_running: Callable[[], None]) -> bool:
    """Jobs are done and duties kept, until `stop` is set; returns whether all that was under way then was finished.

    `on_running` is called whenever the queues have come to be served: at the start, and after each lost database.
    `stop` is set when this ends, however it does. Raises `SettingsError`, and `Refused` for an address that cannot be
    had, before anything is done.
    """
    handlers = _handlers(database, settings, stop)
    lanes = [
        Lane("distribute", settings.worker_concurrency),
        Lane("dispatch", 1),
        Lane("email", settings.delivery_concurrency),
        Lane("webhook", settings.delivery_concurrency),
    ]
    upkeep = Upkeep(database, settings)
    health = health_application(DatabaseProbe(database, worker_within_seconds=2.0 * settings.heartbeat_timeout_seconds))
    with ExitStack() as stack:
        served = stack.enter_context(serve_in_thread(health, settings.http_host, settings.worker_port))
        log.info("worker started", port=served.port, host=settings.http_host)
        # However the queues' service ends, by an error too, nothing keeps duties for it afterwards.
        stack.callback(stop.set)
        for duties in (QUICK, SLOW):
            threading.Thread(target=_keep, args=(upkeep, duties, stop), name="upkeep", daemon=True).start()
        return run_worker(
            database,
            lanes,
            handlers,
            Bounds(settings.heartbeat_timeout_seconds, settings.shutdown_timeout_seconds),
            stop,
            on_running,
        )


def _handlers(database: Database, settings: Settings, stop: threading.Event) -> Mapping[Task, Handler]:
    distributor = Distributor(database, settings.max_leads_per_batch, settings.retry_delay_factor)
    leads = LeadDistribution(distributor, _lead_turns(database, settings, stop))
    emails = EmailSender(database, open_mail_transport(settings), settings)
    webhooks = WebhookSender(database, settings)
    handlers: dict[Task, Handler] = {
        "distribute_lead": lambda run: leads.run(str(run.payload["lead_id"])),
        "dispatch_notifications": lambda run: dispatch_notifications(database),
        "send_email": lambda run: emails.send(str(run.payload["notification_id"]), run.job_id),
        "send_webhook": lambda run: webhooks.send(str(run.payload["notification_id"]), run.job_id),
    }
    return {task: _observed(handler) for task, handler in handlers.items()}


def _lead_turns(database: Database, settings: Settings, stop: threading.Event) -> Callable[[], None] | None:
    per_second = settings.max_leads_per_second
    if per_second is None:
        return None

    def wait() -> None:
        while (seconds := database.run(lambda conn: take_turn(conn, "distribute_lead", per_second))) > 0:
            # Asked again now and then also where turns are hours apart: the clock may be set.
            if stop.wait(min(seconds, LONGEST_WAIT_SECONDS)):
                raise Unavailable("this worker stops before the lead's turn came")

    return wait


def _observed(handler: Handler) -> Handler:
    """The handler, its runs logged and counted. What it raises goes on: the job is then run again."""

    def handle(run: JobRun) -> None:
        started, outcome = time.monotonic(), "failed"
        ids = {name: str(run.payload[name]) for name in ("lead_id", "notification_id") if name in run.payload}
        asked_by, parent = run.payload.get("correlation_id"), run.payload.get("traceparent")
        with (
            correlation(str(asked_by) if asked_by else None, job_id=run.job_id, task=run.task, **ids),
            span(run.task, parent=str(parent) if parent else None, job_id=run.job_id, **ids),
        ):
            try:
                handler(run)
                outcome = "done"
            except Exception as error:
                log.warning("job will be run again", error=error_kind(error))
                raise
            finally:
                metrics.job_ran(QUEUE_OF[run.task], run.task, outcome, time.monotonic() - started)

    return handle


def _keep(upkeep: Upkeep, duties: str, stop: threading.Event) -> None:
    """Ticks by the monotonic clock: one that is set cannot hold up what keeps the marketplace going."""
    while not stop.wait(UPKEEP_TICK_SECONDS):
        try:
            run_due_duties(upkeep, duties)
        except Exception as error:  # an outage, or a bug in one of them: the next tick must come all the same
            log.warning("upkeep failed", error=error_kind(error))
