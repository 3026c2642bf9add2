"""The longest tests early, so that the end of a run in several processes does not wait for one of them.

`--dist worksteal` (dev.py) gives each process an equal stretch of the collected tests, and one that is idle takes from
the end of another's. In the order of the files nearly all that takes long stands in one stretch, through which one
process works while the others have nothing left to do: so each stretch has its share of it, spread over its first half.
Not all at its beginning, since much of it starts processes of its own, and so many at once would wait for each other.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import pytest

Item = TypeVar("Item")

LONG = ("slow", "long")
"""The marks of what takes long: what the quick run leaves out, and what no run leaves out."""


def longest_early(items: list[pytest.Item], processes: int) -> None:
    """The items are in such an order. What does not take long stays in the order of the files."""
    items[:] = dealt(items, [any(item.get_closest_marker(mark) for mark in LONG) for item in items], processes)


def dealt(items: Sequence[Item], are_long: Sequence[bool], processes: int) -> list[Item]:
    """As many stretches as processes, as equal as xdist makes them, each with its share of what is long, early.

    >>> dealt("abcdefABCgh", [item.isupper() for item in "abcdefABCgh"], 2)
    ['A', 'C', 'a', 'b', 'c', 'B', 'd', 'e', 'f', 'g', 'h']
    """
    long = [item for item, is_long in zip(items, are_long, strict=True) if is_long]
    quick = [item for item, is_long in zip(items, are_long, strict=True) if not is_long]
    order: list[Item] = []
    for number in range(processes):
        # What xdist gives the next process: an equal share of what is left.
        size = (len(items) - len(order)) // (processes - number)
        mine = long[number::processes]
        taken = max(0, size - len(mine))
        order += _spread(mine, quick[:taken])
        del quick[:taken]
    return order


def _spread(long: Sequence[Item], quick: Sequence[Item]) -> Iterator[Item]:
    step = len(quick) // (2 * len(long)) if long else 0
    for number, item in enumerate(long):
        yield item
        yield from quick[number * step : (number + 1) * step]
    yield from quick[len(long) * step :]
