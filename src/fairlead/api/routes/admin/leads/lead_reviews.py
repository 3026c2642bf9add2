"""What operators decide about leads: approved, rejected, one by one or many at once; or bad, with all refunded."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, RequireIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.memos import RefundMemo, Words
from fairlead.api.schemas.refunds import Refund
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.approve_lead import RefusedLead, approve_lead, approve_leads
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.reject_lead import reject_lead, reject_leads

router = Router(prefix="/api/v1/admin/leads", tags=["leads"])

MOST_AT_ONCE = 1_000

LeadId = Annotated[Uuid, Path(description="The lead's id.")]
Reviewer = Annotated[Principal, needs(Permission.LEADS_APPROVE)]

_Ids = Annotated[Sequence[Uuid], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Rejection(RequestModel):
    """Why a lead is rejected. It is kept with the lead and nowhere else."""

    reason: Words


class LeadChoice(RequestModel):
    """Which leads."""

    lead_ids: _Ids


class LeadsRejection(Rejection):
    """Which leads are rejected, and why all of them are."""

    lead_ids: _Ids


class BadLeadMark(RequestModel):
    """Why a lead is bad."""

    memo: RefundMemo


class ApprovedLead(ResponseModel):
    """A lead that is approved, or was and is sold. `was_already` says that it had been, and nothing was changed."""

    lead_id: Uuid
    was_already: bool


class RejectedLead(ResponseModel):
    """A lead that is rejected. `was_already` says that it had been before, and nothing was changed."""

    lead_id: Uuid
    was_already: bool


class LeadResult(ResponseModel):
    """What became of one lead of several: `done`, done `already`, or `refused`, and then why."""

    lead_id: Uuid
    result: Literal["done", "already", "refused"]
    code: str | None = Field(
        default=None,
        description="Why it was refused, for programs; null where it was not.",
        examples=["lead_distributed"],
    )
    detail: str | None = Field(
        default=None,
        description="Why it was refused, for people; null where it was not.",
        examples=["it is distributed already"],
    )


class LeadResults(ResponseModel):
    """What became of each lead, by id."""

    done_count: int = Field(description="How many were not so before.")
    items: Sequence[LeadResult]


class BadLead(ResponseModel):
    """A lead that is bad, and what was refunded for that by this call."""

    lead_id: Uuid
    was_already: bool = Field(description="It had been marked before, and nothing was changed.")
    refunds: Sequence[Refund]


@router.post("/bulk/approve")
def approve_many_leads(
    asked: LeadChoice, reviewer: Reviewer, database: MarketplaceDatabase, idempotency: AcceptIdempotencyKey
) -> LeadResults:
    """Approve those of the leads that can be, at most 1,000; the answer says why others are not. Idempotent."""
    done = approve_leads(database, asked.lead_ids, reviewer.actor, idempotency_key=idempotency.key_of(reviewer, asked))
    return _results(done.approved, done.already, done.refused)


@router.post("/bulk/reject")
def reject_many_leads(
    asked: LeadsRejection, reviewer: Reviewer, database: MarketplaceDatabase, idempotency: AcceptIdempotencyKey
) -> LeadResults:
    """Reject those of the leads that can be, at most 1,000; the answer says why others are not. Idempotent."""
    done = reject_leads(database, asked.lead_ids, asked.reason, reviewer.actor, idempotency.key_of(reviewer, asked))
    return _results(done.rejected, done.already, done.refused)


@router.post(
    "/{lead_id}/approve",
    responses=refuses("lead_unknown", "lead_rejected", "lead_bad", "lead_pending_confirmation"),
)
def approve_one_lead(
    lead_id: LeadId, reviewer: Reviewer, database: MarketplaceDatabase, idempotency: AcceptIdempotencyKey
) -> ApprovedLead:
    """Approve a lead that is pending approval: it awaits its distribution. Idempotent."""
    done = approve_lead(database, lead_id, reviewer.actor, idempotency.key_of(reviewer))
    return ApprovedLead.model_validate(done)


@router.post("/{lead_id}/reject", responses=refuses("lead_unknown", "lead_distributed", "lead_bad"))
def reject_one_lead(
    lead_id: LeadId,
    asked: Rejection,
    reviewer: Reviewer,
    database: MarketplaceDatabase,
    idempotency: AcceptIdempotencyKey,
) -> RejectedLead:
    """Reject an unsold lead, and say why: it will not be distributed. Idempotent."""
    done = reject_lead(database, lead_id, asked.reason, reviewer.actor, idempotency.key_of(reviewer, asked))
    return RejectedLead.model_validate(done)


@router.post(
    "/{lead_id}/mark-bad",
    responses=refuses("lead_unknown", "lead_rejected", "lead_pending_confirmation", "balance_too_large"),
)
def mark_one_lead_bad(
    lead_id: LeadId,
    asked: BadLeadMark,
    operator: Annotated[Principal, needs(Permission.MONEY_WRITE)],
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> BadLead:
    """Mark a lead as bad: it is not distributed again, and every provider that bought it is refunded in full.
    Idempotent.

    Open reports of it are accepted thereby.
    """
    done = mark_lead_bad(database, lead_id, asked.memo, operator.actor, idempotency.key_of(operator, asked))
    return BadLead.model_validate(done)


def _results(done: Iterable[str], already: Iterable[str], refused: Iterable[RefusedLead]) -> LeadResults:
    results = [
        *(LeadResult(lead_id=each, result="done") for each in done),
        *(LeadResult(lead_id=each, result="already") for each in already),
        *(LeadResult(lead_id=each.lead_id, result="refused", code=each.code, detail=each.message) for each in refused),
    ]
    count = sum(each.result == "done" for each in results)
    return LeadResults(done_count=count, items=sorted(results, key=lambda each: each.lead_id))
