"""The circles that many slots ask for: which of them a lead's place fails, exactly.

The globe is cut into cells of one degree. Each cell knows the slots whose circle may reach into it, so that only those
are compared with the place, in whole numbers (`distances`).
"""

from array import array
from collections.abc import Iterator
from math import cos, degrees, floor, radians

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from fairlead.core.filters.distances import EARTH_RADIUS_KM, Circle, Place, place_of, squared_reach

_MARGIN_DEGREES = 0.001
_NO_SLOTS = BitMap()

_Cell = tuple[int, int]


class Circles:
    """One circle for each of many slots, and whether a place must lie within it or beyond it."""

    __slots__ = ("_cells", "_is_within", "_reaches", "_vectors", "constrained")

    def __init__(self, *, is_within: bool) -> None:
        self._is_within = is_within
        self.constrained = BitMap()
        self._vectors: npt.NDArray[np.int64] = np.zeros((64, 3), np.int64)
        self._reaches: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self._cells: dict[_Cell, BitMap] = {}

    def put(self, slot: int, circle: Circle) -> None:
        """The slot, which had none, has this circle.

        >>> circles = Circles(is_within=True)
        >>> circles.put(2, Circle(Place(52.52, 13.405), 25))
        >>> slots = BitMap([1, 2])
        >>> circles.remove_refusing("48.1, 11.5", slots)
        >>> slots
        BitMap([1])
        """
        if slot >= len(self._reaches):
            more = slot + 1
            self._vectors = np.concatenate((self._vectors, np.zeros((more, 3), np.int64)))
            self._reaches = np.concatenate((self._reaches, np.zeros(more, np.int64)))
        self._vectors[slot] = circle.centre.vector
        self._reaches[slot] = squared_reach(circle.km)
        self.constrained.add(slot)
        for cell in _cells_of(circle):
            slots = self._cells.get(cell)
            if slots is None:
                slots = self._cells[cell] = BitMap()
            slots.add(slot)

    def remove_refusing(self, value: object, slots: BitMap) -> None:
        """`slots` no longer holds those whose rule this value of the field fails."""
        place = place_of(value)
        if place is None:
            slots -= self.constrained
            return
        near = slots & self._cells.get(_cell_of(place), _NO_SLOTS)
        within = self._within(place, near) if near else _NO_SLOTS
        slots -= (self.constrained - within) if self._is_within else within

    def _within(self, place: Place, near: BitMap) -> BitMap:
        ids = np.asarray(near.to_array())
        apart = self._vectors.take(ids, axis=0) - np.asarray(place.vector, np.int64)
        squared = (apart * apart).sum(axis=1)
        return BitMap(array("I", ids[squared <= self._reaches.take(ids)].tobytes()))


def _cell_of(place: Place) -> _Cell:
    # The antimeridian is one line, however it is written.
    return floor(place.latitude), floor(place.longitude) if place.longitude < 180 else -180


def _cells_of(circle: Circle) -> Iterator[_Cell]:
    """The cells that the circle may reach into, at least."""
    height = degrees(circle.km / EARTH_RADIUS_KM) + _MARGIN_DEGREES
    south, north = circle.centre.latitude - height, circle.centre.latitude + height
    narrowest = cos(radians(min(90.0, max(abs(south), abs(north)))))
    # Over a pole, and near one, a circle goes round the globe.
    width = 180.0 if narrowest < 0.02 else height / narrowest
    columns = range(floor(circle.centre.longitude - width), floor(circle.centre.longitude + width) + 1)
    for row in range(floor(max(south, -90)), floor(min(north, 90)) + 1):
        for column in columns if width < 179 else range(-180, 180):
            yield row, (column + 180) % 360 - 180
