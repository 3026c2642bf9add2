"""The longest tests early, so that the end of a run in several processes does not wait for one of them.

`--dist worksteal` (dev.py) gives each process an equal stretch of the collected tests, and one that is idle takes from
the end of another's. In the order of the files nearly all that takes long stands in one stretch, through which one
process works while the others have nothing left to do: so each stretch has its share of it, spread over its first half.
Not all at its beginning, since much of it starts processes of its own, and so many at once would wait for each other.

What takes long in one file stays together all the same: what a file's fixtures share (a server, a marketplace in which
everything happened) lasts until a test of another file comes, and would be made anew for each of its tests.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import pytest

Item = TypeVar("Item")

LONG = ("slow", "long")
"""The marks of what takes long: what the quick run leaves out, and what no run leaves out."""


def longest_early(items: list[pytest.Item], processes: int) -> None:
    """The items are in such an order. What does not take long stays in the order of the files."""
    are_long = [any(item.get_closest_marker(mark) for mark in LONG) for item in items]
    items[:] = dealt(items, are_long, processes, lambda item: item.path)


def dealt(
    items: Sequence[Item], are_long: Sequence[bool], processes: int, file_of: Callable[[Item], object]
) -> list[Item]:
    """As many stretches as processes, as equal as xdist makes them, each with its share of what is long, early.

    >>> dealt("abcdefABCgh", [item.isupper() for item in "abcdefABCgh"], 2, str)
    ['A', 'C', 'a', 'b', 'c', 'B', 'd', 'e', 'f', 'g', 'h']
    >>> dealt("aAAbcBBd", [item.isupper() for item in "aAAbcBBd"], 1, str)
    ['A', 'A', 'a', 'B', 'B', 'b', 'c', 'd']
    """
    long = [item for item, is_long in zip(items, are_long, strict=True) if is_long]
    quick = [item for item, is_long in zip(items, are_long, strict=True) if not is_long]
    order: list[Item] = []
    for number in range(processes):
        # What xdist gives the next process: an equal share of what is left.
        size = (len(items) - len(order)) // (processes - number)
        mine = long[number::processes]
        taken = max(0, size - len(mine))
        order += _spread([[*of_one] for _, of_one in groupby(mine, file_of)], quick[:taken])
        del quick[:taken]
    return order


def _spread(long: Sequence[Sequence[Item]], quick: Sequence[Item]) -> Iterator[Item]:
    step = len(quick) // (2 * len(long)) if long else 0
    for number, of_one in enumerate(long):
        yield from of_one
        yield from quick[number * step : (number + 1) * step]
    yield from quick[len(long) * step :]
