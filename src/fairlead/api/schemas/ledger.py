"""Movements of a provider's balance, as operators and the provider are shown them."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Uuid

LedgerEntryKind: TypeAlias = Literal["deposit", "lead_purchase", "refund", "manual_credit", "manual_debit"]


class LedgerEntryItem(ResponseModel):
    """A movement of the provider's balance. `amount_cents` is negative where money left."""

    seq: int = Field(description="Its number in the provider's ledger, from 1 without gaps.")
    kind: LedgerEntryKind
    amount_cents: int = Field(examples=[-2000])
    balance_after_cents: int = Field(examples=[3000])
    created_at: datetime
    assignment_id: Uuid | None = Field(
        description="The assignment that was bought or refunded; null for other movements."
    )
    lead_id: Uuid | None
    niche: str | None = Field(examples=["hosting"])
    level_name: str | None = Field(examples=["gold"])
    is_refunded: bool | None = Field(
        description="Whether the assignment was given back by now; null for other movements."
    )
    payment_id: Uuid | None = Field(description="The payment that came in; null for other movements.")


class TotalOfKind(ResponseModel):
    """What the movements of one kind add up to."""

    kind: LedgerEntryKind
    entry_count: int
    amount_cents: int = Field(examples=[-2000])


class Statement(ResponseModel):
    """A span of time in sums: the opening balance and the totals make the closing balance."""

    currency: Currency
    opening_balance_cents: int = Field(examples=[5000])
    closing_balance_cents: int = Field(examples=[3000])
    totals: list[TotalOfKind]
