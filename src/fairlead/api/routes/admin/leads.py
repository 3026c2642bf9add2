"""Leads as operators see them: listing, looking for one, one in full, how it came in, who received it; entering one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.lead_values import LeadDetails
from fairlead.api.schemas.pagination import ByCursor, ByPage, NumberedPage, Page
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Line, RequestModel, ResponseModel, Slug, Uuid, pattern_with_message
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.store.leads.rows import LeadStatus
from fairlead.store.leads.views import (
    LeadFilter,
    assignments_of_lead,
    lead_in_full,
    lead_origin,
    lead_page,
    leads_of_contact,
)

router = Router(prefix="/api/v1/admin", tags=["leads"])

LeadId = Annotated[Uuid, Path(description="The lead's id.")]
Reader = Annotated[Principal, needs(Permission.LEADS_READ)]

_Actor = Annotated[str | None, Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])]
_Attributes = Annotated[Mapping[str, Any], Field(examples=[{"cores": 8, "region": "north"}])]
_Email = Annotated[str | None, Field(examples=["ada@example.com"])]
_Phone = Annotated[str | None, Field(examples=["+49 30 5550100"])]


class LeadItem(ResponseModel):
    """A lead, without anything personal."""

    lead_id: Uuid
    niche: Slug = Field(examples=["hosting"])
    status: LeadStatus
    awaits_decision: bool = Field(description="Whether its distribution was asked for, and is not decided yet.")
    distribution_attempts: int
    last_outcome: str | None = Field(
        description="How the last attempt to distribute it ended; null before the first.", examples=["no_eligible"]
    )
    created_at: datetime
    approved_at: datetime | None


class LeadInFull(LeadItem):
    """A lead with all that is known of it."""

    niche_id: Uuid
    niche_name: str = Field(examples=["Hosting"])
    contact_name: str | None = Field(examples=["Ada Example"])
    contact_email: _Email
    contact_phone: _Phone
    attributes: _Attributes
    utm_source: str | None = Field(examples=["newsletter"])
    utm_medium: str | None = Field(examples=["email"])
    utm_campaign: str | None = Field(examples=["spring"])
    referrer: str | None = Field(examples=["https://blog.example.com/moving"])
    approved_by: _Actor
    rejected_at: datetime | None
    rejected_by: _Actor
    rejection_reason: str | None = Field(examples=["it is a test of our own"])
    distributed_at: datetime | None
    last_attempt_at: datetime | None
    assignment_count: int


class ContactSearch(RequestModel):
    """A consumer, by their whole email address or telephone number."""

    contact: Annotated[Line, Field(min_length=3, max_length=254, examples=["ada@example.com"])]


class LeadEntry(LeadDetails):
    """A lead that an operator enters."""

    niche: Slug = Field(examples=["hosting"])
    approve: StrictBool = Field(
        default=False, description="Whether it is approved at once, which takes `leads:approve`."
    )


class LeadEntered(ResponseModel):
    """A lead that exists now."""

    lead_id: Uuid
    status: Literal["pending_approval", "approved"]
    awaits_decision: bool


class LeadIntake(ResponseModel):
    """How a lead came in from outside."""

    via: Literal["key", "public"]
    sender: str = Field(description="The key's name; `anonymous` for one of the public.", examples=["key:fl_4k2n"])
    taken_in_at: datetime
    confirm_by: datetime | None = Field(
        description="Until when the consumer could confirm it; null for leads that came with a key."
    )
    confirmed_at: datetime | None
    duplicate_of: Uuid | None = Field(description="The earlier lead that it repeats; null where it repeats none.")
    duplicate_fields: Sequence[str] = Field(examples=[["contact_email"]])


class LeadConsent(ResponseModel):
    """What a consumer agreed to, and where that was."""

    consent_text: str = Field(examples=["I want to be called about an offer."])
    consented_at: datetime
    source_url: str | None = Field(examples=["https://moving.example.com/offer"])
    ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None = Field(examples=["Mozilla/5.0"])
    certificate_url: str | None = Field(examples=["https://certificates.example.com/4711"])
    recorded_at: datetime


class LeadOrigin(ResponseModel):
    """Where a lead comes from. Both members are null for one that an operator entered or imported."""

    lead_id: Uuid
    intake: LeadIntake | None
    consent: LeadConsent | None


class LeadAssignment(ResponseModel):
    """A provider that received the lead, and what it paid."""

    assignment_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    subscription_id: Uuid
    competition_level_id: Uuid
    level_name: str = Field(examples=["gold"])
    price_cents: int = Field(examples=[2000])
    currency: str = Field(examples=["EUR"])
    assigned_at: datetime
    status: Literal["active", "accepted", "rejected", "refunded"]


class LeadAssignments(NumberedPage[LeadAssignment]):
    """Who received a lead, in the order of the decision."""

    lead_id: Uuid


@router.get("/leads")
def list_leads(
    _: Reader,
    database: MarketplaceDatabase,
    keyset: ByCursor,
    niche: Annotated[Slug | None, Query(description="By its slug.")] = None,
    status: Annotated[LeadStatus | None, Query()] = None,
    created_from: From = None,
    created_before: Before = None,
    id_prefix: Annotated[
        str | None,
        Query(
            pattern=pattern_with_message("^([0-9a-fA-F]-?){1,32}$", "Input should be the first digits of an id"),
            description="How the id begins.",
            examples=["01990d8e"],
        ),
    ] = None,
) -> Page[LeadItem]:
    """List leads, the newest first, page by page."""
    wanted = LeadFilter(niche, status, created_from, created_before, id_prefix)
    found = database.read(lambda conn: lead_page(conn, wanted, keyset.after, keyset.probe))
    items, next_cursor = keyset.cut(found, lambda lead: (lead.created_at, lead.lead_id))
    return Page(items=[LeadItem.model_validate(each) for each in items], next_cursor=next_cursor)


@router.post("/lead-search", dependencies=[changes_nothing("it only looks for something")])
def search_leads(asked: ContactSearch, _: Reader, database: MarketplaceDatabase, keyset: ByCursor) -> Page[LeadItem]:
    """Find the leads of a consumer, the newest first, by their whole email address or telephone number.

    Both however they are written. In a body, so that no address of a page holds them.
    """
    found = database.read(lambda conn: leads_of_contact(conn, asked.contact, keyset.after, keyset.probe))
    items, next_cursor = keyset.cut(found, lambda lead: (lead.created_at, lead.lead_id))
    return Page(items=[LeadItem.model_validate(each) for each in items], next_cursor=next_cursor)


@router.post("/leads", status_code=201, responses=refuses("niche_unknown"))
def enter_lead(
    asked: LeadEntry,
    author: Annotated[Principal, needs(Permission.LEADS_WRITE)],
    database: MarketplaceDatabase,
    idempotency: AcceptIdempotencyKey,
    response: Response,
) -> LeadEntered:
    """Enter a lead: it is pending approval, or approved at once, and then it will be distributed.

    Each call makes a lead of its own, unless it carries the Idempotency-Key of an earlier one.
    """
    if asked.approve:
        require(author, Permission.LEADS_APPROVE)
    entered = EnteredLead(asked.niche, asked.attributes, asked.details)
    key = idempotency.key_of(author, asked)
    done = create_lead(database, entered, author.actor, approve=asked.approve, idempotency_key=key)
    response.headers["Location"] = f"/api/v1/admin/leads/{done.lead_id}"
    return LeadEntered.model_validate(done)


@router.get("/leads/{lead_id}", responses=refuses("lead_unknown"))
def show_lead(lead_id: LeadId, _: Reader, database: MarketplaceDatabase) -> LeadInFull:
    """Show a lead with all that is known of it."""
    return LeadInFull.model_validate(database.read(lambda conn: lead_in_full(conn, lead_id)))


@router.get("/leads/{lead_id}/origin", responses=refuses("lead_unknown"))
def show_lead_origin(lead_id: LeadId, _: Reader, database: MarketplaceDatabase) -> LeadOrigin:
    """Show how a lead came in from outside, which earlier one it repeats, and the consent of its consumer."""
    return LeadOrigin.model_validate(database.read(lambda conn: lead_origin(conn, lead_id)))


@router.get("/leads/{lead_id}/assignments", responses=refuses("lead_unknown"))
def list_lead_assignments(lead_id: LeadId, _: Reader, database: MarketplaceDatabase, wanted: ByPage) -> LeadAssignments:
    """List who received a lead and what they paid, in the order of the decision."""
    total, found = database.read(lambda conn: assignments_of_lead(conn, lead_id, wanted.page, wanted.limit))
    items = [LeadAssignment.model_validate(each) for each in found]
    return LeadAssignments(lead_id=lead_id, page=wanted.page, limit=wanted.limit, total=total, items=items)
