"""R3: every active level exactly once, by position from the start, wrapping."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.model import Level
from fairlead.core.traversal import active_levels_by_position, traverse


def level(position: int, is_active: bool = True) -> Level:
    return Level(f"level-{position}", f"L{position}", 100, 1, position, is_active)


@given(st.sets(st.integers(1, 50), min_size=1, max_size=9).flatmap(lambda own: st.permutations(sorted(own))), st.data())
def test_a_traversal_visits_each_active_level_once_ascending_from_the_start(
    own: list[int], data: st.DataObject
) -> None:
    active = active_levels_by_position([level(position) for position in own])
    start = data.draw(st.sampled_from(own))
    visited = [each.order_position for each in traverse(active, start)]
    assert visited == [p for p in sorted(own) if p >= start] + [p for p in sorted(own) if p < start]


@given(st.dictionaries(st.integers(1, 50), st.booleans(), max_size=9))
def test_inactive_levels_are_not_visited(own: dict[int, bool]) -> None:
    active = active_levels_by_position([level(position, is_active) for position, is_active in own.items()])
    assert [each.order_position for each in active] == sorted(p for p, is_active in own.items() if is_active)
