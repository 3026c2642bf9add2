"""Distances on the globe, the same to the last bit on every machine.

A place is a point of a sphere, its three coordinates whole numbers in steps of a hundred-millionth of the radius (about
6 cm), so that whether a place lies in a circle is a comparison of whole numbers: no machine's sine can make a decision
come out differently when it is taken again.
"""

import math
import re
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of the Earth."""
MAX_KM = 1_000
_STEPS = 10**8
_COORDINATES = re.compile(r"\s*([+-]?\d{1,2}(?:\.\d{1,15})?)\s*[,;]\s*([+-]?\d{1,3}(?:\.\d{1,15})?)\s*", re.ASCII)

Vector = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A place by its latitude and longitude, in degrees."""

    latitude: float
    longitude: float

    @property
    def vector(self) -> Vector:
        """The place on the sphere, in steps.

        >>> Place(0, 0).vector
        (100000000, 0, 0)
        """
        latitude, longitude = math.radians(self.latitude), math.radians(self.longitude)
        along = math.cos(latitude)
        return (
            round(_STEPS * along * math.cos(longitude)),
            round(_STEPS * along * math.sin(longitude)),
            round(_STEPS * math.sin(latitude)),
        )


def place_of(value: object) -> Place | None:
    """The place that a text says as `latitude, longitude` in degrees; None for what does not.

    >>> place_of("52.5200, 13.4050")
    Place(latitude=52.52, longitude=13.405)
    >>> place_of("91, 0"), place_of("Berlin"), place_of(None)
    (None, None, None)
    """
    if not isinstance(value, str) or len(value) > 100 or (found := _COORDINATES.fullmatch(value)) is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    return Place(latitude, longitude) if is_on_globe(latitude, longitude) else None


def is_on_globe(latitude: float, longitude: float) -> bool:
    """Whether there is such a place.

    >>> is_on_globe(-90, 180), is_on_globe(90.1, 0)
    (True, False)
    """
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def squared_reach(km: float) -> int:
    """How far apart places at this distance on the ground are straight through the sphere, in squared steps.

    >>> squared_reach(0), squared_reach(1000) > squared_reach(999.9)
    (0, True)
    """
    return round((2 * math.sin(km / EARTH_RADIUS_KM / 2) * _STEPS) ** 2)


def squared_distance(first: Vector, second: Vector) -> int:
    """How far two places are from each other, straight through the sphere, in squared steps.

    >>> berlin, hamburg = Place(52.52, 13.405).vector, Place(53.551, 9.994).vector
    >>> squared_reach(255) < squared_distance(berlin, hamburg) < squared_reach(256)
    True
    """
    return sum((mine - other) ** 2 for mine, other in zip(first, second, strict=True))


@dataclass(frozen=True, slots=True)
class Circle:
    """All places at most `km` from a centre.

    With a `table`, a lead's postcode is looked up, not its coordinates: `postcodes` are those that `version` of the
    table has within the circle, and they alone decide. `postcode` is how the centre was named, where it was.
    """

    centre: Place
    km: float
    table: str | None = None
    version: int | None = None
    postcode: str | None = None
    postcodes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The circle as the value of a rule.

        >>> Circle(Place(52.52, 13.405), 25).to_json()
        {'point': [52.52, 13.405], 'km': 25}
        """
        document: dict[str, object] = {"point": [self.centre.latitude, self.centre.longitude], "km": self.km}
        if self.table is None:
            return document
        named = {} if self.postcode is None else {"postcode": self.postcode}
        by_table = {"table": self.table, "version": self.version, "postcodes": list(self.postcodes)}
        return {**document, **named, **by_table}
