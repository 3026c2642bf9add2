"""A provider's subscriptions as it sees them: with their filters in words, and what they are to. Nothing is locked."""

from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.core.prices import price_limit_warning
from fairlead.flows.configuration.reading import SeenSubscription, read_subscription, subscriptions_of
from fairlead.store.connection import Database
from fairlead.store.lookups import checked_id
from fairlead.store.portal.own_subscriptions import SubscribedLevel, subscribed_levels


@dataclass(frozen=True, slots=True)
class OwnedSubscription:
    """A subscription with its version, and the level that it is to."""

    seen: SeenSubscription
    level: SubscribedLevel

    @property
    def price_limit_warning(self) -> str | None:
        """Why its price limit lets no lead come; None where one can."""
        row, lowest_cents = self.seen.row, self.level.prices.lowest_cents
        return None if row.is_deleted else price_limit_warning(lowest_cents, row.subscription.max_price_cents)


def own_subscriptions(database: Database, provider_id: str, *, with_ended: bool = False) -> list[OwnedSubscription]:
    """The provider's living subscriptions, by niche and price, and with `with_ended` also those that it left.

    Raises `BadInput`.
    """
    checked = checked_id(provider_id, "provider")
    seen = subscriptions_of(database, checked, with_ended=with_ended)
    # Read afterwards, so that each of them has its level: none ever changes it, and levels are never removed.
    levels = database.read(lambda conn: subscribed_levels(conn, checked))
    owned = [OwnedSubscription(each, levels[each.row.subscription.subscription_id]) for each in seen]
    return sorted(owned, key=lambda each: (each.level.niche_name, -each.level.price_cents))


def own_subscription(database: Database, provider_id: str, subscription_id: str) -> OwnedSubscription:
    """The provider's subscription, living or ended.

    Raises `BadInput`, and `Refused`: `subscription_unknown`, also for another provider's.
    """
    owner_id = checked_id(provider_id, "provider")
    seen = read_subscription(database, subscription_id, of_provider_id=owner_id)
    found = seen.row.subscription.subscription_id
    levels = database.read(lambda conn: subscribed_levels(conn, owner_id))
    if found not in levels:
        raise Refused("subscription_unknown", f"there is no subscription {found}")
    return OwnedSubscription(seen, levels[found])
