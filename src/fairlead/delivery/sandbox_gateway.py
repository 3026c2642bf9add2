"""A gateway for trying things out: its page is Fairlead's own, and no money stands behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.money.top_ups import AUTHENTICATION_REQUIRED
from fairlead.delivery.payment_gateway import (
    ChargeToMake,
    Checkout,
    EventRefused,
    MethodToSave,
    PaymentToCollect,
    SavedMethod,
    SavingState,
)

NAME = "test_gateway"
PAGE = "/portal/test-gateway/"
METHOD_PAGE = "/portal/test-gateway/method/"
LATER = timedelta(seconds=30)
EXPIRES_AFTER_ASKED = 4
"""A page on which nothing was chosen until then, about a day later, is not open any more."""

Answer = Literal["pays", "declines", "pays_later", "answers_twice"]


TestCard = Literal["pays", "pays_later", "declines", "declines_for_good", "asks_its_owner"]
"""How charges to a method that was saved here go."""

_CARDS: Mapping[str, str] = {
    "pays": "Test card 4242",
    "pays_later": "Test card 3220",
    "declines": "Test card 0002",
    "declines_for_good": "Test card 9979",
    "asks_its_owner": "Test card 3184",
}


@dataclass(frozen=True, slots=True)
class SandboxCharge:
    """What was chosen on the page, and from when on the gateway says so; `is_due` when that has come."""

    answer: Answer
    amount_cents: int
    currency: str
    is_due: bool


class SandboxGateway:
    """The test gateway. `charge_of` finds what was chosen for a request, `card_of` which card was saved; None: nothing
    yet."""

    def __init__(
        self, charge_of: Callable[[str], SandboxCharge | None], card_of: Callable[[str], TestCard | None]
    ) -> None:
        self._charge_of, self._card_of = charge_of, card_of

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

    def open_saving(self, saving: MethodToSave, return_url: str) -> Checkout:
        """Its page is one of the portal's."""
        return Checkout(f"test_{saving.setup_id}", f"{METHOD_PAGE}{saving.setup_id}")

    def look_up_saving(self, saving: MethodToSave) -> SavingState:
        """The card that was chosen."""
        card = self._card_of(saving.setup_id)
        return SavingState() if card is None else SavingState(SavedMethod(f"test_card:{card}", _CARDS[card]))

    def charge(self, charge: ChargeToMake) -> GatewayReport:
        """As the saved card does; one that pays later says so when it is asked again."""
        card, reference = charge.method_reference.removeprefix("test_card:"), f"test_{charge.request_id}"
        failed = GatewayReport(ReportKind.FAILED, charge.request_id, reference)
        if card == "declines":
            return replace(failed, reason="insufficient_funds", advice="try_again_later")
        if card == "declines_for_good":
            return replace(failed, reason="lost_card", advice="do_not_try_again")
        if card == "asks_its_owner":
            return replace(failed, reason=AUTHENTICATION_REQUIRED)
        if card == "pays_later" and charge.ask_count == 0:
            return GatewayReport(ReportKind.PENDING, charge.request_id, reference)
        return GatewayReport(ReportKind.PAID, charge.request_id, reference, charge.amount_cents, charge.currency)

    def look_up_charge(self, charge: ChargeToMake) -> Sequence[GatewayReport]:
        """The same: nothing is charged by it."""
        return [self.charge(charge)]

    def forget_method(self, method_reference: str) -> None:
        """It keeps none."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        """It sends none. Raises `EventRefused`."""
        raise EventRefused("the test gateway sends no webhooks")


def answers_at(answer: Answer, now: datetime) -> datetime:
    """From when on the gateway gives the answer."""
    return now + LATER if answer == "pays_later" else now
