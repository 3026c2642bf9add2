"""The figures of the API under load: as JSON for programs, as tables for people."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bench.http_load import KINDS, HttpEffort, HttpLoads

HEAD = ("| request | a second | p50 ms | p90 ms | p99 ms | max ms | errors |", "|---|--:|--:|--:|--:|--:|--:|")


def http_as_json(measured: HttpLoads, effort: HttpEffort, server: str) -> dict[str, Any]:
    """All figures: times in milliseconds, and how many answers were errors."""
    return {
        "server_version": server,
        "effort": asdict(effort),
        "rows": dict(measured.rows),
        "loads": [asdict(load) for load in measured.loads],
    }


def http_as_markdown(report: Mapping[str, Any]) -> str:
    """A table for each load."""
    rows = ", ".join(f"{count:,} {table}" for table, count in report["rows"].items())
    lines = [f"In the tables before: {rows}."]
    for load in report["loads"]:
        lines += ["", f"{load['name'].capitalize()}; {load['decided_leads']:,} leads were decided meanwhile.", ""]
        lines += [
            "| request | a second | p50 ms | p90 ms | p99 ms | max ms | errors |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for kind in KINDS:
            found = load["figures"][kind.name]
            errors = int(found["status_errors"] + found["connection_errors"])
            times = " | ".join(f"{found[name]:.1f}" for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms"))
            rate = found["requests"] / found["seconds"]
            lines.append(f"| {kind.words} | {rate:.1f} | {times} | {errors} |")
    return "\n".join(lines)
