"""What a provider's subscriptions are to: the names and prices behind their ids."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.model import WEIGHTED
from fairlead.core.price_rule_words import WordedPrices
from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency
from fairlead.store.portal.levels_on_offer import level_prices


@dataclass(frozen=True, slots=True)
class SubscribedLevel:
    """The level of one subscription (price in cents), and when that last received a lead.

    Where it `is_weighted`, it goes by weights (R15).
    """

    niche: str
    niche_name: str
    level_name: str
    price_cents: int
    currency: str
    last_received_at: datetime | None
    prices: WordedPrices
    is_weighted: bool


def subscribed_levels(conn: Connection, provider_id: str) -> dict[str, SubscribedLevel]:
    """By id of the subscription, living or ended: the level, active or not, that it is to."""
    currency = marketplace_currency(conn)
    rows = conn.execute(
        """
        select s.id::text, n.slug, n.name, l.name, l.price_cents, s.last_received_at, l.price_rules, n.form_schema,
               l.queue_order
        from subscriptions s join niches n on n.id = s.niche_id
        join competition_levels l on l.id = s.competition_level_id where s.provider_id = %s
        """,
        (provider_id,),
    ).fetchall()
    return {
        subscription_id: SubscribedLevel(
            niche,
            niche_name,
            level_name,
            price_cents,
            currency,
            last,
            level_prices(price_cents, rules, form),
            order == WEIGHTED,
        )
        for subscription_id, niche, niche_name, level_name, price_cents, last, rules, form, order in rows
    }
