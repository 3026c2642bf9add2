"""Reports for operators of how decisions ended, and of what was refunded."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.reporting.reports import InDays, OfNiche, Reader, ReportedDays
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel
from fairlead.flows.reporting import reports as flow

router = Router(prefix="/api/v1/admin/reports", tags=["reports"], responses=refuses("niche_unknown"))

_NICHE = Field(examples=["hosting"])


class OutcomesOfNiche(ResponseModel):
    """The decisions of a niche, by how they ended. A lead that is offered again is decided again."""

    niche: str = _NICHE
    decisions: int
    success_count: int = Field(description="Decisions that sold their lead and left no slot to a refused buyer.")
    partial_count: int = Field(description="Decisions that sold their lead, while a slot stayed open.")
    no_eligible_count: int = Field(description="Decisions that found no eligible provider.")
    success_rate: float | None = Field(description="Those that sold their lead, of all; null without any.")


class OutcomeReport(ReportedDays):
    """Every niche with a decision in the days, by slug."""

    items: Sequence[OutcomesOfNiche]


class DecisionsOfSize(ResponseModel):
    """Decisions that sold their lead to as many providers."""

    recipients: int = Field(description="Providers that received the lead; 0 where none was eligible.")
    decisions: int


class RecipientReport(ReportedDays):
    """From no recipient to the most that a decision had."""

    items: Sequence[DecisionsOfSize]


class RefundSummary(ResponseModel):
    """The assignments of a level, provider or source, and those of them that are refunded by now."""

    group: Literal["level", "provider", "source"] = Field(description="What `key` is of.")
    key: str = Field(description="The id of the level or provider; the source itself, empty for none.")
    name: str = Field(description="The name of the level or provider; the source itself.", examples=["gold"])
    niche: str = Field(description="The niche of a level, by its slug; empty for the others.", examples=["hosting"])
    assignments: int = Field(description="Assignments that were made.")
    gross_cents: int = Field(description="What they cost, in minor units.")
    refunded_count: int = Field(description="Those of them that were refunded, whenever that was.")
    refund_rate: float = Field(description="Refunded of assignments.")
    refunded_cents: int = Field(description="What was given back of them, in minor units.")


class RefundReport(ReportedDays):
    """Levels, then providers, then sources with an assignment in the days, the highest rate first."""

    currency: Currency
    items: Sequence[RefundSummary]


@router.get("/outcomes")
def report_outcomes(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None
) -> OutcomeReport:
    """Count the decisions of each niche by how they ended."""
    report = flow.outcome_report(database, niche, asked)
    return OutcomeReport(
        **ReportedDays.model_validate(report.days).model_dump(),
        items=[OutcomesOfNiche.model_validate(each) for each in report.rows],
    )


@router.get("/recipients")
def report_recipients(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None
) -> RecipientReport:
    """Count the decisions by how many providers they sold their lead to."""
    report = flow.recipient_report(database, niche, asked)
    return RecipientReport(
        **ReportedDays.model_validate(report.days).model_dump(),
        items=[DecisionsOfSize.model_validate(each) for each in report.rows],
    )


@router.get("/refunds")
def report_refunds(asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None) -> RefundReport:
    """Say what of the assignments of each level, provider and source was refunded."""
    report = flow.refund_report(database, niche, asked)
    items = [RefundSummary.model_validate(each) for each in report.rows]
    return RefundReport(**ReportedDays.model_validate(report.days).model_dump(), currency=report.currency, items=items)
