"""What is read from the database when a scrape looks: values only, the same in every process.

The queries that fill them are in store/watching/gauges.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueGauges:
    """A queue of jobs. Ready jobs could start now; scheduled ones wait for their time, as a retry does."""

    queue: str
    ready_jobs: int
    scheduled_jobs: int
    running_jobs: int
    oldest_ready_seconds: float
    open_dead_letters: int
    oldest_dead_letter_seconds: float


@dataclass(frozen=True, slots=True)
class NicheGauges:
    """A niche. `zero_assignment_streak` is how many of its newest decisions, in a row, assigned no provider."""

    niche: str
    waiting_leads: int
    oldest_waiting_seconds: float
    zero_assignment_streak: int
    journal_seq: int


@dataclass(frozen=True, slots=True)
class ReconciliationGauges:
    """The newest comparison of the books with themselves."""

    difference_count: int
    checked_count: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class ReportGauges:
    """Reports of bad leads that wait for a decision, and how many of them are older than the operators mean to let."""

    open_count: int
    overdue_count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class PaymentGauges:
    """Payments in doubt that wait for an operator, and auto top-ups that went off because a charge was refused."""

    doubt_count: int
    oldest_doubt_seconds: float
    switched_off_count: int


@dataclass(frozen=True, slots=True)
class QueuedNotifications:
    """A channel's notifications that were not sent yet.

    `waiting` were not handed to a job: only just made, or held because their endpoint is paused. `under_way` were.
    """

    channel: str
    waiting: int
    under_way: int
    oldest_under_way_seconds: float


@dataclass(frozen=True, slots=True)
class Gauges:
    """Everything that a scrape reads from the database.

    `newest_heartbeat_seconds` is None when no worker is registered, `reconciliation` when there was none yet.
    `recent_attempts` counts, by task and outcome, the runs recorded within the last 15 minutes: those that failed or
    crashed, and those that succeeded after a failure.
    """

    queues: tuple[QueueGauges, ...]
    niches: tuple[NicheGauges, ...]
    notifications: tuple[QueuedNotifications, ...]
    endpoints_by_state: Mapping[str, int]
    failing_endpoints: int
    workers_alive: int
    newest_heartbeat_seconds: float | None
    reconciliation: ReconciliationGauges | None
    recent_attempts: Mapping[tuple[str, str], int]
    reports: ReportGauges
    payments: PaymentGauges
