"""Payments through the test gateway, what it reports of them, and auto top-ups; for the model and PostgreSQL alike."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import open_checkout, request_payment
from fairlead.flows.payments.take_report import take_report
from tests.flows.payments.paying import GATEWAY, PAYER, SETTINGS
from tests.flows.payments.topping_up import save_card
from tests.model.money_by_hand import NAMES, providers
from tests.model.reports import Reports
from tests.model.timed import JUMPS
from tests.model.top_ups import Payment, TopUp

MOST_OPEN = 3
REPORTED = ("paid", "paid", "paid", "paid otherwise", "another amount", "failed", "pending", "paid back")


class Paying(Reports):
    """The rules of the machine about money that comes in through a gateway."""

    @precondition(lambda self: self.model.providers)
    @rule(provider=providers, cents=st.sampled_from([700, 100, 3000]))
    def ask_to_pay(self, provider: str, cents: int) -> None:
        own = [each for each in self.model.top_ups.payments if each.provider == provider and each.state == "pending"]
        if len(own) >= MOST_OPEN:
            return
        gateway, provider_id = sandbox_gateway(self.database), self.provider_id(provider)
        asked = request_payment(self.database, gateway, provider_id, cents, PAYER)
        open_checkout(self.database, gateway, provider_id, asked.request_id, "/back")
        self.model.top_ups.payments.append(Payment(provider, cents, self.model.now))

    @precondition(lambda self: self.model.top_ups.payments)
    @rule(pick=st.integers(0, 40), said=st.sampled_from(REPORTED))
    def report_a_payment(self, pick: int, said: str) -> None:
        """Early, late, again, of another amount or by another charge: it is credited once."""
        payment = self.model.top_ups.payments[pick % len(self.model.top_ups.payments)]
        request_id = self.request_id(payment)
        reference = f"test_{request_id}" if payment.is_automatic else f"charge of {request_id}"
        paid = GatewayReport(ReportKind.PAID, request_id, reference, payment.cents, "EUR")
        report = {
            "paid": paid,
            "paid otherwise": replace(paid, charge_reference=f"other charge of {request_id}"),
            "another amount": replace(paid, amount_cents=payment.cents + 1),
            "failed": replace(paid, kind=ReportKind.FAILED, reason="card_declined"),
            "pending": replace(paid, kind=ReportKind.PENDING),
            "paid back": replace(paid, kind=ReportKind.REFUNDED),
        }[said]
        take_report(self.database, GATEWAY, report)
        self.model.report_payment(payment, said)

    @rule(
        provider=providers,
        below=st.sampled_from([300, 1000, 1000]),
        cents=st.sampled_from([500, 900]),
        times=st.sampled_from([1, 2, 20]),
        card=st.sampled_from(["pays", "pays", "pays", "pays_later", "declines", "declines_for_good"]),
        is_on=st.sampled_from([True, True, True, False]),
    )
    def set_top_up(self, provider: str, below: int, cents: int, times: int, card: str, is_on: bool) -> None:
        """The card is the one that was saved first."""
        provider_id, own = self.provider_id(provider), self.model.top_ups.by_provider.get(provider)
        if own is None:
            save_card(self.database, provider_id, card)  # type: ignore[arg-type]  # those named are test cards
        change_auto_top_up(self.database, provider_id, WantedTopUp(below, cents, times * cents, is_on), PAYER)
        self.model.set_top_up(provider, TopUp(below, cents, times * cents, own.card if own else card, is_on))
        self.charge()

    @rule(jump=JUMPS)
    def wait_and_charge(self, jump: timedelta) -> None:
        self.set_time(self.model.now + jump)
        self.charge()

    @precondition(lambda self: self.model.top_ups.by_provider)
    @rule()
    def charge(self) -> None:
        """Workers charge what is due."""
        if any(each.is_at_its_edge(self.model.now) for each in self.model.top_ups.by_provider.values()):
            return
        done = charge_top_ups(Maintenance(self.database, SETTINGS))["charges"]
        assert done == sum(self.model.top_up(name) for name in NAMES)

    def provider_id(self, name: str) -> str:
        return self._id("select id::text from providers where name = %s", name)

    def request_id(self, payment: Payment) -> str:
        """Of a provider's payments the first has the lowest id."""
        own = [each for each in self.model.top_ups.payments if each.provider == payment.provider]
        [number] = [number for number, each in enumerate(own) if each is payment]
        return self._id(
            "select id::text from payment_requests where provider_id = %s order by id offset %s limit 1",
            self.provider_id(payment.provider),
            str(number),
        )
