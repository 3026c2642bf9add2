"""The gauges as Prometheus sees them, read at each scrape.

Their values are the same whichever process answers: put `max by` around them, never `sum`.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from fairlead.telemetry.deadline import Bounded
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.gauges import Gauges, NicheGauges, QueuedNotifications, QueueGauges
from fairlead.telemetry.logs import get_logger

_log = get_logger(__name__)

Row = TypeVar("Row")
_Column = tuple[str, str, Callable[[Row], float]]

_OF_A_QUEUE: tuple[_Column[QueueGauges], ...] = (
    ("jobs_ready", "Jobs that could start now.", lambda queue: queue.ready_jobs),
    ("jobs_scheduled", "Jobs that wait for their time, as a retry does.", lambda queue: queue.scheduled_jobs),
    ("jobs_running", "Jobs that a worker has taken.", lambda queue: queue.running_jobs),
    (
        "jobs_oldest_ready_seconds",
        "How long the oldest job that could start now has waited.",
        lambda queue: queue.oldest_ready_seconds,
    ),
    ("dead_letters_open", "Unresolved dead letters.", lambda queue: queue.open_dead_letters),
    (
        "dead_letters_oldest_seconds",
        "Age of the oldest unresolved dead letter.",
        lambda queue: queue.oldest_dead_letter_seconds,
    ),
)
_OF_A_NICHE: tuple[_Column[NicheGauges], ...] = (
    ("leads_waiting", "Approved leads that await a decision.", lambda niche: niche.waiting_leads),
    (
        "leads_oldest_waiting_seconds",
        "How long ago the oldest lead that awaits a decision was approved.",
        lambda niche: niche.oldest_waiting_seconds,
    ),
    (
        "zero_assignment_streak",
        "How many of the newest decisions, in a row, made no assignment; looks at the newest 1000 journal entries.",
        lambda niche: niche.zero_assignment_streak,
    ),
    ("journal_seq", "The number of the newest journal entry.", lambda niche: niche.journal_seq),
)
_OF_A_CHANNEL: tuple[_Column[QueuedNotifications], ...] = (
    (
        "notifications_waiting",
        "Notifications that no job has yet: just made, or held because their endpoint is paused.",
        lambda channel: channel.waiting,
    ),
    ("notifications_under_way", "Notifications that a job is to deliver.", lambda channel: channel.under_way),
    (
        "notifications_oldest_under_way_seconds",
        "How long ago the oldest notification under way was handed to its job.",
        lambda channel: channel.oldest_under_way_seconds,
    ),
)
_OF_ALL: tuple[tuple[str, str, Callable[[Gauges], float | None]], ...] = (
    (
        "workers_alive",
        "Workers with a recent heartbeat; each process has one for every queue.",
        lambda gauges: gauges.workers_alive,
    ),
    (
        "worker_heartbeat_age_seconds",
        "Age of the newest heartbeat of any worker; missing when no worker is registered.",
        lambda gauges: gauges.newest_heartbeat_seconds,
    ),
    (
        "webhook_endpoints_failing",
        "Active webhook endpoints whose newest delivery failed.",
        lambda gauges: gauges.failing_endpoints,
    ),
    ("bad_lead_reports_open", "Reports of bad leads that wait.", lambda gauges: gauges.reports.open_count),
    (
        "bad_lead_reports_overdue",
        "Reports of bad leads that are older than the days in which operators mean to decide.",
        lambda gauges: gauges.reports.overdue_count,
    ),
    (
        "bad_lead_reports_oldest_seconds",
        "Age of the oldest report of a bad lead that waits.",
        lambda gauges: gauges.reports.oldest_seconds,
    ),
    ("payments_in_doubt", "Payments in doubt that wait for an operator.", lambda gauges: gauges.payments.doubt_count),
    (
        "payments_in_doubt_oldest_seconds",
        "Age of the oldest payment in doubt that waits.",
        lambda gauges: gauges.payments.oldest_doubt_seconds,
    ),
    (
        "auto_top_ups_switched_off",
        "Auto top-ups that are off because a charge was refused, and not set anew since.",
        lambda gauges: gauges.payments.switched_off_count,
    ),
    (
        "reconciliation_differences",
        "What did not agree in the newest reconciliation; missing when there was none.",
        lambda gauges: gauges.reconciliation and gauges.reconciliation.difference_count,
    ),
    (
        "reconciliation_age_seconds",
        "How long ago the newest reconciliation ended; missing when there was none.",
        lambda gauges: gauges.reconciliation and gauges.reconciliation.age_seconds,
    ),
)


class DatabaseCollector(Collector):
    """Reads the gauges at each scrape with the function that it is given; that may raise, or hang."""

    def __init__(self, read: Callable[[], Gauges], timeout_seconds: float) -> None:
        self._read = Bounded(read, timeout_seconds)

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering a collector must not read from the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Whether the database could be read, how long that took, and what was read. Never raises."""
        began = time.monotonic()
        gauges: Gauges | None = None
        try:
            gauges = self._read()
        except Exception as error:
            _log.warning("the database could not be read for a scrape", error=error_kind(error))
        seconds = time.monotonic() - began
        yield _alone("database_up", "Whether the database could be read at this scrape: 1 or 0.", gauges is not None)
        yield _alone("database_read_seconds", "How long reading the database took at this scrape.", seconds)
        if gauges is not None:
            yield from database_metrics(gauges)


def database_metrics(gauges: Gauges) -> Iterable[Metric]:
    """The gauges, each under its name."""
    yield from _table("queue", _OF_A_QUEUE, {each.queue: each for each in gauges.queues})
    yield from _table("niche", _OF_A_NICHE, {each.niche: each for each in gauges.niches})
    yield from _table("channel", _OF_A_CHANNEL, {each.channel: each for each in gauges.notifications})
    for name, text, value_of in _OF_ALL:
        yield _alone(name, text, value_of(gauges))
    endpoints = _gauge("webhook_endpoints", "Webhook endpoints, by state: active, paused or disabled.", "state")
    for state, count in gauges.endpoints_by_state.items():
        endpoints.add_metric([state], count)
    yield endpoints
    attempts = _gauge(
        "job_attempts_recent",
        "Runs recorded in the last 15 minutes: failed, crashed, or succeeded after one of these.",
        "task",
        "outcome",
    )
    for (task, outcome), count in gauges.recent_attempts.items():
        attempts.add_metric([task, outcome], count)
    yield attempts


def _table(label: str, columns: Iterable[_Column[Row]], rows: Mapping[str, Row]) -> Iterable[Metric]:
    for name, text, value_of in columns:
        family = _gauge(name, text, label)
        for label_value, row in rows.items():
            family.add_metric([label_value], value_of(row))
        yield family


def _alone(name: str, text: str, value: float | None) -> Metric:
    family = _gauge(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fairlead_{name}", text, labels=labels)
