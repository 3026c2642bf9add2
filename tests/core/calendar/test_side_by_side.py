"""Numbers side by side in one integer: what is done to all of them at once is what would be done to each."""

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.calendar.side_by_side import GREATEST, all_within, apart, ceilings_of, same_in_each, side_by_side

NUMBERS = st.integers(0, GREATEST) | st.integers(0, 3) | st.integers(GREATEST - 3, GREATEST)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=10)


@given(PAIRS)
def test_they_grow_each_by_itself_and_come_apart_as_they_were(pairs: list[tuple[int, int]]) -> None:
    numbers, more = [first for first, _ in pairs], [second for _, second in pairs]
    assert apart(side_by_side(numbers), len(numbers)) == tuple(numbers)
    grown = side_by_side(numbers) + side_by_side(more)
    assert apart(grown, len(numbers)) == tuple(first + second for first, second in pairs)


@given(PAIRS, st.booleans())
def test_all_are_within_their_limits_when_each_is(pairs: list[tuple[int, int]], one_more: bool) -> None:
    numbers, limits = [first + one_more for first, _ in pairs], [second for _, second in pairs]
    whole = side_by_side([first for first, _ in pairs]) + same_in_each(int(one_more), len(pairs))
    assert all_within(whole, *ceilings_of(limits)) is all(
        number <= limit for number, limit in zip_longest(numbers, limits)
    )


@pytest.mark.parametrize("number", [-1, GREATEST + 1, 1 << 64, 1 << 200])
def test_what_has_no_place_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="negative or too great"):
        side_by_side([0, number])
