"""A refund, as every answer shows it in which there is one."""

from collections.abc import Sequence

from pydantic import Field

from fairlead.api.schemas.values import ResponseModel, Uuid


class Refund(ResponseModel):
    """What was given back for an assignment, its place in the provider's ledger, and the balance that it led to."""

    assignment_id: Uuid
    lead_id: Uuid
    provider_id: Uuid
    amount_cents: int = Field(examples=[2000])
    currency: str = Field(examples=["EUR"])
    ledger_seq: int = Field(examples=[3])
    balance_after_cents: int = Field(examples=[5000])
    reactivated_subscription_ids: Sequence[Uuid] = Field(description="Those that can be paid for again, and are.")
