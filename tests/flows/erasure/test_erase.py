"""Erasing at any moment: unsold, sold, while it is being sold, while messages wait; those who bought are told."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.approve_lead import approve_lead, trigger_distribution
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment
from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import ErasedLead, erase_lead
from fairlead.flows.erasure.own_erasure import ErasedRequest, erase_request
from fairlead.flows.erasure.preview import preview_lead, preview_person
from fairlead.flows.erasure.records import lead_erasures
from fairlead.flows.explaining.explain import explain_lead, explain_provider
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.idempotent_requests import AnswerRetention, KeptAnswer, run_request_idempotent
from fairlead.flows.intake.own_request import show_request
from fairlead.flows.money.bad_leads import mark_lead_bad, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.notifications.replay import replay_notification
from fairlead.flows.proving.verify_decision import verify_decision
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.leads.fingerprints import add_fingerprints, unseen_leads
from fairlead.store.portal.inbox import inbox_assignment
from fairlead.store.simulated_clock import SimulatedClock
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.erasure.canaries import CANARIES, NEEDLES, bought, distribute, found, open_market, sent, walk
from tests.flows.exporting.exports import built
from tests.flows.intake.senders import VISITOR, send, visit
from tests.flows.intake.test_own_request import own_link
from tests.flows.notifications.mail import text_of
from tests.flows.notifications.stage import notification, set_endpoint, settings_for, states, work_off
from tests.flows.sales import MEMO, PORTAL, Sale, audited, query, sell
from tests.waiting import wait_until

REASON = "consumer_request"


def erase(database: Database, lead_id: str) -> ErasedLead:
    return erase_lead(database, lead_id, REASON, OPERATOR)


def status(database: Database, lead_id: str) -> tuple[str, bool]:
    [row] = query(database, "select status, awaits_decision from leads where id = %s", lead_id)
    return row


def test_an_unsold_lead_is_closed_and_never_sold(database: Database) -> None:
    open_market(database)
    pending, approved = (send(database, sent()).lead_id for _ in range(2))
    approve_lead(database, approved, OPERATOR)
    for lead_id in (pending, approved):
        assert erase(database, lead_id) == ErasedLead(lead_id, False, False, 0)
        assert status(database, lead_id) == ("rejected", False)
        with pytest.raises(Refused, match="rejected"):
            approve_lead(database, lead_id, OPERATOR)
        with pytest.raises(Refused, match="rejected"):
            trigger_distribution(database, lead_id, OPERATOR)
    distribute(database)
    assert query(database, "select count(*) from assignments") == [(0,)]
    assert query(database, "select count(*) from jobs where task = 'distribute_lead'") == [(0,)]
    assert [event[1:3] for event in audited(database, "lead.erased")] == [
        (
            {"status": before},
            {"scope": "lead", "origin": "operator", "reason": REASON, "told": 0},
        )
        for before in ("pending_approval", "approved")
    ]


def test_what_waits_about_it_is_not_sent_and_those_who_bought_it_are_told(database: Database) -> None:
    open_market(database)
    inbox = Inbox()
    with mail_server(inbox) as port, receiver(says(200)) as crm:
        set_endpoint(database, crm.url())
        lead_id = send(database, sent()).lead_id
        approve_lead(database, lead_id, OPERATOR)
        distribute(database)
        assert preview_lead(database, lead_id).leads[0].waiting_messages == 3
        assert erase(database, lead_id).told_count == 2
        assert states(database) == ["skipped", "skipped"]
        work_off(database, settings_for(port))
        notices = lead_erasures(database, lead_id).notices
        assert sorted((each.provider_name, each.channel, each.state) for each in notices) == [
            ("Anchor", "email", "sent"),
            ("Anchor", "webhook", "sent"),
            ("Bowline", "email", "sent"),
        ]
        assert all(each.sent_at is not None for each in notices)
        # One that is sent again on purpose finds an erased lead.
        told = notification(database)
        replay_notification(database, told, OPERATOR)
        work_off(database, settings_for(port))
    answers = query(database, "select state, last_answer from notifications where id = %s", told)
    assert answers == [("skipped", "the lead was erased")]
    assert all("erased the personal data" in text_of(message) for message in inbox.messages)
    [body] = [request.body for request in crm.requests]
    assert b'"type":"lead.erased"' in body
    assert b"quokka" not in body


def test_a_provider_cannot_switch_that_off(database: Database) -> None:
    from fairlead.flows.notifications.preferences import check_preferences

    assert check_preferences({"lead_erased": {"email": False}}) != []


def test_nothing_is_written_about_it_any_more(database: Database) -> None:
    sale = sell(database)
    erase(database, sale.lead_id)
    with pytest.raises(Refused) as refused:
        reject_assignment(database, sale.anchor_id, sale.anchor, "Mr Canary hung up", PORTAL)
    assert refused.value.code == "lead_erased"
    with pytest.raises(Refused) as refused:
        report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", "Mr Canary hung up", PORTAL)
    assert refused.value.code == "lead_erased"
    accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)
    report_bad_lead(database, sale.bowline_id, sale.bowline, "spam", None, PORTAL)
    mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR)
    assert status(database, sale.lead_id)[0] == "bad"


def test_explaining_says_plainly_that_it_is_erased(database: Database) -> None:
    sale = sell(database)
    erase(database, sale.lead_id)
    assert len(explain_lead(database, sale.lead_id).decisions) == 1
    with pytest.raises(Refused) as refused:
        explain_provider(database, sale.lead_id, sale.anchor_id)
    assert refused.value.code == "lead_erased"


def test_one_decision_is_taken_again_but_for_what_the_answers_decided(database: Database) -> None:
    sale = sell(database)
    whole = verify_decision(database, sale.lead_id)
    erase(database, sale.lead_id)
    again = verify_decision(database, sale.lead_id)
    assert (whole.holds, whole.is_whole, again.holds, again.is_whole) == (True, True, True, False)
    assert (again.hash, again.recipients) == (whole.hash, whole.recipients)


def test_the_preview_counts_and_changes_nothing(database: Database) -> None:
    open_market(database)
    lead_id = send(database, sent()).lead_id
    before = query(database, "select count(*), max(seq) from audit_log")
    [lead] = preview_lead(database, lead_id).leads
    assert (lead.answers, lead.contact_fields, lead.consents, lead.decisions, lead.erased_at) == (3, 7, 1, 0, None)
    assert [each.lead_id for each in preview_person(database, CANARIES["contact_phone"]).leads] == [lead_id]
    assert preview_person(database, "other@example.com").leads == ()
    assert query(database, "select count(*), max(seq) from audit_log") == before


@pytest.mark.parametrize("person", ["", "Quokka", "@", "1234", "x" * 400 + "@example.com"])
def test_who_is_no_person_is_refused_and_not_repeated(person: str, database: Database) -> None:
    with pytest.raises(BadInput) as refused:
        preview_person(database, person)
    assert list(refused.value.problems) == ["person: should be a whole email address or telephone number"]


def test_unknown_leads_and_reasons_are_refused(database: Database) -> None:
    with pytest.raises(Refused, match="there is no lead"):
        erase(database, new_id())
    with pytest.raises(BadInput, match="reason"):
        erase_lead(database, new_id(), "retention", OPERATOR)


def test_a_consumer_erases_by_its_own_link_which_leads_nowhere_then(database: Database) -> None:
    open_market(database)
    lead_id = visit(database, sent()).lead_id
    token = own_link(database, lead_id)
    key = idempotency_key_for("public:1", "k-1", "POST /api/v1/public/leads/erase", {"token": token})
    assert erase_request(database, token, VISITOR, key) == ErasedRequest(False, 0)
    # The answer was lost: the same request has the same answer.
    assert erase_request(database, token, VISITOR, key) == ErasedRequest(False, 0)
    for again in (lambda: erase_request(database, token, VISITOR), lambda: show_request(database, token, VISITOR)):
        with pytest.raises(Refused) as refused:
            again()
        assert refused.value.code == "token_refused"
    [erasure] = lead_erasures(database, lead_id).items
    assert (erasure.origin, erasure.erased_by, erasure.status_before) == (
        "consumer",
        "consumer",
        "pending_confirmation",
    )


def test_a_request_that_brought_it_does_not_bring_it_again(database: Database) -> None:
    open_market(database)
    key = idempotency_key_for("key:aaaabbbbcccc", "k-9", "POST /api/v1/leads", {"email": CANARIES["contact_email"]})
    lead_id = send(database, sent(), idempotency_key=key).lead_id
    erase(database, lead_id)
    with pytest.raises(Refused) as refused:
        send(database, sent(), idempotency_key=key)
    assert refused.value.code == "idempotency_key_reused"
    assert query(database, "select count(*) from leads") == [(1,)]


def test_of_what_was_asked_about_it_no_digest_is_left(database: Database) -> None:
    """A short text is found out from its digest: what a provider wrote, with its key in the flow or around it."""
    open_market(database)
    lead_id, other_id = (send(database, sent()).lead_id for _ in range(2))
    for each in (lead_id, other_id):
        approve_lead(database, each, OPERATOR)
    distribute(database)
    for each in (lead_id, other_id):
        (reported, reporter), (refused, refuser), *_ = bought(database, each)
        route = f"POST /api/v1/provider/assignments/{reported}/report"
        key = idempotency_key_for(reporter, f"report {each}", route, {"note": CANARIES["note"]})
        report_bad_lead(database, reporter, reported, "other", CANARIES["note"], Actor("p", "provider"), key)
        _reject_with_key(database, refuser, refused)
    erase(database, lead_id)
    digests = "select count(*) filter (where fingerprint = 'erased'), count(*) from idempotency_keys"
    assert query(database, digests) == [(2, 4)], "of the other lead they stay, for its requests that are sent again"


def _reject_with_key(database: Database, provider_id: str, assignment_id: str) -> None:
    route = f"POST /api/v1/provider/assignments/{assignment_id}/reject"
    key = idempotency_key_for(provider_id, f"reject {assignment_id}", route, {"reason": CANARIES["rejection"]})

    def work(joined: Database) -> KeptAnswer:
        reject_assignment(joined, provider_id, assignment_id, CANARIES["rejection"], Actor("p", "provider"))
        return KeptAnswer({"status": "rejected"})

    run_request_idempotent(database, key, AnswerRetention(None), work)


@pytest.mark.parametrize("other", ["approve", "distribute", "reject", "report", "refund", "erase"])
def test_at_the_same_moment_as_something_else_each_finds_what_the_other_did(other: str, database: Database) -> None:
    """Fifty at once; what comes out is one of the two orders, and the closing sweep proves the rest."""
    open_market(database)
    lead_id = send(database, sent()).lead_id
    if other != "approve":
        approve_lead(database, lead_id, OPERATOR)
    if other in ("report", "refund"):
        distribute(database)
    barrier = Barrier(10)

    def at_once(number: int) -> None:
        barrier.wait()
        try:
            if number % 2:
                erase(database, lead_id)
            else:
                _do(database, other, lead_id)
        except Refused:
            pass

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(at_once, range(50)))
    assert query(database, "select count(*) from erasures") == [(1,)]
    left, awaits = status(database, lead_id)
    assert left in ("rejected", "distributed")
    assert not awaits
    recipients = len(bought(database, lead_id))
    assert (left == "distributed") == (recipients > 0)
    assert query(database, "select count(*) from notifications where kind = 'lead_erased'") == [(recipients,)]
    assert query(database, "select count(*) from leads where num_nonnulls(contact_email, email_key) > 0") == [(0,)]


def _do(database: Database, other: str, lead_id: str) -> None:
    if other == "approve":
        approve_lead(database, lead_id, OPERATOR)
    elif other == "distribute":
        distribute(database)
    elif other == "reject":
        reject_lead(database, lead_id, "quokkareason", OPERATOR)
    elif other == "report":
        for assignment_id, provider_id in bought(database, lead_id):
            report_bad_lead(database, provider_id, assignment_id, "spam", "quokkanote", PORTAL)
    elif other == "refund":
        for assignment_id, _ in bought(database, lead_id):
            refund_assignment(database, assignment_id, MEMO, OPERATOR)
    else:
        erase(database, lead_id)


@pytest.mark.parametrize("other", ["export", "delivery"])
def test_what_is_written_at_the_same_moment_says_nothing_of_the_person_afterwards(
    other: str, database: Database
) -> None:
    """The file is dropped, or written without the lead; a message was sent before, or says what is left."""
    open_market(database)
    inbox = Inbox()
    with mail_server(inbox) as port, receiver(says(200)) as crm, ThreadPoolExecutor(1) as beside:
        set_endpoint(database, crm.url())
        for _ in range(4):
            lead_id = send(database, sent()).lead_id
            approve_lead(database, lead_id, OPERATOR)
            distribute(database)
            barrier = Barrier(2)
            writing = beside.submit(_write, database, other, settings_for(port), barrier)
            barrier.wait()
            erase(database, lead_id)
            writing.result()
    assert found(database) == []


def _write(database: Database, other: str, settings: Settings, barrier: Barrier) -> None:
    barrier.wait()
    if other == "delivery":
        work_off(database, settings)
        return
    with suppress(AssertionError):  # its export was dropped while it was built
        built(database, ExportRequest("leads"))


def test_no_fingerprint_is_stored_of_a_lead_that_is_erased_meanwhile(database: Database) -> None:
    open_market(database)
    lead_id = send(database, sent()).lead_id
    [(niche_id, now)] = query(database, "select niche_id::text, created_at from leads")
    clock = SimulatedClock(now + timedelta(days=1))
    with Database(database.url, "fairlead", simulated_clock=clock) as later, ThreadPoolExecutor(1) as other:
        with later.transaction() as task:
            [seen] = unseen_leads(task, niche_id, None, 10)
            assert seen.contact["contact_email"] == CANARIES["contact_email"]
            erasing = other.submit(erase, database, lead_id)
            wait_until(lambda: erasing.done() or _waits(database))
            add_fingerprints(task, niche_id, [(lead_id, now, bytes(32))])
        assert not erasing.result().was_already
    assert query(database, "select count(*) from lead_fingerprints") == [(0,)]


def _waits(database: Database) -> bool:
    return query(database, "select from pg_stat_activity where wait_event_type = 'Lock'") != []


def test_two_providers_see_an_erased_lead_as_that_and_nothing_of_the_other(database: Database) -> None:
    sale = sell(database)
    erase(database, sale.lead_id)
    for provider_id, own, others in (
        (sale.anchor_id, sale.anchor, sale.bowline),
        (sale.bowline_id, sale.bowline, sale.anchor),
    ):
        bound = database.bound_to(provider_id)
        seen = bound.read(partial(inbox_assignment, provider_id=provider_id, assignment_id=own))
        assert seen.item.erased_at is not None
        assert (seen.item.contact_email, seen.attributes) == (None, {})
        assert seen.timeline[-1].event == "erased"
        with pytest.raises(Refused, match="no assignment"):
            bound.read(partial(inbox_assignment, provider_id=provider_id, assignment_id=others))


def test_no_log_names_the_person(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    walked = walk(database)
    for lead_id in walked.ids:
        erase(database, lead_id)
    own = [record for record in caplog.records if record.name.startswith("fairlead")]
    said = " ".join(str(vars(record)) for record in own).lower()
    assert own
    assert [needle for needle in NEEDLES if needle in said] == []


def test_a_distribution_that_has_the_lead_ends_first(database: Database) -> None:
    open_market(database)
    lead_id = send(database, sent()).lead_id
    approve_lead(database, lead_id, OPERATOR)
    [(niche_id,)] = query(database, "select id::text from niches")
    with ThreadPoolExecutor(1) as other, database.transaction() as holding:
        holding.execute("select from leads where id = %s for no key update", (lead_id,))
        erasing = other.submit(erase, database, lead_id)
        assert not erasing.done()
    assert not erasing.result().was_already
    assert Distributor(database).distribute_waiting(niche_id).decisions == ()
    assert status(database, lead_id) == ("rejected", False)


def test_sales_and_refunds_of_others_go_on(database: Database) -> None:
    sale: Sale = sell(database)
    erase(database, sale.lead_id)
    [other] = submit_leads(database, "hosting", [{"cores": 8, "region": "south"}], OPERATOR, approve=True)
    distribute(database)
    assert status(database, other)[0] == "distributed"
