"""Thousands of leads approved at once: how fast workers decide them, and tell of them, beside direct distribution.

`python -m bench burst`. The base is what `fairlead distribute --pending` does: one process, no jobs, no emails.
"""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.latency import STEADY
from bench.measured_market import copy_of_template, jobs_of, niche_ids, pending_lead_ids, template
from bench.workers import workers
from fairlead.flows.approve_lead import approve_lead, approve_leads
from fairlead.flows.distributor import Distributor
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database

PATIENCE_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class BurstEffort:
    """How much is measured. Emails are watched for so long after the last decision."""

    leads: int = 5_000
    niches: int = 5
    subscriptions_per_level: int = 1_000
    worker_counts: tuple[int, ...] = (1, 2)
    email_seconds: float = 40.0
    sample_seconds: float = 0.5
    clients: int = 4
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """What waited so many seconds after the first approval was asked for."""

    seconds: float
    leads: int
    emails: int


@dataclass(frozen=True, slots=True)
class Burst:
    """One burst. `approval` is `bulk` (one call) or `singly` (a call for each lead, by some clients at once).

    Leads per second are from the first approval to the last decision, by the database's clock; emails per second those
    sent in that time, and afterwards, when nothing else is to be done.
    """

    approval: str
    workers: int
    approving_seconds: float
    leads_per_second: float
    assignments: int
    emails_per_second_meanwhile: float
    emails_per_second_afterwards: float
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Bursts:
    """All bursts of a run, and how fast the same leads were distributed directly before and after them."""

    bursts: tuple[Burst, ...]
    direct_leads_per_second: tuple[float, ...]


def measure_bursts(server_url: str, effort: BurstEffort) -> Bursts:
    """Direct distribution, every kind of burst, direct distribution again, each on a fresh copy of the same leads."""
    leads = effort.leads // effort.niches
    with template(server_url, STEADY, effort.niches, effort.subscriptions_per_level, leads, effort.seed):
        before = _direct(server_url)
        bursts = tuple(
            _burst(server_url, approval, count, effort)
            for count in effort.worker_counts
            for approval in ("bulk", "singly")
        )
        return Bursts(bursts, (before, _direct(server_url)))


def _direct(server_url: str) -> float:
    with copy_of_template(server_url, "direct") as database:
        approve_leads(database, pending_lead_ids(database), OPERATOR)
        distributor = Distributor(database)
        started, count = time.perf_counter(), 0
        for niche_id in niche_ids(database):
            while decided := len(distributor.distribute_waiting(niche_id)):
                count += decided
        return count / (time.perf_counter() - started)


def _burst(server_url: str, approval: str, count: int, effort: BurstEffort) -> Burst:
    with (
        copy_of_template(server_url, "burst") as database,
        tempfile.TemporaryDirectory(prefix="fairlead-bench-") as directory,
    ):
        lead_ids = pending_lead_ids(database)
        with workers(database.url, count, Path(directory)):
            with _sampling(database, effort.sample_seconds) as samples:
                approving_seconds = _approve(database, lead_ids, approval, effort.clients)
                _await_decisions(database)
                _await_emails(database, effort.email_seconds)
            burst = _outcome(database, approval, count, approving_seconds, tuple(samples))
        broken = [check for check in verify(database).checks if not check.holds]
        assert not broken, f"after the burst this does not hold: {broken}"
        return burst


def _approve(database: Database, lead_ids: Sequence[str], approval: str, clients: int) -> float:
    started = time.perf_counter()
    if approval == "bulk":
        approve_leads(database, lead_ids, OPERATOR)
    else:
        with ThreadPoolExecutor(clients) as pool:
            for _ in pool.map(lambda lead_id: approve_lead(database, lead_id, OPERATOR), lead_ids):
                pass
    return time.perf_counter() - started


@contextmanager
def _sampling(database: Database, every_seconds: float) -> Iterator[list[Sample]]:
    """While the block runs, what waits is noted every so many seconds, and once more at its end."""
    samples: list[Sample] = []
    over = threading.Event()
    started = time.perf_counter()

    def watch() -> None:
        is_last = False
        while not is_last:
            is_last = over.wait(every_seconds)
            with database.transaction() as conn:
                leads, emails = _waiting_leads(conn), jobs_of(conn, ["email"])
            samples.append(Sample(time.perf_counter() - started, leads, emails))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def _waiting_leads(conn: Connection) -> int:
    return conn.execute("select count(*) from leads where awaits_decision").fetchall()[0][0]


def _await_decisions(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while database.run(_waiting_leads):
        if time.monotonic() > deadline:
            raise TimeoutError("leads were left without a decision")
        time.sleep(0.1)


def _await_emails(database: Database, seconds: float) -> None:
    """All emails are sent, or so many seconds are over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and database.run(lambda conn: jobs_of(conn, ["dispatch", "email"])):
        time.sleep(min(0.2, seconds))


def _outcome(
    database: Database, approval: str, count: int, approving_seconds: float, samples: tuple[Sample, ...]
) -> Burst:
    with database.snapshot() as conn:
        [(leads, decision_seconds, assignments, meanwhile, afterwards, email_seconds)] = conn.execute(
            """
            select leads.count, extract(epoch from decided - approved)::float8,
                   (select count(*) from assignments where assigned_at > approved),
                   count(*) filter (where sent_at <= decided), count(*) filter (where sent_at > decided),
                   extract(epoch from max(sent_at) - decided)::float8
            from (select count(*), min(approved_at) as approved, max(last_attempt_at) as decided
                  from leads where approved_by = %s) leads
            join notifications n on n.channel = 'email' and n.state = 'sent' and n.created_at > approved
            group by leads.count, decided, approved
            """,
            (OPERATOR.name,),  # what the niches sold in their past was approved by another
        ).fetchall()
    return Burst(
        approval,
        count,
        approving_seconds,
        leads / decision_seconds,
        assignments,
        meanwhile / decision_seconds,
        afterwards / email_seconds if email_seconds and email_seconds > 0 else 0.0,
        samples,
    )
