"""A span of days beside as many days before it: what came in, what was sold, and what stayed open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fairlead.flows.reporting.reports import AskedDays, days_asked, known_niche, note_zone
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency
from fairlead.store.reports.days import Days
from fairlead.store.reports.fairness import most_assigned_niche
from fairlead.store.reports.period import Bucket, Figures, SlotCounts, days_of, figures, hours, slots
from fairlead.store.reports.pieces import Cover, cover
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


@dataclass(frozen=True, slots=True)
class ComparedFigures:
    """Some days in figures, and as many days before, up to the same time where these are not over yet."""

    days: Days
    currency: str
    figures: Figures
    earlier_days: Days
    earlier: Figures


def compared_figures(database: Database, asked: AskedDays, niche_slug: str | None = None) -> ComparedFigures:
    """The days that are asked about (in the niche) beside as many before. Raises `BadInput`, and `Refused`."""

    def work(conn: Connection) -> ComparedFigures:
        niche_id = None if niche_slug is None else known_niche(conn, niche_slug)
        return compared_with_earlier(conn, cover(conn, days_asked(conn, asked), niche_id))

    note_zone(database, asked.timezone)
    return database.read(work)


def compared_with_earlier(conn: Connection, covered: Cover) -> ComparedFigures:
    """The days that are covered beside as many before."""
    days, earlier = covered.days, cover_earlier(conn, covered.days, covered.niche_id)
    return ComparedFigures(
        days, marketplace_currency(conn), figures(conn, covered), days_before(days), figures(conn, earlier)
    )


def period_report(database: Database, asked: AskedDays, niche_slug: str | None = None) -> ReportedPeriod:
    """The days that are asked about (in the niche) beside as many before. Raises `BadInput`, and `Refused`."""

    def work(conn: Connection) -> ReportedPeriod:
        niche_id = None if niche_slug is None else known_niche(conn, niche_slug)
        return _reported(conn, cover(conn, days_asked(conn, asked), niche_id))

    note_zone(database, asked.timezone)
    return database.read(work)


def period_and_busiest_niche(database: Database, asked: AskedDays) -> tuple[ReportedPeriod, tuple[str, str] | None]:
    """The period of all niches, and what `busiest_niche` tells of its days, as of one moment. Raises `BadInput`."""

    def work(conn: Connection) -> tuple[ReportedPeriod, tuple[str, str] | None]:
        covered = cover(conn, days_asked(conn, asked))
        # First: what is counted by niche serves the figures, too.
        busiest = most_assigned_niche(conn, covered)
        return _reported(conn, covered), busiest

    note_zone(database, asked.timezone)
    return database.read(work)


def _reported(conn: Connection, covered: Cover) -> ReportedPeriod:
    now, days, niche_id = clock(conn), covered.days, covered.niche_id
    zone, span = ZoneInfo(days.timezone), span_of(days, now)
    is_hourly = (days.day_before - days.day_from).days <= HOURLY_DAYS
    return ReportedPeriod(
        days,
        marketplace_currency(conn),
        span.since,
        span.before,
        figures(conn, covered),
        span.earlier_since,
        span.earlier_before,
        figures(conn, cover_earlier(conn, days, niche_id)),
        is_hourly,
        tuple(_hours(conn, span.since, span.before, now, niche_id) if is_hourly else _days(conn, covered, zone, now)),
        slots(conn, covered),
    )


def days_before(days: Days) -> Days:
    """As many days before these."""
    return replace(days, day_from=days.day_from - (days.day_before - days.day_from), day_before=days.day_from)


@dataclass(frozen=True, slots=True)
class SpanInTime:
    """The days in time. `until` is when the earlier ones end that are not whole, since these are not over yet."""

    since: datetime
    before: datetime
    earlier_since: datetime
    earlier_before: datetime
    until: datetime | None


def span_of(days: Days, now: datetime) -> SpanInTime:
    """When the days begin and end, and as many before them."""
    zone, length = ZoneInfo(days.timezone), days.day_before - days.day_from
    since, before = first_moment(days.day_from, zone), first_moment(days.day_before, zone)
    earlier_since = first_moment(days.day_from - length, zone)
    if not since < now < before:
        return SpanInTime(since, before, earlier_since, since, None)
    until = min(since, _days_before(now, length, zone))
    return SpanInTime(since, before, earlier_since, until, until)


def cover_earlier(conn: Connection, days: Days, niche_id: str | None = None) -> Cover:
    """As many days before; up to the same time, within the last of them, where the days are not over yet."""
    until, length = span_of(days, clock(conn)).until, days.day_before - days.day_from
    day_before = days.day_from if until is None else local_date(until, ZoneInfo(days.timezone)) + timedelta(days=1)
    earlier = replace(days, day_from=days.day_from - length, day_before=day_before)
    return cover(conn, earlier, niche_id, until=until)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins there: when the calendars of the zone first show it, or a later one where it was left out.

    >>> first_moment(date(2026, 11, 29), ZoneInfo("Europe/Madrid")).isoformat()
    '2026-11-28T23:00:00+00:00'
    """
    return next(moment for moment, shown in date_changes(day, day, zone) if shown >= day)


def _days_before(moment: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """The same time of day so many days before."""
    return (moment.astimezone(zone).replace(tzinfo=None) - length).replace(tzinfo=zone).astimezone(UTC)


def _hours(
    conn: Connection, since: datetime, before: datetime, now: datetime, niche_id: str | None
) -> Sequence[Bucket]:
    count = max(1, round((before - since).total_seconds() / 3600))
    begins = [since + timedelta(hours=number) for number in range(count)]
    return hours(conn, [each for each in begins if each <= now] or begins[:1], before, niche_id)


def _days(conn: Connection, covered: Cover, zone: ZoneInfo, now: datetime) -> Sequence[Bucket]:
    days = covered.days
    changes = date_changes(days.day_from, days.day_before - timedelta(days=1), zone)
    begins: dict[date, datetime] = {}
    for moment, _ in changes:
        day = local_date(moment, zone)
        if days.day_from <= day < days.day_before:
            begins.setdefault(day, moment)
    begun = [(day, moment) for day, moment in begins.items() if moment <= now] or [*begins.items()][:1]
    return days_of(conn, covered, begun)
