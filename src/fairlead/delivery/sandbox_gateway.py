"""A gateway for trying things out: its page is Fairlead's own, and no money stands behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.payments import GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import Checkout, EventRefused, PaymentToCollect

NAME = "test_gateway"
PAGE = "/portal/test-gateway/"
LATER = timedelta(seconds=30)
EXPIRES_AFTER_ASKED = 4
"""A page on which nothing was chosen until then, about a day later, is not open any more."""

Answer = Literal["pays", "declines", "pays_later", "answers_twice"]


@dataclass(frozen=True, slots=True)
class SandboxCharge:
    """What was chosen on the page, and from when on the gateway says so; `is_due` when that has come."""

    answer: Answer
    amount_cents: int
    currency: str
    is_due: bool


class SandboxGateway:
    """The test gateway. `charge_of` finds what was chosen for a request; None: nothing yet."""

    def __init__(self, charge_of: Callable[[str], SandboxCharge | None]) -> None:
        self._charge_of = charge_of

    @property
    def name(self) -> str:
        """As payments name it."""
        return NAME

    def open_checkout(self, payment: PaymentToCollect, return_url: str) -> Checkout:
        """Its page is one of the portal's; from there the payer comes back to the payment by itself."""
        return Checkout(f"test_{payment.request_id}", f"{PAGE}{payment.request_id}")

    def look_up(self, payment: PaymentToCollect) -> Sequence[GatewayReport]:
        """What was chosen, once it is due; twice where that was chosen."""
        charge = self._charge_of(payment.request_id)
        if charge is None and payment.ask_count >= EXPIRES_AFTER_ASKED:
            return [GatewayReport(ReportKind.FAILED, payment.request_id, reason="expired")]
        if charge is None or not charge.is_due:
            return [GatewayReport(ReportKind.PENDING, payment.request_id)]
        reference = f"test_{payment.request_id}"
        if charge.answer == "declines":
            return [GatewayReport(ReportKind.FAILED, payment.request_id, reference, reason="card_declined")]
        paid = GatewayReport(ReportKind.PAID, payment.request_id, reference, charge.amount_cents, charge.currency)
        return [paid, paid] if charge.answer == "answers_twice" else [paid]

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        """It sends none. Raises `EventRefused`."""
        raise EventRefused("the test gateway sends no webhooks")


def answers_at(answer: Answer, now: datetime) -> datetime:
    """From when on the gateway gives the answer."""
    return now + LATER if answer == "pays_later" else now
