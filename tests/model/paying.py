"""Payments through the test gateway, what it reports of them, and auto top-ups; for the model and PostgreSQL alike."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.ask_again import ask_gateways
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import answer_as_test, open_checkout, request_payment
from fairlead.flows.payments.take_report import take_report
from fairlead.settings import Settings
from tests.flows.payments.paying import GATEWAY, PAYER, SETTINGS
from tests.flows.payments.topping_up import save_card
from tests.model.in_doubt import Doubt
from tests.model.money_by_hand import NAMES, providers
from tests.model.reports import Reports
from tests.model.timed import JUMPS
from tests.model.top_ups import Payment, TopUp

MOST_OPEN = 3
FIRST_ASKED_AFTER = timedelta(minutes=15)
REPORTED = (*("paid", "paid", "paid", "another amount", "another amount", "failed", "pending", "refunded", "disputed"),)
CHARGES = ("charge", "charge", "test", "other")
"""What names the money that came: its usual name, the test gateway's own, and another."""
LONG = st.sampled_from([timedelta(minutes=3), timedelta(minutes=16), timedelta(hours=7), timedelta(hours=49)])


class Paying(Reports):
    """The rules of the machine about money that comes in through a gateway."""

    unknown = 0

    @precondition(lambda self: self.model.providers)
    @rule(provider=providers, cents=st.sampled_from([700, 100, 3000]))
    def ask_to_pay(self, provider: str, cents: int) -> None:
        own = [each for each in self.model.top_ups.payments if each.provider == provider and each.state == "pending"]
        if len(own) >= MOST_OPEN:
            return
        gateway, provider_id = sandbox_gateway(self.database), self.provider_id(provider)
        asked = request_payment(self.database, gateway, provider_id, cents, PAYER)
        open_checkout(self.database, gateway, provider_id, asked.request_id, "/back")
        now = self.model.now
        self.model.top_ups.payments.append(Payment(provider, cents, now, now + FIRST_ASKED_AFTER))

    @precondition(lambda self: self.model.top_ups.payments)
    @rule(pick=st.integers(0, 40), said=st.sampled_from(REPORTED), charge=st.sampled_from(CHARGES))
    def report_a_payment(self, pick: int, said: str, charge: str) -> None:
        """Early, late, again, out of order, of another amount or by another charge: it is credited once."""
        payment = self.model.top_ups.payments[pick % len(self.model.top_ups.payments)]
        request_id = self.request_id(payment)
        cents = payment.cents + (said == "another amount")
        kind = {"another amount": "paid"}.get(said, said)
        reason = "card_declined" if said == "failed" else None
        report = GatewayReport(ReportKind(kind), request_id, f"{charge}_{request_id}", cents, "EUR", reason)
        take_report(self.database, GATEWAY, report)
        self.model.report_payment(payment, said, f"{charge} {self.model.top_ups.number_of(payment)}")

    @precondition(lambda self: self.model.providers)
    @rule(cents=st.sampled_from([700, 100]), is_again=st.booleans())
    def report_money_for_nothing(self, cents: int, is_again: bool) -> None:
        """No payment here asked for it; told again, it is in doubt once."""
        self.unknown += not (is_again and self.unknown)
        charge = f"unknown {self.unknown}"
        take_report(self.database, GATEWAY, GatewayReport(ReportKind.PAID, None, charge, cents, "EUR"))
        self.model.doubt(Doubt("unknown_payment", None, charge, cents))

    @precondition(lambda self: not all(each.is_automatic for each in self.model.top_ups.payments))
    @rule(pick=st.integers(0, 40), answer=st.sampled_from(["pays", "declines", "answers_twice"]))
    def answer_at_the_gateway(self, pick: int, answer: str) -> None:
        """The first choice counts, and the gateway is asked at once while the payment is pending."""
        own = [each for each in self.model.top_ups.payments if not each.is_automatic]
        payment = own[pick % len(own)]
        request_id = self.request_id(payment)
        answer_as_test(self.database, self.provider_id(payment.provider), request_id, answer)  # type: ignore[arg-type]
        if payment.answer is None:
            payment.answer = answer
            if payment.state == "pending":
                # Also one that was not to be asked about any more, since an operator decides on it.
                payment.ask_at = min(payment.ask_at or self.model.now, self.model.now)
            self.ask_gateway(is_away=False)

    @precondition(lambda self: any(each.ask_at for each in self.model.top_ups.payments))
    @rule(jump=LONG, is_away=st.booleans())
    def wait_and_ask(self, jump: timedelta, is_away: bool) -> None:
        """Workers ask the gateway about what it has not reported; it may give no answer."""
        self.set_time(self.model.now + jump)
        self.ask_gateway(is_away=is_away)

    def ask_gateway(self, *, is_away: bool) -> None:
        due = [each for each in self.model.top_ups.payments if each.ask_at == self.model.now]
        if any(each.answer is None for each in due):
            return  # to the microsecond, which the model does not know
        settings = Settings.model_validate({"payment_gateway": "none"}) if is_away else SETTINGS
        done = ask_gateways(Maintenance(self.database, settings))["payments"]
        assert done == self.model.ask_gateway(is_away=is_away)

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
