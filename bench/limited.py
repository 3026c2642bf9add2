"""What limits and schedules cost: the same marketplace with them on every subscription, and without, in turn."""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from bench.population import POPULATIONS, create_niche
from bench.rounds import PATIENT, Effort
from bench.server import SCHEMA, create_database, drop_databases, settle
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from fairlead.store.schema import migrate

STEADY = next(population for population in POPULATIONS if population.name == "steady")
NAMES = {"with": replace(STEADY, name="limited", is_limited=True), "without": STEADY}
KEPT = 0.8
"""So much of its rate distribution keeps with limits and schedules on every subscription."""


@dataclass(frozen=True, slots=True)
class LimitedEffort:
    """How much is measured."""

    sizes: Sequence[int] = (1_000, 10_000)
    effort: Effort = field(default_factory=Effort)


@dataclass(slots=True)
class LimitedRates:
    """At one size, leads a second by round, with limits and without, and the processor time of a lead in ms."""

    subscriptions_per_level: int
    leads_per_second: dict[str, list[float]] = field(default_factory=lambda: {name: list[float]() for name in NAMES})
    processor_ms: dict[str, list[float]] = field(default_factory=lambda: {name: list[float]() for name in NAMES})

    @property
    def kept(self) -> float:
        """The share of the rate that is kept: the median over the rounds, each of which did both."""
        pairs = zip(self.leads_per_second["with"], self.leads_per_second["without"], strict=True)
        return median(own / other for own, other in pairs)


def measure_limited(server_url: str, wanted: LimitedEffort) -> list[LimitedRates]:
    """Each size in turn; its databases are gone afterwards."""
    return [_measured(server_url, size, wanted.effort) for size in wanted.sizes]


def _measured(server_url: str, size: int, effort: Effort) -> LimitedRates:
    print(f"limits, {size:,} subscriptions per level ...", file=sys.stderr, flush=True)
    rates = LimitedRates(size)
    databases = {name: f"limited_{name}" for name in NAMES}
    try:
        with ExitStack() as open_:
            distributors: dict[str, tuple[Distributor, str]] = {}
            for name, database_name in databases.items():
                url = create_database(server_url, database_name)
                database = open_.enter_context(Database(url, SCHEMA, PATIENT))
                migrate(database)
                niche_id = create_niche(database, NAMES[name], size, effort.leads(size), effort.seed)
                with database.transaction() as conn:
                    conn.execute("analyze")
                distributors[name] = (Distributor(database, effort.batch_limit), niche_id)
            settle(server_url)
            for distributor, niche_id in distributors.values():
                for _ in range(effort.warm_up_batches(size)):
                    distributor.distribute_waiting(niche_id)
            for number in range(effort.rounds):
                for name in [*NAMES] if number % 2 else [*reversed(NAMES)]:
                    _round(rates, name, *distributors[name], effort.batches)
    finally:
        drop_databases(server_url, [*databases.values()])
    return rates


def _round(rates: LimitedRates, name: str, distributor: Distributor, niche_id: str, batches: int) -> None:
    count, began, processor = 0, time.perf_counter(), time.process_time()
    for _ in range(batches):
        done = distributor.distribute_waiting(niche_id)
        assert not done.failures, done.failures
        count += len(done)
    rates.leads_per_second[name].append(count / (time.perf_counter() - began))
    rates.processor_ms[name].append(1000 * (time.process_time() - processor) / count)


def limited_as_json(measured: Sequence[LimitedRates], server: str) -> dict[str, Any]:
    """All that was measured."""
    return {
        "server": server,
        "results": [
            {
                "subscriptions_per_level": each.subscriptions_per_level,
                "kept": each.kept,
                "leads_per_second": each.leads_per_second,
                "processor_ms": each.processor_ms,
            }
            for each in measured
        ],
    }


def limited_as_markdown(report: dict[str, Any]) -> str:
    """The table: medians over the rounds."""
    lines = [
        "| per level | leads/s without | with limits and schedules | kept | ms of ours a lead, without and with |",
        "|---|---|---|---|---|",
    ]
    for each in report["results"]:
        rates, processor = (
            {name: median(of[name]) for name in NAMES} for of in (each["leads_per_second"], each["processor_ms"])
        )
        lines.append(
            f"| {each['subscriptions_per_level']:,} | {rates['without']:,.0f} | {rates['with']:,.0f} "
            f"| {each['kept']:.2f} "
            f"| {processor['without']:.2f} and {processor['with']:.2f} |"
        )
    return "\n".join(lines)
