"""The money of the whole marketplace: what is held, what moved in a span of time, and whether the books agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.flows.reporting.period_report import cover_earlier, span_of
from fairlead.flows.reporting.reports import AskedDays, days_asked, note_zone
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_pages import KindTotal, balances_total, ledger_totals, ledger_totals_of_days
from fairlead.store.money.reconciliations import ReconciliationRow, last_reconciliation
from fairlead.store.reports.days import MOST_DAYS, Days
from fairlead.store.reports.pieces import cover


@dataclass(frozen=True, slots=True)
class MarketplaceStatement:
    """`held_cents` is what all providers have together now; `last_reconciliation` is None before the first."""

    currency: str
    held_cents: int
    totals: tuple[KindTotal, ...]
    last_reconciliation: ReconciliationRow | None


def read_marketplace_statement(
    database: Database, created_from: datetime, created_before: datetime
) -> MarketplaceStatement:
    """What the entries of all ledgers from `created_from` on and before `created_before` add up to, by kind."""

    return database.read(lambda conn: _statement(conn, ledger_totals(conn, created_from, created_before)))


@dataclass(frozen=True, slots=True)
class ComparedStatement:
    """A statement of some days, and the totals of as many before, up to the same time where these are not over yet."""

    days: Days
    statement: MarketplaceStatement
    earlier_totals: tuple[KindTotal, ...]


def read_compared_statement(database: Database, asked: AskedDays) -> ComparedStatement:
    """What the entries of all ledgers of these days add up to, beside as many days before. Raises `BadInput`.

    They may be any number; a year at most is added up from what is kept of days that are over.
    """

    def work(conn: Connection) -> ComparedStatement:
        days = days_asked(conn, asked, most_days=None)
        if (days.day_before - days.day_from).days <= MOST_DAYS:
            totals = ledger_totals_of_days(conn, cover(conn, days))
            earlier = ledger_totals_of_days(conn, cover_earlier(conn, days))
        else:
            span = span_of(days, clock(conn))
            totals = ledger_totals(conn, span.since, span.before)
            earlier = ledger_totals(conn, span.earlier_since, span.earlier_before)
        return ComparedStatement(days, _statement(conn, totals), tuple(earlier))

    note_zone(database, asked.timezone)
    return database.read(work)


def _statement(conn: Connection, totals: Sequence[KindTotal]) -> MarketplaceStatement:
    return MarketplaceStatement(
        marketplace_currency(conn), balances_total(conn), tuple(totals), last_reconciliation(conn)
    )
