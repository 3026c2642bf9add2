"""What a provider received and paid in its last days, beside as many days before."""

from dataclasses import dataclass

from fairlead.flows.reporting.period_report import days_before
from fairlead.flows.reporting.reports import AskedDays, days_asked
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id, marketplace_currency
from fairlead.store.reports.activity import ProviderActivity, provider_activity
from fairlead.store.reports.days import Days
from fairlead.store.reports.pieces import cover_one_provider


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """Of which days, and of as many days before."""

    days: Days
    currency: str
    figures: ProviderActivity
    earlier: ProviderActivity


def own_figures(database: Database, provider_id: str, asked: AskedDays) -> OwnFigures:
    """The provider's assignments of these days, and what has become of them. `database` may be its own.

    Raises `BadInput`.
    """
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> OwnFigures:
        days = days_asked(conn, asked)
        return OwnFigures(
            days, marketplace_currency(conn), _of(conn, days, checked), _of(conn, days_before(days), checked)
        )

    return database.read(work)


def _of(conn: Connection, days: Days, provider_id: str) -> ProviderActivity:
    found = provider_activity(conn, cover_one_provider(days, provider_id))
    return next(iter(found), ProviderActivity(provider_id, "", *(0,) * 9))
