"""Charts of several series by day: the largest few, and the others together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from fairlead.console.charts import Chart, Series, Shade, Unit
from fairlead.console.day_columns import day_columns
from fairlead.console.texts import translated
from fairlead.console.viewer import Viewer

SHADES: Sequence[Shade] = ("one", "two", "three", "four")


def stacked_days(
    counts: Iterable[tuple[date, str, int]],
    days: Sequence[date],
    viewer: Viewer,
    titles: tuple[str, str],
    unit: Unit = "count",
    currency: str = "",
) -> Chart:
    """The counts by day and series. `titles` are of the chart by day, and by month where the days are many.

    Each of the days has its column, also one of which there is nothing.
    """
    rows = list(counts)
    sums: dict[str, int] = defaultdict(int)
    for _, name, count in rows:
        sums[name] += count
    names = sorted(sums, key=lambda name: (-sums[name], name))
    shown = names if len(names) <= len(SHADES) else names[: len(SHADES) - 1]
    series = [*shown, *([translated("others")] if len(names) > len(shown) else [])]
    by_day = {day: [0] * len(series) for day in sorted({*days, *(day for day, _, _ in rows)})}
    for day, name, count in rows:
        by_day[day][shown.index(name) if name in shown else len(shown)] += count
    columns = day_columns(by_day, viewer)
    title, axis = (titles[1], translated("Month")) if columns.are_months else (titles[0], translated("Day"))
    shades = tuple(Series(each, shade) for each, shade in zip(series, SHADES, strict=False))
    return Chart(title, axis, shades, columns.columns, unit, currency)
