"""What control costs: the same marketplace with limits, schedules, price rules and filters of version 2, and without.

Each kind alone and all of them together, in turn with a marketplace that has none.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from bench.controls import Control
from bench.population import POPULATIONS, create_niche
from bench.rounds import PATIENT, Effort
from bench.server import SCHEMA, create_database, drop_databases, settle
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from fairlead.store.schema import migrate

STEADY = next(population for population in POPULATIONS if population.name == "steady")
WITHOUT, ALL = "none", "all"
KINDS: Mapping[str, frozenset[Control]] = {
    WITHOUT: frozenset(),
    **{control.value: frozenset({control}) for control in Control},
    ALL: frozenset(Control),
}
KEPT = 0.8
"""So much of its rate distribution keeps with all of them on every subscription."""


@dataclass(frozen=True, slots=True)
class LimitedEffort:
    """How much is measured."""

    sizes: Sequence[int] = (1_000, 10_000)
    kinds: Sequence[str] = tuple(KINDS)
    effort: Effort = field(default_factory=Effort)


@dataclass(slots=True)
class LimitedRates:
    """At one size, leads a second by round of each kind, and the processor time of a lead in ms, of ours."""

    subscriptions_per_level: int
    leads_per_second: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    processor_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def kept(self, kind: str) -> float:
        """The share of the rate that is kept with it: the median over the rounds, each of which did both."""
        pairs = zip(self.leads_per_second[kind], self.leads_per_second[WITHOUT], strict=True)
        return median(own / other for own, other in pairs)


def measure_limited(server_url: str, wanted: LimitedEffort) -> list[LimitedRates]:
    """Each size in turn; its databases are gone afterwards."""
    kinds = [kind for kind in KINDS if kind == WITHOUT or kind in wanted.kinds]
    return [_measured(server_url, size, kinds, wanted.effort) for size in wanted.sizes]


def _measured(server_url: str, size: int, kinds: Sequence[str], effort: Effort) -> LimitedRates:
    print(f"controls, {size:,} subscriptions per level ...", file=sys.stderr, flush=True)
    rates = LimitedRates(size)
    databases = {kind: f"controls_{number}" for number, kind in enumerate(kinds)}
    try:
        with ExitStack() as open_:
            distributors: dict[str, tuple[Distributor, str]] = {}
            for kind, database_name in databases.items():
                url = create_database(server_url, database_name)
                database = open_.enter_context(Database(url, SCHEMA, PATIENT))
                migrate(database)
                population = replace(STEADY, controls=KINDS[kind])
                niche_id = create_niche(database, population, size, _leads(effort, size), effort.seed)
                with database.transaction() as conn:
                    conn.execute("analyze")
                distributors[kind] = (Distributor(database, effort.batch_limit), niche_id)
            settle(server_url)
            for distributor, niche_id in distributors.values():
                # Twice: what is kept of a limit is counted from the ledger the first time that it is asked.
                for _ in range(2 * effort.warm_up_batches(size)):
                    distributor.distribute_waiting(niche_id)
            for number in range(effort.rounds):
                for kind in kinds if number % 2 else [*reversed(kinds)]:
                    _round(rates, kind, *distributors[kind], effort.batches)
    finally:
        drop_databases(server_url, [*databases.values()])
    return rates


def _leads(effort: Effort, size: int) -> int:
    return effort.leads(size) + effort.warm_up_batches(size) * effort.batch_limit


def _round(rates: LimitedRates, kind: str, distributor: Distributor, niche_id: str, batches: int) -> None:
    count, began, processor = 0, time.perf_counter(), time.process_time()
    for _ in range(batches):
        done = distributor.distribute_waiting(niche_id)
        assert not done.failures, done.failures
        count += len(done)
    rates.leads_per_second.setdefault(kind, []).append(count / (time.perf_counter() - began))
    rates.processor_ms.setdefault(kind, []).append(1000 * (time.process_time() - processor) / count)


def limited_as_json(measured: Sequence[LimitedRates], server: str) -> dict[str, Any]:
    """All that was measured."""
    return {
        "server": server,
        "results": [
            {
                "subscriptions_per_level": each.subscriptions_per_level,
                "kept": {kind: each.kept(kind) for kind in each.leads_per_second},
                "leads_per_second": each.leads_per_second,
                "processor_ms": each.processor_ms,
            }
            for each in measured
        ],
    }


def limited_as_markdown(report: dict[str, Any]) -> str:
    """The table: medians over the rounds."""
    lines = [
        "| per level | on every subscription | leads/s | kept | ms of ours a lead |",
        "|--:|:--|--:|--:|--:|",
    ]
    for each in report["results"]:
        for kind, rates in each["leads_per_second"].items():
            lines.append(
                f"| {each['subscriptions_per_level']:,} | {kind} | {median(rates):,.0f} | {each['kept'][kind]:.2f} "
                f"| {median(each['processor_ms'][kind]):.2f} |"
            )
    return "\n".join(lines)
