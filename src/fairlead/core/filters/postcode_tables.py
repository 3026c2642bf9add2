"""Postcode tables with their places, which an operator loads: what a distance from a postcode comes to.

A version of a table never changes. A filter that names a table is written down with the version and the postcodes that
lie within its distance, so that no decision, and none that is taken again, looks anything up.
"""

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import degrees
from typing import Protocol

from fairlead.core.errors import BadInput
from fairlead.core.filters.distances import EARTH_RADIUS_KM, Place, place_of, squared_distance, squared_reach
from fairlead.core.filters.postcodes import postcode_key

TABLE_NAME = r"^[a-z0-9][a-z0-9-]{0,49}$"
MAX_POSTCODES = 100_000
MAX_CONTENT_BYTES = 8_388_608
MOST_REFUSED_LINES = 100
"""When so many lines of a file are wrong, the others are not looked at."""


def is_table_name(text: str) -> bool:
    """Whether a table can be called so.

    >>> is_table_name("de-2"), is_table_name("De")
    (True, False)
    """
    return re.fullmatch(TABLE_NAME, text, re.ASCII) is not None


@dataclass(frozen=True, slots=True)
class PostcodeTableContent:
    """What a version of a table says: a line for each postcode, in order: it, its latitude, its longitude."""

    text: str
    postcode_count: int
    sha256: str
    """Equal of equal contents, however their lines were written."""


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


def read_postcode_table(text: str) -> PostcodeTableContent:
    """The content of a table as it is kept.

    Each line has a postcode, its latitude and its longitude, with commas, semicolons or tabs between; the first may be
    a heading. Raises `BadInput` with one line for each that is wrong, up to a bound.

    >>> table = read_postcode_table("zip;lat;lon\\n10 115;52.5337;13.3872")
    >>> table.text, table.postcode_count
    ('10115,52.5337,13.3872', 1)
    """
    lines = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines()
    if len(lines) > MAX_POSTCODES + 1:
        raise BadInput([f"a table has at most {MAX_POSTCODES:,} postcodes"])
    separator = next((each for each in (";", "\t") if lines and each in lines[0]), ",")
    known: dict[str, Place] = {}
    problems: list[str] = []
    for number, cells in enumerate(csv.reader(lines, delimiter=separator), 1):
        parts = [cell.strip() for cell in cells]
        if not any(parts) or (number == 1 and len(parts) >= 3 and place_of(",".join(parts[1:3])) is None):
            continue
        code, place = (postcode_key(parts[0]), place_of(",".join(parts[1:3]))) if len(parts) >= 3 else (None, None)
        if code is None or place is None:
            problems.append(f"line {number}: must be a postcode, its latitude and its longitude in degrees")
        elif code in known:
            problems.append(f"line {number}: an earlier line has the postcode {code}")
        else:
            known[code] = place
        if len(problems) >= MOST_REFUSED_LINES:
            break
    content = "\n".join(f"{code},{known[code].latitude!r},{known[code].longitude!r}" for code in sorted(known))
    if problems or not known or len(content) > MAX_CONTENT_BYTES:
        raise BadInput(problems or ["a table has at least one postcode, and takes at most 8 MB"])
    return PostcodeTableContent(content, len(known), hashlib.sha256(content.encode()).hexdigest())


@lru_cache(maxsize=8)
def places_of(content: str) -> Mapping[str, Place]:
    """The places of a table by postcode, from its content.

    >>> places_of("10115,52.5337,13.3872")["10115"].latitude
    52.5337
    """
    rows = (line.split(",") for line in content.splitlines())
    return {code: Place(float(latitude), float(longitude)) for code, latitude, longitude in rows}
