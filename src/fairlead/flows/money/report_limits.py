"""How many leads a provider may report as bad: a day by its clocks, and of those that it received."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.core.calendar.local_time import Period, window_at, zone_named
from fairlead.core.errors import Refused
from fairlead.core.money.report_rules import ReportCategory, ReportRules
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.report_rules import received_and_reported, report_rules, reported_since, timezone_of


@dataclass(frozen=True, slots=True)
class AllowanceUse:
    """A limit of reports: how many it allows, how many were made since when, and when the window ends, if it does."""

    most: int
    used: int
    since: datetime
    until: datetime | None

    @property
    def left(self) -> int:
        """How many may be made yet."""
        return max(0, self.most - self.used)


@dataclass(frozen=True, slots=True)
class ReportAllowance:
    """What a provider may report: the categories, and what is left of each limit; None: there is no such limit.

    `received` and `days` are of the limit of the share.
    """

    categories: tuple[ReportCategory, ...]
    today: AllowanceUse | None
    share: AllowanceUse | None
    received: int | None
    days: int | None


def report_allowance(database: Database, provider_id: str) -> ReportAllowance:
    """What the provider may report now. Changes nothing."""
    checked = checked_id(provider_id, "provider")

    def read(conn: Connection) -> ReportAllowance:
        rules = report_rules(conn)
        return _allowance(conn, checked, rules, clock(conn))

    return database.read(read)


def check_report_limits(conn: Connection, provider_id: str, rules: ReportRules, now: datetime) -> None:
    """The provider may report one lead more. Needs the provider's lock, under which reports are made one by one.

    Raises `Refused`, with the numbers: `bad_lead_daily_limit`, `bad_lead_share_reached`.
    """
    allowance = _allowance(conn, provider_id, rules, now)
    today, share = allowance.today, allowance.share
    if today is not None and not today.left:
        until = "" if today.until is None else f"; the next day begins at {today.until.isoformat()}"
        raise Refused(
            "bad_lead_daily_limit",
            f"{_leads_were(today.used)} reported today, and at most {today.most} may be{until}",
        )
    if share is not None and not share.left:
        raise Refused(
            "bad_lead_share_reached",
            f"{share.used} of the {allowance.received} leads of the last {allowance.days} days were reported, and at "
            f"most {share.most} may be",
        )


def _leads_were(number: int) -> str:
    return "1 lead was" if number == 1 else f"{number} leads were"


def _allowance(conn: Connection, provider_id: str, rules: ReportRules, now: datetime) -> ReportAllowance:
    active = tuple(each for each in rules.categories if each.is_active)
    today, share, received, days = None, None, None, None
    if rules.most_a_day is not None:
        began, ends = window_at(now, zone_named(timezone_of(conn, provider_id)), Period.DAY)
        assert began is not None, "a day begins"
        today = AllowanceUse(rules.most_a_day, reported_since(conn, provider_id, began), began, ends)
    if rules.share is not None:
        since, days = now - timedelta(days=rules.share.days), rules.share.days
        found = received_and_reported(conn, provider_id, since)
        share, received = AllowanceUse(rules.share.most(found.received), found.reported, since, None), found.received
    return ReportAllowance(active, today, share, received, days)
