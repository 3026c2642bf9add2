"""Leads as operators see them: listing, looking for one, one in full, how it came in, who received it; entering one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.lead_filters import IdPrefix, LeadOrder, Source
from fairlead.api.schemas.lead_values import LeadDetails
from fairlead.api.schemas.pagination import ByCursor, ByPage, NumberedPage, Page, cursor_after
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Line, RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.lead_actions import LeadAction, permitted_actions
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.lead_list import LeadInList, ShownOutcome, leads_in_list, search_leads
from fairlead.store.leads.listing import LeadCount, LeadFilter, LeadOutcome, recent_sources
from fairlead.store.leads.rows import LeadStatus
from fairlead.store.leads.views import assignments_of_lead, lead_in_full, lead_origin

router = Router(prefix="/api/v1/admin", tags=["leads"])

LeadId = Annotated[Uuid, Path(description="The lead's id.")]
Reader = Annotated[Principal, needs(Permission.LEADS_READ)]

_Actor = Annotated[str | None, Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])]
_Attributes = Annotated[Mapping[str, Any], Field(examples=[{"cores": 8, "region": "north"}])]
_Email = Annotated[str | None, Field(examples=["ada@example.com"])]
_Phone = Annotated[str | None, Field(examples=["+49 30 5550100"])]


class LeadState(ResponseModel):
    """A lead, and how far it has come."""

    lead_id: Uuid
    niche: Slug = Field(examples=["hosting"])
    niche_name: str = Field(examples=["Hosting"])
    status: LeadStatus
    contact_name: str | None = Field(examples=["Ada Example"])
    utm_source: str | None = Field(examples=["newsletter"])
    awaits_decision: bool = Field(description="Whether its distribution was asked for, and is not decided yet.")
    distribution_attempts: int
    last_outcome: str | None = Field(
        description="How the last attempt to distribute it ended; null before the first.", examples=["no_eligible"]
    )
    created_at: datetime
    approved_at: datetime | None


class LeadItem(LeadState):
    """A lead in a list, with what became of it; of what is personal it has the name alone."""

    outcome: ShownOutcome | None = Field(
        description="`partial` is sold with a slot left open for want of money, `unsold` decided without a recipient; "
        "null while it is open."
    )
    assignment_count: int = Field(description="To how many providers it was assigned.")
    refunded_count: int = Field(description="Of them, those that were refunded.")
    slot_count: int | None = Field(description="How many slots its newest decision offered; null before the first.")
    net_cents: int = Field(description="What providers paid for it, less refunds, in minor units.")
    unsold_reason: str | None = Field(
        description="Of an unsold lead: what refused the provider that was closest to receiving it; null where no "
        "provider was subscribed, and for other leads.",
        examples=["insufficient_balance"],
    )


class LeadPage(Page[LeadItem]):
    """A page of leads. Where a filter matches rarely it holds fewer than were asked for, and still has a next one."""

    count: int | None = Field(
        default=None,
        description="How many leads there are, if `with_count` asked for it: exactly, unless `count_is_more`; null "
        "where finding out would cost much.",
    )
    count_is_more: bool = Field(default=False, description="Whether there are more leads than `count` says.")


class LeadSearchResult(Page[LeadItem]):
    """Leads that were found, the newest first."""

    is_partial: bool = Field(
        description="So many names begin like this that not all were looked at: a further word finds the rest."
    )


class LeadInFull(LeadState):
    """A lead with all that is known of it."""

    niche_id: Uuid
    contact_email: _Email
    contact_phone: _Phone
    attributes: _Attributes
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
    answers_erased_at: datetime | None = Field(description="When its answers were erased; null while they are there.")
    contact_erased_at: datetime | None = Field(description="When its contact data was erased; null while it is there.")
    erased_at: datetime | None = Field(description="When all that was personal of it was erased; null where it is not.")
    permitted_actions: Sequence[LeadAction] = Field(
        description="What the caller may do with it as it is.", examples=[["reject", "distribute"]]
    )


class LeadSearch(RequestModel):
    """A consumer or a lead: a name, a whole email address or telephone number, or the beginning of a lead's id."""

    text: Annotated[Line, Field(min_length=2, max_length=254, examples=["ada@example.com"])]


class LeadSources(ResponseModel):
    """Where recent leads came from."""

    sources: Sequence[str] = Field(description="The most frequent first.", examples=[["newsletter", "partner-site"]])


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
    price_rule: str | None = Field(examples=["Nights"])
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
    *,
    niche: Annotated[Slug | None, Query(description="By its slug.")] = None,
    status: Annotated[LeadStatus | None, Query()] = None,
    created_from: From = None,
    created_before: Before = None,
    id_prefix: IdPrefix = None,
    source: Annotated[Source | None, Query(description="By the whole `utm_source`.")] = None,
    outcome: Annotated[
        LeadOutcome | None,
        Query(description="What became of it: `sold` includes `partial`, where a slot stayed open."),
    ] = None,
    order: Annotated[LeadOrder, Query(description="By the time at which it came in.")] = "newest",
    with_count: Annotated[bool, Query(description="Whether `count` is wanted.")] = False,
) -> LeadPage:
    """List leads by the time at which they came in, page by page, each with what became of it."""
    found = leads_in_list(
        database,
        LeadFilter(niche, status, created_from, created_before, id_prefix, source, outcome),
        keyset.after,
        keyset.limit,
        oldest_first=order == "oldest",
        is_counted=with_count,
    )
    count = LeadCount(None) if found.count is None else found.count
    return LeadPage(
        items=[_item(each) for each in found.items],
        next_cursor=cursor_after(found.next_after),
        count=count.count,
        count_is_more=count.is_more,
    )


@router.get("/lead-sources")
def list_lead_sources(_: Reader, database: MarketplaceDatabase) -> LeadSources:
    """List the sources of recent leads, the most frequent first, to choose a filter from."""
    return LeadSources(sources=database.read(recent_sources))


@router.post("/lead-search", dependencies=[changes_nothing("it only looks for something")])
def search_for_leads(asked: LeadSearch, _: Reader, database: MarketplaceDatabase, keyset: ByCursor) -> LeadSearchResult:
    """Find leads, the newest first, by a consumer's name, email address or telephone number, or by the lead's id.

    An address and a number are looked for whole, however they are written; of a name each word, or its beginning; of an
    id the beginning, from eight digits on. In a body, so that no address of a page holds them.
    """
    found = search_leads(database, asked.text, keyset.after, keyset.probe)
    items, next_cursor = keyset.cut(found.items, lambda each: (each.lead.created_at, each.lead.lead_id))
    return LeadSearchResult(items=[_item(each) for each in items], next_cursor=next_cursor, is_partial=found.is_partial)


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
def show_lead(lead_id: LeadId, reader: Reader, database: MarketplaceDatabase) -> LeadInFull:
    """Show a lead with all that is known of it, and what the caller may do with it."""
    found = database.read(lambda conn: lead_in_full(conn, lead_id))
    return LeadInFull(**asdict(found), permitted_actions=permitted_actions(found.status, reader.permissions))


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


def _item(found: LeadInList) -> LeadItem:
    return LeadItem(
        **asdict(found.lead),
        outcome=found.outcome,
        assignment_count=found.assignment_count,
        refunded_count=found.refunded_count,
        slot_count=found.slot_count,
        net_cents=found.net_cents,
        unsold_reason=found.unsold_reason,
    )
