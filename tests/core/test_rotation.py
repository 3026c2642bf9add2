"""R2: the starting level rotates, whatever the positions and whatever was edited in between."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.rotation import next_pointer, start_position

positions = st.sets(st.integers(1, 30), min_size=1, max_size=7).map(sorted)


def starts(active: Sequence[int], pointer: int, decisions: int) -> tuple[list[int], int]:
    seen: list[int] = []
    for _ in range(decisions):
        start = start_position(active, pointer)
        assert start is not None
        seen.append(start)
        pointer = next_pointer(active, start)
    return seen, pointer


@given(active=positions, pointer=st.integers(1, 40), rounds=st.integers(1, 5))
def test_over_n_k_decisions_each_of_n_levels_starts_k_times(active: list[int], pointer: int, rounds: int) -> None:
    seen, _ = starts(active, pointer, rounds * len(active))
    assert Counter(seen) == dict.fromkeys(active, rounds)


@given(active=positions, pointer=st.integers(1, 40))
def test_the_start_is_the_nearest_active_position_from_the_pointer(active: list[int], pointer: int) -> None:
    around = [*range(pointer, 41), *range(1, pointer)]
    assert start_position(active, pointer) == next(position for position in around if position in active)


@given(active=positions)
def test_the_pointer_after_a_start_is_the_next_active_position_around(active: list[int]) -> None:
    for number, start in enumerate(active):
        assert next_pointer(active, start) == (active * 2)[number + 1]


@given(edits=st.lists(positions, min_size=1, max_size=40), steady=st.integers(1, 30), pointer=st.integers(1, 40))
def test_no_edit_lets_a_level_start_twice_before_a_steady_one_has(
    edits: list[list[int]], steady: int, pointer: int
) -> None:
    seen: list[int] = []
    for active in edits:
        own, pointer = starts(sorted({*active, steady}), pointer, 1)
        seen += own
    since_steady: list[int] = []
    for start in seen:
        since_steady = [] if start == steady else [*since_steady, start]
        assert len(since_steady) == len(set(since_steady)), seen


@given(before=positions, after=positions, pointer=st.integers(1, 40), rounds=st.integers(1, 3))
def test_shares_are_exact_again_from_the_first_decision_after_an_edit(
    before: list[int], after: list[int], pointer: int, rounds: int
) -> None:
    _, pointer = starts(before, pointer, 4)
    seen, _ = starts(after, pointer, rounds * len(after))
    assert Counter(seen) == dict.fromkeys(after, rounds)


def test_without_an_active_level_there_is_no_start() -> None:
    assert start_position([], 1) is None
