"""Leads as a list: filtered, page by page, chosen for approval or rejection; and looked for without an address."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Slug
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.connection import Connection
from fairlead.store.history import niches_of
from fairlead.store.leads.rows import LEAD_STATUSES, LeadStatus
from fairlead.store.leads.views import LeadFilter, ListedLead, lead_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

IdPrefix = Annotated[str | None, Query(pattern="^([0-9a-fA-F]-?){1,32}$")]


@router.get("/leads")
def list_leads(
    reader: Annotated[Principal, needs(Permission.LEADS_READ)],
    database: MarketplaceDatabase,
    page: PageOfRequest,
    keyset: ByCursor,
    niche: Annotated[Slug | Literal[""] | None, Query()] = None,
    status: Annotated[LeadStatus | Literal[""] | None, Query()] = None,
    created_from: From = None,
    created_before: Before = None,
    id_prefix: IdPrefix = None,
) -> Response:
    """The newest first. An empty filter counts as none: so a form without choices sends it."""
    wanted = LeadFilter(niche or None, status or None, created_from, created_before, id_prefix)

    def work(conn: Connection) -> tuple[list[ListedLead], dict[str, str]]:
        found = lead_page(conn, wanted, keyset.after, keyset.probe)
        return list(found), {each.slug: each.slug for each in niches_of(conn, None)}

    found, niches = database.read(work)
    items, next_cursor = keyset.cut(found, lambda lead: (lead.created_at, lead.lead_id))
    given = _given(wanted)
    return page.render(
        "operator/leads.html",
        reader,
        leads=items,
        next_address=None if next_cursor is None else address_of(given | {"cursor": next_cursor}),
        first_address=address_of(given) if keyset.after is not None else None,
        niches=niches,
        statuses=LEAD_STATUSES,
        wanted=wanted,
        chips=chips_of(given),
        may_decide=Permission.LEADS_APPROVE in reader.permissions,
    )


def _given(wanted: LeadFilter) -> dict[str, str]:
    """The filters in force, as the address has them."""
    given: Mapping[str, Any] = {
        "niche": wanted.niche_slug,
        "status": wanted.status,
        "created_from": _text(wanted.created_from),
        "created_before": _text(wanted.created_before),
        "id_prefix": wanted.id_prefix,
    }
    return {name: value for name, value in given.items() if value}


def _text(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def chips_of(given: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each filter in force: its name, its value, and the address without it."""
    return [
        (name, value, address_of({other: each for other, each in given.items() if other != name}))
        for name, value in given.items()
    ]


def address_of(given: Mapping[str, str]) -> str:
    """The list with these filters."""
    return f"/leads?{urlencode(given)}" if given else "/leads"
