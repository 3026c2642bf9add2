"""Subscriptions: what the provider buys, on which terms, with which filter; and what else is on offer."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Uuid
from fairlead.console.clause_texts import clause_in_language
from fairlead.console.entered_amount import entered_amount
from fairlead.console.older_tables import older_tables_of
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.filter_words import builder_of
from fairlead.console.routes.portal.frame import ActivityReader, Reader, render_portal
from fairlead.console.terms import limit_lines, local_text, shown_terms
from fairlead.core.errors import Refused
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.own_subscriptions import own_subscription
from fairlead.flows.configuration.shares import shares_of
from fairlead.flows.configuration.terms_in_force import (
    read_provider_terms,
    read_subscription_terms,
    terms_of_provider,
    without_operators,
)
from fairlead.flows.reporting.own_activity import ACTIVITY_DAYS, own_activity
from fairlead.store.configuration.postcode_tables import postcode_table_names
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import niche_form
from fairlead.store.lookups import marketplace_currency
from fairlead.store.portal.levels_on_offer import LevelOnOffer, NicheOnOffer, niches_on_offer

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/subscriptions")
def show_subscriptions(page: PageOfRequest, caller: ActivityReader, marketplace: MarketplaceDatabase) -> Response:
    """The provider's subscriptions with what became of the last leads, then the levels that it has not."""
    # From the journal and the queues, which the provider's own database does not show.
    activity = own_activity(marketplace, caller.provider_id)
    offers = caller.database.read(lambda conn: niches_on_offer(conn, caller.provider_id))
    lead_counts = {niche.niche: niche for niche in activity.niches}
    terms = terms_of_provider(marketplace, caller.provider_id)
    currency = caller.database.read(marketplace_currency)
    return render_portal(
        page,
        "subscriptions.html",
        caller,
        days=ACTIVITY_DAYS,
        terms={id: (each, limit_lines(each, currency, page.viewer)) for id, each in terms.items()},
        local_text=local_text,
        own=[(niche, each) for niche in activity.niches for each in niche.subscriptions],
        offers=[
            (niche, lead_counts.get(niche.slug), free)
            for niche in offers
            if (free := [level for level in niche.levels if level.own is None])
        ],
    )


@router.get("/portal/subscriptions/{subscription_id}")
def show_subscription(
    subscription_id: Annotated[Uuid, Path()], page: PageOfRequest, caller: Reader, marketplace: MarketplaceDatabase
) -> Response:
    """One subscription: its filter by clicking, with what it would have matched; its limits and hours; leaving."""
    found = own_subscription(caller.database, caller.provider_id, subscription_id)
    subscription = found.seen.row.subscription
    niche = caller.database.read(lambda conn: niche_form(conn, found.level.niche))
    form = None if niche is None else readable_form(niche.form_schema)
    # What is used of limits is read where their windows are, which the provider's own database does not show.
    terms = read_subscription_terms(marketplace, subscription_id, of_provider_id=caller.provider_id)
    return render_portal(
        page,
        "subscription.html",
        caller,
        terms=shown_terms(without_operators(terms), found.level.currency, page.viewer),
        subscription=subscription,
        share=shares_of(marketplace, [found.seen.row]).get(subscription_id),
        is_ended=found.seen.row.is_deleted,
        summary=clause_in_language(found.seen.filter_clause),
        version=found.seen.version,
        older_tables=older_tables_of(caller.database, subscription.filter_rules),
        level=found.level,
        price_limit=entered_amount(subscription.max_price_cents, found.level.currency),
        no_lead_comes=found.price_limit_warning is not None,
        builder=None
        if form is None
        else builder_of(form, subscription.filter_rules, caller.database.read(postcode_table_names)),
    )


@router.get("/portal/limits")
def show_limits(page: PageOfRequest, caller: Reader, marketplace: MarketplaceDatabase) -> Response:
    """The provider's limits and its schedule over all of its subscriptions."""
    currency = caller.database.read(marketplace_currency)
    terms = without_operators(read_provider_terms(marketplace, caller.provider_id))
    return render_portal(page, "limits.html", caller, terms=shown_terms(terms, currency, page.viewer))


@router.get("/portal/levels/{level_id}")
def show_level(level_id: Annotated[Uuid, Path()], page: PageOfRequest, caller: Reader) -> Response:
    """A level on offer: subscribe to it, with a filter or without."""
    niche, level = caller.database.read(lambda conn: _offer(conn, caller.provider_id, level_id))
    form = readable_form(niche.form_schema)
    no_rules: Mapping[str, Any] = {"version": 1, "rules": []}
    return render_portal(
        page,
        "level.html",
        caller,
        niche=niche,
        level=level,
        builder=None if form is None else builder_of(form, no_rules, caller.database.read(postcode_table_names)),
    )


def _offer(conn: Connection, provider_id: str, level_id: str) -> tuple[NicheOnOffer, LevelOnOffer]:
    """Raises `Refused`: `level_unknown`, also for one that is not on offer."""
    for niche in niches_on_offer(conn, provider_id):
        for level in niche.levels:
            if level.level_id == level_id:
                return niche, level
    raise Refused("level_unknown", f"there is no level {level_id} on offer")
