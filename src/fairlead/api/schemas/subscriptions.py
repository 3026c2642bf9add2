"""What a subscription is like, as operators and its provider are shown it."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.documents import StoredFilter, as_stored
from fairlead.api.schemas.terms import StoredLimits, StoredSchedule
from fairlead.api.schemas.values import Cents, RequestModel, ResponseModel
from fairlead.core.model import Subscription


class StateOfSubscription(ResponseModel):
    """What a subscription is like at some time."""

    is_active: bool = Field(description="Whether it can receive leads.")
    is_ended: bool = Field(description="Whether the provider left.")
    deactivation_reason: Literal["paused", "insufficient_funds"] | None
    filter_rules: StoredFilter
    filter_is_valid: bool = Field(description="False: the form was changed, and the filter does not fit it any more.")
    limits: StoredLimits = Field(description="Its own limits; what is used of them is at `/limits`.")
    schedule: StoredSchedule | None = Field(description="Its own schedule; null: it goes by its provider's.")
    max_price_cents: int | None = Field(
        description="The most that its provider pays for a lead, in minor units; null: what the level asks."
    )
    weight: int = Field(
        description="What it counts where its level is weighted, from 1 to 100. Operators set it.", examples=[1]
    )


class NewPriceLimit(RequestModel):
    """The most that the provider pays for a lead of the subscription; null: whatever the level asks."""

    max_price_cents: Annotated[
        Cents | None, Field(description="The most that is paid for a lead, in minor units; null: any.", examples=[1500])
    ]
    memo: Memo | None = None


def state_of(subscription: Subscription, *, is_ended: bool) -> dict[str, Any]:
    """The members of `StateOfSubscription`. One that ended is kept as it was for a return, and receives nothing."""
    return {
        "is_active": subscription.is_active and not is_ended,
        "is_ended": is_ended,
        "deactivation_reason": subscription.deactivation_reason,
        "filter_rules": as_stored(subscription.filter_rules),
        "filter_is_valid": subscription.filter_is_valid,
        "limits": json.loads(subscription.limits_text or "{}"),
        "schedule": None if subscription.schedule_text is None else json.loads(subscription.schedule_text),
        "max_price_cents": subscription.max_price_cents,
        "weight": subscription.weight,
    }
