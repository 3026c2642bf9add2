"""A provider as operators are shown it, whatever they did to it."""

from collections.abc import Sequence
from typing import Literal, cast

from fastapi import Response
from pydantic import Field

from fairlead.api.conditional import show_version
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.mail_language import OF_LANGUAGE, MailLanguage
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.flows.configuration.versions import Changed, provider_version
from fairlead.store.configuration.rows import ProviderRow

Status = Literal["pending", "active", "suspended"]


class ProviderState(ResponseModel):
    """A provider as it is, and what it has."""

    provider_id: Uuid
    name: str = Field(examples=["Anchor Hosting"])
    email: str = Field(examples=["leads@anchor.example"])
    status: Status
    timezone: str = Field(examples=["Europe/Berlin"])
    language: MailLanguage | None = Field(description=OF_LANGUAGE)
    balance_cents: int = Field(examples=[125_00])
    credit_limit_cents: int = Field(examples=[0])
    available_cents: int = Field(
        description="What it can pay for now, in minor units: balance and credit.", examples=[125_00]
    )
    low_balance_threshold_cents: int | None
    low_balance_days: int | None
    conflict_group_id: Uuid | None
    currency: Currency
    version: str = Field(
        description="For If-Match. What money does is no part of it.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )


class ProviderChanged(ResponseModel):
    """The provider after a change, and the subscriptions that its limit let start or stop."""

    provider: ProviderState
    took_effect: bool = Field(description="False where it was so before.")
    reactivated_subscription_ids: Sequence[Uuid]
    deactivated_subscription_ids: Sequence[Uuid]


def provider_state(row: ProviderRow, currency: str) -> ProviderState:
    """The provider as it is shown."""
    return ProviderState(
        provider_id=row.provider_id,
        name=row.name,
        email=row.email,
        status=cast("Status", row.status),
        timezone=row.timezone,
        language=cast("MailLanguage | None", row.language),
        balance_cents=row.balance.balance_cents,
        credit_limit_cents=row.balance.credit_limit_cents,
        available_cents=row.balance.available_cents,
        low_balance_threshold_cents=row.low_balance_threshold_cents,
        low_balance_days=row.low_balance_days,
        conflict_group_id=row.conflict_group_id,
        currency=currency,
        version=provider_version(row),
    )


def provider_changed(response: Response, done: Changed[ProviderRow], currency: str) -> ProviderChanged:
    """The answer to a change, and its ETag."""
    show_version(response, done.version)
    return ProviderChanged(
        provider=provider_state(done.row, currency),
        took_effect=done.took_effect,
        reactivated_subscription_ids=done.reactivated_subscription_ids,
        deactivated_subscription_ids=done.deactivated_subscription_ids,
    )
