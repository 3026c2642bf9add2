"""Reports for the overview of operators: a span of days beside the same before, and who received less than others."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.reporting.reports import InDays, OfNiche, OneNiche, Reader, ReportedDays
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.flows.reporting import period_report as flow
from fairlead.flows.reporting.shares import LevelShares, shares_report
from fairlead.store.reports.days import Days

router = Router(prefix="/api/v1/admin/reports", tags=["reports"])


class PeriodSummary(ResponseModel):
    """A stretch of time in figures. Leads are those that came in then; sales and refunds are those made then."""

    received_count: int
    sold_count: int = Field(description="Of the leads that came in, those that are sold by now.")
    sold_share: float | None = Field(description="Sold of received; null when none was received.")
    assignment_seconds_p95: float | None = Field(
        description="From approval to assignment, for 95 of 100 of these leads; null when none was sold."
    )
    approval_seconds_median: float | None = Field(
        description="From coming in to approval; null when none was approved."
    )
    assignments: int
    assigned_leads: int = Field(description="Leads with an assignment then.")
    recipients_per_lead: float | None = Field(description="Assignments by assigned leads; null without any.")
    gross_cents: int
    refunded_count: int
    refunded_cents: int
    net_cents: int


class PeriodPart(ResponseModel):
    """An hour or a day."""

    begins_at: datetime = Field(description="When the hour or day begins.")
    received_count: int
    sold_count: int = Field(description="Of the leads that came in, those that are sold by now.")
    decisions: int


class SlotReason(ResponseModel):
    """Slots that stayed open for one reason."""

    reason: str = Field(
        description="Of the subscription that was closest to taking the slot; `no_other_subscription` without any.",
        examples=["insufficient_balance"],
    )
    slots: int = Field(description="How many stayed open for it.")
    refused_count: int = Field(description="How often a subscription was refused for it where a slot stayed open.")


class PeriodSlots(ResponseModel):
    """Slots: what decisions had to give, and what of it no provider received."""

    decisions: int
    offered: int = Field(description="Slots of all levels of all decisions.")
    open: int = Field(description="Those of them that no provider received the lead for.")
    reasons: Sequence[SlotReason] = Field(description="Why, the most frequent reason first.")


class PeriodReport(ReportedDays):
    """A span of days, and as many days before, up to the same time of day where the span is not over yet."""

    currency: Currency
    figures: PeriodSummary = Field(description="Of the days that are asked about.")
    earlier_since: datetime = Field(description="When the days before begin.")
    earlier_before: datetime = Field(description="When they end, or where they are as old as these days are now.")
    earlier: PeriodSummary = Field(description="Of the days before.")
    is_hourly: bool = Field(description="Whether `buckets` are hours; else they are days.")
    buckets: Sequence[PeriodPart] = Field(description="Those that have begun, in order.")
    slots: PeriodSlots = Field(description="What decisions offered, and what stayed open.")


class SubscriptionShare(ResponseModel):
    """What a subscription received, and what is known of why it was not more."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    is_active: bool
    received: int
    ratio: float | None = Field(description="By an equal share; null where nothing was to be had.")
    longest_wait: int = Field(description="Assignments of the level that went to others between two of its own.")
    current_wait: int = Field(description="Assignments of the level since its last one.")
    refused_for_money: int = Field(description="Decisions that refused it for want of money.")
    reasons: Sequence[str] = Field(
        description="Where it received much less than an equal share: `provider_not_active`, `out_of_money`, `paused`, "
        "`refused_for_money`, `filter`, `new`, or else `its_turn_comes`.",
        examples=[["filter"]],
    )


class LevelShare(ResponseModel):
    """A living level, and its subscriptions, those that received the least first."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    assignments: int
    compared: int = Field(description="Subscriptions that are active now or received anything.")
    equal_share: float = Field(description="Assignments by compared subscriptions.")
    jain_index: float | None = Field(description="1 where all received as much; null without assignments.")
    longest_wait: int = Field(description="The longest of its subscriptions' waits.")
    longest_in_turn: int = Field(description="The longest wait that the rotation makes by itself: each other once.")
    subscriptions: Sequence[SubscriptionShare] = Field(description="The living ones.")


class ShareReport(ReportedDays):
    """A niche's living levels, in order."""

    niche: str = Field(examples=["hosting"])
    items: Sequence[LevelShare]


@router.get("/period", responses=refuses("niche_unknown"))
def report_period(asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None) -> PeriodReport:
    """Tell a span of days in a few figures, beside as many days before it, and why slots stayed open."""
    report = flow.period_report(database, asked, niche)
    return PeriodReport(
        **ReportedDays.model_validate(report.days).model_dump(),
        currency=report.currency,
        figures=PeriodSummary.model_validate(report.figures),
        earlier_since=report.earlier_since,
        earlier_before=report.earlier_before,
        earlier=PeriodSummary.model_validate(report.earlier),
        is_hourly=report.is_hourly,
        buckets=[PeriodPart.model_validate(each) for each in report.buckets],
        slots=PeriodSlots.model_validate(report.slots),
    )


@router.get("/shares", responses=refuses("niche_unknown"))
def report_shares(niche: OneNiche, asked: InDays, reader: Reader, database: MarketplaceDatabase) -> ShareReport:
    """Say what each subscription of the niche received beside an equal share, and why it was less."""
    report = shares_report(database, niche, asked)
    days = ReportedDays.model_validate(report.days).model_dump()
    return ShareReport(**days, niche=niche, items=[_level(each, report.days) for each in report.levels])


def _level(level: LevelShares, days: Days) -> LevelShare:
    items = [
        SubscriptionShare(
            subscription_id=each.subscription_id,
            provider_id=each.provider_id,
            provider_name=each.provider_name,
            is_active=each.is_active,
            received=each.received,
            ratio=level.ratio(each),
            longest_wait=each.longest_wait,
            current_wait=each.current_wait,
            refused_for_money=each.refused_for_money,
            reasons=level.reasons(each, days),
        )
        for each in level.subscriptions
    ]
    return LevelShare(
        level_id=level.level_id,
        level_name=level.level_name,
        assignments=level.assignments,
        compared=level.compared,
        equal_share=level.equal_share,
        jain_index=level.jain_index,
        longest_wait=level.longest_wait,
        longest_in_turn=level.longest_in_turn,
        subscriptions=items,
    )
