"""Reports for operators: how fair, how much, how many. Days are calendar days in the time zone that is asked for."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Slug, Uuid, pattern_with_message
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.reporting import reports as flow
from fairlead.flows.reporting.reports import AskedDays
from fairlead.store.reports.days import Days

router = Router(prefix="/api/v1/admin/reports", tags=["reports"], responses=refuses("niche_unknown"))

Reader = Annotated[Principal, needs(Permission.REPORTS_READ, REPORTS_OF_CALLER)]
OneNiche = Annotated[Slug, Query(description="The niche's slug.", examples=["hosting"])]
OfNiche = Annotated[Slug | None, Query(description="Only of this niche, by its slug.")]

_NICHE = Field(examples=["hosting"])
_LEVEL = Field(examples=["gold"])
DAY_BEFORE = (
    "The day after the last; else tomorrow, as it is there. At most 366 days in all (`reports/money`: any number)."
)
ZoneOfDays = Annotated[
    str,
    Query(
        pattern=pattern_with_message(
            "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", "Input should be a time zone such as Europe/Berlin"
        ),
        max_length=64,
        description="Where a day begins and ends: an IANA time zone.",
        examples=["Europe/Madrid"],
    ),
]


async def _asked_days(
    day_from: Annotated[
        date | None, Query(description="The first day; else the one with which it is thirty days.")
    ] = None,
    day_before: Annotated[
        date | None,
        Query(description=DAY_BEFORE),
    ] = None,
    timezone: ZoneOfDays = "UTC",
) -> AskedDays:
    return AskedDays(day_from, day_before, timezone)


InDays = Annotated[AskedDays, Depends(_asked_days, scope="function")]


class ReportedDays(ResponseModel):
    """Which days a report is about."""

    day_from: date = Field(description="The first day.")
    day_before: date = Field(description="The day after the last one.")
    timezone: str = Field(examples=["Europe/Madrid"])


class FairnessOfLevel(ResponseModel):
    """How a level was treated by the rotation, and how it treated its subscriptions."""

    level_id: Uuid
    level_name: str = _LEVEL
    decisions: int = Field(description="Decisions that this level had a part in.")
    starts: int = Field(description="Decisions that began with it.")
    expected_starts: float = Field(description="Decisions that would have begun with it if each level began as often.")
    assignments: int
    served_subscriptions: int
    unserved_subscriptions: int = Field(description="Active now, and not served in these days.")
    fewest_times: int = Field(description="Of those served: how often the one was that was served least.")
    most_times: int
    longest_wait: int = Field(
        description="The longest run of the level's assignments that went to others between two of one subscription."
    )


class FairnessReport(ReportedDays):
    """A niche's levels, in order."""

    niche: str = _NICHE
    items: Sequence[FairnessOfLevel]


class FillOfLevel(ResponseModel):
    """How many of the slots that a level offered were filled."""

    level_id: Uuid
    level_name: str = _LEVEL
    decisions: int
    offered_slots: int
    filled_slots: int
    fill_rate: float | None = Field(description="Filled of offered; null when none was offered.")
    reasons: Mapping[str, int] = Field(
        description="Who was refused by decisions that left a slot open, counted by why.",
        examples=[{"insufficient_balance": 3}],
    )


class FillReport(ReportedDays):
    """A niche's levels, in order."""

    niche: str = _NICHE
    items: Sequence[FillOfLevel]


class RevenueOfDay(ResponseModel):
    """A level on a day. A refund counts on the day on which it was given, not on that of its sale."""

    day: date
    niche: str = _NICHE
    level_id: Uuid
    level_name: str = _LEVEL
    sold_count: int
    gross_cents: int
    refunded_count: int
    refunded_cents: int
    net_cents: int


class RevenueReport(ReportedDays):
    """Every level and day with a sale or a refund."""

    currency: Currency
    items: Sequence[RevenueOfDay]


class FunnelOfDay(ResponseModel):
    """The leads that came in on a day, and what has become of them until now."""

    day: date
    niche: str = _NICHE
    received_count: int
    approved_count: int
    distributed_count: int
    partial_count: int = Field(description="Sold, while a slot stayed open.")
    no_eligible_count: int = Field(description="Approved, with no eligible provider at the last attempt.")
    rejected_count: int
    bad_count: int


class FunnelReport(ReportedDays):
    """Every niche and day on which leads came in."""

    items: Sequence[FunnelOfDay]


class ActivityOfProvider(ResponseModel):
    """What a provider received and paid, and what has become of it until now."""

    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    received_count: int
    spent_cents: int
    viewed_count: int
    accepted_count: int
    rejected_count: int
    acceptance_rate: float | None = Field(description="Accepted of answered; null when none was answered.")
    reported_count: int
    bad_count: int
    bad_lead_rate: float | None = Field(description="Reported with success of received; null when none was received.")
    refunded_count: int
    refunded_cents: int


class ActivityReport(ReportedDays):
    """The providers that received anything, who spent the most first."""

    currency: Currency
    items: Sequence[ActivityOfProvider]


class LeadSource(ResponseModel):
    """The leads of a source that came in on these days, the assignments that were made on them, as both are now."""

    source: str = Field(description="As the leads' `utm_source` has it; empty for none.", examples=["newsletter"])
    received_count: int = Field(description="Leads that came in.")
    approved_count: int = Field(description="Of them, those that were approved.")
    sold_count: int = Field(description="Of them, those that are sold by now.")
    rejected_count: int = Field(description="Of them, those that were rejected.")
    bad_lead_count: int = Field(description="Of them, those that are marked as bad.")
    sold_share: float | None = Field(description="Sold of received; null when none was received.")
    assignments: int = Field(description="Assignments that were made.")
    assigned_leads: int = Field(description="Leads with an assignment then.")
    recipients_per_lead: float | None = Field(description="Assignments by assigned leads; null without any.")
    gross_cents: int = Field(description="What the assignments cost, in minor units.")
    reported_count: int = Field(description="Assignments that were reported as bad.")
    report_rate: float | None = Field(description="Reported of assignments; null without any.")
    found_bad_count: int = Field(description="Assignments whose report was accepted.")
    refunded_count: int = Field(description="Assignments that were refunded, whenever that was.")
    refund_rate: float | None = Field(description="Refunded of assignments; null without any.")
    refunded_cents: int = Field(description="What was given back of them, in minor units.")
    net_cents: int = Field(description="The cost less what was given back, in minor units.")


class SourceReport(ReportedDays):
    """Every source with a lead or an assignment, what brought the most first."""

    currency: Currency
    items: Sequence[LeadSource]


class RefusalDay(ResponseModel):
    """How often decisions of a day refused a subscription for one reason."""

    day: date
    reason: str = Field(examples=["insufficient_balance"])
    refused_count: int = Field(description="Subscriptions refused, over all levels of all decisions.")
    open_slot_count: int = Field(description="Those of them at levels of which a slot stayed open.")


class RefusalReport(ReportedDays):
    """Every day and reason of which there is any."""

    items: Sequence[RefusalDay]


@router.get("/sources")
def report_sources(asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None) -> SourceReport:
    """Say of each source what its leads were worth: sold, given back, reported as bad."""
    report = flow.source_report(database, niche, asked)
    items = [LeadSource.model_validate(each) for each in report.rows]
    return SourceReport(**_days(report.days), currency=report.currency, items=items)


@router.get("/refusals")
def report_refusals(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None
) -> RefusalReport:
    """Count why subscriptions were refused, by day and reason."""
    report = flow.refusal_report(database, niche, asked)
    return RefusalReport(**_days(report.days), items=[RefusalDay.model_validate(each) for each in report.rows])


@router.get("/fairness")
def report_fairness(niche: OneNiche, asked: InDays, reader: Reader, database: MarketplaceDatabase) -> FairnessReport:
    """Say how evenly the niche's decisions began with its levels, and these served their subscriptions."""
    report = flow.fairness_report(database, niche, asked)
    items = [FairnessOfLevel.model_validate(each) for each in report.rows]
    return FairnessReport(**_days(report.days), niche=niche, items=items)


@router.get("/fill-rate")
def report_fill_rate(niche: OneNiche, asked: InDays, reader: Reader, database: MarketplaceDatabase) -> FillReport:
    """Say how many of the slots that the niche's levels offered were filled, and what left the others open."""
    report = flow.fill_report(database, niche, asked)
    items = [FillOfLevel.model_validate(each) for each in report.rows]
    return FillReport(**_days(report.days), niche=niche, items=items)


@router.get("/revenue")
def report_revenue(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None
) -> RevenueReport:
    """Add up what was sold and what was given back, by day, niche and level."""
    report = flow.revenue_report(database, niche, asked)
    items = [RevenueOfDay.model_validate(each) for each in report.rows]
    return RevenueReport(**_days(report.days), currency=report.currency, items=items)


@router.get("/funnel")
def report_funnel(asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None) -> FunnelReport:
    """Count the leads that came in, by day and niche, and what has become of them."""
    report = flow.funnel_report(database, niche, asked)
    return FunnelReport(**_days(report.days), items=[FunnelOfDay.model_validate(each) for each in report.rows])


@router.get("/provider-activity")
def report_provider_activity(
    asked: InDays,
    reader: Reader,
    database: MarketplaceDatabase,
    niche: OfNiche = None,
    provider_id: Annotated[Uuid | None, Query(description="Only of this provider.")] = None,
) -> ActivityReport:
    """Say of each provider what it received, paid, accepted, and reported as bad."""
    report = flow.activity_report(database, niche, provider_id, asked)
    items = [ActivityOfProvider.model_validate(each) for each in report.rows]
    return ActivityReport(**_days(report.days), currency=report.currency, items=items)


def _days(days: Days) -> dict[str, Any]:
    return ReportedDays.model_validate(days).model_dump()
