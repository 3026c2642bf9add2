"""Providers in a list, each with how many subscriptions it has."""

from dataclasses import dataclass

from fairlead.store.configuration.pages import ListedProvider, ProviderSearch, providers_page
from fairlead.store.configuration.subscription_counts import SubscriptionCounts, subscription_counts
from fairlead.store.connection import Connection, Database


@dataclass(frozen=True, slots=True)
class ProviderInList:
    """A provider, and its living subscriptions in numbers."""

    provider: ListedProvider
    subscriptions: SubscriptionCounts


def list_providers(
    database: Database, wanted: ProviderSearch, before_id: str | None, limit: int
) -> list[ProviderInList]:
    """The next providers before that one, the newest first, at most so many."""

    def work(conn: Connection) -> list[ProviderInList]:
        found = providers_page(conn, wanted, before_id, limit)
        counts = subscription_counts(conn, [each.provider_id for each in found])
        return [ProviderInList(each, counts[each.provider_id]) for each in found]

    return database.read(work)
