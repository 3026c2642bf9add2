"""Bad leads: who may report one, what a decision does, and what becomes of a lead that is bad."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.report_rules import ReportRules
from fairlead.flows.approve_lead import approve_lead, trigger_distribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.money.bad_leads import (
    BadLeadReported,
    accept_bad_lead,
    list_open_reports,
    mark_lead_bad,
    reject_bad_lead,
    report_bad_lead,
)
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import CLOSED, LAST_RECEIVED, POLICY, RECIPIENTS, TOLD_OF_SALES, rows_by_hand
from tests.flows.marketplaces import HOSTING, activity, declare, everything
from tests.flows.sales import MEMO, PORTAL, Sale, audited, balances, query, sell, told

NOTE = "Ms Sample, 555 0100:\nshe never asked"


def report(database: Database, sale: Sale, reason: str = "spam", note: str | None = NOTE) -> BadLeadReported:
    return report_bad_lead(database, sale.anchor_id, sale.anchor, reason, note, PORTAL)


def refusal(database: Database, call: Callable[[], object]) -> str:
    """The code of the refusal, which changed nothing."""
    before = everything(database)
    with pytest.raises(Refused) as caught:
        call()
    assert everything(database) == before
    return caught.value.code


def row_of(database: Database, assignment_id: str) -> tuple[Any, ...]:
    [row] = query(
        database,
        "select status, bad_lead_reason, bad_lead_note, bad_lead_decision, bad_lead_decided_by, bad_lead_memo "
        "from assignments where id = %s",
        assignment_id,
    )
    return row


def test_a_report_waits_with_its_note_kept_in_one_place(database: Database) -> None:
    sale = sell(database)
    done = report(database, sale, "wrong_contact")
    assert (done.assignment_id, done.reason) == (sale.anchor, "wrong_contact")
    assert row_of(database, sale.anchor) == ("active", "wrong_contact", NOTE, None, None, None)
    assert audited(database, "bad_lead.reported") == [(sale.anchor, None, {"reason": "wrong_contact"}, None, "anchor")]
    del (kept := everything(database))["assignments"]
    assert not any("555 0100" in line for lines in kept.values() for line in lines)
    assert balances(database)["Anchor"] == 3000


@pytest.mark.parametrize("reason", ReportRules().active_keys)
def test_every_reason_of_the_list_can_be_stored(reason: str, database: Database) -> None:
    report(database, sell(database), reason, None)


def test_only_its_own_assignment_and_only_once(database: Database) -> None:
    sale = sell(database)
    foreign = lambda: report_bad_lead(database, sale.bowline_id, sale.anchor, "spam", None, PORTAL)  # noqa: E731
    assert refusal(database, foreign) == "assignment_unknown"
    report(database, sale)
    assert refusal(database, lambda: report(database, sale)) == "bad_lead_reported"
    reject_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    assert refusal(database, lambda: report(database, sale)) == "bad_lead_reported"
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    refunded = lambda: report_bad_lead(database, sale.bowline_id, sale.bowline, "spam", None, PORTAL)  # noqa: E731
    assert refusal(database, refunded) == "assignment_refunded"


@rows_by_hand(LAST_RECEIVED, POLICY, RECIPIENTS, TOLD_OF_SALES)
def test_the_window_is_the_niche_s(database: Database) -> None:
    sale = sell(database)
    assert query(database, "select bad_lead_window_days from niches") == [(14,)]
    for age, is_open in (("1 day 1 minute", False), ("23 hours 59 minutes", True)):
        query(database, "update niches set bad_lead_window_days = 1 returning 1")
        with database.transaction() as conn:
            conn.execute("set local session_replication_role = replica")
            conn.execute("update assignments set assigned_at = clock_timestamp() - %s::interval", (age,))
        if is_open:
            report(database, sale)
        else:
            assert refusal(database, lambda: report(database, sale)) == "bad_lead_window_over"


def test_what_cannot_be_a_report(database: Database) -> None:
    sale = sell(database)
    with pytest.raises(BadInput, match="reason: must be one of unreachable, wrong_contact"):
        report(database, sale, "boring")
    for note in ("x" * 1001, "a bell \a"):
        with pytest.raises(BadInput, match="note: must be 1 to 1,000 characters"):
            report(database, sale, note=note)
    report(database, sale, note="  ")
    assert row_of(database, sale.anchor)[2] is None


def test_an_accepted_report_is_refunded_in_the_same_transaction(database: Database) -> None:
    sale = sell(database)
    report(database, sale, "duplicate")
    done = accept_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    assert done.refund is not None
    assert (done.decision, done.refund.amount_cents, done.refund.balance_after_cents) == ("accepted", 2000, 5000)
    assert row_of(database, sale.anchor) == ("refunded", "duplicate", NOTE, "accepted", "operator", MEMO)
    assert balances(database) == {"Anchor": 5000, "Bowline": 100}
    assert told(database, "refund_issued") == [("Anchor", {"reason": "you had this lead before"})]
    assert [entry[3] for entry in audited(database, "bad_lead.accepted")] == [MEMO]
    assert len(audited(database, "assignment.refunded")) == 1


def test_a_rejected_report_moves_no_money_and_may_be_refunded_later(database: Database) -> None:
    sale = sell(database)
    report(database, sale)
    done = reject_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    assert (done.decision, done.refund) == ("rejected", None)
    assert row_of(database, sale.anchor)[3:] == ("rejected", "operator", MEMO)
    assert balances(database)["Anchor"] == 3000
    assert [entry[3] for entry in audited(database, "bad_lead.rejected")] == [MEMO]
    refund_assignment(database, sale.anchor, "a favour to a good customer", OPERATOR)
    assert row_of(database, sale.anchor)[0:4:3] == ("refunded", "rejected")


@pytest.mark.parametrize("second", [accept_bad_lead, reject_bad_lead])
@pytest.mark.parametrize("first", [accept_bad_lead, reject_bad_lead])
def test_a_decision_is_made_once(first: Any, second: Any, database: Database) -> None:
    sale = sell(database)
    assert refusal(database, lambda: first(database, sale.anchor, MEMO, OPERATOR)) == "bad_lead_not_reported"
    report(database, sale)
    first(database, sale.anchor, MEMO, OPERATOR)
    assert refusal(database, lambda: second(database, sale.anchor, MEMO, OPERATOR)) == "bad_lead_decided"
    unknown = "01900000-0000-7000-8000-000000000000"
    assert refusal(database, lambda: second(database, unknown, MEMO, OPERATOR)) == "assignment_unknown"
    with pytest.raises(BadInput, match="memo"):
        first(database, sale.anchor, "short", OPERATOR)


def test_the_queue_is_read_oldest_first_page_by_page(database: Database) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.bowline_id, sale.bowline, "other", None, PORTAL)
    report(database, sale)
    [first] = list_open_reports(database, limit=1)
    assert (first.assignment_id, first.provider_name, first.niche, first.level_name) == (
        sale.bowline, "Bowline", "hosting", "silver",
    )  # fmt: skip
    [second] = list_open_reports(database, (first.reported_at, first.assignment_id))
    assert (second.assignment_id, second.reason, second.note, second.price_cents) == (sale.anchor, "spam", NOTE, 2000)
    assert NOTE not in repr(second)
    assert list_open_reports(database, (second.reported_at, second.assignment_id)) == []
    reject_bad_lead(database, sale.bowline, MEMO, OPERATOR)
    assert [each.assignment_id for each in list_open_reports(database)] == [sale.anchor]


# The lead itself --------------------------------------------------------------------------------------------------


def test_a_bad_lead_refunds_the_buyers_that_were_not_yet(database: Database) -> None:
    sale = sell(database)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    report_bad_lead(database, sale.bowline_id, sale.bowline, "spam", None, PORTAL)
    done = mark_lead_bad(database, sale.lead_id, "the whole request is a prank", OPERATOR)
    assert [each.assignment_id for each in done.refunds] == [sale.bowline]
    assert len(done.refunds[0].reactivated_subscription_ids) == 1
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}
    assert activity(database)["bowline silver"] == "active"
    assert query(database, "select status, distributed_at is not null from leads") == [("bad", True)]
    assert query(database, "select status, count(*) from assignments group by 1") == [("refunded", 2)]
    assert told(database, "refund_issued") == [("Anchor", None), ("Bowline", {"reason": "the lead was marked as bad"})]
    assert row_of(database, sale.bowline)[3] == "accepted"
    [(_, old, new, memo, _)] = audited(database, "lead.marked_bad")
    assert (old, new, memo) == ({"status": "distributed"}, {"status": "bad"}, "the whole request is a prank")


def test_marking_again_changes_nothing(database: Database) -> None:
    sale = sell(database)
    assert len(mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR).refunds) == 2
    before = {name: rows for name, rows in everything(database).items() if name != "idempotency_keys"}
    again = mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR)
    assert (again.was_already, again.refunds) == (True, ())
    assert {name: rows for name, rows in everything(database).items() if name != "idempotency_keys"} == before
    refunded = lambda: refund_assignment(database, sale.anchor, MEMO, OPERATOR)  # noqa: E731
    assert refusal(database, refunded) == "assignment_refunded"


def test_a_bad_lead_is_never_distributed(database: Database) -> None:
    declare(database, HOSTING)
    lead = [{"cores": 8, "region": "north"}]
    [waiting] = submit_leads(database, "hosting", lead, OPERATOR, approve=True)
    [pending] = submit_leads(database, "hosting", lead, OPERATOR, approve=False)
    for lead_id in (waiting, pending):
        assert mark_lead_bad(database, lead_id, MEMO, OPERATOR).refunds == ()
    [(niche_id,)] = query(database, "select id::text from niches")
    assert not len(Distributor(database).distribute_waiting(niche_id))
    assert not len(Distributor(database).distribute_waiting(niche_id, waiting))
    for verb in (approve_lead, trigger_distribution):
        assert refusal(database, lambda verb=verb: verb(database, waiting, OPERATOR)) == "lead_bad"
    assert query(database, "select count(*) from assignments") == [(0,)]


@rows_by_hand(CLOSED)
def test_what_cannot_be_marked_as_bad(database: Database) -> None:
    declare(database, HOSTING)
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8}], OPERATOR, approve=False)
    query(database, "update leads set status = 'rejected' returning 1")
    assert refusal(database, lambda: mark_lead_bad(database, lead_id, MEMO, OPERATOR)) == "lead_rejected"
    unknown = "01900000-0000-7000-8000-000000000000"
    assert refusal(database, lambda: mark_lead_bad(database, unknown, MEMO, OPERATOR)) == "lead_unknown"
    with pytest.raises(BadInput, match="memo"):
        mark_lead_bad(database, lead_id, "short", OPERATOR)


def test_evidence_is_kept_with_the_assignment_and_nowhere_else(database: Database) -> None:
    sale = sell(database)
    proof = "550 5.1.1 <ms.sample@example.com>:\nno such mailbox"
    bad = lambda text: report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL, evidence=text)  # noqa: E731
    for wrong in ("x" * 4001, "a\x00b"):
        with pytest.raises(BadInput, match="evidence: "):
            bad(wrong)
    bad(f"  {proof.replace(chr(10), chr(13) + chr(10))} ")
    del (kept := everything(database))["assignments"]
    assert not [name for name, lines in kept.items() if any("ms.sample" in line for line in lines)]
    [report] = list_open_reports(database)
    assert (report.evidence, report.note) == (proof, None)
    assert "ms.sample" not in repr(report), "what is logged of a report tells nothing of a person"


def test_of_an_erased_lead_there_is_no_evidence_to_be_given(database: Database) -> None:
    sale = sell(database)
    erase_lead(database, sale.lead_id, "consumer_request", OPERATOR)
    told = lambda: report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL, evidence="a tape")  # noqa: E731
    assert refusal(database, told) == "lead_erased"
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL, evidence=" ")
