"""A run in several processes works through what takes long in all of them at once, and runs every test once."""

import pytest

from tests.order import dealt


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 8])
@pytest.mark.parametrize(("long", "quick"), [(0, 0), (0, 10), (3, 0), (5, 100), (120, 5000), (9, 1)])
def test_every_stretch_has_its_share_in_its_first_half(processes: int, long: int, quick: int) -> None:
    items = [*range(quick // 2), *range(-long, 0), *range(quick // 2, quick)]
    order = dealt(items, [item < 0 for item in items], processes, lambda item: item // 3)

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


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_what_takes_long_in_one_file_stays_together(processes: int) -> None:
    items = [(file, number) for file in range(7) for number in range(40)]
    order = dealt(items, [number < 12 for _, number in items], processes, lambda item: item[0])

    size = len(items) // processes
    for stretch in (order[first : first + size] for first in range(0, len(order), size)):
        files = [file for file, number in stretch if number < 12]
        visits = [
            file
            for place, (file, number) in enumerate(stretch)
            if number < 12 and (place == 0 or stretch[place - 1][0] != file or stretch[place - 1][1] >= 12)
        ]
        assert visits == sorted(set(files)), "its fixtures are made anew each time that a test of another file was run"
