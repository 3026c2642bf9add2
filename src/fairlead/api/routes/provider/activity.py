"""Why a provider did not get more leads: its own numbers of the last days."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.reporting.reports import InDays, ReportedDays
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import PREVIEWS_OF_PROVIDER
from fairlead.flows.reporting.own_activity import ACTIVITY_DAYS, OwnSubscriptionNumbers, own_activity
from fairlead.flows.reporting.own_figures import own_figures

router = Router(prefix="/api/v1/provider/activity", tags=["provider: subscriptions"])

ActivityReader = Annotated[OwnProvider, needs_own(Permission.OWN_READ, PREVIEWS_OF_PROVIDER)]


class RuleCount(ResponseModel):
    """A rule of the filter, and how many more of the leads would pass without it."""

    rule: str = Field(description="The rule in plain words.", examples=["Region is south"])
    more_count: int = Field(description="So many more would pass, had the filter not this rule.", examples=[120])
    is_estimate: bool = Field(description="As `matches_now_is_estimate`.")


class OwnSubscriptionActivity(ResponseModel):
    """What became of the niche's leads for one of the provider's subscriptions."""

    subscription_id: Uuid
    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    price_cents: int = Field(examples=[2000])
    currency: Currency
    received_count: int = Field(description="So many of the leads it received.", examples=[40])
    matched_count: int | None = Field(
        description="So many passed the filter that was in force at the time. Null where that asked for words that "
        "people wrote, or the subscription has changed too often since. Where it asked for numbers that people typed, "
        "those that were not received are counted in whole tens, by reason.",
        examples=[412],
    )
    matches_now_count: int | None = Field(
        description="So many pass the filter as it is now. Null: fewer than 10 by estimate.", examples=[412]
    )
    matches_now_is_estimate: bool = Field(
        description="Whether the filter asks for words or numbers that people typed: then the number is an estimate in "
        "tens, from how common each such field's rules are by themselves and how many leads pass the others."
    )
    kept_out: list[RuleCount] = Field(
        description="The rules that keep leads out by themselves, the one that keeps out most first."
    )
    refused: Mapping[str, int] = Field(
        description="How many of the others, by the reason that came first. `filter_asks_for_typed`: the filter asked "
        "for words that people wrote, and what became of these leads is not told; or for numbers that they typed: then "
        "the numbers did not fit, or fewer than 10 leads are left of a reason, which is told in whole tens. "
        "`not_looked_at`: the subscription has changed too often since.",
        examples=[{"filter_mismatch": 588, "level_full": 372}],
    )
    place: int | None = Field(
        description="Its place in the level's queue; null where it cannot receive a lead now.", examples=[4]
    )
    queue_length: int | None = Field(
        description="How many could receive a lead of the level now; null where it is not among them.", examples=[12]
    )


class OwnNicheActivity(ResponseModel):
    """A niche in which the provider subscribes, and its newest leads."""

    niche: str = Field(examples=["hosting"])
    niche_name: str = Field(examples=["Hosting"])
    lead_count: int = Field(description="So many of its leads were distributed, sold or not.", examples=[1000])
    is_capped: bool = Field(description="Whether there were more than are counted here.")
    received_count: int = Field(description="So many of them the provider received.", examples=[40])
    subscriptions: list[OwnSubscriptionActivity] = Field(
        description="The provider's subscriptions in the niche, the dearest level first."
    )


class OwnActivityDetail(ResponseModel):
    """The provider's own numbers since some time."""

    since: datetime = Field(description="Leads that were distributed since then are counted.")
    items: list[OwnNicheActivity] = Field(description="The niches in which the provider subscribes, by name.")


class OwnPeriod(ResponseModel):
    """The provider's assignments of some days, and what has become of them until now."""

    received_count: int
    spent_cents: int
    viewed_count: int
    accepted_count: int
    rejected_count: int = Field(description="Assignments of these days that the provider rejected.")
    acceptance_rate: float | None = Field(description="Accepted of answered; null when none was answered.")
    reported_count: int
    bad_count: int
    refunded_count: int
    refunded_cents: int


class OwnPeriods(ReportedDays):
    """Some days, and as many days before."""

    currency: Currency
    figures: OwnPeriod = Field(description="Of the days that are asked about.")
    earlier: OwnPeriod = Field(description="Of as many days before.")


@router.get("/figures")
def show_own_figures(asked: InDays, caller: ActivityReader) -> OwnPeriods:
    """Tell what the provider received and paid in some days, beside as many days before."""
    found = own_figures(caller.database, caller.provider_id, asked)
    return OwnPeriods(
        **ReportedDays.model_validate(found.days).model_dump(),
        currency=found.currency,
        figures=OwnPeriod.model_validate(found.figures),
        earlier=OwnPeriod.model_validate(found.earlier),
    )


@router.get("")
def show_own_activity(
    caller: ActivityReader,
    marketplace: MarketplaceDatabase,
    days: Annotated[
        Literal[30, 90, 365], Query(description="Of how many days, up to now.", examples=[90])
    ] = ACTIVITY_DAYS,
) -> OwnActivityDetail:
    """Tell what became of the last leads of the provider's niches for each of its subscriptions.

    Of the last days, and of the newest 1,000 decisions of each niche at most.
    """
    # From the journal and the queues, which the provider's own database does not show.
    found = own_activity(marketplace, caller.provider_id, days=days)
    return OwnActivityDetail(
        since=found.since,
        items=[
            OwnNicheActivity(
                niche=niche.niche,
                niche_name=niche.niche_name,
                lead_count=niche.lead_count,
                is_capped=niche.is_capped,
                received_count=niche.received_count,
                subscriptions=[_subscription(each) for each in niche.subscriptions],
            )
            for niche in found.niches
        ],
    )


def _subscription(activity: OwnSubscriptionNumbers) -> OwnSubscriptionActivity:
    subscription, level = activity.owned.seen.row.subscription, activity.owned.level
    return OwnSubscriptionActivity(
        subscription_id=subscription.subscription_id,
        level_id=subscription.level_id,
        level_name=level.level_name,
        price_cents=level.price_cents,
        currency=level.currency,
        received_count=activity.received_count,
        matched_count=activity.matched_count,
        matches_now_count=activity.matches_now.count,
        matches_now_is_estimate=activity.matches_now.is_estimate,
        kept_out=[
            RuleCount(rule=each.rule, more_count=each.more.count or 0, is_estimate=each.more.is_estimate)
            for each in activity.kept_out
        ],
        refused=dict(sorted(activity.refused.items())),
        place=activity.place,
        queue_length=activity.queue_length,
    )
