"""Money that operators move by hand, and reports of bad leads, which may end in a refund."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import RequireIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import Currency, InCurrency
from fairlead.api.schemas.memos import LedgerMemo, RefundMemo
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.refunds import Refund
from fairlead.api.schemas.report_reasons import ReportReason
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Cents, RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, list_open_reports, reject_bad_lead, total_open_reports
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.money.bad_leads import ReportFilter

router = Router(prefix="/api/v1/admin", tags=["money"])

AssignmentId = Annotated[Uuid, Path(description="The assignment's id.")]
Reader = Annotated[Principal, needs(Permission.MONEY_READ)]
Treasurer = Annotated[Principal, needs(Permission.MONEY_WRITE)]


class Adjustment(RequestModel):
    """An amount that is added to a balance, or taken from it, and why."""

    direction: Literal["credit", "debit"]
    amount_cents: Cents = Field(examples=[1500])
    memo: LedgerMemo


class AdjustedBalance(ResponseModel):
    """A manual entry, its place in the provider's ledger, and the balance that it led to."""

    provider_id: Uuid
    amount_cents: int = Field(
        description="What was added to the balance, in minor units; below zero for a debit.", examples=[1500]
    )
    currency: str = Field(examples=["EUR"])
    ledger_seq: int = Field(examples=[3])
    balance_after_cents: int = Field(examples=[6500])
    reactivated_subscription_ids: Sequence[Uuid] = Field(description="Those that can be paid for again, and are.")
    deactivated_subscription_ids: Sequence[Uuid] = Field(description="Those that cost more than there is now.")


class RefundDecision(RequestModel):
    """Why money is given back, or not."""

    memo: RefundMemo


class BadLeadReport(ResponseModel):
    """A provider's report that waits for a decision, and what it is about."""

    assignment_id: Uuid
    reported_at: datetime
    reason: str = Field(examples=["wrong_contact"])
    note: str | None = Field(examples=["the number is not in service"])
    evidence: str | None = Field(examples=["550 5.1.1 no such mailbox"])
    lead_id: Uuid
    niche: str = Field(examples=["hosting"])
    level_name: str = Field(examples=["gold"])
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    price_cents: int = Field(examples=[2000])
    currency: str = Field(examples=["EUR"])
    assigned_at: datetime
    status: str = Field(examples=["active"])


class BadLeadReportTotals(ResponseModel):
    """Reports that wait for a decision, in sums."""

    report_count: int = Field(description="How many wait.", examples=[57])
    provider_count: int = Field(description="Of how many providers they are.", examples=[9])
    price_cents: int = Field(description="What accepting all of them would refund, in minor units.", examples=[114_000])
    currency: Currency
    oldest_reported_at: datetime | None = Field(description="When the oldest was made; null where none waits.")


class DecidedBadLeadReport(ResponseModel):
    """A report that was accepted, with the refund, or rejected."""

    assignment_id: Uuid
    decision: Literal["accepted", "rejected"]
    decided_at: datetime
    refund: Refund | None


@router.post(
    "/providers/{provider_id}/adjustments",
    status_code=201,
    responses=refuses("provider_unknown", "insufficient_balance", "balance_too_large"),
)
def adjust_provider_balance(
    provider_id: Annotated[Uuid, Path(description="The provider's id.")],
    asked: Adjustment,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> AdjustedBalance:
    """Credit or debit a provider by hand. A debit stops at zero; subscriptions follow the new balance at once."""
    done = adjust_balance(
        database,
        provider_id,
        asked.direction,
        asked.amount_cents,
        asked.memo,
        treasurer.actor,
        idempotency.key_of(treasurer, asked),
    )
    return AdjustedBalance.model_validate(done)


@router.post(
    "/assignments/{assignment_id}/refund",
    responses=refuses("assignment_unknown", "assignment_refunded", "balance_too_large"),
)
def refund_one_assignment(
    assignment_id: AssignmentId,
    asked: RefundDecision,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> Refund:
    """Give the whole price of an assignment back to its provider, once. An open report of it is accepted thereby."""
    done = refund_assignment(database, assignment_id, asked.memo, treasurer.actor, idempotency.key_of(treasurer, asked))
    return Refund.model_validate(done)


async def _wanted_reports(
    provider_id: Annotated[Uuid | None, Query(description="Only of this provider.")] = None,
    niche: Annotated[Slug | None, Query(description="Only of leads of this niche, by its slug.")] = None,
    reason: Annotated[ReportReason | None, Query(description="Only with this reason.")] = None,
    reported_from: From = None,
    reported_before: Before = None,
) -> ReportFilter:
    return ReportFilter(provider_id, niche, reason, reported_from, reported_before)


WantedReports = Annotated[ReportFilter, Depends(_wanted_reports, scope="function")]


@router.get("/bad-lead-reports")
def list_bad_lead_reports(
    _: Reader, database: MarketplaceDatabase, keyset: ByCursor, wanted: WantedReports
) -> Page[BadLeadReport]:
    """List the reports of bad leads that wait for a decision, oldest first."""
    found = list_open_reports(database, keyset.after, keyset.probe, wanted)
    items, next_cursor = keyset.cut(found, lambda report: (report.reported_at, report.assignment_id))
    return Page(items=[BadLeadReport.model_validate(each) for each in items], next_cursor=next_cursor)


@router.get("/bad-lead-reports/totals")
def total_bad_lead_reports(
    _: Reader, database: MarketplaceDatabase, currency: InCurrency, wanted: WantedReports
) -> BadLeadReportTotals:
    """Say how many reports of bad leads wait for a decision, and what accepting all of them would refund."""
    found = total_open_reports(database, wanted)
    return BadLeadReportTotals(
        report_count=found.report_count,
        provider_count=found.provider_count,
        price_cents=found.price_cents,
        currency=currency,
        oldest_reported_at=found.oldest_reported_at,
    )


_DECIDED = ("assignment_unknown", "bad_lead_not_reported", "bad_lead_decided")


@router.post("/bad-lead-reports/{assignment_id}/accept", responses=refuses(*_DECIDED, "balance_too_large"))
def accept_bad_lead_report(
    assignment_id: AssignmentId,
    asked: RefundDecision,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> DecidedBadLeadReport:
    """Accept the report about an assignment: its whole price is given back. A decision is made once."""
    done = accept_bad_lead(database, assignment_id, asked.memo, treasurer.actor, idempotency.key_of(treasurer, asked))
    return DecidedBadLeadReport.model_validate(done)


@router.post("/bad-lead-reports/{assignment_id}/reject", responses=refuses(*_DECIDED))
def reject_bad_lead_report(
    assignment_id: AssignmentId,
    asked: RefundDecision,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> DecidedBadLeadReport:
    """Reject the report about an assignment: no money moves. A decision is made once."""
    done = reject_bad_lead(database, assignment_id, asked.memo, treasurer.actor, idempotency.key_of(treasurer, asked))
    return DecidedBadLeadReport.model_validate(done)
