"""Rows of the database become values by the names of their columns, not by their places.

`store.typed_rows` is the one module that may spread a row over the fields of a class.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"


def spread_rows(source: str) -> Iterator[str]:
    """Each call of a class with a row spread over its parameters, as `line N: the call`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.func.id[:1].isupper():
            continue
        for argument in node.args:
            if isinstance(argument, ast.Starred) and "row" in ast.unparse(argument):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_rows_become_values_by_names() -> None:
    found = [
        f"{path.relative_to(STORE).as_posix()}, {call}"
        for path in sorted(STORE.rglob("*.py"))
        for call in spread_rows(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("call", ["UserRow(*row)", "[UserRow(*row) for row in rows]", "X(row[0], *row[1:])"])
def test_a_spread_row_is_seen(call: str) -> None:
    assert list(spread_rows(call)) != []


@pytest.mark.parametrize("call", ["make(*row)", "UserRow(name=row.name)", "Page(*place)"])
def test_what_names_its_fields_or_is_no_row_is_not(call: str) -> None:
    assert list(spread_rows(call)) == []
