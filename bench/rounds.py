"""Rounds: every engine in turn, the same leads, so that what disturbs the machine disturbs them alike."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil

from bench.conventional import ConventionalEngine
from bench.floor import batches_recorded, replay, statements_of, tables_that_differ
from bench.population import Population, create_niche
from bench.server import (
    SCHEMA,
    address,
    commits_per_second,
    create_database,
    drop_databases,
    settle,
)
from fairlead.flows.distributor import DEFAULT_BATCH_LIMIT, Distributor
from fairlead.store.connection import Database, Timeouts
from fairlead.store.schema import migrate

ENGINES = ("combined", "combined_floor", "single", "single_floor", "conventional")
PATIENT = Timeouts(statement_ms=600_000)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: rounds, and in each of them transactions, leads and commits."""

    rounds: int = 5
    batches: int = 4
    single_leads: int = 60
    conventional_leads: int = 20
    commits: int = 200
    batch_limit: int = DEFAULT_BATCH_LIMIT
    seed: int = 1

    def warm_up_batches(self, size: int) -> int:
        """How many batches it takes until nearly every provider was served once, and its balance therefore known."""
        return max(self.batches, ceil(size / (3 * self.batch_limit)))

    def conventional_leads_of(self, size: int) -> int:
        """Fewer where each of them takes seconds."""
        return min(self.conventional_leads, max(3, 20_000 // size))

    def leads(self, size: int) -> int:
        """Enough for every engine, warm-up included."""
        most = max(self.batches * self.batch_limit, self.single_leads, self.conventional_leads)
        return self.rounds * most + self.warm_up_batches(size) * self.batch_limit + self.conventional_leads


@dataclass(slots=True)
class Measured:
    """One population at one size: leads per second of each engine by round, and what else was seen."""

    population: str
    subscriptions_per_level: int
    leads_per_second: dict[str, list[float]] = field(
        default_factory=lambda: {engine: list[float]() for engine in ENGINES}
    )
    commits_per_second: list[float] = field(default_factory=list[float])
    single_latencies_ms: list[float] = field(default_factory=list[float])
    assignments_per_lead: float = 0.0
    tables_that_differ: list[str] = field(default_factory=list[str])

    def ratios(self, engine: str, base: str) -> list[float]:
        """By round, how many times as fast as the base the engine was."""
        pairs = zip(self.leads_per_second[engine], self.leads_per_second[base], strict=True)
        return [own / other for own, other in pairs]


class Contest:
    """The engines, each on its own copy of the same marketplace."""

    def __init__(self, server_url: str, niche_id: str, effort: Effort, open_: ExitStack) -> None:
        self.effort = effort
        self._niche_id = niche_id
        self.databases = {
            name: open_.enter_context(Database(address(server_url, name), SCHEMA, PATIENT))
            for name in ("combined", "combined_floor", "single", "single_floor")
        }
        self._combined = Distributor(self.databases["combined"], effort.batch_limit)
        self._single = Distributor(self.databases["single"], 1)
        self._conventional = ConventionalEngine(address(server_url, "conventional"))
        open_.callback(self._conventional.close)

    def warm_up(self, unused: Measured, size: int) -> None:
        """Rosters are loaded, balances known and statements prepared, as in a process that has worked for a while."""
        batches = self.effort.warm_up_batches(size)
        self._fairlead(unused, "combined", self._combined, batches)
        self._single.batch_limit = self.effort.batch_limit
        self._fairlead(unused, "single", self._single, batches)
        self._single.batch_limit = 1
        self._conventionally(unused)

    def round(self, measured: Measured, is_reversed: bool) -> None:
        """One round is in `measured`. A floor comes right after the run whose rows it writes again."""
        events = [
            lambda: self._fairlead(measured, "combined", self._combined, self.effort.batches),
            lambda: self._fairlead(measured, "single", self._single, self.effort.single_leads),
            lambda: self._conventionally(measured),
        ]
        for event in reversed(events) if is_reversed else events:
            event()
        database = self.databases["combined"]
        measured.commits_per_second.append(commits_per_second(database, self.effort.commits))

    def _fairlead(self, measured: Measured, engine: str, distributor: Distributor, transactions: int) -> None:
        counts: list[int] = []
        assigned: list[int] = []
        latencies: list[float] = []

        def distribute() -> None:
            started = time.perf_counter()
            done = distributor.distribute_waiting(self._niche_id)
            latencies.append(1000 * (time.perf_counter() - started))
            assert not done.failures, done.failures
            counts.append(len(done))
            assigned.append(sum(len(decision.recipients) for decision in done.decisions))

        with batches_recorded() as batches:
            seconds = _seconds(distribute, transactions)
        measured.leads_per_second[engine].append(sum(counts) / seconds)
        if engine == "single":
            measured.single_latencies_ms += latencies
        measured.assignments_per_lead = sum(assigned) / sum(counts)
        statements = [statements_of(batch) for batch in batches]
        floor = self.databases[f"{engine}_floor"]
        seconds = _seconds(lambda: replay(floor, statements), 1)
        measured.leads_per_second[f"{engine}_floor"].append(sum(counts) / seconds)

    def _conventionally(self, measured: Measured) -> None:
        count = self.effort.conventional_leads_of(measured.subscriptions_per_level)
        lead_ids = self._conventional.waiting_lead_ids(count)
        started = time.perf_counter()
        for lead_id in lead_ids:
            self._conventional.distribute(lead_id)
        measured.leads_per_second["conventional"].append(len(lead_ids) / (time.perf_counter() - started))


def _seconds(work: Callable[[], None], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - started


def measure(server_url: str, population: Population, size: int, effort: Effort) -> Measured:
    """The population at this many subscriptions per level, measured; its databases are gone."""
    names = ["combined", "combined_floor", "single", "single_floor", "conventional"]
    niche_id = _template(server_url, population, size, effort)
    try:
        for name in names:
            create_database(server_url, name, template="template_of_bench")
        settle(server_url)
        return _contest(server_url, niche_id, Measured(population.name, size), effort)
    finally:
        drop_databases(server_url, [*names, "template_of_bench"])


def _template(server_url: str, population: Population, size: int, effort: Effort) -> str:
    url = create_database(server_url, "template_of_bench")
    with Database(url, SCHEMA, PATIENT) as database:
        migrate(database)
        niche_id = create_niche(database, population, size, effort.leads(size), effort.seed)
        with database.transaction() as conn:
            conn.execute("analyze")
        return niche_id


def _contest(server_url: str, niche_id: str, measured: Measured, effort: Effort) -> Measured:
    with ExitStack() as open_:
        contest = Contest(server_url, niche_id, effort, open_)
        size = measured.subscriptions_per_level
        contest.warm_up(Measured(measured.population, size), size)
        for number in range(effort.rounds):
            contest.round(measured, is_reversed=number % 2 == 1)
        for engine in ("combined", "single"):
            differ = tables_that_differ(contest.databases[engine], contest.databases[f"{engine}_floor"])
            measured.tables_that_differ += [f"{engine}: {table}" for table in differ]
    return measured


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least this share of the values does not exceed.

    >>> percentile([5.0, 1.0, 3.0, 2.0, 4.0], 50), percentile([1.0, 2.0], 99)
    (3.0, 2.0)
    """
    return sorted(values)[ceil(len(values) * percent / 100) - 1]
