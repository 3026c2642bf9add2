"""One provider's last days: is it well served, and why is it passed over."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.reporting.reports import ActivityOfProvider, InDays, ReportedDays
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.reporting.provider_activity import one_provider_activity

router = Router(prefix="/api/v1/admin/providers/{provider_id}/activity", tags=["reports"])


class ActivityOfSubscription(ResponseModel):
    """What a subscription received in these days, and what was given back of it until now."""

    subscription_id: Uuid
    received_count: int = Field(examples=[12])
    spent_cents: int = Field(examples=[18000])
    refunded_cents: int = Field(examples=[1500])
    last_received_at: datetime = Field(description="When the subscription last received a lead in these days.")


class ActivityOfDay(ResponseModel):
    """What the provider received on a day."""

    day: date
    received_count: int = Field(examples=[3])
    spent_cents: int = Field(examples=[4500])


class RefusalsOfSubscription(ResponseModel):
    """How often a subscription was a candidate and was passed over, for one reason."""

    subscription_id: Uuid
    reason: str = Field(examples=["insufficient_balance"])
    count: int = Field(examples=[7])


class ProviderActivityReport(ReportedDays):
    """A provider's activity. `total` is null where it received nothing in these days."""

    currency: Currency
    total: ActivityOfProvider | None = Field(
        description="All of these days together; null where it received nothing in them."
    )
    subscriptions: Sequence[ActivityOfSubscription] = Field(description="Those that received anything.")
    items: Sequence[ActivityOfDay] = Field(description="The days on which it received anything.")
    passed_over: Sequence[RefusalsOfSubscription] = Field(
        description="In the last 1,000 decisions of each of its niches, where the decision names it."
    )


@router.get("", responses=refuses("provider_unknown"))
def show_provider_activity(
    provider_id: Annotated[Uuid, Path()],
    asked: InDays,
    reader: Annotated[Principal, needs(Permission.REPORTS_READ, REPORTS_OF_CALLER)],
    database: MarketplaceDatabase,
) -> ProviderActivityReport:
    """Say what the provider received and paid by subscription and by day, and why it was passed over."""
    found = one_provider_activity(database, provider_id, asked)
    days = ReportedDays.model_validate(found.days)
    return ProviderActivityReport(
        **days.model_dump(),
        currency=found.currency,
        total=None if found.total is None else ActivityOfProvider.model_validate(found.total),
        subscriptions=[ActivityOfSubscription.model_validate(each) for each in found.by_subscription.values()],
        items=[ActivityOfDay.model_validate(each) for each in found.by_day],
        passed_over=[RefusalsOfSubscription.model_validate(each) for each in found.passed_over],
    )
