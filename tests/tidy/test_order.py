"""A run in several processes works through what takes long in all of them at once, and runs every test once."""

import pytest

from tests.order import dealt


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 8])
@pytest.mark.parametrize(("long", "quick"), [(0, 0), (0, 10), (3, 0), (5, 100), (120, 5000), (9, 1)])
def test_every_stretch_has_its_share_in_its_first_half(processes: int, long: int, quick: int) -> None:
    items = [*range(quick // 2), *range(-long, 0), *range(quick // 2, quick)]
    order = dealt(items, [item < 0 for item in items], processes)

    assert sorted(order) == sorted(items)
    assert [item for item in order if item >= 0] == [item for item in items if item >= 0]
    if long < quick:
        left = list(order)
        for number in range(processes):
            size = len(left) // (processes - number)
            stretch, left = left[:size], left[size:]
            places = [place for place, item in enumerate(stretch) if item < 0]
            assert long // processes <= len(places) <= -(-long // processes)
            assert all(place <= size / 2 + long for place in places)
