"""Weighted shares (R15): how far a share falls behind, and that nothing is gained by leaving, joining or reweighing."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.fairness import in_weighted_order, served_rank
from fairlead.core.weighted import (
    MAX_WEIGHT,
    STRIDE_OF_WEIGHT_ONE,
    shares,
    stride,
)
from tests.core.weighted_level import Level

weights = st.sampled_from([1, 1, 2, 3, 5, 10, 20, 60, MAX_WEIGHT])


def assert_bounded(level: Level, since: int, received: dict[str, int], name: str, chosen: Sequence[str]) -> None:
    """`name`, there for every lead since, misses this one: none of the chosen has had more for its weight.

    But for a lead of each, and, where a lead has several recipients, for what the lightest may be ahead.
    """
    own, weight = received.get(name, 0), level.weights[name]
    lightest = Fraction(level.level_pass.longest_stride, STRIDE_OF_WEIGHT_ONE) if level.slots > 1 else Fraction(0)
    for other in chosen:
        most = 1 + level.weights[other] * (Fraction(own + 1, weight) + lightest)
        assert received.get(other, 0) <= most + Fraction(1, 1000), (since, name, other)


@given(st.lists(weights, min_size=2, max_size=6), st.integers(1, 3), st.data())
def test_none_who_was_there_misses_a_lead_to_one_who_has_had_more_than_its_share(
    own_weights: list[int], slots: int, data: st.DataObject
) -> None:
    names = [f"{number:02}" for number in range(len(own_weights))]
    level = Level(dict(zip(names, own_weights, strict=True)), slots)
    # Of every pair's stretch: since when the first was there without a break, and what all have received since.
    stretch: dict[str, dict[str, int]] = {}
    for number in range(data.draw(st.integers(1, 60))):
        eligible = frozenset(
            data.draw(st.sets(st.sampled_from(names), min_size=1)) if data.draw(st.booleans()) else names
        )
        chosen = level.lead(eligible)
        for name in names:
            if name not in eligible or name in level.forgiven:
                stretch.pop(name, None)
                continue
            received = stretch.setdefault(name, {})
            for each in chosen:
                received[each] = received.get(each, 0) + 1
            if name not in chosen:
                assert_bounded(level, number, received, name, chosen)


@given(st.lists(weights, min_size=1, max_size=9), st.integers(1, 4), st.integers(1, 400))
def test_where_all_can_have_every_lead_none_falls_behind_its_share(
    own_weights: list[int], slots: int, leads: int
) -> None:
    names = [f"{number:02}" for number in range(len(own_weights))]
    level = Level(dict(zip(names, own_weights, strict=True)), slots)
    expected = shares(level.weights, slots)
    others = sum(level.weights[name] for name in names if expected[name] < 1)
    received = dict.fromkeys(names, 0)
    for number in range(1, leads + 1):
        for name in level.lead(frozenset(names)):
            received[name] += 1
        for name in names:
            weight = level.weights[name]
            competing = others + (weight if expected[name] == 1 else 0)
            bound = (len(names) - 1) * weight / competing
            assert received[name] >= expected[name] * number - bound - 0.001, name


@given(st.lists(weights, min_size=1, max_size=6), st.integers(1, 3), st.data())
def test_every_lead_costs_its_stride_and_no_absence_saves_one(
    own_weights: list[int], slots: int, data: st.DataObject
) -> None:
    """So the n-th lead of one that pauses, narrows its filter or is reweighed comes at no lower a pass than if it had
    stayed: it receives no more leads up to any pass of the level."""
    names = [f"{number:02}" for number in range(len(own_weights))]
    level = Level(dict(zip(names, own_weights, strict=True)), slots)
    last: dict[str, tuple[int, int]] = {}
    for _ in range(data.draw(st.integers(1, 60))):
        eligible = frozenset(data.draw(st.sets(st.sampled_from(names), min_size=1)))
        before = level.level_pass
        reweighed = data.draw(st.sampled_from(names))
        level.weights[reweighed] = data.draw(weights)
        chosen = level.lead(eligible)
        at = level.leads[-1][1]
        for name in chosen:
            if name in last:
                pass_value, weight = last[name]
                assert at[name] >= pass_value + stride(weight)
            else:
                assert at[name] >= before.global_pass
            last[name] = (at[name], level.weights[name])
        assert level.level_pass.global_pass >= before.global_pass
        assert level.level_pass.longest_stride >= before.longest_stride
        for name, pass_value in level.passes.items():
            assert pass_value <= level.level_pass.global_pass + level.level_pass.longest_stride, name


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, 1, 2, 3])), max_size=90), st.randoms())
def test_the_order_is_that_of_passes_then_of_least_recently_served(
    rows: list[tuple[int, int | None]], dice: object
) -> None:
    ids = [f"01900000-0000-7000-8000-{number:012x}" for number in range(len(rows))]
    ranks = np.array([served_rank(served, own) for (_, served), own in zip(rows, ids, strict=True)], dtype=np.int64)
    passes = np.array([pass_value for pass_value, _ in rows], dtype=np.int64)
    naive = sorted(range(len(rows)), key=lambda at: (rows[at][0], rows[at][1] or 0, ids[at]))
    assert list(in_weighted_order(np.arange(len(rows)), passes, ranks, ids)) == naive


@pytest.mark.parametrize("weight", [*range(1, 19), 20, 24, 25, 30, 40, 50, 60, 100])
def test_round_weights_divide_the_constant_exactly(weight: int) -> None:
    assert weight * stride(weight) == STRIDE_OF_WEIGHT_ONE


def test_shares_add_up_to_the_slots() -> None:
    assert sum(shares({"a": 5, "b": 3, "c": 2, "d": 1}, 2).values()) == pytest.approx(2)
    assert shares({}, 2) == {}
