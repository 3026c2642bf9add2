"""What becomes of leads that were sold: reports that they are bad, decisions on those, and erasure at any moment."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.core.errors import Refused
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.money.bad_leads import accept_bad_lead, reject_bad_lead, report_bad_lead
from fairlead.store.audit.log import OPERATOR
from tests.model.model import REPORTED_WITHIN
from tests.model.money_by_hand import MEMO
from tests.model.timed import Timed


class Reports(Timed):
    """The rules of the machine about leads after they were sold."""

    @precondition(lambda self: self.model.sold())
    @rule(pick=st.integers(0, 40))
    def report(self, pick: int) -> None:
        number, provider, _ = self._sold(pick)
        [sold_at] = [each.moment for each in self.model.sales if (each.lead, each.provider) == (number, provider)]
        if self.model.now - sold_at == REPORTED_WITHIN:
            return  # to the microsecond, which the model does not know
        provider_id = self._id("select id::text from providers where name = %s", provider)
        assignment_id = self.assignment_id(number, provider)
        if self.model.report(number, provider):
            report_bad_lead(self.database, provider_id, assignment_id, "unreachable", None, OPERATOR)
        else:
            with pytest.raises(Refused):
                report_bad_lead(self.database, provider_id, assignment_id, "unreachable", None, OPERATOR)

    @precondition(lambda self: self.model.reports)
    @rule(pick=st.integers(0, 40), is_right=st.booleans())
    def decide_on_a_report(self, pick: int, is_right: bool) -> None:
        """Once; the price is paid back where it was right."""
        number, provider = list(self.model.reports)[pick % len(self.model.reports)]
        decide = accept_bad_lead if is_right else reject_bad_lead
        assignment_id = self.assignment_id(number, provider)
        if self.model.reports[number, provider] != "open":
            with pytest.raises(Refused):
                decide(self.database, assignment_id, MEMO, OPERATOR)
            return
        decide(self.database, assignment_id, MEMO, OPERATOR)
        if is_right:
            assert self.model.refund(number, provider)
        else:
            self.model.reports[number, provider] = "rejected"

    @precondition(lambda self: self.model.leads)
    @rule(pick=st.integers(0, 40))
    def erase(self, pick: int) -> None:
        """Sold or not; the second time nothing happens."""
        number = pick % len(self.lead_ids)
        own = self.model.leads[number]
        done = erase_lead(self.database, self.lead_ids[number], "consumer_request", OPERATOR)
        assert done.was_already == own.is_erased
        self.model.erase(number)

    def _sold(self, pick: int) -> tuple[int, str, int]:
        sold = self.model.sold()
        return sold[pick % len(sold)]
