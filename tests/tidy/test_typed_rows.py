"""Rows of the database become values by the names of their columns, not by their places.

`store.typed_rows` is the one module that may spread a row over the fields of a class.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"

BY_PLACE_STILL = {
    "configuration/lookups.py",
    "history.py",
    "jobs/queue_views.py",
    "journal.py",
    "leads/fingerprints.py",
    "leads/views.py",
    "live/entries.py",
    "money/assignment_pages.py",
    "money/ledger_pages.py",
    "notifications/delivery_pages.py",
    "notifications/endpoint_pages.py",
    "notifications/rows.py",
    "portal/inbox.py",
    "reports/activity.py",
    "reports/revenue.py",
    "watching/dashboard.py",
    "watching/gauges.py",
}
"""Modules with a value made of parts of a row, of a page with its place, or of a union. Only to grow shorter."""


def spread_rows(source: str) -> Iterator[str]:
    """Each call of a class with a row spread over its parameters, as `line N: the call`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.func.id[:1].isupper():
            continue
        for argument in node.args:
            if isinstance(argument, ast.Starred) and "row" in ast.unparse(argument):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_rows_become_values_by_names() -> None:
    found = {
        path.relative_to(STORE).as_posix()
        for path in STORE.rglob("*.py")
        if any(spread_rows(path.read_text(encoding="utf-8")))
    }
    assert found == BY_PLACE_STILL


@pytest.mark.parametrize("call", ["UserRow(*row)", "[UserRow(*row) for row in rows]", "X(row[0], *row[1:])"])
def test_a_spread_row_is_seen(call: str) -> None:
    assert list(spread_rows(call)) != []


@pytest.mark.parametrize("call", ["make(*row)", "UserRow(name=row.name)", "Page(*place)"])
def test_what_names_its_fields_or_is_no_row_is_not(call: str) -> None:
    assert list(spread_rows(call)) == []
