"""The figures of the ways to lock: as JSON for programs, as tables for people."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.locking import WAYS, Locking, LockingEffort, Turns
from bench.report import spread

BASE = next(iter(WAYS))


def locking_as_json(measured: Sequence[Locking], effort: LockingEffort, server: str) -> dict[str, Any]:
    """Each way's time for a lead, by the clock and of the processors, as a share of the first way's."""
    return {
        "server_version": server,
        "effort": asdict(effort),
        "results": [
            {
                "population": each.population,
                "subscriptions_per_level": each.subscriptions_per_level,
                "processes": each.processes,
                "leads_in_a_transaction": limit,
                "ways": {way: _figures(turns, by_way[BASE]) for way, turns in by_way.items()},
            }
            for each in measured
            for limit, by_way in each.turns.items()
        ],
    }


def _figures(turns: Turns, base: Turns) -> dict[str, Any]:
    pairs = zip(turns.seconds_per_lead, base.seconds_per_lead, strict=True)
    return {
        "ms_per_lead": 1000 * median(turns.seconds_per_lead),
        "time": spread([own / other for own, other in pairs]),
        "processor_time": _processor_seconds(turns) / _processor_seconds(base),
        "client_ms_per_lead": 1000 * turns.client_seconds / turns.leads,
        "server_ms_per_lead": 1000 * turns.server_seconds / turns.leads,
        "locked_rows_per_transaction": turns.locked_rows / turns.transactions,
        "lock_statements_per_transaction": turns.lock_statements / turns.transactions,
    }


def _processor_seconds(turns: Turns) -> float:
    return (turns.client_seconds + turns.server_seconds) / turns.leads


def locking_as_markdown(report: dict[str, Any]) -> str:
    """One row for each way in each case."""
    lines = [
        "| population | per level | processes | leads at once | way | ms a lead | time | processor time |"
        " rows locked | lock statements |",
        "|---|--:|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for result in report["results"]:
        for way, each in result["ways"].items():
            time = each["time"]
            lines.append(
                f"| {result['population']} | {result['subscriptions_per_level']:,} | {result['processes']} "
                f"| {result['leads_in_a_transaction']} | {way} | {each['ms_per_lead']:.2f} "
                f"| {time['median']:.2f} ({time['min']:.2f} to {time['max']:.2f}) | {each['processor_time']:.2f} "
                f"| {each['locked_rows_per_transaction']:,.0f} | {each['lock_statements_per_transaction']:.2f} |"
            )
    return "\n".join(lines)
