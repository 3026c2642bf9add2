"""Whole numbers side by side in one integer, so that all of them grow, or are held against their limits, at once.

Each has a place of `PLACE_BITS`, the first one the lowest. Numbers of one owner that lie apart are read one by one from
wherever they happen to be; a sale reads, moves and checks those of eighteen owners.
"""

from collections.abc import Sequence
from functools import cache
from struct import Struct
from typing import TypeAlias

PLACE_BITS = 64
GREATEST = 1 << 62
"""The greatest number that has a place. Twice as much, and one more, still spoils none of the others."""

Places: TypeAlias = Struct
"""The places of so many numbers."""

_GUARD = 1 << (PLACE_BITS - 1)


def side_by_side(numbers: Sequence[int]) -> int:
    """The numbers in one integer. Raises ValueError for one that is negative or beyond `GREATEST`.

    >>> whole = side_by_side([3, 1500])
    >>> apart(whole + side_by_side([1, 500]), 2)
    (4, 2000)
    """
    if numbers and not 0 <= min(numbers) <= max(numbers) <= GREATEST:
        raise ValueError("a number that was counted is negative or too great")
    return int.from_bytes(places_of(len(numbers)).pack(*numbers), "little")


def apart(whole: int, count: int) -> tuple[int, ...]:
    """The numbers that are side by side in the integer: so many."""
    return places_of(count).unpack(whole.to_bytes(count * PLACE_BITS // 8, "little"))


def same_in_each(number: int, count: int, step: int = 1) -> int:
    """The number in the first place of each `step`: in so many of them.

    >>> apart(same_in_each(7, 2, step=2), 4)
    (7, 0, 7, 0)
    """
    return sum(number << (PLACE_BITS * step * place) for place in range(count))


def ceilings_of(limits: Sequence[int]) -> tuple[int, int]:
    """What `all_within` needs of these limits, each at most `GREATEST`."""
    guards = same_in_each(_GUARD, len(limits))
    return guards + side_by_side(limits), guards


def all_within(whole: int, ceilings: int, guards: int) -> bool:
    """Whether each number is at most its limit; see `ceilings_of`.

    What is left of a limit, with a bit above it that a number beyond the limit takes away:

    >>> ceilings, guards = ceilings_of([5, GREATEST, 900])
    >>> [all_within(side_by_side(each), ceilings, guards) for each in ([5, 7, 900], [6, 7, 900], [0, 0, 901])]
    [True, False, False]
    """
    return (ceilings - whole) & guards == guards


@cache
def places_of(count: int) -> Places:
    """The places of so many numbers: they unpack the bytes of the integer, the lowest first."""
    return Struct(f"<{count}Q")
