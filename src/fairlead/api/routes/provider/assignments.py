"""The leads that a provider bought: its inbox, and what it does with each of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from fastapi import Depends, Path, Query
from pydantic import Field, JsonValue

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.memos import LINE_PATTERN
from fairlead.api.schemas.pagination import ByCursor, Keyset, Page, cursor_after
from fairlead.api.schemas.report_reasons import ReportReason
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.entry.types import Lines
from fairlead.core.permissions import Permission
from fairlead.flows.assignment_actions import LONGEST_REASON, accept_assignment, reject_assignment, view_assignment
from fairlead.flows.money.bad_leads import LONGEST_EVIDENCE, LONGEST_NOTE, report_bad_lead
from fairlead.store.portal.inbox import InboxAssignment, InboxFilter, inbox_assignment, inbox_page, unviewed_count
from fairlead.store.portal.inbox_search import LONGEST_SEARCH, SHORTEST_SEARCH

router = Router(prefix="/api/v1/provider", tags=["provider: leads"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
AssignmentId = Annotated[Uuid, Path()]

Status: TypeAlias = Literal["active", "accepted", "rejected", "refunded"]

_MOST_COUNTED = 1_000


class InboxSearch(RequestModel):
    """A part of the contact's name, email or phone, or of any answer of the lead; or the beginning of its id."""

    search: Annotated[
        str,
        Field(
            min_length=SHORTEST_SEARCH,
            max_length=LONGEST_SEARCH,
            # Something to look for at either end, so that as many signs are left once spaces around it are gone.
            pattern=LINE_PATTERN,
            repr=False,
            examples=["ada@example.com"],
        ),
    ]


class OwnRejection(RequestModel):
    """Why the lead is no use. Kept with the assignment, and nowhere else."""

    reason: Annotated[str, Lines(LONGEST_REASON), Field(examples=["too far away"])]


class OwnBadLeadReport(RequestModel):
    """Why the lead is bad. Note and evidence are kept with the assignment, and nowhere else."""

    reason: ReportReason
    note: Annotated[str, Lines(LONGEST_NOTE), Field(examples=["called five times"])] | None = None
    evidence: Annotated[str, Lines(LONGEST_EVIDENCE), Field(examples=["550 5.1.1 no such mailbox"])] | None = None


class InboxLead(ResponseModel):
    """A lead that the provider bought. Other recipients are never disclosed."""

    assignment_id: Uuid
    lead_id: Uuid
    subscription_id: Uuid
    niche: str = Field(examples=["hosting"])
    niche_name: str = Field(examples=["Hosting"])
    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    contact_name: str | None = Field(examples=["Ada Lovelace"])
    contact_email: str | None = Field(examples=["ada@example.com"])
    contact_phone: str | None = Field(examples=["+44 20 7946 0000"])
    price_cents: int = Field(examples=[2000])
    price_rule: str | None = Field(examples=["Nights"])
    currency: Currency
    status: Status
    assigned_at: datetime
    viewed_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None = Field(description="When it was reported as bad; null where it was not.")
    report_decision: Literal["accepted", "rejected"] | None
    refunded_at: datetime | None
    withdrawn_at: datetime | None = Field(description="When its consumer took the request back; null while it stands.")
    erased_at: datetime | None = Field(
        description="When its personal data was erased, so that you are to erase it, too; null while it is there."
    )


class InboxEvent(ResponseModel):
    """Something that happened to it."""

    at: datetime
    event: Literal[
        "assigned",
        "viewed",
        "accepted",
        "rejected",
        "reported",
        "report_accepted",
        "report_rejected",
        "refunded",
        "withdrawn",
        "erased",
    ]


class InboxLeadInFull(InboxLead):
    """A lead that the provider bought, with what the lead said and what happened to it."""

    is_personal: ClassVar[bool] = True

    attributes: dict[str, JsonValue] = Field(examples=[{"cores": 8, "region": "north"}])
    rejection_reason: str | None = Field(examples=["too far away"])
    report_reason: ReportReason | None = Field(
        description="The key of the category that it was reported under; null where it was not."
    )
    report_note: str | None = Field(examples=["called five times"])
    report_evidence: str | None = Field(examples=["550 5.1.1 no such mailbox"])
    report_deadline: datetime = Field(description="Until when it can be reported as bad.")
    timeline: Sequence[InboxEvent] = Field(description="What happened to the assignment, the oldest first.")


class OwnAssignmentState(ResponseModel):
    """An assignment after its provider answered it."""

    assignment_id: Uuid
    status: Status
    viewed_at: datetime | None
    answered_at: datetime | None


class OwnBadLeadReportState(ResponseModel):
    """A report that waits for a decision."""

    assignment_id: Uuid
    reason: ReportReason
    reported_at: datetime


class UnviewedCount(ResponseModel):
    """How many leads wait to be seen. 1,000 stands for 1,000 or more."""

    unviewed_count: Annotated[int, Field(ge=0, le=_MOST_COUNTED, examples=[3])]


async def _wanted(
    niche: Annotated[Slug | None, Query(examples=["hosting"])] = None,
    level_id: Annotated[Uuid | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    is_viewed: Annotated[bool | None, Query()] = None,
    is_reported: Annotated[bool | None, Query()] = None,
    assigned_from: From = None,
    assigned_before: Before = None,
) -> InboxFilter:
    return InboxFilter(niche, level_id, status, is_viewed, is_reported, assigned_from, assigned_before)


Wanted = Annotated[InboxFilter, Depends(_wanted, scope="function")]


@router.get("/assignments")
def list_inbox(page: ByCursor, wanted: Wanted, caller: Reader) -> Page[InboxLead]:
    """List the leads that the provider bought, the newest first.

    A page may hold fewer items than asked for, even none, as long as there is a `next_cursor`.
    """
    return _page(caller, wanted, page)


@router.post("/assignment-search", dependencies=[changes_nothing("it only looks for something")])
def search_inbox(asked: InboxSearch, page: ByCursor, wanted: Wanted, caller: Reader) -> Page[InboxLead]:
    """Look for a lead among those that the provider bought. In a body, so that no address of a page holds a name.

    A whole id, email address or phone number, as it was entered, is found at any age. Anything else is looked for page
    by page: a page may hold fewer items than asked for, even none, as long as there is a `next_cursor`.
    """
    return _page(caller, replace(wanted, search=asked.search), page)


@router.get("/assignments/unviewed-count")
def count_unviewed(caller: Reader) -> UnviewedCount:
    """Say how many of the leads that the provider bought it has not seen yet."""
    count = caller.database.read(lambda conn: unviewed_count(conn, caller.provider_id, _MOST_COUNTED))
    return UnviewedCount(unviewed_count=count)


@router.get("/assignments/{assignment_id}", responses=refuses("assignment_unknown"))
def show_inbox_assignment(assignment_id: AssignmentId, caller: Reader) -> InboxLeadInFull:
    """Show a lead in full. It does not count as seen by that."""
    return _in_full(caller, assignment_id)


@router.post("/assignments/{assignment_id}/view", responses=refuses("assignment_unknown"))
def view_own_assignment(assignment_id: AssignmentId, caller: Writer) -> InboxLeadInFull:
    """Show a lead in full; it counts as seen since the first time."""
    view_assignment(caller.database, caller.provider_id, assignment_id)
    return _in_full(caller, assignment_id)


@router.post(
    "/assignments/{assignment_id}/accept",
    responses=refuses("assignment_unknown", "assignment_rejected", "assignment_refunded"),
)
def accept_own_assignment(assignment_id: AssignmentId, caller: Writer) -> OwnAssignmentState:
    """Accept a lead. Doing so twice is no mistake."""
    done = accept_assignment(caller.database, caller.provider_id, assignment_id, caller.actor)
    return OwnAssignmentState.model_validate(done)


@router.post(
    "/assignments/{assignment_id}/reject",
    responses=refuses("assignment_unknown", "assignment_accepted", "assignment_refunded"),
)
def reject_own_assignment(assignment_id: AssignmentId, asked: OwnRejection, caller: Writer) -> OwnAssignmentState:
    """Reject a lead, and say why. No money is given back by that: for that there is the report."""
    done = reject_assignment(caller.database, caller.provider_id, assignment_id, asked.reason, caller.actor)
    return OwnAssignmentState.model_validate(done)


@router.post(
    "/assignments/{assignment_id}/report",
    responses=refuses(
        "assignment_unknown",
        "assignment_refunded",
        "bad_lead_reported",
        "bad_lead_window_over",
        "bad_lead_daily_limit",
        "bad_lead_share_reached",
    ),
)
def report_own_bad_lead(
    assignment_id: AssignmentId, asked: OwnBadLeadReport, idempotency: AcceptIdempotencyKey, caller: Writer
) -> OwnBadLeadReportState:
    """Report a lead as bad. An operator decides whether it is paid back; each lead can be reported once."""
    key = idempotency.key_of(caller.principal, asked)
    done = report_bad_lead(
        caller.database,
        caller.provider_id,
        assignment_id,
        asked.reason,
        asked.note,
        caller.actor,
        key,
        evidence=asked.evidence,
    )
    return OwnBadLeadReportState.model_validate(done)


def _page(caller: OwnProvider, wanted: InboxFilter, page: Keyset) -> Page[InboxLead]:
    found = caller.database.read(lambda conn: inbox_page(conn, caller.provider_id, wanted, page.after, page.limit))
    items = [InboxLead.model_validate(each) for each in found.items]
    return Page(items=items, next_cursor=cursor_after(found.next_after))


def _in_full(caller: OwnProvider, assignment_id: str) -> InboxLeadInFull:
    found = caller.database.read(lambda conn: inbox_assignment(conn, caller.provider_id, assignment_id))
    return InboxLeadInFull.model_validate(_flat(found))


def _flat(found: InboxAssignment) -> dict[str, Any]:
    item = InboxLead.model_validate(found.item).model_dump()
    return {
        **item,
        "attributes": dict(found.attributes),
        "rejection_reason": found.rejection_reason,
        "report_reason": found.report_reason,
        "report_note": found.report_note,
        "report_evidence": found.report_evidence,
        "report_deadline": found.report_deadline,
        "timeline": found.timeline,
    }
