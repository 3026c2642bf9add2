"""Tests that set rows by hand, past the flows that would have recorded it, and the checks that rightly say so.

    @rows_by_hand(POLICY)
    def test_a_niche_that_waits(database): ...

The sweep behind the test leaves those checks out and makes all others. To go through the flows is better.
"""

import pytest

from fairlead.store.invariants.engine import INVARIANTS

rows_by_hand = pytest.mark.rows_by_hand

APPROVED = "every approval is in the audit log, with who approved it and when"
CAME_IN = "every lead came in as the audit log says, and every lead that came in is there"
CAME_FROM_OUTSIDE = (
    "every lead from outside came in as the audit log says: by whom, which way, when, and what it repeats"
)
CLOSED = "every lead is rejected, confirmed, withdrawn or marked as bad exactly when the audit log says so"
CREDIT = "each provider's credit limit is as the audit log says last, and each change begins at the one before"
DECIDED = "a lead is as its last decision left it"
ERASED = "what a lead says was erased is on record, when, by whom and why, as the audit log has it"
LAST_RECEIVED = "a subscription last received a lead when its last assignment was made"
MOVED = "every deposit, refund, credit and debit is in the audit log as it is in the ledger, value by value"
PAID = "every payment is in the audit log as it is stored, with gateway and currency"
POLICY = "each niche's policy is as the audit log says last"
PROVIDER = (
    "each provider's status, time zone, language, low-balance threshold, limits and schedule are as the audit log "
    "says last"
)
RECIPIENTS = "every recipient in the journal is an assignment and an entry in the ledger, value by value"
RETURNED = "each refund gave back what its entry in the journal says, and each turn is the one before it"
REPORTED = "every answer to an assignment, report of a bad lead and its decision is as the audit log says"
STATED = "each niche, level and subscription is as its journal says last, and as old"
TOLD_OF_TOP_UPS = "every charge of auto top-up that was credited was told once, to its provider"
TOLD_OF_SALES = "every assignment and refund was told when it was made, by email too"
TOLD_OF_SUBSCRIPTIONS = (
    "every change of a subscription that its provider has to know was told, when the journal says so, and no other"
)
TABLES = "each postcode table is as the audit log says, to the last place"
TERMS = "each auto top-up is as the audit log says last, and its provider's row says when it is due"
TOLD_OF_LIMITS = (
    "what is told of a level above a provider's price limit was so, by a change of its level at that moment"
)
WAITS = "an approved lead waits until each request for a decision was answered"

ALL = {name: value for name, value in globals().items() if name.isupper() and name != "ALL" and isinstance(value, str)}
assert {*ALL.values()} <= {each.name for each in INVARIANTS}, "a check has another name now"
