"""Leads as a list: filtered, by saved views, page by page, chosen for approval or rejection; and looked for by name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.lead_filters import LeadOrder
from fairlead.api.schemas.pagination import ByCursor, cursor_after
from fairlead.console.operator.lead_list import (
    COLUMN_TITLES,
    OUTCOME_TITLES,
    chips_of,
    chosen_leads,
    filters_in_address,
    rows_of,
    view_links,
)
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import TITLES
from fairlead.console.problem_words import words_of_codes
from fairlead.core.errors import BadInput
from fairlead.core.permissions import CONTACT_DATA, Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.lead_list import leads_in_list
from fairlead.flows.lead_views import LEAD_COLUMNS, saved_views
from fairlead.store.configuration.pages import every_niche
from fairlead.store.connection import Connection
from fairlead.store.leads.listing import most_cents_of_leads, recent_sources
from fairlead.store.leads.rows import LEAD_STATUSES

router = APIRouter(route_class=PageRoute, include_in_schema=False)


def _columns(columns: Annotated[list[str] | None, Query(max_length=20)] = None) -> Sequence[str] | None:
    """Each of its own, as a form sends them, or all in one by commas; `none` for the name alone; None: the usual."""
    if columns is None:
        return None
    names = [name for each in columns for name in each.split(",") if name not in ("", "none")]
    if unknown := [name[:40] for name in names if name not in LEAD_COLUMNS]:
        raise BadInput([f"columns: there is no column {unknown[0]!r}"])
    return names


@router.get("/leads")
def list_leads(
    reader: Annotated[Principal, needs(Permission.LEADS_READ)],
    database: MarketplaceDatabase,
    page: PageOfRequest,
    keyset: ByCursor,
    currency: InCurrency,
    filters: Annotated[Mapping[str, str], Depends(filters_in_address, scope="function")],
    columns: Annotated[Sequence[str] | None, Depends(_columns, scope="function")],
    order: Annotated[LeadOrder, Query()] = "newest",
) -> Response:
    """The leads that the address asks for, and the saved views."""
    now = datetime.now(UTC)
    chosen = chosen_leads(page.viewer, now, filters, columns, order)
    is_first = keyset.after is None
    found = leads_in_list(
        database, chosen.filter, keyset.after, keyset.limit, oldest_first=order == "oldest", is_counted=is_first
    )

    def beside(conn: Connection) -> tuple[dict[str, str], Sequence[str], dict[str, int]]:
        niches = {each.slug: each.name for each in every_niche(conn)}
        return niches, recent_sources(conn), most_cents_of_leads(conn)

    niches, sources, most_cents = database.read(beside)
    cursor = cursor_after(found.next_after)
    return page.render(
        "operator/leads.html",
        reader,
        refusals=words_of_codes("lead_"),
        leads=rows_of(found.items, page.viewer, most_cents, with_names=CONTACT_DATA["consumer"] in reader.permissions),
        count=found.count,
        next_address=None if cursor is None else chosen.address_with(cursor=cursor),
        first_address=None if is_first else chosen.address,
        other_order_address=chosen.address_with(order="oldest" if order == "newest" else None),
        chosen=chosen,
        chips=chips_of(chosen, page.viewer, niches),
        views=view_links(saved_views(database, reader), page.viewer, now, chosen),
        niches=niches,
        sources=sources,
        statuses=LEAD_STATUSES,
        outcomes=OUTCOME_TITLES,
        periods=TITLES,
        column_titles=COLUMN_TITLES,
        currency=currency,
        may_decide=Permission.LEADS_APPROVE in reader.permissions,
        may_share=Permission.LEADS_WRITE in reader.permissions,
        may_export=Permission.EXPORTS_WRITE in reader.permissions,
    )
