"""How fast one worker process sends emails to a local mail server, and what a backlog of them does to decisions.

`python -m bench emails`. The emails are those of sold leads, nine to a lead; the mail server takes everything at once.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.latency import STEADY
from bench.measured_market import copy_of_template, niche_ids, pending_lead_ids, template
from bench.workers import workers
from fairlead.flows.approve_lead import approve_lead, approve_leads
from fairlead.flows.distributor import Distributor
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database

PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class EmailEffort:
    """How much is measured: leads whose emails wait, and leads decided one at a time, idle and beside the emails.

    The first of these are not counted: in them each worker meets the niche and reads its roster.
    """

    sold_leads: int = 5_000
    single_leads: int = 300
    warm_up_leads: int = 30
    subscriptions_per_level: int = 1_000
    seconds: float = 20.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class EmailFigures:
    """Emails a second of one worker with nothing else to do; approved to decided, in milliseconds, as a client sees it.

    `idle` with one worker and no email waiting; `beside` with two workers and all the emails waiting.
    """

    waiting_emails: int
    per_second: float
    worker_ms_per_email: float
    idle_ms: tuple[float, ...]
    beside_ms: tuple[float, ...]
    per_second_beside: float


def measure_emails(server_url: str, effort: EmailEffort) -> EmailFigures:
    """Each figure on a fresh copy of the same marketplace; the databases are gone afterwards."""
    leads = effort.sold_leads + effort.warm_up_leads + effort.single_leads
    with template(server_url, STEADY, 1, effort.subscriptions_per_level, leads, effort.seed):
        idle = _idle(server_url, effort)
        waiting, per_second, worker_ms = _alone(server_url, effort)
        beside, per_second_beside = _beside(server_url, effort)
    return EmailFigures(waiting, per_second, worker_ms, idle, beside, per_second_beside)


def _idle(server_url: str, effort: EmailEffort) -> tuple[float, ...]:
    with copy_of_template(server_url, "emails") as database, _serving(database, 1):
        lead_ids = pending_lead_ids(database)[: effort.warm_up_leads + effort.single_leads]
        return _one_at_a_time(database, lead_ids, random.Random(effort.seed))[effort.warm_up_leads :]


def _alone(server_url: str, effort: EmailEffort) -> tuple[int, float, float]:
    with copy_of_template(server_url, "emails") as database:
        _sell(database, effort.sold_leads)
        waiting = database.run(_unsent)
        with _serving(database, 1) as pids:
            _await_first(database, waiting)
            sent, cpu, started = database.run(_unsent), _cpu_seconds(pids[0]), time.perf_counter()
            while database.run(_unsent) and time.perf_counter() - started < effort.seconds:
                time.sleep(0.2)
            sent, seconds = sent - database.run(_unsent), time.perf_counter() - started
            cpu = _cpu_seconds(pids[0]) - cpu
        return waiting, sent / seconds, 1000 * cpu / max(sent, 1)


def _beside(server_url: str, effort: EmailEffort) -> tuple[tuple[float, ...], float]:
    with copy_of_template(server_url, "emails") as database:
        _sell(database, effort.sold_leads)
        waiting = database.run(_unsent)
        with _serving(database, 2):
            _await_first(database, waiting)
            before, started = database.run(_unsent), time.perf_counter()
            lead_ids = pending_lead_ids(database)[: effort.warm_up_leads + effort.single_leads]
            took = _one_at_a_time(database, lead_ids, random.Random(effort.seed))
            # Each of these leads brought nine more.
            told = database.run(_of_leads(lead_ids))
            took = took[effort.warm_up_leads :]
            return took, (before + told - database.run(_unsent)) / (time.perf_counter() - started)


def _sell(database: Database, count: int) -> None:
    approve_leads(database, pending_lead_ids(database)[:count], OPERATOR)
    distributor = Distributor(database)
    for niche_id in niche_ids(database):
        while len(distributor.distribute_waiting(niche_id)):
            pass
    with database.transaction() as conn:
        conn.execute("delete from jobs where queue = 'distribute'")  # their leads are decided


@contextmanager
def _serving(database: Database, count: int) -> Iterator[list[int]]:
    """So many workers serve the database, and hand their emails to a mail server; their process ids."""
    sink = subprocess.Popen(
        [sys.executable, "-m", "bench.mail_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert sink.stdout is not None
    smtp = {
        "FAIRLEAD_MAIL_TRANSPORT": "smtp",
        "FAIRLEAD_SMTP_HOST": "127.0.0.1",
        "FAIRLEAD_SMTP_PORT": sink.stdout.readline().strip(),
        "FAIRLEAD_SMTP_SECURITY": "none",
    }
    try:
        with (
            tempfile.TemporaryDirectory(prefix="fairlead-bench-") as directory,
            workers(database.url, count, Path(directory), smtp) as pids,
        ):
            yield pids
    finally:
        sink.kill()
        sink.wait()


def _one_at_a_time(database: Database, lead_ids: Sequence[str], dice: random.Random) -> tuple[float, ...]:
    took: list[float] = []
    with database.transaction() as conn:
        conn.execute("set transaction isolation level read committed")
        for lead_id in lead_ids:
            time.sleep(dice.uniform(0.02, 0.1))
            approve_lead(database, lead_id, OPERATOR)
            started = time.perf_counter()
            while conn.execute("select awaits_decision from leads where id = %s", (lead_id,)).fetchone() == (True,):
                if time.perf_counter() - started > PATIENCE_SECONDS:
                    raise TimeoutError(f"lead {lead_id} was left without a decision")
                time.sleep(0.002)  # asked more often, the question itself would be a good part of the load
            took.append(1000 * (time.perf_counter() - started))
    return tuple(took)


def _await_first(database: Database, waiting: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while database.run(_unsent) >= waiting:
        if time.monotonic() > deadline:
            raise TimeoutError("no email was sent")
        time.sleep(0.05)


def _unsent(conn: Connection) -> int:
    return conn.execute("select count(*) from notifications where state = 'queued'").fetchall()[0][0]


def _of_leads(lead_ids: Sequence[str]) -> Any:
    def count(conn: Connection) -> int:
        query = """
            select count(*) from notifications n join assignments a on a.id = n.assignment_id
            where a.lead_id = any(%s::uuid[])
        """
        return conn.execute(query, (list(lead_ids),)).fetchall()[0][0]

    return count


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def emails_as_json(figures: EmailFigures, effort: EmailEffort, server_version: str) -> dict[str, Any]:
    """The report, as JSON."""
    return {"server": server_version, "effort": asdict(effort), **asdict(figures)}


def emails_as_markdown(report: dict[str, Any]) -> str:
    """The tables."""
    lines = [
        f"{report['waiting_emails']:,} emails wait, one worker: {report['per_second']:.0f} a second, "
        f"{report['worker_ms_per_email']:.2f} ms of processor time each in the worker.",
        "",
        "| approved to decided, ms | leads | p50 | p95 | p99 | emails/s meanwhile |",
        "|---|--:|--:|--:|--:|--:|",
        _row("one worker, nothing waits", report["idle_ms"], ""),
        _row("two workers, the emails wait", report["beside_ms"], f"{report['per_second_beside']:.0f}"),
    ]
    return "\n".join(lines)


def _row(name: str, took: Sequence[float], meanwhile: str) -> str:
    ordered = sorted(took)
    p95, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.95, 0.99))
    return f"| {name} | {len(took)} | {median(took):.1f} | {p95:.1f} | {p99:.1f} | {meanwhile} |"
