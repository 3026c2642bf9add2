"""How long `fairlead verify` takes, and how much memory, as the past grows: before its tables are analysed, and after.

`python -m bench verify`. One marketplace whose leads the engine sells. At each size the proof is made by a process of
its own, once while PostgreSQL has no statistics of the tables, as right after a burst, and once when it has.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.measured_market import PATIENT
from bench.population import POPULATIONS, create_niche, sell
from bench.server import SCHEMA, create_database, drop_databases, processor_seconds_of, settle
from fairlead.flows.proving.verify import verify
from fairlead.store.connection import Connection, Database
from fairlead.store.schema import migrate

FRESH = next(population for population in POPULATIONS if population.name == "fresh")


@dataclass(frozen=True, slots=True)
class ProofEffort:
    """The sizes at which it is measured, ascending, and what the marketplace is like."""

    assignments: tuple[int, ...] = (100_000, 300_000, 1_000_000)
    niches: int = 5
    subscriptions_per_level: int = 1_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """One run of `verify`: seconds in all and by what was checked, processor time of both sides, client memory."""

    assignments: int
    decisions: int
    is_analysed: bool
    seconds: float
    client_seconds: float
    server_seconds: float
    peak_bytes: int
    seconds_of: dict[str, float]


def measure_proofs(server_url: str, effort: ProofEffort) -> list[Proof]:
    """Two proofs at each size, all of which held. The database is gone afterwards."""
    dice = random.Random(effort.seed)
    try:
        url = create_database(server_url, "proof")
        with Database(url, SCHEMA, PATIENT) as database:
            migrate(database)
            niche_ids = [
                create_niche(
                    database, FRESH, effort.subscriptions_per_level, 0, effort.seed + number, slug=f"niche-{number + 1}"
                )
                for number in range(effort.niches)
            ]
            proofs: list[Proof] = []
            for assignments in effort.assignments:
                print(f"selling up to {assignments:,} assignments ...", file=sys.stderr, flush=True)
                for niche_id in niche_ids:
                    sell(database, niche_id, -(-assignments // effort.niches), dice)
                proofs += _both(database, server_url)
            return proofs
    finally:
        drop_databases(server_url, ["proof"])


def _both(database: Database, server_url: str) -> list[Proof]:
    proofs: list[Proof] = []
    for is_analysed in (False, True):
        with database.transaction() as conn:
            if is_analysed:
                conn.execute("analyze")
            else:
                _forget_statistics(conn)
        settle(server_url)
        command = [sys.executable, "-m", "bench.proof", database.url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        proofs.append(Proof(is_analysed=is_analysed, **json.loads(done.stdout)))
    return proofs


def _forget_statistics(conn: Connection) -> None:
    """The tables are to the planner as if nothing had ever looked at them. Needs a superuser, and no autovacuum."""
    conn.execute(
        """
        delete from pg_statistic where starelid in (
            select oid from pg_class where relnamespace = current_schema()::regnamespace)
        """
    )
    conn.execute(
        """
        update pg_class set reltuples = -1, relpages = 0
        where relnamespace = current_schema()::regnamespace and relkind = 'r'
        """
    )


def prove(url: str) -> dict[str, Any]:
    """What proving the database's marketplace took. Raises AssertionError where a check does not hold."""
    seconds_of: dict[str, float] = {}
    started = before = time.perf_counter()

    def note(what: str, _done: int, _total: int) -> None:
        nonlocal before
        now = time.perf_counter()
        part = "journals" if what.startswith("journal of") else what
        seconds_of[part] = seconds_of.get(part, 0.0) + now - before
        before = now

    with Database(url, SCHEMA) as database:
        result = verify(database, progress=note)
        seconds = time.perf_counter() - started
        broken = [check for check in result.checks if not check.holds]
        assert not broken, broken
        with database.snapshot() as conn:
            server_seconds = processor_seconds_of(conn.info.backend_pid)
            assignments = conn.execute("select count(*) from assignments").fetchall()[0][0]
    return {
        "server_seconds": server_seconds,
        "assignments": assignments,
        "decisions": result.decisions_replayed,
        "seconds": seconds,
        "client_seconds": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "seconds_of": seconds_of,
    }


def proofs_as_json(proofs: Sequence[Proof], effort: ProofEffort, server: str) -> dict[str, Any]:
    """Every proof; and by how much more the longest pasts took than the shortest, per assignment: 1.0 is linear."""
    growth = {}
    for name, is_analysed in ("before_statistics", False), ("after_statistics", True):
        same = [proof for proof in proofs if proof.is_analysed is is_analysed]
        growth[name] = _seconds_each(same[-1]) / _seconds_each(same[0])
    return {
        "server_version": server,
        "effort": asdict(effort),
        "proofs": [asdict(proof) for proof in proofs],
        "growth_per_assignment": growth,
        "growth_of_memory": proofs[-1].peak_bytes / proofs[0].peak_bytes,
    }


def _seconds_each(proof: Proof) -> float:
    return proof.seconds / proof.assignments


def proofs_as_markdown(report: dict[str, Any]) -> str:
    """The report's table, and the ratios below it."""
    parts = list(report["proofs"][0]["seconds_of"])
    lines = [
        f"| assignments | decisions | statistics | seconds | {' | '.join(parts)} | µs an assignment |"
        " processor, client | server | client's memory |",
        f"|--:|--:|---|--:|{'--:|' * len(parts)}--:|--:|--:|--:|",
        *(_line(proof, parts) for proof in report["proofs"]),
    ]
    growth = report["growth_per_assignment"]
    return "\n".join(
        [
            *lines,
            "",
            f"From the fewest to the most assignments, the time for each grows by a factor of"
            f" {growth['before_statistics']:.2f} without statistics and {growth['after_statistics']:.2f} with them"
            f" (1.00 is linear), the client's memory by {report['growth_of_memory']:.2f}.",
        ]
    )


def _line(proof: dict[str, Any], parts: Sequence[str]) -> str:
    cells = [
        f"{proof['assignments']:,}",
        f"{proof['decisions']:,}",
        "yes" if proof["is_analysed"] else "none",
        f"{proof['seconds']:.1f}",
        *(f"{proof['seconds_of'].get(part, 0.0):.1f}" for part in parts),
        f"{1e6 * proof['seconds'] / proof['assignments']:.0f}",
        f"{proof['client_seconds']:.1f} s",
        f"{proof['server_seconds']:.1f} s",
        f"{proof['peak_bytes'] / 2**20:.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(json.dumps(prove(sys.argv[1])))
