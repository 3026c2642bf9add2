"""One subscription of a provider, as operators see to it: its filter by clicking, its state, what became of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.values import Uuid
from fairlead.console.clause_texts import clause_in_language
from fairlead.console.older_tables import older_tables_of
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.filter_words import builder_of
from fairlead.console.terms import shown_terms
from fairlead.core.permissions import Permission
from fairlead.core.subscription import readable_form
from fairlead.core.weighted import MAX_WEIGHT
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.reading import read_level, read_niche, read_provider, read_subscription
from fairlead.flows.configuration.shares import shares_of
from fairlead.flows.configuration.terms_in_force import read_subscription_terms
from fairlead.store.configuration.postcode_tables import postcode_table_names

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/providers/{provider_id}/subscriptions/{subscription_id}")
def show_subscription_of_provider(
    provider_id: Annotated[Uuid, Path()],
    subscription_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.PROVIDERS_READ)],
    page: PageOfRequest,
    currency: InCurrency,
    database: MarketplaceDatabase,
) -> Response:
    """Its filter with what it would have matched, weight, limits, hours. Raises `Refused` for another provider's."""
    provider = read_provider(database, provider_id).row
    seen = read_subscription(database, subscription_id, of_provider_id=provider_id)
    subscription = seen.row.subscription
    niche = read_niche(database, seen.row.niche_id).row
    form = readable_form(niche.form_schema)
    return page.render(
        "operator/provider-subscription.html",
        reader,
        provider=provider,
        niche=niche,
        level=read_level(database, subscription.level_id).row.level,
        subscription=subscription,
        share=shares_of(database, [seen.row]).get(subscription_id),
        max_weight=MAX_WEIGHT,
        is_ended=seen.row.is_deleted,
        terms=shown_terms(
            read_subscription_terms(database, subscription_id, of_provider_id=provider_id), currency, page.viewer
        ),
        summary=clause_in_language(seen.filter_clause),
        version=seen.version,
        older_tables=older_tables_of(database, subscription.filter_rules),
        currency=currency,
        builder=None
        if form is None
        else builder_of(form, subscription.filter_rules, database.read(postcode_table_names)),
        may_write=Permission.PROVIDERS_WRITE in reader.permissions,
    )
