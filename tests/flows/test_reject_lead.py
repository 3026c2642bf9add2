"""Rejecting: every lead that is not sold yet, in bulk and again, with a reason that is kept in one place."""

import threading
from contextlib import suppress

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.reject_lead import Rejected, reject_lead, reject_leads
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.flows.given_up import give_up_lead
from tests.flows.made_leads import add_lead
from tests.flows.marketplaces import HOSTING, declare, everything
from tests.flows.niches import add_niche, audited, stored_leads

REASON = "the applicant asked us to forget it"
STATE = "status, awaits_decision, rejected_by, rejection_reason, rejected_at is not null"
REJECTED = ("rejected", False, "operator", REASON, True)


@pytest.mark.parametrize("status", ["pending_confirmation", "pending_approval"])
def test_a_rejected_lead_stays_so_and_again_changes_nothing(database: Database, status: str) -> None:
    lead_id = add_lead(database, add_niche(database), status)
    assert reject_lead(database, lead_id, f"  {REASON}\n", OPERATOR) == Rejected(lead_id, was_already=False)
    before = stored_leads(database, f"{STATE}, rejected_at")
    assert before[0][:5] == REJECTED

    assert reject_lead(database, lead_id.upper(), "another reason", OPERATOR) == Rejected(lead_id, was_already=True)
    assert stored_leads(database, f"{STATE}, rejected_at") == before
    assert audited(database, "lead.rejected") == [{"status": "rejected"}]
    with pytest.raises(Refused) as caught:
        approve_lead(database, lead_id, OPERATOR)
    assert caught.value.code == "lead_rejected"


def test_the_reason_is_kept_with_the_lead_and_nowhere_else(database: Database) -> None:
    lead_id = add_lead(database, add_niche(database))
    reject_lead(database, lead_id, REASON, OPERATOR, idempotency_key_for("operator", "k", "POST", {"reason": REASON}))
    found = [name for name, rows in everything(database).items() if any(REASON in row for row in rows)]
    assert found == ["leads"]


def test_an_approval_is_taken_back_while_the_lead_is_unsold(database: Database) -> None:
    declare(database, HOSTING)
    lead_ids = submit_leads(database, "hosting", [{"cores": 8}, {"cores": 8}], OPERATOR, approve=True)
    reject_lead(database, lead_ids[0], REASON, OPERATOR)
    assert [job for job in everything(database)["jobs"] if lead_ids[0] in job] == []

    Distributor(database).distribute_waiting(stored_leads(database, "niche_id::text")[0])
    assert stored_leads(database, "status") == ["rejected", "distributed"]
    with pytest.raises(Refused) as caught:
        reject_lead(database, lead_ids[1], REASON, OPERATOR)
    assert caught.value.code == "lead_distributed"


def test_a_dead_letter_of_it_is_resolved(database: Database) -> None:
    _, lead_id, dead_letter_id = give_up_lead(database)
    reject_lead(database, lead_id, REASON, OPERATOR)
    with database.snapshot() as conn:
        rows = conn.execute("select id::text, resolution, resolved_by from dead_letters").fetchall()
    assert rows == [(dead_letter_id, "resolved", "operator")]


def test_of_many_each_is_answered_for(database: Database) -> None:
    niche_id = add_niche(database)
    pending, done, bad = (add_lead(database, niche_id, status) for status in ("pending_approval", "rejected", "bad"))
    unknown = new_id()
    result = reject_leads(database, [pending, done, bad, unknown, pending], REASON, OPERATOR)
    assert (result.rejected, result.already) == ((pending,), (done,))
    assert {(each.lead_id, each.code) for each in result.refused} == {(bad, "lead_bad"), (unknown, "lead_unknown")}
    assert reject_leads(database, [pending], REASON, OPERATOR).already == (pending,)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "bell\x07"])
def test_a_reason_is_words(database: Database, reason: str) -> None:
    lead_id = add_lead(database, add_niche(database))
    with pytest.raises(BadInput, match="reason"):
        reject_lead(database, lead_id, reason, OPERATOR)
    assert stored_leads(database, "status") == ["pending_approval"]


def test_approving_and_rejecting_at_once_end_in_one_of_both(database: Database) -> None:
    niche_id = add_niche(database)
    lead_ids = [add_lead(database, niche_id) for _ in range(12)]

    def all_of(verb: str) -> None:
        for lead_id in lead_ids:
            # An approval that comes too late is refused.
            with suppress(Refused):
                if verb == "approve":
                    approve_lead(database, lead_id, OPERATOR)
                else:
                    reject_lead(database, lead_id, REASON, OPERATOR)

    threads = [threading.Thread(target=all_of, args=(verb,)) for verb in ("approve", "reject")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whichever thread was first, a rejection is the end.
    assert stored_leads(database, STATE) == [REJECTED] * 12
