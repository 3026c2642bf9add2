"""What stands under charts of days: each a few, months where days are many, years where there are two."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from starlette.testclient import TestClient

from fairlead.console.charts import Chart, Column, Series
from fairlead.console.day_labels import day_labels
from fairlead.console.viewer import Viewer
from fairlead.store.connection import Database
from tests.flows.sales import sell

LAST = date(2026, 11, 29)


@pytest.fixture
def viewer() -> Viewer:
    """One who reads English."""
    return Viewer("en", Locale.parse("en_GB"), ZoneInfo("UTC"), "UTC", None)


def _days(count: int, last: date = LAST) -> list[date]:
    return [last - timedelta(days=number) for number in reversed(range(count))]


def _marks(count: int, viewer: Viewer, last: date = LAST) -> list[str]:
    return [mark for _, mark in day_labels(_days(count, last), viewer) if mark]


def test_a_few_days_are_named_and_of_many_the_months(viewer: Viewer) -> None:
    assert _marks(7, viewer) == ["23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov"]
    assert _marks(30, viewer)[:2] == ["31 Oct", "4 Nov"]
    assert len(_marks(62, viewer)) <= 8
    assert _marks(90, viewer) == ["Sept", "Oct", "Nov"]
    assert _marks(365, viewer) == ["2026", "Mar", "May", "Jul", "Sept", "Nov"]


def test_names_have_the_year_where_there_are_two(viewer: Viewer) -> None:
    assert day_labels(_days(7), viewer)[0][0] == "23 Nov"
    assert day_labels(_days(365), viewer)[0][0] == "30 Nov 2025"
    assert day_labels(_days(3, date(2026, 1, 1)), viewer)[0] == ("30 Dec 2025", "30 Dec")
    assert day_labels([], viewer) == []


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
