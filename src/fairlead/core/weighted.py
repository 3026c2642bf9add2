"""Who is next within a weighted level: stride scheduling with start tags (R15).

Every lead costs a subscription its *stride*: a constant divided by its weight. Its *pass* is the sum of the strides
that it was charged; the lowest pass is next, ties by R5. A level's *global pass* is the highest pass at which it ever
gave a lead. A subscription that was not served since that pass was reached starts at it, at the lowest: who joins, or
returns from a pause, or from leads that its filter, limits or money kept from it, has saved up nothing. One that
received the very lead that moved the global pass was there, and keeps its own pass; it may trail the global one by the
longest stride, and no more, however many slots of a lead it would be due. A turn that a refund gives back takes the
lead's stride off again.

Passes are whole numbers, so that every machine gives the same order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairlead.core.model import WEIGHTED

STRIDE_OF_WEIGHT_ONE = 61_261_200
"""Divisible by all numbers up to 18 and by most round ones; the others lose less than one lead in 600,000."""

MAX_WEIGHT = 100

PARTS = 10**12
"""In so many parts of a lead shares are told."""


def stride(weight: int) -> int:
    """By how much a lead moves the pass of a subscription with this weight.

    >>> stride(1) == 3 * stride(3)
    True
    """
    return STRIDE_OF_WEIGHT_ONE // weight


@dataclass(frozen=True, slots=True)
class LevelPass:
    """Where a weighted level stands.

    Subscriptions that were last served before `global_pass_seq`, by the niche's counter, start at `global_pass` at
    least. `longest_stride` is the longest that the level has charged.
    """

    global_pass: int = 0
    global_pass_seq: int = 0
    longest_stride: int = 0


ALL_START_THERE = 2**53 - 1
"""A `global_pass_seq` that no subscription was served at."""

NO_LEVEL_PASS = LevelPass()
"""That of a level that gave no lead by weight yet."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A recipient at a weighted level: the pass at which it was chosen, and the weight at which it is charged."""

    subscription_id: str
    served_seq: int
    pass_value: int
    weight: int


def start_pass(own_pass: int, served_seq: int | None, level_pass: LevelPass) -> int:
    """The pass at which a subscription stands in the queue.

    >>> level_pass = LevelPass(global_pass=700, global_pass_seq=5, longest_stride=650)
    >>> [start_pass(own_pass, seq, level_pass) for own_pass, seq in ((100, None), (100, 4), (100, 5), (900, 4), (0, 6))]
    [700, 700, 100, 900, 50]
    """
    if served_seq is not None and served_seq >= level_pass.global_pass_seq:
        return max(own_pass, level_pass.global_pass - level_pass.longest_stride)
    return max(own_pass, level_pass.global_pass)


def start_passes(own_passes: NDArray[np.int64], ranks: NDArray[np.int64], level_pass: LevelPass) -> NDArray[np.int64]:
    """`start_pass` of many at once; `ranks` are below zero for those that were never served.

    >>> level_pass = LevelPass(global_pass=700, global_pass_seq=5, longest_stride=650)
    >>> start_passes(np.array([100, 100, 100, 900, 0]), np.array([-9, 4, 5, 4, 6]), level_pass).tolist()
    [700, 700, 100, 900, 50]
    """
    was_there = ranks >= level_pass.global_pass_seq
    return np.maximum(own_passes, level_pass.global_pass - np.where(was_there, level_pass.longest_stride, 0))


def after_lead(level_pass: LevelPass, picks: Sequence[Pick]) -> tuple[LevelPass, Mapping[str, int]]:
    """Where the level stands after a lead, and the passes of its recipients, by subscription.

    Nothing of it depends on who was there, or was refused, and not chosen.

    >>> level_pass, passes = after_lead(NO_LEVEL_PASS, [Pick("a", 1, 0, 2), Pick("b", 2, 0, 1)])
    >>> passes == {"a": stride(2), "b": stride(1)}, level_pass.global_pass
    (True, 0)
    """
    if not picks:
        return level_pass, {}
    highest = max(pick.pass_value for pick in picks)
    longest = max(level_pass.longest_stride, *(stride(pick.weight) for pick in picks))
    is_moved = highest > level_pass.global_pass
    after = LevelPass(
        max(level_pass.global_pass, highest),
        picks[0].served_seq if is_moved else level_pass.global_pass_seq,
        longest,
    )
    least = after.global_pass - longest
    return after, {pick.subscription_id: max(pick.pass_value + stride(pick.weight), least) for pick in picks}


def opened_anew(level_pass: LevelPass) -> LevelPass:
    """Where a level stands that is weighted again from now on: all its subscriptions are even, whatever was before.

    No pass is above the global one by more than the longest stride.

    >>> level_pass = opened_anew(LevelPass(700, 5, 200))
    >>> [start_pass(own_pass, served_seq, level_pass) for own_pass, served_seq in ((900, 9), (100, 5), (0, None))]
    [900, 900, 900]
    """
    if level_pass.longest_stride == 0:
        return level_pass
    return LevelPass(level_pass.global_pass + level_pass.longest_stride, ALL_START_THERE, level_pass.longest_stride)


def pass_in_order(level_pass: LevelPass, before: str | None, after: str) -> LevelPass:
    """Where a level stands that had the order `before`, or is new, and has the order `after` from now on.

    >>> pass_in_order(LevelPass(700, 5, 200), "least_recently_served", "weighted").global_pass
    900
    >>> pass_in_order(LevelPass(700, 5, 200), "weighted", "weighted").global_pass
    700
    """
    is_opened = after == WEIGHTED and before is not None and before != WEIGHTED
    return opened_anew(level_pass) if is_opened else level_pass


def shares(weights: Mapping[str, int], slots: int) -> Mapping[str, float]:
    """What part of a level's leads each may expect, where all can have every lead and each lead fills the slots.

    No subscription has a lead twice: one that would be due more than every lead has every lead, and the others share
    the rest.

    >>> shares({"a": 3, "b": 1}, slots=1)
    {'a': 0.75, 'b': 0.25}
    >>> shares({"a": 8, "b": 1, "c": 1}, slots=2)
    {'a': 1.0, 'b': 0.5, 'c': 0.5}
    >>> shares({"a": 1}, slots=3)
    {'a': 1.0}
    """
    parts = parts_of(np.fromiter(weights.values(), np.int64, len(weights)), slots, PARTS)
    return {own_id: part / PARTS for own_id, part in zip(weights, parts.tolist(), strict=True)}


def parts_of(weights: NDArray[np.int64], slots: int, whole: int) -> NDArray[np.int64]:
    """`shares` of many at once, in parts of a lead of which `whole` are one, rounded down.

    >>> parts_of(np.array([8, 1, 1]), 2, 1000).tolist()
    [1000, 500, 500]
    """
    capped = np.zeros(len(weights), np.bool_)
    slots = min(slots, len(weights))
    while True:
        left, total = slots - int(capped.sum()), int(weights[~capped].sum())
        over = ~capped & (weights * left >= total)
        if not over.any():
            break
        capped |= over
    return np.where(capped, whole, weights * left * whole // max(1, total))
