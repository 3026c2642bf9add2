"""The lower bounds that many slots set on one number: which of them a given number does not reach, exactly.

The slots lie in blocks, by the value of their bound, and for every block there is the union of it and all
blocks after it. So a number refuses one such union, and of its own block only the slots that a look at
their bounds refuses. A block that has grown beyond 1/64 of all slots is split at its median, unless all its
bounds are equal.
"""

from array import array
from bisect import bisect_right
from math import inf, nextafter

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

_BLOCKS = 64
_SMALLEST_LIMIT = 64


class LowerBounds:
    """One lower bound for each of many slots. For upper bounds, negate the bounds and the number."""

    __slots__ = ("_blocks", "_bound_of", "_edges", "_from", "_only")

    def __init__(self) -> None:
        self._bound_of: npt.NDArray[np.float64] = np.zeros(64)
        self._edges = [-inf]  # a block holds the bounds from its edge up to, not including, the next edge
        self._blocks = [BitMap()]
        self._from = [BitMap()]  # the union of a block and all after it
        self._only: list[float | None] = [None]  # the bound of all slots of a block, where they have the same

    @property
    def slots(self) -> BitMap:
        """All slots that have a bound. It belongs to this object: do not change it."""
        return self._from[0]

    def put(self, slot: int, bound: float) -> None:
        """The slot, which had none, has this bound, a finite number.

        >>> bounds = LowerBounds()
        >>> bounds.put(7, 18.0)
        >>> bounds.slots
        BitMap([7])
        """
        if slot >= len(self._bound_of):
            self._bound_of = np.concatenate((self._bound_of, np.zeros(slot + 1)))
        self._bound_of[slot] = bound
        position = bisect_right(self._edges, bound) - 1
        block = self._blocks[position]
        if not block:
            self._only[position] = bound
        elif self._only[position] != bound:
            self._only[position] = None
        block.add(slot)
        for union in self._from[: position + 1]:
            union.add(slot)
        limit = max(_SMALLEST_LIMIT, len(self.slots) // _BLOCKS)
        if self._only[position] is None and len(block) > limit:
            self._split(position)

    def _split(self, position: int) -> None:
        """The block, whose bounds are not all equal, is two; neither is empty."""
        ids = np.asarray(self._blocks[position].to_array())
        bounds = self._bound_of.take(ids)
        lowest, median = float(bounds.min()), float(np.partition(bounds, len(bounds) // 2)[len(bounds) // 2])
        # A bound that most slots share gets a block of its own, so that nothing can make it split again.
        edge = median if median > lowest else nextafter(lowest, inf)
        is_upper = bounds >= edge
        upper = _bitmap(ids[is_upper])
        self._blocks[position] -= upper
        self._blocks.insert(position + 1, upper)
        self._edges.insert(position + 1, edge)
        self._from.insert(position + 1, self._from[position] - self._blocks[position])
        self._only[position] = _common(bounds[~is_upper])
        self._only.insert(position + 1, _common(bounds[is_upper]))

    def remove_above(self, number: float, slots: BitMap) -> None:
        """`slots` no longer holds those whose bound is above the number, which is finite.

        >>> bounds = LowerBounds()
        >>> bounds.put(0, 18.0)
        >>> bounds.put(1, 21.0)
        >>> slots = BitMap([0, 1, 2])
        >>> bounds.remove_above(18.0, slots)
        >>> slots
        BitMap([0, 2])
        """
        position = bisect_right(self._edges, number) - 1
        if position + 1 < len(self._from):
            slots -= self._from[position + 1]
        block, only = self._blocks[position], self._only[position]
        if only is not None:
            if only > number:
                slots -= block
            return
        ids = np.asarray((slots & block).to_array())
        slots -= _bitmap(ids[self._bound_of.take(ids) > number])


def _bitmap(ids: npt.NDArray[np.uint32]) -> BitMap:
    # An array.array is read as a block; a NumPy array, number by number, takes twenty times as long.
    return BitMap(array("I", ids.tobytes()))


def _common(bounds: npt.NDArray[np.float64]) -> float | None:
    first = float(bounds[0])
    return first if bool((bounds == first).all()) else None
