"""What stands under charts of days: each a few, months where days are many, years where there are two."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from starlette.testclient import TestClient

from fairlead.console.charts import Chart, Column, Series
from fairlead.console.day_columns import DayColumns, day_columns
from fairlead.console.viewer import Viewer
from fairlead.store.connection import Database
from tests.flows.sales import sell

LAST = date(2026, 11, 29)


@pytest.fixture
def viewer() -> Viewer:
    """One who reads English."""
    return Viewer("en", Locale.parse("en_GB"), ZoneInfo("UTC"), "UTC", None)


def _columns(count: int, viewer: Viewer, last: date = LAST) -> DayColumns:
    days = [last - timedelta(days=number) for number in reversed(range(count))]
    return day_columns({day: (number, 1) for number, day in enumerate(days)}, viewer)


def _marks(count: int, viewer: Viewer) -> list[str | None]:
    return [each.mark for each in _columns(count, viewer).columns if each.mark]


def test_a_few_days_are_marked_and_of_many_the_months(viewer: Viewer) -> None:
    assert _marks(7, viewer) == ["23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov"]
    assert _marks(30, viewer)[:2] == ["31 Oct", "5 Nov"]
    assert len(_marks(92, viewer)) <= 7
    assert _marks(93, viewer) == ["Aug", "Sept", "Oct", "Nov"]
    assert _marks(365, viewer) == ["Nov", "2026", "Mar", "May", "Jul", "Sept", "Nov"]


def test_names_have_the_year_where_there_are_two(viewer: Viewer) -> None:
    assert _columns(7, viewer).columns[0].label == "23 Nov"
    assert _columns(3, viewer, date(2026, 1, 1)).columns[0].label == "30 Dec 2025"
    assert [each.label for each in _columns(365, viewer).columns][:2] == ["Nov 2025", "Dec 2025"]
    assert day_columns({}, viewer).columns == ()


def test_a_month_has_the_sums_of_its_days(viewer: Viewer) -> None:
    by_month = _columns(365, viewer)
    assert by_month.are_months
    assert [each.values[1] for each in by_month.columns] == [1, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 29]
    assert sum(each.values[0] for each in by_month.columns) == sum(range(365))
    assert not _columns(92, viewer).are_months


def test_a_chart_takes_the_marks_where_its_columns_have_some() -> None:
    series = (Series("Sold", "one"),)
    marked = Chart("Sold", "Day", series, (Column("1 Jan 2026", (1,), "2026"), Column("2 Jan 2026", (1,), "")))
    assert marked.labels() == ["2026", ""]
    assert Chart("Sold", "Hour", series, (Column("07:00", (1,)), Column("08:00", (1,)))).labels() == ["07:00", "08:00"]


def test_a_day_without_a_sale_has_its_column(ann: TestClient, database: Database) -> None:
    sell(database)
    text = ann.get("/analytics?period=7").text
    table = text[text.index("As table") :]
    assert table[: table.index("</table>")].count('<th scope="row">') == 7
