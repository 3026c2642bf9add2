"""What becomes of payments that a gateway tells of otherwise than they were asked for, and of asking it again; read
literally from docs/reference/payments.md. It imports nothing of Fairlead."""

from dataclasses import dataclass
from datetime import timedelta

from tests.model.top_ups import HOUR, Payment

MINUTE = timedelta(minutes=1)
ASKED_AGAIN_AFTER = (30 * MINUTE, 2 * HOUR, 6 * HOUR, 18 * HOUR, 24 * HOUR, 48 * HOUR)
EXPIRES_AFTER_ASKED = 4
"""So often the test gateway says of a payment that its payer has not answered yet."""

OF_MONEY_THAT_CAME = ("unknown_payment", "other_amount", "paid_twice", "not_creditable")


@dataclass
class Doubt:
    """What an operator decides: of a charge, or (None) of a payment of which the gateway never said anything."""

    kind: str
    payment: Payment | None
    charge: str | None
    cents: int
    resolution: str | None = None


def answers_of(payment: Payment, card: str | None) -> list[tuple[str, str]]:
    """What the test gateway says of a payment when it is asked: of its own charge, once or twice."""
    if payment.is_automatic:
        is_paid = card != "pays_later" or payment.asked > 0
        return [("paid" if is_paid else "pending", "test")]
    if payment.answer is None:
        return [("expired" if payment.asked >= EXPIRES_AFTER_ASKED else "pending", "test")]
    return {"pays": [("paid", "test")], "declines": [("failed", "test")], "answers_twice": [("paid", "test")] * 2}[
        payment.answer
    ]
