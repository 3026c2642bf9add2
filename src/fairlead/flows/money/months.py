"""Months of the marketplace's own time zone, in which its papers are made."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fairlead.core.errors import BadInput
from fairlead.core.local_time import first_instant, zone_named
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection

SETTLING = timedelta(hours=1)
"""A month is final so long after its end: no transaction that began in it is still under way then."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """A month by the clocks of a zone: its first day, and the instants at which it begins and ends."""

    first_day: date
    zone: str
    began_at: datetime
    ends_at: datetime

    @property
    def name(self) -> str:
        """Such as `2026-11`."""
        return f"{self.first_day:%Y-%m}"

    @property
    def next_day(self) -> date:
        """The first day of the month after it."""
        return (self.first_day + timedelta(days=31)).replace(day=1)

    def is_closed(self, now: datetime) -> bool:
        """Whether nothing can be booked in it any more."""
        return now >= self.ends_at + SETTLING


def marketplace_zone(conn: Connection) -> str:
    """The time zone of the marketplace; UTC until one was chosen."""
    return marketplace_row(conn).timezone or "UTC"


def month_named(text: str, zone: str) -> Month:
    """The month of this name. Raises `BadInput` for what is none."""
    found = _MONTH.fullmatch(text)
    if found is None or int(found[1]) < 1970:
        raise BadInput(["month: must be a month such as 2026-01"])
    return month_of(date(int(found[1]), int(found[2]), 1), zone)


def month_at(moment: datetime, zone: str) -> Month:
    """The month that the moment lies in."""
    month = month_of(moment.astimezone(zone_named(zone)).date(), zone)
    return next_month(month) if moment >= month.ends_at else month


def next_month(month: Month) -> Month:
    """The month after it."""
    return month_of(month.first_day + timedelta(days=31), month.zone)


def month_of(day: date, zone: str) -> Month:
    """The month of the day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Month(first, zone, _midnight(first, zone), _midnight(after, zone))


def _midnight(day: date, zone: str) -> datetime:
    return first_instant(datetime.combine(day, time.min), zone_named(zone))
