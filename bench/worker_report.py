"""The figures of the worker's measurements: as JSON for programs, as tables for people."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from bench.burst import Burst, BurstEffort, Bursts
from bench.latency import Latencies, LatencyEffort
from bench.report import span, spread
from bench.rounds import percentile

PERCENTS = (50, 95, 99)
ROWS = {
    "assigned": "approved to assigned, by the database's clock",
    "told": "approval committed to decision committed, as a client sees it",
    "asked": "approval asked for to decision committed, as a client sees it",
    "direct": "`Distributor.distribute_waiting`, called directly",
    "commit": "a transaction that inserts one row",
    "traffic": "approved to assigned, leads at random moments",
}


def latency_as_json(measured: Latencies, effort: LatencyEffort, server: str) -> dict[str, Any]:
    """Percentiles in milliseconds over all rounds; ratios of medians, taken within each round."""
    by_name = {name: getattr(measured, name) for name in ROWS}
    return {
        "server_version": server,
        "effort": asdict(effort),
        "latency_ms": {name: _percentiles(list(chain(*rounds))) for name, rounds in by_name.items()},
        "ratios": {
            f"told_to_{base}": spread(
                [
                    percentile(told, 50) / percentile(other, 50)
                    for told, other in zip(measured.told, by_name[base], strict=True)
                ]
            )
            for base in ("direct", "commit")
        },
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {"count": len(values)} | {f"p{percent}": percentile(values, percent) for percent in PERCENTS}


def latency_as_markdown(report: dict[str, Any]) -> str:
    """The report's table, and the ratios below it."""
    lines = ["| milliseconds | leads | p50 | p95 | p99 |", "|---|--:|--:|--:|--:|"]
    for name, words in ROWS.items():
        row = report["latency_ms"][name]
        lines.append(f"| {words} | {row['count']} | {row['p50']:.1f} | {row['p95']:.1f} | {row['p99']:.1f} |")
    ratios = report["ratios"]
    return "\n".join(
        [
            *lines,
            "",
            f"Approval committed to decision committed is {span(ratios['told_to_direct'], 1)} times a direct call and"
            f" {span(ratios['told_to_commit'], 1)} times a bare commit (medians within a round).",
        ]
    )


def burst_as_json(measured: Bursts, effort: BurstEffort, server: str) -> dict[str, Any]:
    """Every burst with its samples, and its speed as a ratio to the mean of the direct ones before and after."""
    direct = measured.direct_leads_per_second
    mean = sum(direct) / len(direct)
    return {
        "server_version": server,
        "effort": asdict(effort),
        "direct_leads_per_second": list(direct),
        "bursts": [asdict(burst) | {"of_direct": burst.leads_per_second / mean} for burst in measured.bursts],
    }


def burst_as_markdown(report: dict[str, Any]) -> str:
    """The report's table."""
    direct = " and ".join(f"{speed:.0f}" for speed in report["direct_leads_per_second"])
    lines = [
        f"Directly, before and after: {direct} leads a second.",
        "",
        "| approvals | workers | approving took | leads/s | of direct | emails/s meanwhile | emails/s afterwards |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for burst in report["bursts"]:
        cells = [
            "one call" if burst["approval"] == "bulk" else "one by one",
            f"{burst['workers']}",
            f"{burst['approving_seconds']:.1f} s",
            f"{burst['leads_per_second']:.0f}",
            f"{burst['of_direct']:.2f}",
            f"{burst['emails_per_second_meanwhile']:.0f}",
            f"{burst['emails_per_second_afterwards']:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def label(burst: Burst) -> str:
    """What a chart calls the burst."""
    approval = "one call" if burst.approval == "bulk" else "one by one"
    return f"{approval}, {burst.workers} {'worker' if burst.workers == 1 else 'workers'}"
