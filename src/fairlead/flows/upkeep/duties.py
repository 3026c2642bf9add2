"""What workers do on a schedule, and how often.

Every worker process ticks, and the database gives each duty to one of them when it is due (`store.schedules`): no
process has to be awake at a certain moment, and none is needed that the others do not have.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.flows.failures.descriptions import failure_text
from fairlead.flows.upkeep.clean_up import clean_up, forget_calls
from fairlead.flows.upkeep.compose_filters import compose_filters
from fairlead.flows.upkeep.fingerprint import fingerprint
from fairlead.flows.upkeep.funds import follow_funds
from fairlead.flows.upkeep.reconcile import reconcile_duty
from fairlead.flows.upkeep.remind import remind
from fairlead.flows.upkeep.reoffer import reoffer
from fairlead.flows.upkeep.snapshot_rosters import snapshot_rosters
from fairlead.flows.upkeep.take_over import take_over
from fairlead.flows.upkeep.unconfirmed import reject_unconfirmed
from fairlead.flows.upkeep.upkeep import Upkeep
from fairlead.store.connection import Connection
from fairlead.store.schedules import claim_duty, due_duties, end_duty
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

__all__ = ["DUTIES", "QUICK", "SLOW", "Duty", "DutyRun", "Upkeep", "run_due_duties"]

log = get_logger(__name__)

QUICK = "quick"
"""What must not wait until a long reconciliation is over."""
SLOW = "slow"

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done once per interval, by one process. It returns what it did, as counts."""

    name: str
    group: str
    every_seconds: float
    do: Callable[[Upkeep], Mapping[str, int]]
    at_start: bool = False
    """Done by each process at its first turn too: what it finds then may have lain there since the last one ended."""


DUTIES: tuple[Duty, ...] = (
    Duty("take_over", QUICK, 5, take_over),
    Duty("remind", QUICK, 300, remind, at_start=True),
    Duty("forget_calls", QUICK, 600, forget_calls),
    Duty("funds", SLOW, 300, follow_funds),
    Duty("reoffer", SLOW, 60, reoffer),
    Duty("reconcile", SLOW, DAY_SECONDS, reconcile_duty),
    Duty("clean_up", SLOW, DAY_SECONDS, clean_up),
    Duty("unconfirmed", SLOW, 3_600, reject_unconfirmed),
    Duty("fingerprint", SLOW, 60, fingerprint),
    Duty("compose_filters", SLOW, DAY_SECONDS, compose_filters),
    Duty("snapshot_rosters", SLOW, 60, snapshot_rosters),
)


@dataclass(frozen=True, slots=True)
class DutyRun:
    """A duty that this process did just now: what came of it, or the kind of error that it ended with."""

    name: str
    took_seconds: float
    counts: Mapping[str, int]
    error: str | None


def run_due_duties(upkeep: Upkeep, group: str, duties: tuple[Duty, ...] = DUTIES) -> list[DutyRun]:
    """The duties of the group that are due are done, one after the other; returns those that this process did.

    One that fails is on record with its kind of error, and the others are done all the same. Call it again and again:
    where nothing is due, it costs one query. Raises `Unavailable` when the database cannot even be asked.
    """
    every_seconds = {duty.name: _interval(upkeep, duty) for duty in duties if duty.group == group}
    due = upkeep.database.run(lambda conn: due_duties(conn, every_seconds))
    runs = [_run(upkeep, duty, every_seconds[duty.name]) for duty in duties if duty.name in due]
    return [run for run in runs if run is not None]


def _interval(upkeep: Upkeep, duty: Duty) -> float:
    return 0 if duty.at_start and duty.name not in upkeep.begun else duty.every_seconds


def _run(upkeep: Upkeep, duty: Duty, every_seconds: float) -> DutyRun | None:
    if not upkeep.database.run(lambda conn: claim_duty(conn, duty.name, every_seconds)):
        return None
    upkeep.begun.add(duty.name)
    started, error = time.monotonic(), None
    counts: Mapping[str, int] = {}
    try:
        counts = duty.do(upkeep)
    except Exception as failure:  # a bug in one duty, or an outage: neither may keep the others from being done
        error = failure_text(failure)
        log.error("upkeep failed", action=duty.name, exc_info=failure)
    done = DutyRun(duty.name, time.monotonic() - started, counts, error)
    if error is None and any(counts.values()):
        log.info("upkeep done", action=duty.name, count=sum(counts.values()), seconds=round(done.took_seconds, 3))
    _end(upkeep, done)
    return done


def _end(upkeep: Upkeep, done: DutyRun) -> None:
    def work(conn: Connection) -> None:
        end_duty(conn, done.name, done.error)

    try:
        upkeep.database.run(work)
    except Exception as failure:  # without its end on record it is begun again within the hour
        log.warning("upkeep went without a record", action=done.name, error=error_kind(failure))
