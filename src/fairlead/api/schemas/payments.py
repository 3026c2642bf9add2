"""Payments as answers show them."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from fairlead.api.schemas.values import ResponseModel, Uuid

PaymentState: TypeAlias = Literal["pending", "succeeded", "failed", "in_review"]


class OwnPayment(ResponseModel):
    """A payment: asked of a gateway, or recorded as made elsewhere."""

    request_id: Uuid | None = Field(description="Of the payment as it was asked for; null where it was recorded.")
    payment_id: Uuid | None = Field(description="As the ledger names it; null until it is on the balance.")
    gateway: str = Field(description="Who collected it, or where it was made.", examples=["stripe"])
    amount_cents: int = Field(examples=[5000])
    currency: str = Field(examples=["EUR"])
    created_at: datetime
    state: PaymentState = Field(
        description="`pending` until the gateway says more; `in_review`: money came, but not as it was asked for."
    )
    state_reason: str | None = Field(
        description="Why it failed or is in review, a code of the gateway or the kind of the doubt; null otherwise.",
        examples=["card_declined"],
    )
    settled_at: datetime | None = Field(description="Since when it is in this state; null while it is pending.")


class PaymentItem(OwnPayment):
    """A payment of any provider."""

    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    external_id: str | None = Field(
        description="As the gateway names it, or who recorded it; null until it is on the balance.",
        examples=["pi_3Q2f"],
    )


class PaymentDoubt(ResponseModel):
    """What a gateway reported that no rule settles."""

    doubt_id: Uuid = Field(description="The id of the payment in doubt.")
    kind: Literal[
        "unknown_payment",
        "other_amount",
        "other_currency",
        "paid_twice",
        "not_creditable",
        "refunded",
        "disputed",
        "no_answer",
    ] = Field(description="What is in doubt; docs/reference/payments.md says what each means.")
    gateway: str = Field(description="Which gateway reported it.", examples=["stripe"])
    request_id: Uuid | None = Field(description="The payment that was asked for; null where none is known.")
    provider_id: Uuid | None = Field(description="Whose payment it was; null where none is known.")
    provider_name: str | None = Field(
        description="That provider's name; null where none is known.", examples=["Anchor"]
    )
    requested_cents: int | None = Field(
        description="What was asked for, in minor units; null where no payment of ours is known.", examples=[5000]
    )
    requested_currency: str | None = Field(
        description="In which currency that was asked for; null where no payment of ours is known.", examples=["EUR"]
    )
    charge_reference: str | None = Field(
        description="The charge, as the gateway names it; null where it names none.", examples=["pi_3Q2f"]
    )
    amount_cents: int | None = Field(
        description="What the gateway says of the amount, in minor units; null where it says nothing of it."
    )
    currency: str | None = Field(
        description="In which currency that is; null where the gateway does not say.", examples=["EUR"]
    )
    noticed_at: datetime = Field(description="When the gateway reported it.")
    can_be_credited: bool = Field(description="Whether it is about money that came and is on no balance.")


class ResolvedPaymentDoubt(ResponseModel):
    """What an operator made of a payment in doubt."""

    doubt_id: Uuid = Field(description="The id of the payment in doubt.")
    resolution: Literal["credited", "closed"] = Field(description="Whether what came was credited, or nothing.")
    resolved_at: datetime = Field(description="When that was done.")
    payment_id: Uuid | None = Field(description="What was credited; null where nothing was.")
    provider_id: Uuid | None = Field(description="To whom; null where nothing was credited.")
    balance_after_cents: int | None = Field(
        description="That provider's balance then, in minor units; null where nothing was credited."
    )
