"""A roster that is behind: folding what it missed against reading the tables anew, side by side in one run."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.population import POPULATIONS, create_niche
from bench.server import SCHEMA, create_database, drop_databases
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import load_roster
from fairlead.store.journal import entries_after, lock_niches
from fairlead.store.schema import migrate

STEADY = POPULATIONS[1]


@dataclass(frozen=True, slots=True)
class CatchingUpEffort:
    """Sizes of the niche in providers (three subscriptions each), and how many entries are folded in each round."""

    providers: Sequence[int] = (20, 60, 200, 1_000, 3_000)
    entries: int = 200
    rounds: int = 7
    seed: int = 1


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """One niche: seconds for folding one entry and for reading all subscriptions, in each round."""

    subscriptions: int
    fold_seconds: tuple[float, ...]
    load_seconds: tuple[float, ...]

    @property
    def equal_at_entries(self) -> float:
        """So many entries take as long as reading the tables."""
        return median(self.load_seconds) / median(self.fold_seconds)


def measure_catching_up(server_url: str, effort: CatchingUpEffort) -> list[CaughtUp]:
    """Both ways at each size, in turn; and both end in the same roster."""
    return [_measure(server_url, providers, effort) for providers in effort.providers]


def _measure(server_url: str, providers: int, effort: CatchingUpEffort) -> CaughtUp:
    name = "catching_up"
    try:
        url = create_database(server_url, name)
        with Database(url, SCHEMA) as database:
            migrate(database)
            niche_id = create_niche(database, STEADY, providers, effort.rounds * effort.entries, effort.seed)
            return _rounds(database, niche_id, effort)
    finally:
        drop_databases(server_url, [name])


def _rounds(database: Database, niche_id: str, effort: CatchingUpEffort) -> CaughtUp:
    """In each round others decide leads, then the roster that is behind follows, and another is read anew."""
    others = Distributor(database, batch_limit=effort.entries)
    with database.transaction() as conn:
        roster = load_roster(conn, lock_niches(conn, [niche_id])[niche_id])
    fold_seconds: list[float] = []
    load_seconds: list[float] = []
    for _ in range(effort.rounds):
        assert len(others.distribute_waiting(niche_id)) == effort.entries
        with database.transaction() as conn:
            niche = lock_niches(conn, [niche_id])[niche_id]
            started = time.perf_counter()
            for entry in entries_after(conn, niche_id, roster.head.seq):
                roster.fold(entry)
            folded = time.perf_counter()
            loaded = load_roster(conn, niche)
            load_seconds.append(time.perf_counter() - folded)
            fold_seconds.append((folded - started) / effort.entries)
        assert (loaded.head, loaded.subscriptions) == (roster.head, roster.subscriptions), "both ways, one roster"
    return CaughtUp(len(roster), tuple(fold_seconds), tuple(load_seconds))
