"""The figures of single parts, each way against the other: as JSON for programs, as tables for people."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.catching_up import CatchingUpEffort, CaughtUp
from bench.containing import Contained, ContainingEffort
from fairlead.store.distribution.rosters import most_entries_folded


def caught_up_as_json(measured: Sequence[CaughtUp], effort: CatchingUpEffort, server: str) -> dict[str, Any]:
    """Medians of the rounds, and the number of entries at which both ways take equally long."""
    return {
        "server_version": server,
        "effort": asdict(effort),
        "sizes": [
            {
                "subscriptions": each.subscriptions,
                "fold_us_per_entry": median(each.fold_seconds) * 1e6,
                "reload_ms": median(each.load_seconds) * 1e3,
                "equal_at_entries": each.equal_at_entries,
                "folded_up_to_entries": most_entries_folded(each.subscriptions),
            }
            for each in measured
        ],
    }


def caught_up_as_markdown(report: dict[str, Any]) -> str:
    """One row for each size."""
    lines = [
        "| subscriptions | folding an entry | reading the tables | equally long at | folded up to |",
        "|--:|--:|--:|--:|--:|",
    ]
    for size in report["sizes"]:
        lines.append(
            f"| {size['subscriptions']:,} | {size['fold_us_per_entry']:,.0f} µs | {size['reload_ms']:,.1f} ms "
            f"| {size['equal_at_entries']:,.0f} entries | {size['folded_up_to_entries']:,} |"
        )
    return "\n".join(lines)


def contained_as_json(measured: Sequence[Contained], effort: ContainingEffort) -> dict[str, Any]:
    """Medians of the rounds, and how many times as long the scan takes."""
    return {
        "effort": asdict(effort),
        "pieces": [
            {
                "pieces": each.pieces,
                "scan_ms": median(each.scan_seconds) * 1e3,
                "pass_ms": median(each.pass_seconds) * 1e3,
                "scan_to_pass": each.scan_to_pass,
                "first_to_scan": each.first_seconds / median(each.scan_seconds),
                "after_one_more_ms": each.after_one_more_seconds * 1e3,
                "bytes_per_piece": each.bytes_per_piece,
            }
            for each in measured
        ],
    }


def contained_as_markdown(report: dict[str, Any]) -> str:
    """One row for each number of pieces."""
    lines = [
        "| pieces | one after the other | in one pass | ratio | first question, in scans | after one more | memory |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in report["pieces"]:
        lines.append(
            f"| {each['pieces']:,} | {each['scan_ms']:,.2f} ms | {each['pass_ms']:,.2f} ms "
            f"| {each['scan_to_pass']:,.1f} | {each['first_to_scan']:,.1f} | {each['after_one_more_ms']:,.2f} ms "
            f"| {each['bytes_per_piece']:,.0f} B |"
        )
    return "\n".join(lines)
