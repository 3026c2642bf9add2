"""Metrics that this process counts itself: what happened, told by the code that did it, by calling one function.

Counters are each process's own; Prometheus sums them. Labels are niches, levels, reasons and the like, of which there
are few: never a lead's or a provider's id.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

# The time at which each counter was made is a series more for every series, and no dashboard asks for it.
disable_created_metrics()

# From one batch of decisions on an idle machine to a transaction that waited for its locks until it gave up.
_DISTRIBUTION_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
# From an idle system (30 ms) over a retry (5 s to 5 min) to a lead that an operator had to look at.
_APPROVED_TO_ASSIGNED_SECONDS = (0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
_DELIVERY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 60)
_JOB_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True)
class Metrics:
    """One process's counters and histograms, in a registry of their own."""

    registry: CollectorRegistry
    decisions: Counter
    distribution_seconds: Histogram
    approved_to_assigned_seconds: Histogram
    assignments: Counter
    refusals: Counter
    distribution_failures: Counter
    deliveries: Counter
    delivery_seconds: Histogram
    jobs: Counter
    job_seconds: Histogram
    jobs_rescued: Counter
    top_up_charges: Counter


def make_metrics() -> Metrics:
    """Counters at zero in a new registry, with this process's own memory, processor time and open files beside them."""
    registry = CollectorRegistry()
    if not in_process_group():  # the library's advice: they would be those of whichever process answers
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

    def counter(name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fairlead_{name}", text, labels, registry=registry)

    def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"fairlead_{name}", text, labels, buckets=buckets, registry=registry)

    return Metrics(
        registry,
        counter("decisions_total", "Decisions that were committed, by outcome.", "niche", "outcome"),
        histogram(
            "distribution_duration_seconds",
            "Time from beginning to decide a lead to the commit.",
            _DISTRIBUTION_SECONDS,
            "niche",
        ),
        histogram(
            "approved_to_assigned_seconds",
            "Time from a lead's approval to the decision that assigned it.",
            _APPROVED_TO_ASSIGNED_SECONDS,
            "niche",
        ),
        counter("assignments_total", "Leads given to providers, by competition level.", "niche", "level"),
        counter("refusals_total", "Candidates that a gate refused, by reason.", "niche", "reason"),
        counter(
            "distribution_failures_total",
            "Distributions that raised and wrote nothing, by kind of error.",
            "niche",
            "error_kind",
        ),
        counter("deliveries_total", "Attempts to deliver a notification, by result.", "channel", "result"),
        histogram("delivery_duration_seconds", "Time of one attempt to deliver.", _DELIVERY_SECONDS, "channel"),
        counter("jobs_total", "Runs of jobs, by outcome.", "queue", "task", "outcome"),
        histogram("job_duration_seconds", "Time of one run of a job.", _JOB_SECONDS, "queue", "task"),
        counter("jobs_rescued_total", "Jobs of workers that died, queued anew or given up.", "queue"),
        counter("top_up_charges_total", "Charges of auto top-up that were settled, by outcome.", "outcome"),
    )


def in_process_group() -> bool:
    """Whether several processes answer on one port and keep their counters together, in files.

    PROMETHEUS_MULTIPROC_DIR names the directory. It must be set before Python starts and emptied before the group does.
    """
    return bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))


_current = make_metrics()


def current_metrics() -> Metrics:
    """Those that the functions of this module count in."""
    return _current


@contextmanager
def counting_in(metrics: Metrics) -> Generator[Metrics]:
    """In the block, in every thread, the functions of this module count in these metrics. For tests."""
    global _current
    before, _current = _current, metrics
    try:
        yield metrics
    finally:
        _current = before


def distributed(niche: str, outcome: str, seconds: float, approved_to_assigned_seconds: Sequence[float]) -> None:
    """A decision was committed; call it after the commit, once per lead.

    `seconds` is what it took, a batch's time being every lead's in it. `approved_to_assigned_seconds` has one value
    for the lead if the decision assigned it, and none if it did not.
    """
    metrics = _current
    metrics.decisions.labels(niche, outcome).inc()
    metrics.distribution_seconds.labels(niche).observe(seconds)
    for waited_seconds in approved_to_assigned_seconds:
        metrics.approved_to_assigned_seconds.labels(niche).observe(waited_seconds)


def assigned(niche: str, level: str, count: int) -> None:
    """So many assignments were committed on this competition level (its name)."""
    _current.assignments.labels(niche, level).inc(count)


def refused(niche: str, reason: str, count: int) -> None:
    """So many candidates were refused for this reason, in a decision that was committed."""
    _current.refusals.labels(niche, reason).inc(count)


def distribution_failed(niche: str, error_kind: str) -> None:
    """An attempt raised and wrote nothing. `error_kind` comes from `telemetry.errors.error_kind`."""
    _current.distribution_failures.labels(niche, error_kind).inc()


def delivered(channel: str, result: str, seconds: float) -> None:
    """One attempt to deliver ended: `sent`, `failed` (it will be tried again) or `rejected` (it will not)."""
    metrics = _current
    metrics.deliveries.labels(channel, result).inc()
    metrics.delivery_seconds.labels(channel).observe(seconds)


def job_ran(queue: str, task: str, outcome: str, seconds: float) -> None:
    """One run of a job ended: `done`, or `failed` when it raised and will be run again."""
    metrics = _current
    metrics.jobs.labels(queue, task, outcome).inc()
    metrics.job_seconds.labels(queue, task).observe(seconds)


def job_rescued(queue: str) -> None:
    """A job of a worker that died was given back to the queue."""
    _current.jobs_rescued.labels(queue).inc()


def top_up_settled(outcome: str) -> None:
    """A charge of auto top-up was settled; call it after the commit. The outcome is a `core.top_ups.TopUpOutcome`."""
    _current.top_up_charges.labels(outcome).inc()
