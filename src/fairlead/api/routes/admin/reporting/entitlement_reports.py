"""The report of fairness for operators: what each subscription received beside what it could have had."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.reporting.reports import InDays, OneNiche, Reader, ReportedDays
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.flows.reporting.entitlement import LevelEntitlement, entitlement_report

router = Router(prefix="/api/v1/admin/reports", tags=["reports"])


class EntitledSubscriptionDetail(ResponseModel):
    """What a subscription received and could have had. Waits are counted in leads that it was eligible for."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    is_active: bool
    decisions: int = Field(description="Decisions of its level while it was there.")
    eligible: int = Field(description="Those of them that no gate refused it in.")
    received: int
    entitled: float = Field(
        description="Slots: of each decision that it was eligible in, an equal part of those that were filled."
    )
    ratio: float | None = Field(description="Received by entitled; null where it was entitled to nothing.")
    longest_wait: int = Field(description="Leads in a row that it was eligible for and that went to others.")
    current_wait: int = Field(description="Such leads since the last one that it received.")
    kept_out: Mapping[str, int] = Field(
        description="The other decisions, by what kept it out, the most frequent first.",
        examples=[{"filter_mismatch": 12}],
    )


class EntitledLevel(ResponseModel):
    """A level that decided in these days, and its subscriptions, those farthest below their entitlement first."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    decisions: int
    offered_slots: int
    filled_slots: int
    took_part: int = Field(description="Subscriptions that were there at one of the decisions at least.")
    longest_wait: int = Field(description="The longest of its subscriptions' waits.")
    wait_bound: int | None = Field(
        description="The longest wait that the order within a level allows; null where it went by weights."
    )
    jain_index: float | None = Field(
        description="Jain's index of received by entitled: 1 where it is the same for all; null without assignments."
    )
    subscriptions: Sequence[EntitledSubscriptionDetail] = Field(description="Those that are there or took part.")


class EntitlementDetail(ReportedDays):
    """A niche's levels, in order, as far as the journal is counted."""

    niche: str = Field(examples=["hosting"])
    decisions: int = Field(description="Decisions of these days that are counted.")
    uncounted: int = Field(description="Those of them that tell nothing, since the answers of their leads are gone.")
    counted_to_seq: int = Field(description="The last entry of the journal that is counted; 0 for none.")
    counted_to: datetime | None = Field(description="When it was recorded; null for none.")
    waiting: int = Field(description="Newer decisions, which are counted within minutes; 1000 for as many or more.")
    items: Sequence[EntitledLevel]


@router.get("/entitlement", responses=refuses("niche_unknown"))
def report_entitlement(
    niche: OneNiche, asked: InDays, reader: Reader, database: MarketplaceDatabase
) -> EntitlementDetail:
    """Say what each subscription of the niche received beside what it could have had, and what kept it out.

    At most three time zones are counted; asked for another, the answer is of the days of one of these, and names it.
    """
    report = entitlement_report(database, niche, asked)
    return EntitlementDetail(
        **ReportedDays.model_validate(report.days).model_dump(),
        niche=niche,
        decisions=report.decisions,
        uncounted=report.uncounted,
        counted_to_seq=report.counted_to_seq,
        counted_to=report.counted_to,
        waiting=report.waiting,
        items=[_level(each) for each in report.levels],
    )


def _level(level: LevelEntitlement) -> EntitledLevel:
    return EntitledLevel(
        level_id=level.level_id,
        level_name=level.level_name,
        decisions=level.slots.decisions,
        offered_slots=level.slots.offered,
        filled_slots=level.slots.filled,
        took_part=level.took_part,
        longest_wait=level.longest_wait,
        wait_bound=level.wait_bound,
        jain_index=level.jain_index,
        subscriptions=[
            EntitledSubscriptionDetail(
                subscription_id=each.subscription.subscription_id,
                provider_id=each.subscription.provider_id,
                provider_name=each.subscription.provider_name,
                is_active=each.subscription.is_active,
                decisions=each.decisions,
                eligible=each.eligible,
                received=each.received,
                entitled=each.entitled,
                ratio=each.ratio,
                longest_wait=each.longest_wait,
                current_wait=each.current_wait,
                kept_out=each.kept_out,
            )
            for each in level.subscriptions
        ],
    )
