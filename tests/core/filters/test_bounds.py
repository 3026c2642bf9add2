"""Lower bounds of many slots: exact for every number, however the bounds are spread and ordered."""

import random
from collections.abc import Callable
from math import inf, nextafter

import pytest
from pyroaring import BitMap

from fairlead.core.filters.bounds import LowerBounds

SPREADS: dict[str, Callable[[random.Random, int], float]] = {
    "all equal": lambda dice, n: 18.0,
    "few values": lambda dice, n: float(dice.randint(18, 21)),
    "one common value": lambda dice, n: 18.0 if dice.random() < 0.9 else float(dice.randint(0, 40)),
    "spread": lambda dice, n: dice.uniform(-1e6, 1e6),
    "rising": lambda dice, n: float(n),
    "falling": lambda dice, n: float(-n),
    "closing in on a common value": lambda dice, n: 18.0 if n < 1000 else 18.0 + 1.0 / n,
    "neighbouring floats": lambda dice, n: dice.choice([18.0, nextafter(18.0, inf), nextafter(18.0, -inf)]),
    "the largest": lambda dice, n: float(dice.choice([-1, 1]) * (2**53 - 1 - dice.randint(0, 3))),
}


@pytest.mark.parametrize("spread", list(SPREADS))
def test_exactly_the_slots_whose_bound_is_above_the_number_are_removed(spread: str) -> None:
    dice = random.Random(5)
    bounds = LowerBounds()
    bound_of: dict[int, float] = {}
    slots = random.Random(6).sample(range(6000), 3000)
    for count, slot in enumerate(slots):
        bound_of[slot] = SPREADS[spread](dice, count)
        bounds.put(slot, bound_of[slot])
        if count % 100:
            continue
        near = dice.choice(list(bound_of.values()))
        asked = BitMap(dice.sample(range(6500), 3000))
        for number in (near, nextafter(near, inf), nextafter(near, -inf), dice.uniform(-2e6, 2e6), 0.0):
            left = asked.copy()
            bounds.remove_above(number, left)
            assert list(left) == [each for each in asked if bound_of.get(each, -inf) <= number]
    assert bounds.slots == BitMap(slots)
