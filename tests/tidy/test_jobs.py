"""Features of the job library that were measured to do harm here stay unused (ADR 0009)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
FORBIDDEN = {"lock", "queueing_lock"}


def uses(tree: ast.AST) -> Iterator[int]:
    """The lines on which something is called with one of the forbidden words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(keyword.arg in FORBIDDEN for keyword in node.keywords):
            yield node.lineno


def test_no_job_has_a_lock() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := list(uses(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_enqueueing_in_sql_names_no_lock_either() -> None:
    queue = (SOURCE / "store/jobs/queue.py").read_text(encoding="utf-8")
    assert "select (queue, task, 0, null, null, payload," in queue, "lock and queueing_lock are the fourth and fifth"


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_the_check_can_fail(word: str) -> None:
    assert list(uses(ast.parse(f"task.configure({word}='x').defer()"))) == [1]
