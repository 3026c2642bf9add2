"""One provider's last days: what it received and paid, by subscription and day, and why it was passed over."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.reporting.reports import AskedDays, days_asked
from fairlead.store.configuration.rows import subscription_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id, marketplace_currency, provider_names
from fairlead.store.reports.activity import ProviderActivity, provider_activity
from fairlead.store.reports.days import Days
from fairlead.store.reports.one_provider import (
    PassedOver,
    SpendOfDay,
    SubscriptionActivity,
    activity_by_subscription,
    passed_over,
    spend_by_day,
)
from fairlead.store.reports.pieces import cover_one_provider


@dataclass(frozen=True, slots=True)
class OneProviderActivity:
    """Of which days, in which currency, and all of it. `total` is None where nothing was received."""

    days: Days
    currency: str
    total: ProviderActivity | None
    by_subscription: Mapping[str, SubscriptionActivity]
    by_day: tuple[SpendOfDay, ...]
    passed_over: tuple[PassedOver, ...]


def one_provider_activity(database: Database, provider_id: str, asked: AskedDays) -> OneProviderActivity:
    """What the provider received in these days, and why it was passed over in the newest decisions of its niches.

    Raises `BadInput`, and `Refused`: `provider_unknown`.
    """
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> OneProviderActivity:
        if not provider_names(conn, [checked]):
            raise Refused("provider_unknown", f"there is no provider {checked}")
        days = days_asked(conn, asked)
        niche_ids = sorted({row.niche_id for row in subscription_rows(conn, [checked], [], [])})
        return OneProviderActivity(
            days,
            marketplace_currency(conn),
            next(iter(provider_activity(conn, cover_one_provider(days, checked))), None),
            {each.subscription_id: each for each in activity_by_subscription(conn, days, checked)},
            tuple(spend_by_day(conn, days, checked)),
            tuple(passed_over(conn, checked, niche_ids)),
        )

    return database.read(work)
