"""Counting what happened, and a scrape of it that never fails."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fairlead.telemetry import metrics
from fairlead.telemetry.deadline import Bounded
from fairlead.telemetry.gauges import (
    Gauges,
    NicheGauges,
    PaymentGauges,
    QueuedNotifications,
    QueueGauges,
    ReconciliationGauges,
    ReportGauges,
)
from fairlead.telemetry.metrics import Metrics, counting_in, make_metrics
from fairlead.telemetry.scrape import Scrape
from tests.waiting import PATIENCE_SECONDS, wait_until

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

GAUGES = Gauges(
    queues=(QueueGauges("email", 1, 2, 3, 4.5, 6, 7.5),),
    niches=(NicheGauges("hosting", 11, 12.5, 13, 14),),
    notifications=(QueuedNotifications("webhook", 21, 22, 23.5),),
    endpoints_by_state={"active": 31, "paused": 32, "disabled": 33},
    failing_endpoints=34,
    workers_alive=41,
    newest_heartbeat_seconds=42.5,
    reconciliation=ReconciliationGauges(51, 52, 53.5),
    recent_attempts={("send_email", "failed"): 61},
    reports=ReportGauges(71, 72, 73.5),
    payments=PaymentGauges(81, 82.5, 83),
)
EMPTY = Gauges((), (), (), {}, 0, 0, None, None, {}, ReportGauges(0, 0, 0), PaymentGauges(0, 0, 0))


@pytest.fixture
def fresh() -> Generator[Metrics]:
    with counting_in(make_metrics()) as made:
        yield made


def samples(scrape: Scrape) -> Samples:
    return parsed(scrape.text().decode())


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"fairlead_{name}", frozenset(labels.items())))


@pytest.mark.usefixtures("fresh")
def test_what_happened_is_counted() -> None:
    metrics.distributed("hosting", "success", 0.012, [0.2])
    metrics.distributed("hosting", "no_eligible", 0.004, [])
    metrics.assigned("hosting", "gold", 3)
    metrics.refused("hosting", "insufficient_balance", 5)
    metrics.distribution_failed("hosting", "DeadlockDetected 40P01")
    metrics.delivered("webhook", "sent", 0.3)
    metrics.job_ran("email", "send_email", "succeeded", 0.1)
    metrics.job_rescued("distribute")
    metrics.top_up_settled("switched_off")
    found = samples(Scrape())
    assert of(found, "decisions_total", niche="hosting", outcome="success") == 1
    assert of(found, "decisions_total", niche="hosting", outcome="no_eligible") == 1
    assert of(found, "distribution_duration_seconds_count", niche="hosting") == 2
    assert of(found, "distribution_duration_seconds_sum", niche="hosting") == pytest.approx(0.016)
    assert of(found, "approved_to_assigned_seconds_count", niche="hosting") == 1
    assert of(found, "approved_to_assigned_seconds_bucket", niche="hosting", le="0.1") == 0
    assert of(found, "approved_to_assigned_seconds_bucket", niche="hosting", le="0.3") == 1
    assert of(found, "assignments_total", niche="hosting", level="gold") == 3
    assert of(found, "refusals_total", niche="hosting", reason="insufficient_balance") == 5
    assert of(found, "distribution_failures_total", niche="hosting", error_kind="DeadlockDetected 40P01") == 1
    assert of(found, "deliveries_total", channel="webhook", result="sent") == 1
    assert of(found, "delivery_duration_seconds_sum", channel="webhook") == pytest.approx(0.3)
    assert of(found, "jobs_total", queue="email", task="send_email", outcome="succeeded") == 1
    assert of(found, "job_duration_seconds_count", queue="email", task="send_email") == 1
    assert of(found, "jobs_rescued_total", queue="distribute") == 1
    assert of(found, "top_up_charges_total", outcome="switched_off") == 1
    assert next(value for (name, _), value in found.items() if name == "fairlead_build_info") == 1


def test_metrics_made_anew_begin_at_zero(fresh: Metrics) -> None:
    metrics.assigned("hosting", "gold", 3)
    with counting_in(make_metrics()):
        assert of(samples(Scrape()), "assignments_total", niche="hosting", level="gold") is None
        metrics.assigned("hosting", "gold", 1)
    assert of(samples(Scrape()), "assignments_total", niche="hosting", level="gold") == 3
    assert fresh.registry.get_sample_value("fairlead_assignments_total", {"niche": "hosting", "level": "gold"}) == 3


@pytest.mark.usefixtures("fresh")
def test_what_the_database_says_is_shown_under_its_names() -> None:
    found = samples(Scrape(lambda: GAUGES))
    assert of(found, "database_up") == 1
    expected = {
        ("jobs_ready", "queue", "email"): 1,
        ("jobs_scheduled", "queue", "email"): 2,
        ("jobs_running", "queue", "email"): 3,
        ("jobs_oldest_ready_seconds", "queue", "email"): 4.5,
        ("dead_letters_open", "queue", "email"): 6,
        ("dead_letters_oldest_seconds", "queue", "email"): 7.5,
        ("leads_waiting", "niche", "hosting"): 11,
        ("leads_oldest_waiting_seconds", "niche", "hosting"): 12.5,
        ("zero_assignment_streak", "niche", "hosting"): 13,
        ("journal_seq", "niche", "hosting"): 14,
        ("notifications_waiting", "channel", "webhook"): 21,
        ("notifications_under_way", "channel", "webhook"): 22,
        ("notifications_oldest_under_way_seconds", "channel", "webhook"): 23.5,
        ("webhook_endpoints", "state", "active"): 31,
        ("webhook_endpoints", "state", "paused"): 32,
        ("webhook_endpoints", "state", "disabled"): 33,
    }
    assert {key: of(found, key[0], **{key[1]: key[2]}) for key in expected} == expected
    alone = {
        "webhook_endpoints_failing": 34,
        "bad_lead_reports_open": 71,
        "bad_lead_reports_overdue": 72,
        "bad_lead_reports_oldest_seconds": 73.5,
        "payments_in_doubt": 81,
        "payments_in_doubt_oldest_seconds": 82.5,
        "auto_top_ups_switched_off": 83,
        "workers_alive": 41,
        "worker_heartbeat_age_seconds": 42.5,
        "reconciliation_differences": 51,
        "reconciliation_age_seconds": 53.5,
    }
    assert {name: of(found, name) for name in alone} == alone
    assert of(found, "job_attempts_recent", task="send_email", outcome="failed") == 61


@pytest.mark.usefixtures("fresh")
def test_what_is_not_known_has_no_value() -> None:
    found = samples(Scrape(lambda: EMPTY))
    assert of(found, "workers_alive") == 0
    for name in ("worker_heartbeat_age_seconds", "reconciliation_differences", "reconciliation_age_seconds"):
        assert of(found, name) is None


@pytest.mark.usefixtures("fresh")
def test_when_the_database_is_away_the_counters_still_come() -> None:
    def away() -> Gauges:
        raise ConnectionError("no server is there")

    metrics.assigned("hosting", "gold", 3)
    found = samples(Scrape(away))
    assert of(found, "database_up") == 0
    assert of(found, "assignments_total", niche="hosting", level="gold") == 3
    assert of(found, "workers_alive") is None


@pytest.mark.usefixtures("fresh")
def test_a_database_that_hangs_does_not_hang_the_scrape() -> None:
    thawed = threading.Event()
    calls: list[str] = []

    def frozen() -> Gauges:
        calls.append("asked")
        thawed.wait(PATIENCE_SECONDS)  # and then the database is up
        return EMPTY

    scrape = Scrape(frozen, timeout_seconds=0.2)
    for _ in range(5):
        assert of(samples(scrape), "database_up") == 0
    assert calls == ["asked"]  # the others did not pile up behind it
    thawed.set()
    wait_until(lambda: of(samples(scrape), "database_up") == 1)


def test_a_bounded_call_hands_on_results_and_errors() -> None:
    assert Bounded(lambda: 7, 5)() == 7
    assert Bounded(lambda: None, 5)() is None
    with pytest.raises(ZeroDivisionError):
        Bounded(lambda: 1 / 0, 5)()


def test_processes_that_share_a_port_are_counted_together(tmp_path: Path) -> None:
    """Two real processes count, a third, as any of the group would, answers for all of them."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    count = """
import sys
from fairlead.telemetry import metrics
metrics.assigned("hosting", "gold", int(sys.argv[1]))
metrics.distributed("hosting", "success", 0.02, [0.2])
"""
    for number in ("3", "4"):
        subprocess.run([sys.executable, "-c", count, number], env=environment, check=True)
    answer = "from fairlead.telemetry.scrape import Scrape; print(Scrape().text().decode())"
    done = subprocess.run([sys.executable, "-c", answer], env=environment, check=True, capture_output=True, text=True)
    found = parsed(done.stdout)
    assert of(found, "assignments_total", niche="hosting", level="gold") == 7
    assert of(found, "distribution_duration_seconds_count", niche="hosting") == 2
    assert of(found, "approved_to_assigned_seconds_bucket", niche="hosting", le="0.3") == 2
    assert any(name == "fairlead_build_info" for name, _ in found)
