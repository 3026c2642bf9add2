"""What workers do on a schedule, and how often.

Every worker process ticks, and the database gives each task to one of them when it is due (`store.schedules`): no
process has to be awake at a certain moment, and none is needed that the others do not have.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fairlead.flows.chunks import RunTime
from fairlead.flows.failures.descriptions import failure_text
from fairlead.flows.maintenance.clean_up import clean_up, forget_calls
from fairlead.flows.maintenance.close_months import close_months_task
from fairlead.flows.maintenance.compose_filters import compose_filters
from fairlead.flows.maintenance.count_entitlement import count_entitlement
from fairlead.flows.maintenance.expire_exports import expire_exports
from fairlead.flows.maintenance.fingerprint import fingerprint
from fairlead.flows.maintenance.funds import follow_funds
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.maintenance.reconcile import reconcile_task
from fairlead.flows.maintenance.reoffer import reoffer, reopen
from fairlead.flows.maintenance.rescue import rescue
from fairlead.flows.maintenance.retain import retain
from fairlead.flows.maintenance.roll_up import roll_up
from fairlead.flows.maintenance.snapshot_rosters import snapshot_rosters
from fairlead.flows.maintenance.unconfirmed import reject_unconfirmed
from fairlead.flows.payments.ask_again import ask_gateways
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.saving_methods import ask_about_savings
from fairlead.flows.proving.verifications import verify_requested
from fairlead.store.connection import Connection
from fairlead.store.schedules import claim_task, due_tasks, end_task
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

__all__ = [
    "GROUPS",
    "PAYMENTS",
    "PERIODIC_TASKS",
    "PROOF",
    "QUICK",
    "SLOW",
    "Maintenance",
    "PeriodicTask",
    "TaskRun",
    "run_due_tasks",
]

log = get_logger(__name__)

QUICK = "quick"
"""What must not wait until a long reconciliation is over."""
SLOW = "slow"
PROOF = "proof"
"""What may take an hour, and keeps no other task waiting."""
PAYMENTS = "payments"
"""What waits for gateways outside."""
GROUPS = (QUICK, SLOW, PROOF, PAYMENTS)
"""Each has a thread of its own in every worker."""

DAY_SECONDS = 86_400

RUN_SECONDS = 120.0
"""A run that has more to do than it can in this time leaves the rest to the next, and the others of its group go on."""
TOLD_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Something that is done once per interval, by one process. It returns what it did, as counts."""

    name: str
    group: str
    every_seconds: float
    do: Callable[[Maintenance], Mapping[str, int]]
    at_start: bool = False
    """Done by each process at its first turn too: what it finds then may have lain there since the last one ended."""


PERIODIC_TASKS: tuple[PeriodicTask, ...] = (
    PeriodicTask("rescue", QUICK, 5, rescue),
    PeriodicTask("requeue_orphans", QUICK, 300, requeue_orphans, at_start=True),
    PeriodicTask("reopen", QUICK, 5, reopen),
    PeriodicTask("forget_calls", QUICK, 600, forget_calls),
    PeriodicTask("funds", SLOW, 300, follow_funds),
    PeriodicTask("reoffer", SLOW, 60, reoffer),
    PeriodicTask("reconcile", SLOW, DAY_SECONDS, reconcile_task),
    PeriodicTask("clean_up", SLOW, DAY_SECONDS, clean_up),
    PeriodicTask("expire_exports", SLOW, 3_600, expire_exports),
    PeriodicTask("close_months", SLOW, 600, close_months_task),
    PeriodicTask("unconfirmed", SLOW, 3_600, reject_unconfirmed),
    PeriodicTask("retain", SLOW, DAY_SECONDS, retain),
    PeriodicTask("fingerprint", SLOW, 60, fingerprint),
    PeriodicTask("compose_filters", SLOW, DAY_SECONDS, compose_filters),
    PeriodicTask("snapshot_rosters", SLOW, 60, snapshot_rosters),
    PeriodicTask("roll_up", SLOW, 300, roll_up),
    PeriodicTask("count_entitlement", SLOW, 60, count_entitlement),
    PeriodicTask("verify", PROOF, 5, verify_requested),
    PeriodicTask("ask_gateways", PAYMENTS, 2, ask_gateways),
    PeriodicTask("ask_about_methods", PAYMENTS, 2, ask_about_savings),
    PeriodicTask("charge_top_ups", PAYMENTS, 2, charge_top_ups),
)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A task that this process did just now: what came of it, or the kind of error that it ended with.

    `is_cut_short`: its time was over, or its process is to end, before all was done.
    """

    name: str
    took_seconds: float
    counts: Mapping[str, int]
    error: str | None
    is_cut_short: bool = False


def run_due_tasks(
    maintenance: Maintenance, group: str, tasks: tuple[PeriodicTask, ...] = PERIODIC_TASKS
) -> list[TaskRun]:
    """The tasks of the group that are due are done, one after the other; returns those that this process did.

    One that fails is on record with its kind of error, and the others are done all the same. Call it again and again:
    where nothing is due, it costs one query. Raises `Unavailable` when the database cannot even be asked.
    """
    every_seconds = {task.name: _interval(maintenance, task) for task in tasks if task.group == group}
    due = maintenance.database.run(lambda conn: due_tasks(conn, every_seconds))
    runs = [_run(maintenance, task, every_seconds[task.name]) for task in tasks if task.name in due]
    return [run for run in runs if run is not None]


def _interval(maintenance: Maintenance, task: PeriodicTask) -> float:
    return 0 if task.at_start and task.name not in maintenance.begun else task.every_seconds


def _run(maintenance: Maintenance, task: PeriodicTask, every_seconds: float) -> TaskRun | None:
    if not maintenance.database.run(lambda conn: claim_task(conn, task.name, every_seconds)):
        return None
    maintenance.begun.add(task.name)
    started, error = time.monotonic(), None
    counts: Mapping[str, int] = {}
    run_time = RunTime(RUN_SECONDS, maintenance.stop.is_set, _telling(task.name))
    try:
        counts = task.do(replace(maintenance, run_time=run_time))
    except Exception as failure:  # a bug in one task, or an outage: neither may keep the others from being done
        error = failure_text(failure)
        log.error("periodic task failed", action=task.name, exc_info=failure)
    done = TaskRun(task.name, time.monotonic() - started, counts, error, run_time.is_cut_short)
    if done.is_cut_short:
        log.info("periodic task goes on with its next run", action=task.name, count=sum(counts.values()))
    if error is None and any(counts.values()):
        log.info(
            "periodic task done", action=task.name, count=sum(counts.values()), seconds=round(done.took_seconds, 3)
        )
    _end(maintenance, done)
    return done


def _telling(name: str) -> Callable[[int], None]:
    """Says in the log, now and then, how far the task is."""
    told_at = time.monotonic()

    def tell(count: int) -> None:
        nonlocal told_at
        if time.monotonic() >= told_at + TOLD_EVERY_SECONDS:
            told_at = time.monotonic()
            log.info("periodic task under way", action=name, count=count)

    return tell


def _end(maintenance: Maintenance, done: TaskRun) -> None:
    def work(conn: Connection) -> None:
        end_task(conn, done.name, done.error, is_cut_short=done.is_cut_short)

    try:
        maintenance.database.run(work)
    except Exception as failure:  # without its end on record it is begun again within the hour
        log.warning("periodic task went without a record", action=done.name, error=error_kind(failure))
