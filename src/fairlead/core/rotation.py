"""Where a decision starts, and where the next one will (R2)."""

from collections.abc import Sequence


def start_position(active_positions: Sequence[int], pointer: int) -> int | None:
    """The level that a decision starts at: the first active position at or after the pointer, else the lowest.

    `active_positions` are the active levels' order positions, ascending. None when no level is active.

    >>> start_position([2, 5, 9], 3)
    5
    >>> start_position([2, 5, 9], 10)
    2
    >>> start_position([], 1) is None
    True
    """
    for position in active_positions:
        if position >= pointer:
            return position
    return active_positions[0] if active_positions else None


def next_pointer(active_positions: Sequence[int], start: int) -> int:
    """The pointer after a decision that started at `start`: the next active position, cyclically.

    Gaps never matter, because the pointer only ever holds a position that was active when it was written, and
    `start_position` looks forward from it: over n*k decisions each of n unchanged levels starts exactly k times.

    >>> next_pointer([2, 5, 9], 5), next_pointer([2, 5, 9], 9), next_pointer([4], 4)
    (9, 2, 4)
    """
    for position in active_positions:
        if position > start:
            return position
    return active_positions[0]
