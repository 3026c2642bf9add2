"""Which providers a decision locks: those that it is expected to consult, or beforehand all that it could consult.

`python -m bench locking`. The same niches, copied for each way; at every turn each way decides as many leads, with as
many processes. Afterwards every provider and subscription must stand where it stands in the copies of the others.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from multiprocessing.connection import Connection as Pipe
from typing import Any, LiteralString

import numpy as np

from bench.population import POPULATIONS, Population, create_niche
from bench.server import SCHEMA, address, create_database, drop_databases, processor_seconds_of, settle
from fairlead.core.batch import BatchDecision, decide_batch, follow_batch
from fairlead.core.model import Lead
from fairlead.core.roster import Roster
from fairlead.flows import distribute as flow
from fairlead.flows.distribute import LastKnownBalances, distribute
from fairlead.flows.distributor import DEFAULT_BATCH_LIMIT
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.distribution.rosters import RosterBehind, RosterCache
from fairlead.store.distribution.writes import Batch, LockedBalances, record
from fairlead.store.journal import lock_niches
from fairlead.store.leads.waiting import lock_waiting_leads
from fairlead.store.schema import migrate

Way = Callable[[Database, RosterCache, LastKnownBalances, str, int], Batch | None]
PATIENT = Timeouts(statement_ms=600_000, lock_ms=600_000)
TEMPLATE = "template_of_locking"
SAME: Sequence[LiteralString] = (
    "select id, balance_cents, ledger_seq from providers order by id",
    "select id, is_active, served_seq from subscriptions order by id",
    "select id, last_outcome from leads order by id",
    "select id, journal_seq, next_start_level_order_position, last_served_seq from niches order by id",
)
"""What comes out alike whatever is locked: all that does not depend on the time of day."""


def lock_candidates(
    database: Database, rosters: RosterCache, _unused: LastKnownBalances, niche_id: str, limit: int
) -> Batch | None:
    """What `distribute` does, with every provider locked that any of the leads could be sold to."""

    def work(conn: Connection) -> tuple[Roster, BatchDecision, Batch] | None:
        niche = lock_niches(conn, [niche_id])[niche_id]
        locked = lock_waiting_leads(conn, niche_id, limit)
        if locked.now is None:
            return None
        roster = rosters.at_head(conn, niche)
        found = flow.lock_balances(conn, sorted(providers_of_candidates(roster, locked.leads)), wait=True)
        assert found is not None, "with waiting, the locks are granted"
        decided = decide_batch(roster, locked.leads, found.balances, locked.now)
        assert isinstance(decided, BatchDecision), "no balance is missing"
        batch = flow.sealed_batch(niche, roster, decided, found, locked.now, locked.requests)
        record(conn, batch)
        return roster, decided, batch

    with rosters.hold(niche_id):
        try:
            done = database.run(work)
        except RosterBehind:
            rosters.follow(database, niche_id)
            done = database.run(work)
        if done is None:
            return None
        roster, decided, batch = done
        follow_batch(roster, decided, batch.head.hash)
        return batch


def forget_balances(
    database: Database, rosters: RosterCache, _unused: LastKnownBalances, niche_id: str, limit: int
) -> Batch | None:
    """What `distribute` does, with no balance remembered: every batch is decided twice, first as if all could pay."""
    return distribute(database, rosters, LastKnownBalances({}, {niche_id}), niche_id, limit)


def providers_of_candidates(roster: Roster, leads: tuple[Lead, ...]) -> set[str]:
    """Every provider that passes the standing gates and the filter for one of the leads."""
    slots = np.unique(np.concatenate([roster.matching(lead.attributes).slots for lead in leads]))
    provider_ids = roster.matching(leads[0].attributes).niche._provider_ids
    return {provider_ids[slot] for slot in slots}


WAYS: Mapping[str, Way] = {"expected": distribute, "candidates": lock_candidates, "forgetful": forget_balances}


@dataclass(frozen=True, slots=True)
class LockingEffort:
    """How much is measured: turns of each way, and in a turn the transactions of each process, by leads in each."""

    sizes: tuple[int, ...] = (100, 1_000)
    shared_sizes: tuple[int, ...] = (100, 1_000)
    shared_by: int = 5
    rounds: int = 5
    transactions: Mapping[int, int] = field(default_factory=lambda: {DEFAULT_BATCH_LIMIT: 4, 1: 60})
    seed: int = 1

    def warm_up(self, size: int) -> int:
        """How many batches it takes until nearly every provider was served once, and its balance therefore known."""
        return max(2, ceil(size / (3 * max(self.transactions))))

    def leads(self, size: int) -> int:
        """Enough for one niche and all turns."""
        turns = self.rounds * sum(limit * times for limit, times in self.transactions.items())
        return turns + (self.warm_up(size) + 2) * max(self.transactions)


@dataclass(slots=True)
class Turns:
    """What one way took with one number of leads in a transaction: seconds by round, all else in sum."""

    seconds_per_lead: list[float] = field(default_factory=list[float])
    leads: int = 0
    client_seconds: float = 0.0
    server_seconds: float = 0.0
    locked_rows: int = 0
    lock_statements: int = 0
    transactions: int = 0

    def add(self, seconds: float, reports: list[dict[str, float]]) -> None:
        """One turn of all processes is counted in."""
        leads = sum(int(report["leads"]) for report in reports)
        self.leads += leads
        self.seconds_per_lead.append(seconds / leads)
        for report in reports:
            self.client_seconds += report["client_seconds"]
            self.server_seconds += report["server_seconds"]
            self.locked_rows += int(report["locked_rows"])
            self.lock_statements += int(report["lock_statements"])
            self.transactions += int(report["transactions"])


@dataclass(frozen=True, slots=True)
class Locking:
    """One population at one size: by leads in a transaction, and by way, what its turns took."""

    population: str
    subscriptions_per_level: int
    processes: int
    turns: Mapping[int, Mapping[str, Turns]]


def measure_locking(server_url: str, effort: LockingEffort) -> Iterator[Locking]:
    """One niche and one process; then niches that share all their providers, with as many processes."""
    cases = [
        *((population, size, 1) for size in effort.sizes for population in ("steady", "broke")),
        *(("steady", size, effort.shared_by) for size in effort.shared_sizes),
    ]
    populations = {population.name: population for population in POPULATIONS}
    for name, size, count in cases:
        yield _measure(server_url, populations[name], size, count, effort)


def _measure(server_url: str, population: Population, size: int, count: int, effort: LockingEffort) -> Locking:
    try:
        niche_ids = _template(server_url, population, size, count, effort)
        for way in WAYS:
            create_database(server_url, way, TEMPLATE)
        settle(server_url)
        with ExitStack() as open_:
            crews = {way: open_.enter_context(Crew(address(server_url, way), way, niche_ids)) for way in WAYS}
            turns = _rounds(crews, size, effort)
        if count == 1:  # else it is left to chance which niche comes first
            standing = [_standing(address(server_url, way)) for way in WAYS]
            assert all(each == standing[0] for each in standing), "not the same whatever is locked"
        return Locking(population.name, size, count, turns)
    finally:
        drop_databases(server_url, [*WAYS, TEMPLATE])


def _standing(url: str) -> list[list[tuple[Any, ...]]]:
    with Database(url, SCHEMA) as database, database.snapshot() as conn:
        return [conn.execute(query).fetchall() for query in SAME]


def _template(server_url: str, population: Population, size: int, count: int, effort: LockingEffort) -> list[str]:
    url = create_database(server_url, TEMPLATE)
    with Database(url, SCHEMA, PATIENT) as database:
        migrate(database)
        niche_ids = [
            create_niche(
                database,
                population,
                size,
                effort.leads(size),
                effort.seed + number,
                slug=f"niche-{number + 1}",
                shares_providers=number > 0,
            )
            for number in range(count)
        ]
        with database.transaction() as conn:
            conn.execute("analyze")
        return niche_ids


def _rounds(crews: Mapping[str, "Crew"], size: int, effort: LockingEffort) -> Mapping[int, Mapping[str, Turns]]:
    turns = {limit: {way: Turns() for way in WAYS} for limit in effort.transactions}
    for crew in crews.values():
        crew.turn(max(effort.transactions), effort.warm_up(size))
    for number in range(effort.rounds):
        for limit, times in effort.transactions.items():
            for way in list(crews)[:: 1 if number % 2 == 0 else -1]:
                turns[limit][way].add(*crews[way].turn(limit, times))
    return turns


class Crew:
    """As many processes as niches, each with its own rosters, that all decide in one way. Gone at the end."""

    def __init__(self, url: str, way: str, niche_ids: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Pipe] = []
        self._processes: list[Any] = []
        for number in range(len(niche_ids)):
            own, other = context.Pipe()
            rotated = niche_ids[number:] + niche_ids[:number]
            process = context.Process(target=_serve, args=(other, url, way, rotated), daemon=True)
            process.start()
            self._pipes.append(own)
            self._processes.append(process)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join()

    def turn(self, limit: int, times: int) -> tuple[float, list[dict[str, float]]]:
        """Seconds until every process has done so many transactions, and what each reports."""
        started = time.perf_counter()
        for pipe in self._pipes:
            pipe.send((limit, times))
        reports = [pipe.recv() for pipe in self._pipes]
        return time.perf_counter() - started, reports


def _serve(pipe: Pipe, url: str, way: str, niche_ids: list[str]) -> None:
    """Do as many transactions as are asked for, one niche after the other, until the pipe is closed."""
    rosters, last_known_balances = RosterCache(), LastKnownBalances()
    done = 0
    with Database(url, SCHEMA, PATIENT, max_connections=1) as database, ExitStack() as open_:
        locked = open_.enter_context(_locks_counted())
        while True:
            try:
                limit, times = pipe.recv()
            except EOFError:
                return
            before = _processor_seconds(database)
            locked.clear()
            leads = 0
            for _ in range(times):
                batch = WAYS[way](database, rosters, last_known_balances, niche_ids[done % len(niche_ids)], limit)
                assert batch is not None, "leads are left for every turn"
                leads += len(batch.decisions)
                done += 1
            after = _processor_seconds(database)
            report = {"leads": leads, "transactions": times, "locked_rows": sum(locked), "lock_statements": len(locked)}
            spent = {"client_seconds": after[0] - before[0], "server_seconds": after[1] - before[1]}
            pipe.send(report | spent)


def _processor_seconds(database: Database) -> tuple[float, float]:
    with database.transaction() as conn:
        return time.process_time(), processor_seconds_of(conn.info.backend_pid)


@contextmanager
def _locks_counted() -> Iterator[list[int]]:
    """How many rows each statement locked that asked for providers while the block runs."""
    counts: list[int] = []
    original = flow.lock_balances

    def lock_and_count(conn: Connection, provider_ids: Sequence[str], *asked: Any, wait: bool) -> LockedBalances | None:
        found = original(conn, provider_ids, *asked, wait=wait)
        counts.append(0 if found is None else len(found.balances))
        return found

    flow.lock_balances = lock_and_count
    try:
        yield counts
    finally:
        flow.lock_balances = original
