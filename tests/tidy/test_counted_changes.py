"""What a sale or its money hangs on is changed with a count: an update that finds fewer rows stops its transaction.

Read are the functions of store. One that changes a row of these tables does so by `row_counts.change_rows`, or stands
here with the reason why it may find fewer.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.test_one_writer import STORE, strings, writes

COUNTED_TABLES = {"assignments", "competition_levels", "leads", "niches", "providers", "subscriptions"}
UNCOUNTED = {
    "distribution/limit_counters.py: forget_local_time": "those of the named that something shuts",
    "distribution/limit_counters.py: forget_used": "those of the named of which something is kept",
    "money/ledger.py: forget_low_balance": "those of the providers whose balance is not low any more",
    "leads/erasure.py: erase_words": "those of the leads' assignments that something was written about",
    "leads/state.py: begin_isolated": "a lead that was decided meanwhile is left alone",
    "leads/state.py: isolate_waiting_leads": "those that no other transaction holds",
}


def uncounted_changes(source: str) -> Iterator[str]:
    """The functions that change a row of one of the tables and count none."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        text = ast.unparse(function)
        changed = {table for each in strings(text) for verb, table in writes(each) if verb == "update"}
        if changed & COUNTED_TABLES and "change_rows(" not in text:
            yield function.name


def test_every_change_is_counted_or_says_why_not() -> None:
    found = {
        f"{path.relative_to(STORE).as_posix()}: {name}"
        for path in STORE.rglob("*.py")
        for name in uncounted_changes(path.read_text(encoding="utf-8"))
    }
    assert found == {*UNCOUNTED}


@pytest.mark.parametrize(
    ("statement", "is_seen"),
    [
        ("conn.execute('update leads set status = %s')", True),
        ("text = 'update providers p set name = %s'\n    conn.execute(text)", True),
        ("change_rows(conn, 'promise', 1, 'update leads set status = %s')", False),
        ("conn.execute('update sessions set ended_at = %s')", False),
        ("conn.execute('select id from leads for no key update')", False),
    ],
)
def test_an_uncounted_change_is_seen(statement: str, is_seen: bool) -> None:
    assert list(uncounted_changes(f"def change(conn):\n    {statement}")) == (["change"] if is_seen else [])
