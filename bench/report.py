"""The figures of a run: as JSON for programs, as tables for people."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.rounds import ENGINES, Effort, Measured, percentile

RATIOS = {
    "combined_of_its_floor": ("combined", "combined_floor"),
    "single_of_its_floor": ("single", "single_floor"),
    "combined_to_conventional": ("combined", "conventional"),
    "single_to_conventional": ("single", "conventional"),
}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most.

    >>> spread([3.0, 1.0, 2.0])
    {'median': 2.0, 'min': 1.0, 'max': 3.0}
    """
    return {"median": median(values), "min": min(values), "max": max(values)}


def as_json(
    measured: Sequence[Measured], rosters: Sequence[dict[str, float]], effort: Effort, server: str
) -> dict[str, Any]:
    """Everything that was measured, by population and size."""
    return {
        "server_version": server,
        "rounds": effort.rounds,
        "batch_limit": effort.batch_limit,
        "results": [_result(one) for one in measured],
        "rosters": list(rosters),
    }


def _result(one: Measured) -> dict[str, Any]:
    return {
        "population": one.population,
        "subscriptions_per_level": one.subscriptions_per_level,
        "assignments_per_lead": one.assignments_per_lead,
        "leads_per_second": {engine: spread(one.leads_per_second[engine]) for engine in ENGINES},
        "ratios": {name: spread(one.ratios(*engines)) for name, engines in RATIOS.items()},
        "single_latency_ms": {f"p{percent}": percentile(one.single_latencies_ms, percent) for percent in (50, 99)},
        "commits_per_second": spread(one.commits_per_second),
        "tables_that_differ": one.tables_that_differ,
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report's tables. Ratios are taken within a round; the span is the least and the most of all rounds."""
    lines = [
        "| population | per level | floor | combined | of floor | singly | of its floor | conventional |"
        " combined ÷ conventional | p50 / p99 ms |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_line(result) for result in report["results"]),
        "",
        "| subscriptions | load | memory for each |",
        "|--:|--:|--:|",
        *(
            f"| {roster['subscriptions']:,} | {roster['load_seconds']:.2f} s |"
            f" {roster['bytes_per_subscription']:,.0f} B |"
            for roster in report["rosters"]
        ),
    ]
    return "\n".join(lines)


def _line(result: dict[str, Any]) -> str:
    speeds, ratios, latency = result["leads_per_second"], result["ratios"], result["single_latency_ms"]
    cells = [
        result["population"],
        f"{result['subscriptions_per_level']:,}",
        span(speeds["combined_floor"], 0),
        span(speeds["combined"], 0),
        span(ratios["combined_of_its_floor"], 2),
        span(speeds["single"], 0),
        span(ratios["single_of_its_floor"], 2),
        span(speeds["conventional"], 1),
        span(ratios["combined_to_conventional"], 0),
        f"{latency['p50']:.1f} / {latency['p99']:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def span(values: dict[str, float], digits: int) -> str:
    """The median, and the least and the most in brackets."""
    least, middle, most = (f"{values[key]:.{digits}f}" for key in ("min", "median", "max"))
    return f"{middle} ({least} to {most})"
