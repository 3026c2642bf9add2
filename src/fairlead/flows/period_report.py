"""A span of days beside as many days before it: what came in, what was sold, and what stayed open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fairlead.flows.reports import AskedDays, days_asked
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency
from fairlead.store.reports.days import Days
from fairlead.store.reports.period import Bucket, Figures, SlotCounts, buckets, figures, slots
from fairlead.store.time_zones import date_changes, local_date

HOURLY_DAYS = 2
"""So many days at most are told by the hour."""


@dataclass(frozen=True, slots=True)
class ReportedPeriod:
    """The days, in figures. `earlier` is of as many days before, up to the same time where these are not over yet.

    `buckets` are the hours of the days, or the days themselves where they are more than two; those that have not begun
    are not there.
    """

    days: Days
    currency: str
    since: datetime
    before: datetime
    figures: Figures
    earlier_since: datetime
    earlier_before: datetime
    earlier: Figures
    is_hourly: bool
    buckets: tuple[Bucket, ...]
    slots: SlotCounts


def period_report(database: Database, asked: AskedDays) -> ReportedPeriod:
    """The days that are asked about and as many before them. Raises `BadInput`."""

    def work(conn: Connection) -> ReportedPeriod:
        now = clock(conn)
        days = days_asked(conn, asked)
        zone = ZoneInfo(days.timezone)
        since, before = first_moment(days.day_from, zone), first_moment(days.day_before, zone)
        length = days.day_before - days.day_from
        earlier_since, earlier_before = first_moment(days.day_from - length, zone), since
        if since < now < before:
            earlier_before = min(earlier_before, _days_before(now, length, zone))
        is_hourly = length.days <= HOURLY_DAYS
        begins = _hours(since, before) if is_hourly else _days(days, zone)
        begun = [each for each in begins if each <= now] or begins[:1]
        return ReportedPeriod(
            days,
            marketplace_currency(conn),
            since,
            before,
            figures(conn, since, before),
            earlier_since,
            earlier_before,
            figures(conn, earlier_since, earlier_before),
            is_hourly,
            tuple(buckets(conn, begun, before)),
            slots(conn, since, before),
        )

    return database.read(work)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins there: when the calendars of the zone first show it, or a later one where it was left out.

    >>> first_moment(date(2026, 11, 29), ZoneInfo("Europe/Madrid")).isoformat()
    '2026-11-28T23:00:00+00:00'
    """
    return next(moment for moment, shown in date_changes(day, day, zone) if shown >= day)


def _days_before(moment: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """The same time of day so many days before."""
    return (moment.astimezone(zone).replace(tzinfo=None) - length).replace(tzinfo=zone).astimezone(UTC)


def _hours(since: datetime, before: datetime) -> Sequence[datetime]:
    count = max(1, round((before - since).total_seconds() / 3600))
    return [since + timedelta(hours=number) for number in range(count)]


def _days(days: Days, zone: ZoneInfo) -> Sequence[datetime]:
    found = [moment for moment, _ in date_changes(days.day_from, days.day_before - timedelta(days=1), zone)]
    return [each for each in found if days.day_from <= local_date(each, zone) < days.day_before]
