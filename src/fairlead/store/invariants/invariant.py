"""What an invariant of the rows is."""

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise about the rows. `violations` gives one line per violation; `population` counts its subject.

    Both are linear in the rows, whatever the planner believes of them: tables meet by equality alone, so that they can
    be hashed or sorted, and a function over a member of a payload stands in a `materialized` query of its own, since it
    is joined by a loop. Ids and numbers of a payload are compared as text or JSON, since a cast of what was tampered
    with would raise; `jsonb_path_query` in its lax mode gives nothing for what is no array.
    """

    name: str
    population: LiteralString
    violations: LiteralString
