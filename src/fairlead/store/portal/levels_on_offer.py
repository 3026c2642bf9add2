"""What a provider can subscribe to, and where it has; of others that have, nothing."""

from dataclasses import dataclass

from fairlead.core.canonical import JsonObject
from fairlead.core.form import FormSchema
from fairlead.core.model import WEIGHTED
from fairlead.core.price_rule_words import WordedPrices, worded_prices
from fairlead.core.prices import price_rules_text
from fairlead.core.subscription import readable_form
from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency


@dataclass(frozen=True, slots=True)
class OwnSubscriptionState:
    """The provider's living subscription to a level."""

    subscription_id: str
    is_active: bool
    deactivation_reason: str | None
    filter_is_valid: bool


@dataclass(frozen=True, slots=True)
class LevelOnOffer:
    """A level that can be subscribed to: what a lead costs (cents), and how many receive the same one at the most.

    `prices` has what else the level can ask, and when. Where it `is_weighted`, it goes by weights (R15); what an
    exclusive one sells goes to no other provider, at any level (R16).
    """

    level_id: str
    name: str
    price_cents: int
    currency: str
    max_recipients: int
    order_position: int
    own: OwnSubscriptionState | None
    prices: WordedPrices
    is_weighted: bool
    is_exclusive: bool


@dataclass(frozen=True, slots=True)
class NicheOnOffer:
    """A niche with its levels in order. A filter may use every field of its form."""

    niche_id: str
    slug: str
    name: str
    form_schema: JsonObject
    bad_lead_window_days: int
    levels: tuple[LevelOnOffer, ...]


def level_prices(price_cents: int, price_rules: JsonObject | None, form_schema: JsonObject) -> WordedPrices:
    """What a level with these price rules can ask; their filters in the words of the niche's form."""
    return worded_prices(price_cents, price_rules_text(price_rules), readable_form(form_schema) or FormSchema())


def niches_on_offer(conn: Connection, provider_id: str) -> list[NicheOnOffer]:
    """The active niches that have an active level, by name, with the provider's own subscriptions."""
    currency = marketplace_currency(conn)
    levels: dict[str, list[LevelOnOffer]] = {}
    rows = conn.execute(
        """
        select l.niche_id::text, l.id::text, l.name, l.price_cents, l.max_recipients, l.order_position, l.queue_order,
               l.is_exclusive, l.price_rules, n.form_schema,
               s.id::text, s.is_active, s.deactivation_reason, s.filter_is_valid
        from competition_levels l join niches n on n.id = l.niche_id
        left join subscriptions s on s.competition_level_id = l.id and s.provider_id = %s and s.deleted_at is null
        where l.is_active and l.deleted_at is null order by l.order_position
        """,
        (provider_id,),
    ).fetchall()
    for niche_id, level_id, name, price_cents, max_recipients, position, order, exclusive, rules, form, *own in rows:
        subscription = OwnSubscriptionState(*own) if own[0] is not None else None
        levels.setdefault(niche_id, []).append(
            LevelOnOffer(
                level_id,
                name,
                price_cents,
                currency,
                max_recipients,
                position,
                subscription,
                level_prices(price_cents, rules, form),
                order == WEIGHTED,
                exclusive,
            )
        )
    rows = conn.execute(
        """
        select id::text, slug, name, form_schema, bad_lead_window_days from niches
        where is_active and id = any(%s::uuid[]) order by name, slug
        """,
        (list(levels),),
    ).fetchall()
    return [
        NicheOnOffer(niche_id, slug, name, form_schema, window_days, tuple(levels[niche_id]))
        for niche_id, slug, name, form_schema, window_days in rows
    ]
