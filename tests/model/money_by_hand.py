"""What operators do with money by hand, done to the model and to PostgreSQL alike."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from fairlead.core.errors import Refused
from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.model.model import Model

NAMES = ("ann", "bob", "cyd", "dee")
MEMO = "a model does this"
providers = st.sampled_from(NAMES)


class MoneyByHand(RuleBasedStateMachine):
    """The rules of `Marketplace` that move money by hand."""

    model: Model
    database: Database
    lead_ids: list[str]

    @rule(provider=providers, cents=st.sampled_from([700, 100, -300, -1000, -1]))
    def adjust(self, provider: str, cents: int) -> None:
        """By hand: what is above zero is a credit, what is below a debit."""
        provider_id = self._id("select id::text from providers where name = %s", provider)
        if cents > 0:
            self.model.deposit(provider, cents)
            adjust_balance(self.database, provider_id, "credit", cents, MEMO, OPERATOR)
        elif self.model.debit(provider, -cents):
            adjust_balance(self.database, provider_id, "debit", -cents, MEMO, OPERATOR)
        else:
            with pytest.raises(Refused):
                adjust_balance(self.database, provider_id, "debit", -cents, MEMO, OPERATOR)

    @precondition(lambda self: self.model.sold())
    @rule(pick=st.integers(0, 40))
    def refund(self, pick: int) -> None:
        """The second time it is refused."""
        sold = self.model.sold()
        number, provider, price = sold[pick % len(sold)]
        assignment_id = self.assignment_id(number, provider)
        if self.model.refund(number, provider):
            assert refund_assignment(self.database, assignment_id, MEMO, OPERATOR).amount_cents == price
        else:
            with pytest.raises(Refused):
                refund_assignment(self.database, assignment_id, MEMO, OPERATOR)

    @rule(
        niche=st.sampled_from(["loans", "cards"]),
        returns_turn=st.sampled_from([True, True, False]),
        leaves_limits=st.booleans(),
    )
    def change_refund_policy(self, niche: str, returns_turn: bool, leaves_limits: bool) -> None:
        """What is refunded from now on gives its turn back, or its place in limits, or not."""
        niche_id = self._id("select id::text from niches where slug = %s", niche)
        policy = RefundPolicy(returns_turn=returns_turn, leaves_limits=leaves_limits)
        change_refund_policy(self.database, niche_id, policy, OPERATOR)
        self.model.niches[niche].returns_turn = returns_turn
        self.model.niches[niche].leaves_limits = leaves_limits

    @precondition(lambda self: self.model.leads)
    @rule(pick=st.integers(0, 40))
    def mark_bad(self, pick: int) -> None:
        """Sold or not; the second time nothing happens."""
        number = pick % len(self.lead_ids)
        if self.model.leads[number].status == "rejected":
            with pytest.raises(Refused):
                mark_lead_bad(self.database, self.lead_ids[number], MEMO, OPERATOR)
            return
        done = mark_lead_bad(self.database, self.lead_ids[number], MEMO, OPERATOR)
        assert done.was_already == (self.model.leads[number].status == "bad")
        assert len(done.refunds) == self.model.mark_bad(number)

    def assignment_id(self, lead: int, provider: str) -> str:
        """That of the lead and the provider."""
        return self._id(
            "select a.id::text from assignments a join providers p on p.id = a.provider_id "
            "where a.lead_id = %s and p.name = %s",
            self.lead_ids[lead],
            provider,
        )

    def _id(self, query: str, *values: str) -> str:
        with self.database.transaction() as conn:
            return conn.execute(query.encode(), values).fetchall()[0][0]
