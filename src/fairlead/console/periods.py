"""Which days a page is about: today, the last 7, 30, 90 or 365, or those of the viewer's choice, in its zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BeforeValidator

from fairlead.console.texts import noted
from fairlead.console.viewer import viewer_of
from fairlead.core.errors import BadInput
from fairlead.flows.reporting.period_report import first_moment
from fairlead.flows.reporting.reports import AskedDays
from fairlead.store.reports.days import MOST_DAYS, Days

Choice = Literal["today", "7", "30", "90", "365"]
KEPT = ("niche", "kind", "provider_id")
"""What else of an address stays when another period is chosen."""
EARLIEST, LATEST = date(2000, 1, 1), date(9000, 1, 1)
"""Beyond them a day before or after may be no day."""


def _day(value: object) -> object:
    return None if value == "" else value


def _within_calendar(value: date | None) -> date | None:
    if value is not None and not EARLIEST <= value <= LATEST:
        raise ValueError(f"Input should be a day from {EARLIEST} to {LATEST}")
    return value


OptionalDay: TypeAlias = Annotated[date | None, BeforeValidator(_day), AfterValidator(_within_calendar)]
"""For a parameter: a day that a form sends, "" for none."""

TITLES = {
    "today": noted("Today"),
    "7": noted("7 days"),
    "30": noted("30 days"),
    "90": noted("90 days"),
    "365": noted("12 months"),
}
_DAYS = {"today": 1, "7": 7, "30": 30, "90": 90, "365": 365}


@dataclass(frozen=True, slots=True)
class PeriodLink:
    """One of the spans to choose from."""

    title: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ChosenPeriod:
    """The days from `first_day` to `last_day`, both included. `choice` is "" where the viewer named them."""

    choice: str
    first_day: date
    last_day: date
    today: date
    timezone: str
    path: str
    others: tuple[tuple[str, str], ...]

    @property
    def asked(self) -> AskedDays:
        """The same, as reports are asked."""
        return AskedDays(self.first_day, self.last_day + timedelta(days=1), self.timezone)

    @property
    def day_count(self) -> int:
        """How many days they are."""
        return (self.last_day - self.first_day).days + 1

    @property
    def days(self) -> Days:
        """The same, as days of the zone."""
        return Days(self.first_day, self.last_day + timedelta(days=1), self.timezone)

    @property
    def days_begun(self) -> list[date]:
        """Those of the days that are not yet to come; as many as a report may be about."""
        count = (min(self.last_day, self.today) - self.first_day).days + 1
        return [self.first_day + timedelta(days=number) for number in range(min(count, MOST_DAYS))]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When the first day begins, and when the last one is over."""
        zone = ZoneInfo(self.timezone)
        return first_moment(self.first_day, zone), first_moment(self.last_day + timedelta(days=1), zone)

    @property
    def links(self) -> list[PeriodLink]:
        """The spans to choose from."""
        return [
            PeriodLink(title, self.address_of(self.path, period=value), value == self.choice)
            for value, title in TITLES.items()
        ]

    def address(self, path: str, **more: str) -> str:
        """The path with this period, and with what else is given."""
        return self.address_of(path, **{**self.chosen, **more})

    @property
    def chosen(self) -> dict[str, str]:
        """What of an address says this period."""
        return {"period": self.choice} if self.choice else {"from": str(self.first_day), "to": str(self.last_day)}

    def address_of(self, path: str, **chosen: str) -> str:
        """The path with what is chosen beside the period, and this; what is "" is left out."""
        wanted = {**dict(self.others), **chosen}
        return f"{path}?{urlencode({name: value for name, value in wanted.items() if value})}"


def _chosen(usual: Choice) -> object:
    async def read(
        request: Request,
        period: Annotated[Choice | None, Query()] = None,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
    ) -> ChosenPeriod:
        viewer = viewer_of(request)
        today = datetime.now(UTC).astimezone(viewer.zone).date()
        others = tuple((name, value) for name, value in request.query_params.items() if name in KEPT)
        if any(each is not None and not EARLIEST <= each <= LATEST for each in (first, last)):
            raise BadInput([f"from, to: must be days from {EARLIEST} to {LATEST}"])
        if first is not None or last is not None:
            last_day = last or max(today, first or today)
            return ChosenPeriod("", first or last_day, last_day, today, viewer.zone_name, request.url.path, others)
        choice = period or usual
        first_day = today - timedelta(days=_DAYS[choice] - 1)
        return ChosenPeriod(choice, first_day, today, today, viewer.zone_name, request.url.path, others)

    return Depends(read, scope="function")


OfToday = Annotated[ChosenPeriod, _chosen("today")]
OfThirtyDays = Annotated[ChosenPeriod, _chosen("30")]
OfTwelveMonths = Annotated[ChosenPeriod, _chosen("365")]
