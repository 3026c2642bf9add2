"""The list of providers: who they are, what they have, and who is out of money."""

from typing import Annotated, Literal

from babel.numbers import get_currency_precision
from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.pagination import ByCursor
from fairlead.console.addresses import TypedText, address
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.conflict_groups import read_conflict_groups
from fairlead.flows.configuration.marketplace import read_marketplace
from fairlead.flows.configuration.provider_list import list_providers
from fairlead.store.configuration.pages import ProviderSearch

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/providers"
_STATUSES = (None, "active", "pending", "suspended")


@router.get(_PATH)
def show_providers(
    reader: Annotated[Principal, needs(Permission.PROVIDERS_READ)],
    page: PageOfRequest,
    keyset: ByCursor,
    currency: InCurrency,
    database: MarketplaceDatabase,
    status: Annotated[Literal["pending", "active", "suspended"] | None, Query()] = None,
    q: TypedText = None,
    out_of_money: Annotated[Literal["true"] | None, Query()] = None,
) -> Response:
    """The providers, the newest first."""
    wanted = ProviderSearch(status, q, None if out_of_money is None else True)
    found = list_providers(database, wanted, keyset.after_id, keyset.probe)
    items, cursor = keyset.cut(found, lambda each: (each.provider.created_at, each.provider.provider_id))
    return page.render(
        "operator/providers.html",
        reader,
        items=items,
        currency=currency,
        chosen=status,
        q=q,
        statuses=[(each, address(_PATH, status=each, q=q)) for each in _STATUSES],
        out_of_money=out_of_money,
        only_out_of_money=address(_PATH, q=q, out_of_money="true"),
        without_text=address(_PATH, status=status, out_of_money=out_of_money),
        next_address=None
        if cursor is None
        else address(_PATH, status=status, q=q, out_of_money=out_of_money, cursor=cursor),
        is_filtered=status is not None or q is not None or out_of_money is not None,
    )


@router.get("/providers/conflict-groups")
def show_conflict_groups(
    reader: Annotated[Principal, needs(Permission.PROVIDERS_READ)], page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """Which providers never receive the same lead."""
    return page.render("operator/conflict-groups.html", reader, groups=read_conflict_groups(database))


@router.get("/providers/new")
def show_new_provider(
    reader: Annotated[Principal, needs(Permission.PROVIDERS_WRITE)],
    page: PageOfRequest,
    currency: InCurrency,
    database: MarketplaceDatabase,
) -> Response:
    """A form for a new provider."""
    zone = read_marketplace(database).timezone or page.viewer.zone_name
    digits = get_currency_precision(currency)
    return page.render("operator/new-provider.html", reader, currency=currency, digits=digits, zone=zone)
