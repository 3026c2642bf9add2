"""A niche with a long past: explaining any decision of it, and the first distribution of a new process."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any
from unittest.mock import patch

from bench.population import POPULATIONS, create_niche, distribute_all, forget_work, insert_leads
from bench.server import SCHEMA, address, create_database, drop_databases
from fairlead.flows import distribute as distributing
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import explain_provider
from fairlead.flows.maintenance.snapshot_rosters import snapshot_niche
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.schema import migrate

SOLD_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class PastEffort:
    """Three subscriptions for each provider; `explained` decisions with and `explained_slowly` without snapshots."""

    providers: int = 3_334
    entries: int = 100_000
    explained: int = 200
    explained_slowly: int = 3
    processes: int = 5
    seed: int = 1


@dataclass(frozen=True, slots=True)
class PastMeasured:
    """One niche. Seconds: of each explanation, and for how long each first distribution held the niche's lock."""

    subscriptions: int
    entries: int
    snapshots: int
    snapshot_bytes: int
    journal_bytes: int
    writing_seconds: float
    explain_seconds: tuple[float, ...]
    explain_processor_seconds: tuple[float, ...]
    slow_explain_seconds: tuple[float, ...]
    first_seconds: tuple[float, ...]
    hold_seconds: tuple[float, ...]
    bytes_per_subscription: float


def measure_past(server_url: str, effort: PastEffort) -> PastMeasured:
    """The niche is made, sold in, and measured; its snapshots explain as the whole journal does."""
    name = "past"
    try:
        url = create_database(server_url, name)
        with Database(url, SCHEMA) as database:
            migrate(database)
            return _measure(database, address(server_url, name), effort)
    finally:
        drop_databases(server_url, [name])


def _measure(database: Database, url: str, effort: PastEffort) -> PastMeasured:
    dice = random.Random(effort.seed)
    niche_id = create_niche(database, POPULATIONS[0], effort.providers, leads=1, seed=effort.seed)
    distribute_all(database, niche_id)
    while missing := max(0, effort.entries - _one(database, "select journal_seq from niches")):
        insert_leads(database, niche_id, min(missing, SOLD_AT_ONCE), dice)
        distribute_all(database, niche_id)
        forget_work(database)
    asked = _questions(database, dice, effort.explained)
    slowly = [_explained(database, *question) for question in asked[: effort.explained_slowly]]
    started = time.perf_counter()
    while snapshot_niche(database, niche_id):
        pass
    writing_seconds = time.perf_counter() - started
    quickly = [_explained(database, *question) for question in asked]
    assert [each.story for each in slowly] == [each.story for each in quickly[: len(slowly)]], "one past, one story"
    firsts = [_first_distribution(database, niche_id, dice) for _ in range(effort.processes)]
    command = [sys.executable, "-m", "bench.memory", url]
    memory = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return PastMeasured(
        subscriptions=memory["subscriptions"],
        entries=_one(database, "select journal_seq from niches"),
        snapshots=_one(database, "select count(*) from roster_snapshots"),
        snapshot_bytes=_one(database, "select pg_total_relation_size('roster_snapshots')"),
        journal_bytes=_one(database, "select pg_total_relation_size('niche_journal')"),
        writing_seconds=writing_seconds,
        explain_seconds=tuple(each.seconds for each in quickly),
        explain_processor_seconds=tuple(each.processor_seconds for each in quickly),
        slow_explain_seconds=tuple(each.seconds for each in slowly),
        first_seconds=tuple(seconds for seconds, _ in firsts),
        hold_seconds=tuple(seconds for _, seconds in firsts),
        bytes_per_subscription=memory["bytes_per_subscription"],
    )


def _one(database: Database, query: str) -> Any:
    with database.snapshot() as conn:
        return conn.execute(query.encode()).fetchall()[0][0]


def _questions(database: Database, dice: random.Random, count: int) -> list[tuple[str, str]]:
    """A lead of any age and a provider, of whom most did not receive it."""
    with database.snapshot() as conn:
        leads = [row[0] for row in conn.execute("select id::text from leads where status = 'distributed' order by id")]
        providers = [row[0] for row in conn.execute("select id::text from providers order by id")]
    return [(dice.choice(leads), dice.choice(providers)) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class _Explained:
    seconds: float
    processor_seconds: float
    story: object


def _explained(database: Database, lead_id: str, provider_id: str) -> _Explained:
    started, processor = time.perf_counter(), time.process_time()
    story = explain_provider(database, lead_id, provider_id)
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor
    return _Explained(seconds, processor_seconds, (story.standings, story.unvisited))


class _Holds:
    """For how long the niche's lock was held by each transaction that took it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._since: float | None = None

    def lock_niches(self, conn: Connection, niche_ids: list[str]) -> dict[str, LockedNiche]:
        """As the store's own."""
        locked = lock_niches(conn, niche_ids)
        self._since = time.perf_counter()
        return locked

    @contextmanager
    def watched(self, database: Database) -> Generator[Database]:
        """The database, whose transactions are measured until they are committed or rolled back."""
        transaction = database.transaction

        @contextmanager
        def measured() -> Generator[Connection]:
            self._since = None
            try:
                with transaction() as conn:
                    yield conn
            finally:
                if self._since is not None:
                    self.seconds.append(time.perf_counter() - self._since)

        with (
            patch.object(database, "transaction", measured),
            patch.object(distributing, "lock_niches", self.lock_niches),
        ):
            yield database


def _first_distribution(database: Database, niche_id: str, dice: random.Random) -> tuple[float, float]:
    """What the first lead of a new process took, and for how long the lock was held at a time, at most."""
    insert_leads(database, niche_id, 1, dice)
    holds = _Holds()
    with holds.watched(database):
        started = time.perf_counter()
        assert len(Distributor(database).distribute_waiting(niche_id).decisions) == 1
        seconds = time.perf_counter() - started
    return seconds, max(holds.seconds)


def past_as_json(measured: PastMeasured, effort: PastEffort, server: str) -> dict[str, Any]:
    """The figures, in milliseconds and bytes."""
    explained = [seconds * 1e3 for seconds in measured.explain_seconds]
    return {
        "server_version": server,
        "effort": asdict(effort),
        "subscriptions": measured.subscriptions,
        "entries": measured.entries,
        "snapshots": measured.snapshots,
        "snapshot_bytes": measured.snapshot_bytes,
        "snapshot_bytes_to_journal": measured.snapshot_bytes / measured.journal_bytes,
        "writing_ms_each": measured.writing_seconds * 1e3 / max(1, measured.snapshots),
        "explain_p50_ms": quantiles(explained, n=20)[9],
        "explain_p95_ms": quantiles(explained, n=20)[18],
        "explain_max_ms": max(explained),
        "explain_p95_processor_ms": quantiles(measured.explain_processor_seconds, n=20)[18] * 1e3,
        "explain_without_snapshots_ms": max(measured.slow_explain_seconds) * 1e3,
        "first_distribution_ms": max(measured.first_seconds) * 1e3,
        "lock_held_ms": max(measured.hold_seconds) * 1e3,
        "bytes_per_subscription": measured.bytes_per_subscription,
    }


def past_as_markdown(report: dict[str, Any]) -> str:
    """One row for each figure."""
    snapshots = f"{report['snapshots']:,}, {report['snapshot_bytes'] / 1e6:,.1f} MB"
    rows = [
        ("subscriptions, journal entries", f"{report['subscriptions']:,}, {report['entries']:,}"),
        ("explaining a provider, p50 / p95 / most",
         f"{report['explain_p50_ms']:.1f} / {report['explain_p95_ms']:.1f} / {report['explain_max_ms']:.1f} ms"),
        ("of it, the client's processor time, p95", f"{report['explain_p95_processor_ms']:.1f} ms"),
        ("the same without snapshots, most", f"{report['explain_without_snapshots_ms']:,.0f} ms"),
        ("first distribution of a process, most", f"{report['first_distribution_ms']:,.0f} ms"),
        ("of it, the niche's lock is held for", f"{report['lock_held_ms']:,.0f} ms"),
        ("memory of a roster for each subscription", f"{report['bytes_per_subscription']:,.0f} B"),
        ("snapshots, their size, of the journal's", f"{snapshots}, {report['snapshot_bytes_to_journal']:.2f}"),
        ("writing one, the fold up to it included", f"{report['writing_ms_each']:,.0f} ms"),
    ]  # fmt: skip
    return "\n".join(["| what | figure |", "|---|--:|", *(f"| {name} | {figure} |" for name, figure in rows)])
