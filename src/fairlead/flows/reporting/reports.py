"""Reports on a span of calendar days: each one reads the marketplace as of one moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock, niche_form
from fairlead.store.lookups import marketplace_currency
from fairlead.store.reports.activity import ProviderActivity, provider_activity
from fairlead.store.reports.days import MOST_DAYS, Days, checked_days
from fairlead.store.reports.fairness import LevelFairness, level_fairness, most_assigned_niche
from fairlead.store.reports.fill import LevelFill, level_fill
from fairlead.store.reports.funnel import FunnelDay, lead_funnel
from fairlead.store.reports.outcomes import NicheOutcomes, RecipientCount, niche_outcomes, recipient_counts
from fairlead.store.reports.pieces import Cover, cover, cover_one_provider, keep_zone
from fairlead.store.reports.refund_rates import RefundRate, refund_rates
from fairlead.store.reports.refusals import RefusalsOfDay, refusals_by_day
from fairlead.store.reports.revenue import RevenueDay, revenue
from fairlead.store.reports.sources import SourceQuality, source_quality
from fairlead.store.time_zones import local_date, time_zone_names

Row = TypeVar("Row")

USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class AskedDays:
    """The days that are asked about, in an IANA time zone.

    Without a last one up to and with today, as it is there; without a first one, as many as `usual_days`.
    """

    day_from: date | None = None
    day_before: date | None = None
    timezone: str = "UTC"
    usual_days: int = USUAL_DAYS


@dataclass(frozen=True, slots=True)
class Report(Generic[Row]):
    """The rows, of which days in which time zone they are, and what amounts are in."""

    days: Days
    currency: str
    rows: tuple[Row, ...]


def fairness_report(database: Database, niche_slug: str, asked: AskedDays) -> Report[LevelFairness]:
    """How even the niche's rotation was. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, level_fairness)


def fill_report(database: Database, niche_slug: str, asked: AskedDays) -> Report[LevelFill]:
    """How many slots of the niche's levels were filled. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, level_fill)


def revenue_report(
    database: Database, niche_slug: str | None, asked: AskedDays, *, by_month: bool = False
) -> Report[RevenueDay]:
    """What was sold and given back (in the niche). Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, partial(revenue, by_month=by_month))


def funnel_report(
    database: Database, niche_slug: str | None, asked: AskedDays, *, by_month: bool = False
) -> Report[FunnelDay]:
    """What became of the leads that came in (in the niche). Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, partial(lead_funnel, by_month=by_month))


def activity_report(
    database: Database, niche_slug: str | None, provider_id: str | None, asked: AskedDays
) -> Report[ProviderActivity]:
    """What providers received and paid (in the niche). Raises `BadInput`, and `Refused`: `niche_unknown`.

    `provider_id`, if it is given, is a UUID; one that received nothing, and one that is not there, have no row.
    """

    def view(conn: Connection, covered: Cover) -> list[ProviderActivity]:
        if provider_id is not None:
            covered = cover_one_provider(covered.days, provider_id, covered.niche_id)
        return provider_activity(conn, covered)

    return _report(database, asked, niche_slug, view)


def source_report(database: Database, niche_slug: str | None, asked: AskedDays) -> Report[SourceQuality]:
    """What the leads of each source were worth. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, source_quality)


def refusal_report(
    database: Database, niche_slug: str | None, asked: AskedDays, *, by_month: bool = False
) -> Report[RefusalsOfDay]:
    """Why subscriptions were refused, by day. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, partial(refusals_by_day, by_month=by_month))


def outcome_report(database: Database, niche_slug: str | None, asked: AskedDays) -> Report[NicheOutcomes]:
    """How decisions ended, by niche. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, niche_outcomes)


def recipient_report(database: Database, niche_slug: str | None, asked: AskedDays) -> Report[RecipientCount]:
    """To how many providers decisions sold their lead. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, recipient_counts)


def refund_report(database: Database, niche_slug: str | None, asked: AskedDays) -> Report[RefundRate]:
    """What of the assignments was refunded. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _report(database, asked, niche_slug, refund_rates)


def _report(
    database: Database,
    asked: AskedDays,
    niche_slug: str | None,
    view: Callable[[Connection, Cover], Sequence[Row]],
) -> Report[Row]:
    def work(conn: Connection) -> Report[Row]:
        days = days_asked(conn, asked)
        niche_id = None if niche_slug is None else known_niche(conn, niche_slug)
        return Report(days, marketplace_currency(conn), tuple(view(conn, cover(conn, days, niche_id))))

    note_zone(database, asked.timezone)
    return database.read(work)


_noted = set[tuple[str, str, date]]()


def note_zone(database: Database, timezone: str) -> None:
    """That reports are asked for in this zone is on record, once a day for each process: spans are made for it."""
    today = (database.url, timezone, datetime.now(UTC).date())
    if today not in _noted and timezone in time_zone_names():
        database.run(lambda conn: keep_zone(conn, timezone))
        _noted.add(today)


def busiest_niche(database: Database, asked: AskedDays) -> tuple[str, str] | None:
    """Slug and name of the niche with the most assignments in these days; None without any. Raises `BadInput`."""
    return database.read(lambda conn: most_assigned_niche(conn, cover(conn, days_asked(conn, asked))))


def known_niche(conn: Connection, niche_slug: str) -> str:
    """The niche's id. Raises `Refused`: `niche_unknown`."""
    found = niche_form(conn, niche_slug)
    if found is None:
        raise Refused("niche_unknown", f"there is no niche {niche_slug!r}")
    return found.niche_id


def days_asked(conn: Connection, asked: AskedDays, most_days: int | None = MOST_DAYS) -> Days:
    """The days that are asked about, by the database's clock where none are named. Raises `BadInput`.

    They are at most so many; None: any number.
    """
    day_before = asked.day_before
    if day_before is None:
        # What is no time zone is refused below, whichever day it is.
        zone = ZoneInfo(asked.timezone if asked.timezone in time_zone_names() else "UTC")
        day_before = local_date(clock(conn), zone) + timedelta(days=1)
    day_from = asked.day_from
    if day_from is None:
        day_from = max(day_before, date.min + timedelta(days=asked.usual_days)) - timedelta(days=asked.usual_days)
    return checked_days(day_from, day_before, asked.timezone, most_days)
