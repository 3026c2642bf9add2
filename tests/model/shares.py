"""Who is next where a level goes by weights, read literally from docs/fairness.md. It imports nothing of Fairlead.

Passes are fractions: a lead costs one, divided by the weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

ABOVE_ALL_PLACES = 10**18


@dataclass
class Standing:
    """Where a level stands: the highest pass at which it gave a lead, and from which place on that was reached.

    `longest` is the most that a lead has cost.
    """

    highest: Fraction = Fraction(0)
    since: int = 0
    longest: Fraction = Fraction(0)

    def at(self, own: Fraction, place: int | None) -> Fraction:
        """The pass at which one with this pass of its own, served last at that place, stands in the queue."""
        was_there = place is not None and place >= self.since
        return max(own, self.highest - self.longest if was_there else self.highest)

    def open_again(self) -> None:
        """The level is weighted again, and all are even."""
        if self.longest:
            self.highest, self.since = self.highest + self.longest, ABOVE_ALL_PLACES

    def give(self, picks: Sequence[tuple[int, Fraction, int]]) -> list[Fraction]:
        """A lead goes to those of this place, pass in the queue and weight; returns the pass that each has then."""
        top = max((pass_value for _, pass_value, _ in picks), default=self.highest)
        if top > self.highest:
            self.highest, self.since = top, picks[0][0]
        self.longest = max([self.longest, *(Fraction(1, weight) for *_, weight in picks)])
        return [max(own + Fraction(1, weight), self.highest - self.longest) for _, own, weight in picks]
