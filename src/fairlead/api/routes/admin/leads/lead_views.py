"""Saved views of the list of leads: each operator's own, and those that all operators share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.lead_filters import ID_PREFIX_PATTERN, LeadOrder, LeadPeriod, Source
from fairlead.api.schemas.values import RequestModel, ResponseModel, Slug, Timestamp, Uuid
from fairlead.core.entry.types import Line
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.lead_views import (
    LEAD_COLUMNS,
    LONGEST_VIEW_NAME,
    USUAL_COLUMNS,
    LeadColumn,
    NewView,
    delete_view,
    save_view,
    saved_views,
)
from fairlead.store.leads.listing import LeadOutcome
from fairlead.store.leads.rows import LeadStatus
from fairlead.store.leads.saved_views import SavedView

router = Router(prefix="/api/v1/admin/lead-views", tags=["leads"])

Reader = Annotated[Principal, needs(Permission.LEADS_READ)]


class LeadFilters(RequestModel):
    """Which leads a view shows: the parameters of the list, all of which must hold."""

    niche: Slug | None = Field(default=None, examples=["hosting"])
    status: LeadStatus | None = None
    source: Annotated[Source, Field(examples=["newsletter"])] | None = None
    outcome: LeadOutcome | None = None
    period: LeadPeriod | None = Field(default=None, description="The days up to today; null: all, or those of a span.")
    created_from: Timestamp | None = None
    created_before: Timestamp | None = None
    id_prefix: Annotated[str, Field(pattern=ID_PREFIX_PATTERN, examples=["01990d8e"])] | None = None


class NewLeadView(RequestModel):
    """A view under a name."""

    name: Annotated[str, Line(LONGEST_VIEW_NAME), Field(examples=["Unsold this week"])]
    filters: LeadFilters = Field(default_factory=LeadFilters)
    columns: Sequence[LeadColumn] = Field(default=USUAL_COLUMNS, max_length=len(LEAD_COLUMNS))
    order: LeadOrder = "newest"
    is_shared: StrictBool = Field(
        default=False, description="Whether all operators have it, which takes `leads:write`."
    )


class LeadViewFilters(ResponseModel):
    """Which leads a view shows. What is null is no filter."""

    niche: Slug | None = None
    status: LeadStatus | None = None
    source: str | None = None
    outcome: LeadOutcome | None = None
    period: LeadPeriod | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    id_prefix: str | None = None


class LeadView(ResponseModel):
    """A saved view."""

    view_id: Uuid
    name: str = Field(examples=["Unsold this week"])
    is_shared: bool
    filters: LeadViewFilters
    columns: Sequence[LeadColumn]
    order: LeadOrder
    saved_at: datetime
    saved_by: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])


class LeadViews(ResponseModel):
    """The views that the caller has."""

    items: Sequence[LeadView] = Field(description="The caller's own by name, then the shared ones.")


@router.get("")
def list_lead_views(reader: Reader, database: MarketplaceDatabase) -> LeadViews:
    """List the caller's own views and those that are shared."""
    return LeadViews(items=[_shown(each) for each in saved_views(database, reader)])


@router.put("", responses=refuses("too_many_lead_views"))
def save_lead_view(asked: NewLeadView, author: Reader, database: MarketplaceDatabase) -> LeadView:
    """Save a view under its name; the one of that name, of the caller's own or of the shared ones, is replaced.

    A shared one, and of an API key every one, takes `leads:write`.
    """
    filters = {name: str(value) for name, value in asked.filters.model_dump(mode="json", exclude_none=True).items()}
    new = NewView(asked.name, filters, tuple(asked.columns), asked.order == "oldest", asked.is_shared)
    return _shown(save_view(database, new, author))


@router.delete("/{view_id}", status_code=204, responses=refuses("lead_view_unknown"))
def delete_lead_view(
    view_id: Annotated[Uuid, Path(description="The view's id.")], author: Reader, database: MarketplaceDatabase
) -> Response:
    """Delete a view: one of the caller's own, or a shared one. It takes what saving it takes."""
    delete_view(database, view_id, author)
    return Response(status_code=204)


def _shown(view: SavedView) -> LeadView:
    return LeadView(
        view_id=view.view_id,
        name=view.name,
        is_shared=view.is_shared,
        filters=LeadViewFilters.model_validate(view.filters),
        columns=view.columns,  # pyright: ignore[reportArgumentType]  # written by `save_view`
        order="oldest" if view.is_oldest_first else "newest",
        saved_at=view.saved_at,
        saved_by=view.saved_by,
    )
