"""Charts as SVG: where each bar, line and dot lies, in per cent of the drawing, so that it fits any width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import ceil
from typing import Literal

Shade = Literal["one", "two", "three", "four"]
Unit = Literal["count", "money", "share"]

GAP = 0.28
"""How much of a column's width stays free beside its bar."""
MOST_LABELS = 7
"""So many find room on a phone."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart, and what it stands for."""

    name: str
    shade: Shade


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the horizontal axis; `values` are in the order of the series.

    `mark` is what is written under it where a chart's columns say so themselves, "" for nothing.
    """

    label: str
    values: tuple[int, ...]
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, in per cent of the drawing."""

    x: str
    y: str
    width: str
    height: str
    shade: Shade


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line from one column to the next, in per cent of the drawing."""

    x1: str
    y1: str
    x2: str
    y2: str
    shade: Shade


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns of numbers. `axis` is what the columns are, for the head of the table. Money is in minor units."""

    title: str
    axis: str
    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    unit: Unit = "count"
    currency: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(each.values) for each in self.columns)

    def top(self, *, is_stacked: bool) -> int:
        """The highest line of the grid."""
        heights = [sum(each.values) if is_stacked else max(each.values) for each in self.columns]
        return nice_top(max(heights, default=0))

    def bars(self) -> Iterator[Bar]:
        """The values of each column, one upon the other."""
        top, step = self.top(is_stacked=True), 100 / max(1, len(self.columns))
        for number, column in enumerate(self.columns):
            below = 0
            for series, value in zip(self.series, column.values, strict=True):
                if value:
                    x, width = (number + GAP / 2) * step, step * (1 - GAP)
                    y = 100 - 100 * (below + value) / top
                    yield Bar(_percent(x), _percent(y), _percent(width), _percent(100 * value / top), series.shade)
                below += value

    def strokes(self) -> Iterator[Stroke]:
        """The values of each series, from the middle of one column to that of the next."""
        top, step = self.top(is_stacked=False), 100 / max(1, len(self.columns))
        for place, series in enumerate(self.series):
            points = [
                ((number + 0.5) * step, 100 - 100 * column.values[place] / top)
                for number, column in enumerate(self.columns)
            ]
            for (x1, y1), (x2, y2) in pairwise(points):
                yield Stroke(_percent(x1), _percent(y1), _percent(x2), _percent(y2), series.shade)

    def labels(self) -> Sequence[str]:
        """The columns' marks; where they have none, their labels, as many as find room: others are empty."""
        if any(each.mark is not None for each in self.columns):
            return [each.mark or "" for each in self.columns]
        every = ceil(len(self.columns) / MOST_LABELS) or 1
        return [each.label if number % every == 0 else "" for number, each in enumerate(self.columns)]


def nice_top(value: int) -> int:
    """The lowest of 4, 8, 12, 20, 28, 40, 80 and so on that is no lower: four lines of a grid are whole numbers then.

    >>> [nice_top(each) for each in (0, 3, 5, 9, 34, 61, 1284)]
    [4, 4, 8, 12, 40, 80, 2000]
    """
    scale = 1
    while True:
        for each in (4, 8, 12, 20, 28):
            if value <= each * scale:
                return each * scale
        scale *= 10


def share_position(ratio: float | None) -> str:
    """Where a share stands on a line whose middle is an equal share and whose end is twice that, or more.

    >>> share_position(1.0), share_position(0.31), share_position(7)
    ('50%', '15.5%', '100%')
    """
    return _percent(50 * min(2.0, ratio or 0.0))


def part(value: float, whole: float) -> str:
    """A value as a part of the whole, in per cent; nothing of nothing.

    >>> part(1, 3), part(0, 0)
    ('33.333%', '0%')
    """
    return _percent(100 * value / whole if whole else 0)


def _percent(value: float) -> str:
    return f"{Decimal(str(round(value, 3))).normalize():f}%"
