"""The review: which leads wait for approval, and what leads of the same source were worth."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import ResponseModel, Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.leads.review import pending_leads, source_worth

router = Router(prefix="/api/v1/admin", tags=["leads"])

Reader = Annotated[Principal, needs(Permission.LEADS_READ)]


class PendingLead(ResponseModel):
    """A lead that waits for approval."""

    lead_id: Uuid
    niche: Slug = Field(examples=["hosting"])
    created_at: datetime


class SourceWorth(ResponseModel):
    """What other leads of a lead's source were worth, among the newest of its niche."""

    lead_id: Uuid
    source: str | None = Field(description="Its `utm_source`; null where it has none.", examples=["newsletter"])
    looked_at: int = Field(description="How many of the niche's newest leads were looked at.")
    lead_count: int = Field(description="Of them, those of the same source, without this one.")
    sold_count: int = Field(description="Of those, the ones that were sold.")
    bad_count: int = Field(description="Of those, the ones that turned out to be bad.")
    net_cents: int = Field(description="What providers paid for those, less refunds, in minor units.")


@router.get("/pending-leads")
def list_pending_leads(_: Reader, database: MarketplaceDatabase, keyset: ByCursor) -> Page[PendingLead]:
    """List the leads that wait for approval, the oldest first, page by page."""
    found = database.read(lambda conn: pending_leads(conn, keyset.after, keyset.probe))
    items, next_cursor = keyset.cut(found, lambda lead: (lead.created_at, lead.lead_id))
    return Page(items=[PendingLead.model_validate(each) for each in items], next_cursor=next_cursor)


@router.get("/leads/{lead_id}/source-worth", responses=refuses("lead_unknown"))
def show_source_worth(
    lead_id: Annotated[Uuid, Path(description="The lead's id.")], _: Reader, database: MarketplaceDatabase
) -> SourceWorth:
    """Show what other leads of this lead's source were worth."""
    found = database.read(lambda conn: source_worth(conn, lead_id))
    return SourceWorth(
        lead_id=lead_id,
        source=found.source,
        looked_at=found.looked_at,
        lead_count=found.lead_count,
        sold_count=found.sold_count,
        bad_count=found.bad_count,
        net_cents=found.net_cents,
    )
