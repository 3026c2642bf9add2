"""Workers: take jobs, call one flow each, and do the periodic tasks."""

import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext

from fairlead.api.health import DatabaseProbe, health_application
from fairlead.api.serve import serve_in_thread
from fairlead.core.errors import Unavailable
from fairlead.delivery.mail_transport import MailTransport, open_mail_transport
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting.build_export import ExportBuilder
from fairlead.flows.maintenance.periodic import GROUPS, Maintenance, run_due_tasks
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.flows.precedence import Precedence
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import ISOLATED, QUEUE_OF, JobRun, Task
from fairlead.store.jobs.runner import Bounds, Handler, QueueConfig, run_worker
from fairlead.store.rate_limits import take_turn
from fairlead.telemetry import metrics
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import correlation, get_logger
from fairlead.telemetry.traces import span

log = get_logger(__name__)

TICK_SECONDS = 1.0

LONGEST_WAIT_SECONDS = 60.0

EMAILS_AT_ONCE = 50
"""What one thread takes at a time, and sends over one connection."""

BATCH_SECONDS = 5.0
"""What was read of an email's lead and provider is no older than this when it is sent; the rest is read anew."""

SWITCH_SECONDS = 0.001


def connections_needed(settings: Settings) -> int:
    """How many connections the jobs, tasks and health checks of one worker process may hold at once."""
    return settings.worker_concurrency + 2 * settings.delivery_concurrency + 9


def work(database: Database, settings: Settings, stop: threading.Event, on_running: Callable[[], None]) -> bool:
    """Jobs are done and tasks kept, until `stop` is set; returns whether all that was under way then was finished.

    `on_running` is called whenever the queues have come to be served: at the start, and after each lost database.
    `stop` is set when this ends, however it does. Raises `SettingsError`, and `Refused` for an address that cannot be
    had, before anything is done.
    """
    precedence = Precedence()
    handlers = _handlers(database, settings, stop, precedence, open_mail_transport(settings))
    queues = [
        QueueConfig("distribute", settings.worker_concurrency),
        QueueConfig("dispatch", 1),
        QueueConfig("email", settings.delivery_concurrency, EMAILS_AT_ONCE),
        QueueConfig("webhook", settings.delivery_concurrency),
        QueueConfig("export", 1),
        QueueConfig(ISOLATED, 1),
    ]
    health = health_application(DatabaseProbe(database, worker_within_seconds=2.0 * settings.heartbeat_timeout_seconds))
    with ExitStack() as stack:
        at = settings.http_host, settings.worker_port
        served = stack.enter_context(serve_in_thread(health, *at, "FAIRLEAD_WORKER_PORT"))
        log.info("worker started", port=served.port, host=settings.http_host)
        # However serving the queues ends, by an error too, nothing keeps tasks for it afterwards.
        stack.callback(stop.set)
        _keep_tasks(database, settings, stop)
        # A thread that renders mails lets go of the interpreter this soon for one that decides.
        sys.setswitchinterval(SWITCH_SECONDS)
        bounds = Bounds(settings.heartbeat_timeout_seconds, settings.shutdown_timeout_seconds)
        return run_worker(database, queues, handlers, bounds, stop, on_running, precedence.expect)


@contextmanager
def working_beside(database: Database, settings: Settings, mail: MailTransport) -> Generator[None]:
    """While the block runs, threads of this process do what a worker does, for one that decides its leads itself.

    Jobs of leads, and of handing out what is to be told, are left to it. Emails leave by `mail`; no port is opened.
    """
    stop, precedence = threading.Event(), Precedence()
    handlers = _handlers(database, settings, stop, precedence, mail)
    queues = [QueueConfig("email", 1, EMAILS_AT_ONCE), QueueConfig("webhook", 1), QueueConfig("export", 1)]
    bounds = Bounds(settings.heartbeat_timeout_seconds, settings.shutdown_timeout_seconds)
    serving = threading.Thread(
        target=run_worker, args=(database, queues, handlers, bounds, stop), name="worker", daemon=True
    )
    serving.start()
    _keep_tasks(database, settings, stop)
    try:
        yield
    finally:
        stop.set()
        serving.join(settings.shutdown_timeout_seconds)


def _keep_tasks(database: Database, settings: Settings, stop: threading.Event) -> None:
    maintenance = Maintenance(database, settings, stop=stop)
    for tasks in GROUPS:
        threading.Thread(target=_keep, args=(maintenance, tasks, stop), name="maintenance", daemon=True).start()


def _handlers(
    database: Database, settings: Settings, stop: threading.Event, precedence: Precedence, mail: MailTransport
) -> Mapping[Task, Handler]:
    distributor = Distributor(database, settings.max_leads_per_batch, settings.retry_delay_factor)
    leads = LeadDistribution(distributor, _lead_turns(database, settings, stop))
    emails = EmailSender(database, mail, settings)
    webhooks = WebhookSender(database, settings)
    exports = ExportBuilder(database, settings)

    def decide(run: JobRun) -> None:
        with precedence.taken():
            leads.run(str(run.payload["lead_id"]))

    def send_emails(runs: Sequence[JobRun]) -> Collection[int]:
        until = time.monotonic() + BATCH_SECONDS

        def may_go_on() -> bool:
            precedence.give()
            return not stop.is_set() and time.monotonic() < until

        job_ids = {str(run.payload["notification_id"]): run.job_id for run in reversed(runs)}
        return emails.send_all(job_ids, may_go_on)[1]

    def build_exports(runs: Sequence[JobRun]) -> Collection[int]:
        def may_go_on() -> bool:
            precedence.give()
            return not stop.is_set()

        return [run.job_id for run in runs if not exports.build(str(run.payload["export_id"]), may_go_on)]

    handlers: dict[Task, Handler] = {
        "distribute_lead": _one_by_one(decide),
        "dispatch_notifications": _one_by_one(lambda run: dispatch_notifications(database)),
        "send_email": send_emails,
        "send_webhook": _one_by_one(lambda run: webhooks.send(str(run.payload["notification_id"]), run.job_id)),
        "build_export": build_exports,
    }
    return {task: _observed(handler) for task, handler in handlers.items()}


def _one_by_one(do: Callable[[JobRun], object]) -> Handler:
    def handle(runs: Sequence[JobRun]) -> None:
        for run in runs:
            do(run)

    return handle


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
    """The handler, its runs logged and counted. What it raises goes on: the jobs are then run again."""

    def handle(runs: Sequence[JobRun]) -> Collection[int] | None:
        started, outcome = time.monotonic(), "failed"
        # What several are about is in the lines of each.
        with _traced(runs[0]) if len(runs) == 1 else nullcontext():
            try:
                left = handler(runs)
                outcome = "done"
            except Exception as error:
                log.warning("jobs will be run again", error=error_kind(error), count=len(runs))
                raise
            finally:
                seconds = (time.monotonic() - started) / len(runs)
                for run in runs:
                    metrics.job_ran(QUEUE_OF[run.task], run.task, outcome, seconds)
            return left

    return handle


@contextmanager
def _traced(run: JobRun) -> Generator[None]:
    ids = {name: str(run.payload[name]) for name in ("lead_id", "notification_id", "export_id") if name in run.payload}
    asked_by, parent = run.payload.get("correlation_id"), run.payload.get("traceparent")
    with (
        correlation(str(asked_by) if asked_by else None, job_id=run.job_id, task=run.task, **ids),
        span(run.task, parent=str(parent) if parent else None, job_id=run.job_id, **ids),
    ):
        yield


def _keep(maintenance: Maintenance, tasks: str, stop: threading.Event) -> None:
    """Ticks by the monotonic clock: one that is set cannot hold up what keeps the marketplace going."""
    while not stop.wait(TICK_SECONDS):
        try:
            run_due_tasks(maintenance, tasks)
        except Exception as error:  # an outage, or a bug in one of them: the next tick must come all the same
            log.warning("periodic tasks failed", error=error_kind(error))
