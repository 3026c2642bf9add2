"""Adding up what reports tell of days and months that are over, so that a year is told at once."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.reporting.period_report import first_moment
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.reports.days import Days
from fairlead.store.reports.pieces import (
    CLOSED_AFTER,
    LONGEST_WRITE,
    Span,
    first_day,
    forget_changes,
    forget_other_zones,
    make_span,
    spans_within,
    zones_asked,
)
from fairlead.store.time_zones import local_date, time_zone_names

MOST_ZONES = 3
"""In so many zones spans are made: the marketplace's own, UTC, and those that were used first."""
SPANS_AT_ONCE = 40
"""Of a run, so that other tasks have their turn; the next run goes on."""
MONTHS_EVERY = timedelta(days=1)


def roll_up(maintenance: Maintenance) -> Mapping[str, int]:
    """Spans that are over and not there, or whose rows changed, are made, the newest first. Returns how many."""
    return {"spans": roll_up_reports(maintenance.database)}


def roll_up_reports(database: Database, at_most: int = SPANS_AT_ONCE) -> int:
    """So many spans at most are made, each in a transaction of its own; returns how many."""
    count, zones = 0, database.read(zones_of_reports)
    # Zones beyond the first few keep what they have, so that a new zone never has the spans of another made again.
    database.run(lambda conn: forget_other_zones(conn, zones))
    for timezone in zones[:MOST_ZONES]:
        if timezone not in time_zone_names():
            continue
        wanted = database.read(lambda conn, zone=timezone: list(_wanted(conn, zone)))
        for days in wanted[: at_most - count]:
            database.run_in_snapshot(lambda conn, days=days: make_span(conn, days))
            count += 1
    database.run(forget_changes)
    return count


def zones_of_reports(conn: Connection) -> list[str]:
    """The zones in which reports are asked for, the marketplace's and UTC first."""
    return zones_asked(conn, [marketplace_row(conn).timezone or "UTC", "UTC"])


def _wanted(conn: Connection, timezone: str) -> Iterator[Days]:
    """Days and whole months of the zone that are over and whose pieces are not there or do not hold."""
    zone, now, oldest = ZoneInfo(timezone), clock(conn), first_day(conn)
    if oldest is None:
        return
    begin = max(local_date(oldest, zone), local_date(now, zone) - timedelta(days=400))
    over = local_date(now - CLOSED_AFTER, zone)
    known = spans_within(conn, Days(begin.replace(day=1), over, timezone)) if begin < over else []
    there = {(each.day_from, each.day_before): each for each in known}
    for day_from, day_before in _spans(begin, over):
        span = there.get((day_from, day_before))
        is_over = first_moment(day_before, zone) + CLOSED_AFTER <= now
        if is_over and (span is None or _is_to_be_made_anew(span, now)):
            yield Days(day_from, day_before, timezone)


def _is_to_be_made_anew(span: Span, now: datetime) -> bool:
    """Whether rows of it changed, and it was not made just now; a month is left to its days for a while."""
    pause = LONGEST_WRITE if span.day_before - span.day_from == timedelta(days=1) else MONTHS_EVERY
    return bool(span.changed) and span.made_at is not None and span.made_at < now - pause


def _spans(begin: date, over: date) -> Iterator[tuple[date, date]]:
    """The days from `begin` on, before `over`, and the months that are wholly among them, the newest first."""
    day = over - timedelta(days=1)
    while day >= begin:
        yield day, day + timedelta(days=1)
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if day.day == 1 and following <= over:
            yield day, following
        day -= timedelta(days=1)
