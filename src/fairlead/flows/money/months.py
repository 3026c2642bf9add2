"""Months of the marketplace's own time zone, in which its papers are made."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fairlead.core.calendar.local_time import first_instant, zone_named
from fairlead.core.errors import BadInput
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection
from fairlead.store.money.closed_months import ClosedMonthRow, MonthEnd, closed_month, last_closed_month

SETTLING = timedelta(hours=1)
"""A month is closed so long after its end, so that entries of slow transactions are of the month that they say."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DAYS = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Month:
    """A month by the clocks of a zone: its first day, and the instants at which it begins and ends.

    `begin` and `end` say where each ledger begins and ends it.
    """

    first_day: date
    zone: str
    began_at: datetime
    ends_at: datetime
    is_closed: bool
    begin: MonthEnd
    end: MonthEnd

    @property
    def name(self) -> str:
        """Such as `2026-11`."""
        return month_name(self.first_day)

    @property
    def next_day(self) -> date:
        """The first day of the month after it."""
        return (self.first_day + _DAYS).replace(day=1)

    def is_due(self, now: datetime) -> bool:
        """Whether it is over, and its entries are there."""
        return now > self.ends_at + SETTLING


def month_name(first_day: date) -> str:
    """Such as `2026-11`."""
    return f"{first_day:%Y-%m}"


def marketplace_zone(conn: Connection) -> str:
    """The time zone of the marketplace; UTC until one was chosen."""
    return marketplace_row(conn).timezone or "UTC"


def month_named(conn: Connection, text: str) -> Month:
    """The month of this name: as it was closed, else by the marketplace's zone. Raises `BadInput` for what is none."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1970 <= int(found[1]) < 9999:
        raise BadInput(["month: must be a month such as 2026-01"])
    return month_of(conn, date(int(found[1]), int(found[2]), 1))


def month_at(conn: Connection, moment: datetime) -> Month:
    """The month that the moment lies in, by the marketplace's zone; never one that is closed."""
    zone = marketplace_zone(conn)
    first_day = moment.astimezone(zone_named(zone)).date().replace(day=1)
    # Where the clocks were put back over midnight, the moment shows a day of the month before.
    if moment >= _midnight(_next(first_day), zone):
        first_day = _next(first_day)
    last = last_closed_month(conn)
    return month_of(conn, first_day if last is None else max(first_day, _next(last.month)))


def month_of(conn: Connection, first_day: date) -> Month:
    """The month that begins with that day.

    It follows the month before it without a gap, also where that one was closed in another zone.
    """
    closed, last = closed_month(conn, first_day), last_closed_month(conn)
    if closed is not None:
        began_at, ends_at, zone = closed.began_at, closed.ends_at, closed.timezone
    else:
        zone = marketplace_zone(conn)
        began_at, ends_at = _midnight(first_day, zone), _midnight(_next(first_day), zone)
    if last is not None and _next(last.month) == first_day:
        began_at = last.ends_at
    is_closed = last is not None and first_day <= last.month
    before = (first_day - timedelta(days=1)).replace(day=1)
    return Month(
        first_day, zone, began_at, ends_at, is_closed, _end(last, before, began_at), _end(last, first_day, ends_at)
    )


def _end(last: ClosedMonthRow | None, month: date, ends_at: datetime) -> MonthEnd:
    if last is None:
        return MonthEnd(None, ends_at)
    return MonthEnd(month, None) if month <= last.month else MonthEnd(last.month, ends_at)


def next_to_close(conn: Connection, first_entry_at: datetime) -> Month:
    """The month after the last that is closed; else that of the first entry of all ledgers."""
    last = last_closed_month(conn)
    return month_at(conn, first_entry_at) if last is None else month_of(conn, _next(last.month))


def _next(first_day: date) -> date:
    return (first_day + _DAYS).replace(day=1)


def _midnight(day: date, zone: str) -> datetime:
    return first_instant(datetime.combine(day, time.min), zone_named(zone))
