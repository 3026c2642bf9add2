"""What an invariant of the rows is."""

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise about the rows. `violations` gives one line per violation; `population` counts its subject.

    `is_of_money` marks those that the books are compared by.
    """

    name: str
    population: LiteralString
    violations: LiteralString
    is_of_money: bool = False
