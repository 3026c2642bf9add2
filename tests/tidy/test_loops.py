"""What goes through rows of the database goes by `flows.chunks.in_chunks`; other loops without a count are reviewed.

A `while` loop over rows that it was to change goes on for ever when it does not change them, and with it its thread,
and every task that waits for that. A run of retention was such a loop. Here is why each of the others ends.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
PACKAGES = ("flows", "store")

IN_MEMORY = "goes through what is in memory, or in a file that was handed in, and takes some of it each time"
FINDS_MARKED = "the statement that finds rows marks them, new ones may come before them, and fewer than a chunk end it"
BY_SEQ = "goes by the seq of a journal, up to where it stood, or to a bound of its own, and ends where nothing follows"
OF_A_PROCESS = "waits for a process of this machine, to which it gives up after a while"
SERVES = "serves until its worker ends"

REVIEWED = {
    "flows/chunks.py: in_chunks": "the one that all others go by",
    "flows/distribute.py: _with_balances_locked": "each time asks for more providers, of which a niche has so many",
    "flows/distribute_lead.py: run": "ends after two looks without a decision; every other decides leads",
    "flows/distribute_niche.py: distribute_niche": "each batch decides or sets apart waiting leads; none ends it",
    "flows/exporting/build_export.py: _take": IN_MEMORY,
    "flows/exporting/download.py: _pieces": "goes by place up to the length of the file; a piece that is gone raises",
    "flows/exporting/parquet.py: _groups": IN_MEMORY,
    "flows/importing/delimited.py: _read": IN_MEMORY,
    "flows/importing/delimited.py: _unreadable": IN_MEMORY,
    "flows/importing/row_scan.py: feed": IN_MEMORY,
    "flows/importing/text_lines.py: skip_line": IN_MEMORY,
    "flows/importing/workbook.py: _read": IN_MEMORY,
    "flows/importing/workbook_parts.py: _pieces": IN_MEMORY,
    "flows/importing/workbook_parts.py: column_letters": IN_MEMORY,
    "flows/live/feed.py: _put_in_order": "each time puts what is new in order, by seq",
    "flows/maintenance/count_entitlement.py: _count_from": BY_SEQ,
    "flows/maintenance/roll_up.py: _spans": IN_MEMORY,
    "flows/maintenance/snapshot_rosters.py: snapshot_niche": BY_SEQ,
    "flows/notifications/dispatch.py: dispatch_notifications": FINDS_MARKED,
    "flows/notifications/hand_over.py: hand_over_emails": FINDS_MARKED + "; its last look withdraws their jobs",
    "flows/payments/saving_methods.py: forget_method": "each time forgets the method that it found, of one provider",
    "flows/proving/snapshot_check.py: end": BY_SEQ,
    "flows/proving/snapshot_check.py: step": BY_SEQ,
    "flows/proving/verify_decision.py: verify_decision": BY_SEQ,
    "flows/try_lead.py: try_lead": "each time asks for more limits, of which a niche has so many",
    "store/access/rate_buckets.py: take_token": "tries again to make or lock one row, which may be deleted in between",
    "store/configuration/pages.py: every_niche": "goes by id, in one transaction",
    "store/distribution/snapshots.py: newest_state": "goes back by seq, in one transaction",
    "store/distribution/snapshots.py: state_before": BY_SEQ,
    "store/distribution/snapshots.py: stored_snapshots": BY_SEQ,
    "store/embedded/launch.py: _shut_down": OF_A_PROCESS,
    "store/embedded/launch.py: start_server": OF_A_PROCESS,
    "store/embedded/launch.py: wait_until_ready": OF_A_PROCESS,
    "store/embedded/orphans.py: end_orphans": OF_A_PROCESS,
    "store/history.py: audit_rows": BY_SEQ,
    "store/history.py: past_entries": BY_SEQ,
    "store/jobs/heartbeats.py: _go_on": SERVES,
    "store/jobs/heartbeats.py: _live": SERVES,
    "store/jobs/runner.py: _serve": SERVES,
    "store/jobs/runner.py: _wait_for_jobs": SERVES,
    "store/reports/entitlement.py: _spans_of": IN_MEMORY,
    "store/reports/pieces.py: _choose": IN_MEMORY,
    "store/schema.py: _await_lock": "waits for another migration, to which it gives up after a while",
    "store/time_zones.py: _moments_around": "halves a stretch of time down to a second",
}


def loops(source: str) -> Iterator[str]:
    """The functions with a loop that no count ends, one for each."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in _own(function):
                if isinstance(node, ast.While) or (isinstance(node, ast.For) and _is_endless(node.iter)):
                    yield function.name


def _own(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """What stands in the function, and not in one within it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            todo += ast.iter_child_nodes(node)


def _is_endless(iterated: ast.expr) -> bool:
    """Whether it is `count()`, `repeat(x)`, `cycle(x)` or `iter(function, end)`."""
    if not isinstance(iterated, ast.Call):
        return False
    name = ast.unparse(iterated.func).rpartition(".")[2]
    return (
        name in ("count", "cycle")
        or (name == "repeat" and len(iterated.args) == 1)
        or (name == "iter" and len(iterated.args) == 2)
    )


def test_every_loop_without_a_count_is_reviewed() -> None:
    found = Counter(
        f"{path.relative_to(SOURCE).as_posix()}: {name}"
        for package in PACKAGES
        for path in (SOURCE / package).rglob("*.py")
        for name in loops(path.read_text(encoding="utf-8"))
    )
    assert sorted({*found} - {*REVIEWED}) == [], "go by flows.chunks.in_chunks, or say here why it ends"
    assert sorted({*REVIEWED} - {*found}) == [], "reviewed, and not there any more"
    assert [each for each, count in found.items() if count > 1] == [], "two in one function: one reason for both?"


def test_such_loops_are_seen() -> None:
    source = """
def drain(database):
    def inner():
        for _ in iter(work, 0):
            pass
    while count := database.run(work):
        total += count
    for number in itertools.count(1):
        pass
    for _ in range(10):
        pass
"""
    assert sorted(loops(source)) == ["drain", "drain", "inner"]
