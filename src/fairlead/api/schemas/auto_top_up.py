"""A provider's auto top-up as answers show it."""

from datetime import datetime

from pydantic import Field

from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel
from fairlead.flows.payments.auto_top_up import SeenAutoTopUp


class AutoTopUpState(ResponseModel):
    """When a provider's saved payment method is charged, and how much. The terms are null until they are set once."""

    is_on: bool = Field(description="Whether a balance that falls below the threshold is topped up.")
    off_reason: str | None = Field(
        description="Why it went off by itself, a code of the gateway; null where a person switched it.",
        examples=["authentication_required"],
    )
    threshold_cents: int | None = Field(
        description="Below which balance it is topped up, in minor units; null until it is set.", examples=[2000]
    )
    amount_cents: int | None = Field(
        description="How much is charged at once, in minor units; null until it is set.", examples=[5000]
    )
    monthly_limit_cents: int | None = Field(
        description="The most that is charged in a month of the marketplace's calendar, in minor units; null until it "
        "is set.",
        examples=[50_000],
    )
    charged_cents: int = Field(description="What was charged this month, in minor units.", examples=[10_000])
    month_ends: datetime = Field(description="When the next month begins.")
    method: str | None = Field(
        description="The payment method that is charged, as its owner knows it; null where none is saved.",
        examples=["Visa 4242"],
    )
    tried_at: datetime | None = Field(
        description="When the balance is looked at next; null: when it falls below the threshold."
    )
    currency: Currency
    version: str = Field(description="For If-Match.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"])


def shown_top_up(seen: SeenAutoTopUp) -> AutoTopUpState:
    """The auto top-up as it is shown."""
    row = seen.row
    return AutoTopUpState(
        is_on=row is not None and row.is_on,
        off_reason=None if row is None else row.off_reason,
        threshold_cents=None if row is None else row.threshold_cents,
        amount_cents=None if row is None else row.amount_cents,
        monthly_limit_cents=None if row is None else row.monthly_limit_cents,
        charged_cents=seen.charged_cents,
        month_ends=seen.month_ends,
        method=None if seen.method is None else seen.method.label,
        tried_at=None if row is None else row.due_at,
        currency=seen.currency,
        version=seen.version,
    )
