"""Tables of postcodes with their places, which an operator loads: what a distance from a postcode comes to.

A version of a table never changes. A filter that names a table is written down with the version and the postcodes that
lie within its distance, so that no decision, and none that is taken again, looks anything up.
"""

from collections.abc import Mapping
from math import degrees
from typing import Protocol

from fairlead.core.distances import EARTH_RADIUS_KM, Place, squared_distance, squared_reach


class PostcodeTables(Protocol):
    """The tables that there are."""

    def version(self, name: str, version: int | None) -> int | None:
        """The version itself where the table has it; without one the newest; None where there is none."""
        ...

    def place(self, name: str, version: int, postcode: str) -> Place | None:
        """The place of a postcode, by its key."""
        ...

    def between(self, name: str, version: int, south: float, north: float) -> Mapping[str, Place]:
        """The postcodes between two latitudes, both included, with their places."""
        ...


class _NoTables:
    def version(self, name: str, version: int | None) -> int | None:
        return None

    def place(self, name: str, version: int, postcode: str) -> Place | None:
        return None

    def between(self, name: str, version: int, south: float, north: float) -> Mapping[str, Place]:
        return {}


NO_TABLES: PostcodeTables = _NoTables()
"""Where no table was loaded, or none may be asked."""


def postcodes_within(tables: PostcodeTables, name: str, version: int, centre: Place, km: float) -> tuple[str, ...]:
    """The postcodes of the table at most so far from the centre, in order.

    >>> postcodes_within(NO_TABLES, "de", 1, Place(52.52, 13.405), 10)
    ()
    """
    # A little more than the distance, so that no rounding leaves out what the comparison below would take.
    margin = degrees(km / EARTH_RADIUS_KM) + 0.001
    near = tables.between(name, version, centre.latitude - margin, centre.latitude + margin)
    vector, reach = centre.vector, squared_reach(km)
    return tuple(sorted(code for code, place in near.items() if squared_distance(place.vector, vector) <= reach))
