"""Long tasks go by key, some rows at a time: they come to an end, at the latest when their time is over."""

from collections.abc import Callable
from threading import Event

import pytest

from fairlead.core.errors import Broken
from fairlead.flows.chunks import ChunkDone, RunTime, in_chunks, last_of


def numbers(found: list[int], limit: int) -> tuple[list[int], Callable[[int | None], ChunkDone[int]]]:
    """Sees to numbers in their order; what it saw to."""
    seen: list[int] = []

    def step(after: int | None) -> ChunkDone[int]:
        chunk = [each for each in sorted(found) if after is None or each > after][:limit]
        seen.extend(chunk)
        return ChunkDone(len(chunk), last_of(chunk, limit))

    return seen, step


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_every_row_is_seen_to_once(limit: int) -> None:
    seen, step = numbers([5, 3, 9, 1, 8, 2, 7], limit)
    assert in_chunks(step) == 7
    assert seen == [1, 2, 3, 5, 7, 8, 9]


def test_one_that_does_not_get_beyond_the_last_key_is_broken() -> None:
    """What was found is found again: as when it was to be changed and was not, or many are of one moment."""
    for going in ([4, 4], [4, 3]):
        keys = iter(going)
        with pytest.raises(Broken, match="never end"):
            in_chunks(lambda _, keys=keys: ChunkDone(2, next(keys)))


def test_when_the_time_is_over_the_rest_is_left() -> None:
    seen, step = numbers([1, 2, 3], 1)
    run_time = RunTime(seconds=0)
    assert in_chunks(step, run_time) == 0
    assert (seen, run_time.is_cut_short) == ([], True)


def test_a_process_that_is_to_end_ends_it_between_two_chunks() -> None:
    seen, step = numbers([1, 2, 3], 1)
    stop = Event()

    def stopping(after: int | None) -> ChunkDone[int]:
        if after == 1:
            stop.set()
        return step(after)

    run_time = RunTime(is_stopping=stop.is_set)
    assert in_chunks(stopping, run_time) == 2
    assert (seen, run_time.is_cut_short) == ([1, 2], True)


def test_a_run_that_had_time_for_all_was_not_cut_short() -> None:
    _, step = numbers([1, 2, 3], 2)
    told: list[int] = []
    run_time = RunTime(60, on_progress=told.append)
    assert in_chunks(step, run_time) == 3
    assert (told, run_time.is_cut_short) == ([2, 3], False)
