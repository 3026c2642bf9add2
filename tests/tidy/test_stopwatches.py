"""No test asserts how soon something came: a busy machine takes its time."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CLOCKS = {"time.monotonic", "time.perf_counter", "time.time"}
"""Those that go on while others have the processor, unlike `time.thread_time` and `time.process_time`."""


def stopwatches(source: str) -> Iterator[int]:
    """The lines in which it is asserted that less than so much time has passed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            for compared in ast.walk(node.test):
                if isinstance(compared, ast.Compare) and _has_upper_bound(compared):
                    yield compared.lineno


def _has_upper_bound(compared: ast.Compare) -> bool:
    sides = [compared.left, *compared.comparators]
    return any(
        _is_elapsed(smaller)
        for left, sign, right in zip(sides, compared.ops, sides[1:], strict=False)
        for smaller in ([left] if isinstance(sign, ast.Lt | ast.LtE) else [])
        + ([right] if isinstance(sign, ast.Gt | ast.GtE) else [])
    )


def _is_elapsed(expression: ast.expr) -> bool:
    """Whether it holds a difference between a clock and something."""
    return any(
        isinstance(part, ast.BinOp)
        and isinstance(part.op, ast.Sub)
        and any(isinstance(call, ast.Call) and ast.unparse(call.func) in CLOCKS for call in ast.walk(part))
        for part in ast.walk(expression)
    )


def test_no_test_depends_on_how_busy_the_machine_is() -> None:
    found = {
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in stopwatches(path.read_text(encoding="utf-8"))
    }
    assert found == set(), "assert what ended the wait, see CONTRIBUTING.md"


@pytest.mark.parametrize(
    "asserted",
    [
        "time.monotonic() - began < 5",
        "0.4 <= time.monotonic() - began < 0.8",
        "5 > time.perf_counter() - began",
        "abs(int(text) - time.time()) < 60",
        "answer == 200 and time.monotonic() - began <= LIMIT",
        "1000 * (time.monotonic() - began) < 100, 'too slow'",
    ],
)
def test_a_stopwatch_is_noticed(asserted: str) -> None:
    assert list(stopwatches(f"assert {asserted}")) == [1]


@pytest.mark.parametrize(
    "asserted",
    [
        "time.monotonic() - began >= 0.4",
        "0.4 <= time.monotonic() - began",
        "time.thread_time() - began < 20",
        "time.monotonic() < deadline",
    ],
)
def test_what_a_busy_machine_cannot_fail_is_no_stopwatch(asserted: str) -> None:
    assert list(stopwatches(f"assert {asserted}")) == []
