"""The order in which a decision visits the levels (R3)."""

from collections.abc import Iterable

from fairlead.core.model import Level


def active_levels_by_position(levels: Iterable[Level]) -> tuple[Level, ...]:
    """The active levels, ascending by order position (unique among a niche's living levels).

    >>> levels = [Level(f"level-{p}", f"L{p}", 100, 1, p, p != 5) for p in (9, 2, 5)]
    >>> [level.order_position for level in active_levels_by_position(levels)]
    [2, 9]
    """
    return tuple(sorted((level for level in levels if level.is_active), key=lambda level: level.order_position))


def traverse(active_levels: tuple[Level, ...], start: int) -> tuple[Level, ...]:
    """Every active level exactly once, by position from `start`, wrapping at the end.

    >>> levels = tuple(Level(f"level-{p}", f"L{p}", 100, 1, p, True) for p in (2, 5, 9))
    >>> [level.order_position for level in traverse(levels, 5)]
    [5, 9, 2]
    """
    from_start = tuple(level for level in active_levels if level.order_position >= start)
    return from_start + active_levels[: len(active_levels) - len(from_start)]
