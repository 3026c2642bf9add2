"""Payments in doubt, of every kind, and what operators decide on them; for the model and PostgreSQL alike."""

from collections import Counter
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.core.errors import Refused
from fairlead.flows.payments.doubts import close_doubt, credit_doubt
from fairlead.store.audit.log import OPERATOR
from tests.model.in_doubt import ASKED_AGAIN_AFTER, Doubt
from tests.model.money_by_hand import MEMO, providers
from tests.model.paying import Paying
from tests.model.top_ups import Payment

REPORTED_BY_KIND = {
    "other_amount": [("another amount", "charge")],
    "paid_twice": [("paid", "charge"), ("paid", "other")],
    "refunded": [("paid", "charge"), ("refunded", "charge")],
    "disputed": [("paid", "charge"), ("disputed", "charge")],
}
"""What a gateway says of a payment that was asked for, one after the other, so that it is in doubt for that reason."""
KINDS = (*REPORTED_BY_KIND, "unknown_payment", "not_creditable", "no_answer")
DECISIONS = ("credit", "close", "name", "twice", "leave")


class Doubting(Paying):
    """The rules of the machine about payments in doubt."""

    seen: ClassVar[Counter[str]] = Counter()
    """How often each kind of doubt and each outcome of resolving came about, in all machines of the process."""

    @precondition(lambda self: self.model.providers)
    @rule(
        own=st.lists(providers, min_size=len(KINDS), max_size=len(KINDS)),
        shift=st.integers(0, len(DECISIONS) - 1),
        named=st.none() | providers,
    )
    def decide_on_doubts(self, own: list[str], shift: int, named: str | None) -> None:
        """A payment comes into doubt for every reason; an operator decides on each, or leaves it, or tries twice."""
        for number, (provider, kind) in enumerate(zip(own, KINDS, strict=True)):
            before = len(self.model.doubts)
            self.bring_into_doubt(provider, kind)
            decision = DECISIONS[(number + shift) % len(DECISIONS)]
            if decision == "leave" or len(self.model.doubts) == before:
                continue
            last = len(self.model.doubts) - 1
            self.resolve_a_doubt(last, decision != "close", provider if decision == "name" else named)
            if decision == "twice":
                self.resolve_a_doubt(last, shift % 2 == 0, provider)

    def bring_into_doubt(self, provider: str, kind: str) -> None:
        """A payment of the provider is in doubt for that reason, where the gateway can say so of one."""
        if kind == "unknown_payment":
            self.report_money_for_nothing(700, False)
            return
        number = self.model.top_ups.number_of(self.asked(provider))
        if kind == "no_answer":
            for _ in range(len(ASKED_AGAIN_AFTER) + 1):
                self.wait_and_ask(timedelta(minutes=40), True)  # too early, but for the first time
                self.wait_and_ask(timedelta(hours=49), True)
        elif kind == "not_creditable":
            self.report_a_payment(number, "another amount", "charge")
            self.resolve_a_doubt(len(self.model.doubts) - 1, True, None)
            # What came was credited; now it is said to be what was asked for.
            self.report_a_payment(number, "paid", "charge")
        else:
            for said, charge in REPORTED_BY_KIND[kind]:
                self.report_a_payment(number, said, charge)

    def asked(self, provider: str) -> Payment:
        """A payment of the provider that is pending."""
        self.ask_to_pay(provider, 700)
        own = [each for each in self.model.top_ups.payments if (each.provider, each.state) == (provider, "pending")]
        return own[-1]

    def see(self, what: str) -> None:
        self.seen[what] += 1
        event(what)

    @precondition(lambda self: self.model.doubts)
    @rule(pick=st.integers(0, 40), is_credited=st.sampled_from([True, True, False]), named=st.none() | providers)
    def resolve_a_doubt(self, pick: int, is_credited: bool, named: str | None) -> None:
        """By an operator, once: what came is credited to the payment's provider or a named one, or it is closed."""
        doubt = self.model.doubts[pick % len(self.model.doubts)]
        doubt_id = self._id(
            "select id::text from payment_doubts where kind = %s and subject = %s", doubt.kind, self.subject_of(doubt)
        )
        to = named or (None if doubt.payment is None else doubt.payment.provider)
        given = None if named is None else self.provider_id(named)

        def resolve() -> None:
            if is_credited:
                credit_doubt(self.database, doubt_id, MEMO, OPERATOR, provider_id=given)
            else:
                close_doubt(self.database, doubt_id, MEMO, OPERATOR)

        was_open = doubt.resolution is None
        if self.model.resolve(doubt, to, is_credited=is_credited):
            resolve()
            self.see(f"credited to {'a named provider' if named else 'its own'}" if is_credited else "closed")
        else:
            with pytest.raises(Refused):
                resolve()
            self.see("refused: no money to credit, or no provider" if was_open else "refused: resolved before")

    def subject_of(self, doubt: Doubt) -> str:
        """What the gateway calls it."""
        if doubt.payment is None:
            assert doubt.charge is not None
            return doubt.charge
        request_id = self.request_id(doubt.payment)
        return request_id if doubt.charge is None else f"{doubt.charge.split()[0]}_{request_id}"
