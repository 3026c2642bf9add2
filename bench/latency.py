"""From approving a lead to its being assigned, by a real worker process, beside what it cannot be faster than.

`python -m bench latency`. One lead after the other on an idle system, then leads that come at random moments.
"""

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.measured_market import copy_of_template, niche_ids, pending_lead_ids, template
from bench.population import POPULATIONS
from bench.server import SCHEMA
from bench.workers import workers
from fairlead.flows.approve_lead import approve_lead, approve_niche
from fairlead.flows.distributor import Distributor
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import jobs_at_all

PATIENCE_SECONDS = 30
STEADY = next(population for population in POPULATIONS if population.name == "steady")


@dataclass(frozen=True, slots=True)
class LatencyEffort:
    """How much is measured: rounds of leads one at a time, then leads in traffic."""

    rounds: int = 15
    leads: int = 20
    subscriptions_per_level: int = 1_000
    traffic_leads: int = 300
    traffic_per_second: float = 5.0
    seed: int = 1


@dataclass(slots=True)
class Latencies:
    """Milliseconds, one list per round.

    `assigned` is from `approved_at` to `assigned_at`, by the database's clock. `told` is from the approval's commit,
    and `asked` from the call that approved, until the client knew that the decision was committed. `direct` is the call
    of `Distributor.distribute_waiting` for one lead, `commit` a transaction that inserts one row. `traffic` is as
    `assigned`, of leads that came at random moments.
    """

    assigned: list[list[float]] = field(default_factory=list[list[float]])
    told: list[list[float]] = field(default_factory=list[list[float]])
    asked: list[list[float]] = field(default_factory=list[list[float]])
    direct: list[list[float]] = field(default_factory=list[list[float]])
    commit: list[list[float]] = field(default_factory=list[list[float]])
    traffic: list[list[float]] = field(default_factory=list[list[float]])


def measure_latency(server_url: str, effort: LatencyEffort) -> Latencies:
    """Everything that `Latencies` names, in turn within each round. The databases are gone afterwards."""
    leads = (effort.rounds + 1) * effort.leads + effort.traffic_leads
    measured = Latencies()
    with (
        template(server_url, STEADY, 1, effort.subscriptions_per_level, leads, effort.seed),
        copy_of_template(server_url, "latency") as database,
        copy_of_template(server_url, "direct") as twin,
        tempfile.TemporaryDirectory(prefix="fairlead-bench-") as directory,
        workers(database.url, 1, Path(directory)),
        _hearing_of_decisions(database.url) as heard,
    ):
        for niche_id in niche_ids(twin):
            approve_niche(twin, niche_id, OPERATOR)
        distributor = Distributor(twin, batch_limit=1)
        waiting = pending_lead_ids(database)
        dice = random.Random(effort.seed)
        with twin.transaction() as conn:
            conn.execute("create table public.commits (n bigint)")
        for number in range(effort.rounds + 1):
            into = measured if number else Latencies()  # the first round loads rosters and opens connections
            chosen, waiting = waiting[: effort.leads], waiting[effort.leads :]
            _one_at_a_time(database, heard, chosen, dice, into)
            _directly(twin, distributor, effort.leads, into)
        measured.traffic.append(_in_traffic(database, waiting, effort.traffic_per_second, dice))
    return measured


@contextmanager
def _hearing_of_decisions(url: str) -> Iterator[psycopg.Connection]:
    """A connection that is asked again and again whether a decision is committed."""
    with psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA}") as conn:
        yield conn


def _await_decision(conn: psycopg.Connection, lead_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while conn.execute("select awaits_decision from leads where id = %s", (lead_id,)).fetchone() != (False,):
        if time.monotonic() > deadline:
            raise TimeoutError(f"lead {lead_id} was not sold within {PATIENCE_SECONDS} s")
        time.sleep(0.0005)


def _one_at_a_time(
    database: Database, heard: psycopg.Connection, lead_ids: Sequence[str], dice: random.Random, into: Latencies
) -> None:
    told: list[float] = []
    asked: list[float] = []
    for lead_id in lead_ids:
        _idle(database, dice)
        started = time.perf_counter()
        approve_lead(database, lead_id, OPERATOR)
        approved = time.perf_counter()
        _await_decision(heard, lead_id)
        ended = time.perf_counter()
        told.append(1000 * (ended - approved))
        asked.append(1000 * (ended - started))
    into.told.append(told)
    into.asked.append(asked)
    into.assigned.append(_assigned_after_ms(database, lead_ids))


def _idle(database: Database, dice: random.Random) -> None:
    """Nothing waits to be done, and some random time has passed since: no lead comes in step with what polls."""
    _await_no_jobs(database)
    time.sleep(dice.uniform(0.005, 0.05))


def _await_no_jobs(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while database.run(jobs_at_all):
        if time.monotonic() > deadline:
            raise TimeoutError("the worker did not come to rest")
        time.sleep(0.02)


def _directly(twin: Database, distributor: Distributor, count: int, into: Latencies) -> None:
    [niche_id] = niche_ids(twin)
    direct: list[float] = []
    commit: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        decided = len(distributor.distribute_waiting(niche_id).decisions)
        direct.append(1000 * (time.perf_counter() - started))
        assert decided == 1, "as many leads wait here as there"
        started = time.perf_counter()
        with twin.transaction() as conn:
            conn.execute("insert into public.commits values (1)")
        commit.append(1000 * (time.perf_counter() - started))
    into.direct.append(direct)
    into.commit.append(commit)


def _in_traffic(database: Database, lead_ids: Sequence[str], per_second: float, dice: random.Random) -> list[float]:
    """Leads are approved at random moments, so many a second on average, whatever the worker is at."""
    _idle(database, dice)
    due = time.perf_counter()
    for lead_id in lead_ids:
        due += dice.expovariate(per_second)
        time.sleep(max(0.0, due - time.perf_counter()))
        approve_lead(database, lead_id, OPERATOR)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while database.run(_leads_that_wait):
        if time.monotonic() > deadline:
            raise TimeoutError("leads were left without a decision")
        time.sleep(0.1)
    return _assigned_after_ms(database, lead_ids)


def _leads_that_wait(conn: Connection) -> int:
    return conn.execute("select count(*) from leads where awaits_decision").fetchall()[0][0]


def _assigned_after_ms(database: Database, lead_ids: Sequence[str]) -> list[float]:
    with database.snapshot() as conn:
        rows = conn.execute(
            """
            select 1000 * extract(epoch from min(a.assigned_at) - l.approved_at)::float8
            from leads l join assignments a on a.lead_id = l.id where l.id = any(%s::uuid[]) group by l.id
            """,
            (list(lead_ids),),
        ).fetchall()
    assert len(rows) == len(lead_ids), "every lead was sold"
    return [row[0] for row in rows]
