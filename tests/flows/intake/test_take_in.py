"""A lead from outside is taken in whole, or refused with what is wrong; nothing of it is anywhere else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.access.throttle import CONFIRMATION_OF_MAILBOX
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.intake.lead import GivenConsent, IntakeLead
from fairlead.flows.intake.take_in import TOO_MANY_CONFIRMATIONS
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import consent_of_lead, intake_of_lead
from fairlead.store.leads.rows import clock
from tests.flows.access.people import refusal, rows, value
from tests.flows.intake.senders import (
    BY_EMAIL,
    CANARIES,
    CONSENT,
    DETAILS,
    LEAD,
    PARTNER,
    VISITOR,
    lead,
    open_niche,
    send,
    visit,
)
from tests.flows.marketplaces import everything
from tests.flows.niches import audited, stored_leads
from tests.lost_answers import answers_lost


def test_a_partners_lead_waits_for_approval_with_its_consent(database: Database) -> None:
    niche_id = open_niche(database)
    taken = send(database, replace(LEAD, details={**DETAILS, "utm_source": "fair", "referrer": ""}))
    assert (taken.status, taken.duplicate_of) == ("pending_approval", None)
    assert stored_leads(
        database, "id::text, niche_id::text, status, attributes, contact_email, utm_source, referrer, correlation_id"
    ) == [
        (
            taken.lead_id,
            niche_id,
            "pending_approval",
            LEAD.attributes,
            DETAILS["contact_email"],
            "fair",
            None,
            "request-1",
        )
    ]
    intake = database.read(lambda conn: intake_of_lead(conn, taken.lead_id))
    assert intake is not None
    assert (intake.via, intake.sender, intake.confirm_by) == ("key", PARTNER.name, None)
    consent = database.read(lambda conn: consent_of_lead(conn, taken.lead_id))
    assert consent is not None
    assert (consent.consent_text, consent.source_url, consent.certificate_url, consent.ip, consent.user_agent) == (
        CONSENT.text,
        CONSENT.source_url,
        CONSENT.certificate_url,
        CONSENT.ip,
        CONSENT.user_agent,
    )
    assert consent.consented_at == consent.recorded_at == intake.taken_in_at
    assert audited(database, "lead.taken_in") == [{"status": "pending_approval", "niche_id": niche_id, "via": "key"}]
    assert rows(database, "select count(*) from notifications") == [0]


def test_a_partner_need_not_send_a_consent(database: Database) -> None:
    open_niche(database)
    taken = send(database, replace(LEAD, consent=None))
    assert database.read(lambda conn: consent_of_lead(conn, taken.lead_id)) is None


def test_when_the_consent_was_given_is_the_senders_word(database: Database) -> None:
    open_niche(database)
    then = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    taken = send(database, replace(LEAD, consent=replace(CONSENT, consented_at=then)))
    consent = database.read(lambda conn: consent_of_lead(conn, taken.lead_id))
    assert consent is not None
    assert consent.consented_at == then < consent.recorded_at


def test_a_niche_may_approve_what_partners_send(database: Database) -> None:
    open_niche(database, approves=True)
    taken = send(database)
    assert taken.status == "approved"
    assert stored_leads(database, "status, approved_by, awaits_decision") == [("approved", PARTNER.name, True)]
    assert [taken.lead_id in job for job in everything(database)["jobs"]] == [True]


def test_a_public_lead_waits_for_its_consumer(database: Database) -> None:
    niche_id = open_niche(database, is_public=True, approves=True)
    taken = visit(database)
    assert taken.status == "pending_confirmation"
    assert stored_leads(database, "status, approved_at, awaits_decision") == [("pending_confirmation", None, False)]
    intake = database.read(lambda conn: intake_of_lead(conn, taken.lead_id))
    assert intake is not None
    assert (intake.via, intake.sender) == ("public", "anonymous")
    assert intake.confirm_by == intake.taken_in_at + timedelta(days=7)
    # Who consented is known by the request, not by what it says of itself.
    consent = database.read(lambda conn: consent_of_lead(conn, taken.lead_id))
    assert consent is not None
    assert (consent.ip, consent.user_agent) == (VISITOR.ip, VISITOR.user_agent)
    assert rows(database, "select kind, state, lead_id::text, correlation_id from notifications") == [
        ("lead_confirmation", "queued", taken.lead_id, "request-3")
    ]
    assert audited(database, "lead.taken_in") == [
        {"status": "pending_confirmation", "niche_id": niche_id, "via": "public"}
    ]


def test_what_is_personal_is_in_the_lead_its_name_and_its_consent_alone(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    send(database, idempotency_key=idempotency_key_for("key", "k-1", "POST /leads", {}))
    visit(database)
    refusal(send, database)
    found = {
        name
        for name, lines in everything(database).items()
        if any(canary in line.lower() for canary in CANARIES for line in lines)
    }
    assert found == {"leads", "lead_name_words", "lead_consents"}


def test_sent_again_with_its_key_it_is_the_same_lead(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    once = idempotency_key_for("key", "k-1", "POST /leads", {"age": 41})
    first = send(database, idempotency_key=once)
    assert send(database, idempotency_key=once) == first
    public = idempotency_key_for("form", "k-1", "POST /leads", {"age": 41})
    second = visit(database, idempotency_key=public)
    assert visit(database, idempotency_key=public) == second
    assert len(stored_leads(database)) == 2
    assert rows(database, "select count(*) from notifications") == [1]


@pytest.mark.parametrize("policy", [{"is_public": True}, {"is_public": True, "duplicate_rule": BY_EMAIL}])
@pytest.mark.parametrize("who", [send, visit])
def test_an_attempt_whose_commit_was_not_answered_is_found(
    database: Database, policy: dict[str, Any], who: Any
) -> None:
    open_niche(database, **policy)
    with answers_lost() as lost:
        taken = who(database)
    assert lost
    assert stored_leads(database, "id::text") == [taken.lead_id]
    assert len(audited(database, "lead.taken_in")) == 1


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "details", "problem"),
    [
        ({}, {}, "attributes.age: Age is required"),
        ({"age": "41"}, {}, "attributes.age: Age: must be a number"),
        ({"age": 41, "rank": 1}, {}, "attributes.rank: the form has no field 'rank'"),
        ({"age": 41}, {"contact_fax": "1"}, "contact_fax: has no meaning here"),
        ({"age": 41}, {"contact_name": "a\x00b"}, "contact_name: must be one line"),
        ({"age": 41}, {"contact_name": "a\nb"}, "contact_name: must be one line"),
        ({"age": 41}, {"contact_phone": "call me"}, "contact_phone: must be a telephone number"),
        ({"age": 41}, {"contact_phone": "0" * 30}, "contact_phone: must be a telephone number"),
        ({"age": 41}, {"contact_phone": "4.91512E+11"}, "contact_phone: is a number that a spreadsheet has rounded"),
        ({"age": 41}, {"contact_phone": "#NUM!"}, "contact_phone: is an error value of a spreadsheet"),
        ({"age": 41}, {"contact_phone": "1" * 5_000}, "contact_phone: must be one line of at most 100"),
        ({"age": 41}, {"contact_email": '"victim"@example.com'}, "contact_email: must be an email address without"),
        ({"age": 41}, {"contact_email": "(1)victim@example.com"}, "contact_email: must be an email address without"),
        ({"age": 41}, {"contact_email": "ann"}, "contact_email: must be an email address"),
        ({"age": 41}, {"contact_email": "Ann <ann@example.com>"}, "contact_email: must be an email address"),
        ({"age": 41}, {"contact_email": "ann@example.com, eve@example.com"}, "contact_email: must be an email"),
        ({"age": 41}, {"contact_email": "ann@example.com\nBcc: eve@example.com"}, "contact_email: must be an email"),
        ({"age": 41}, {"contact_email": "=?utf-8?q?a=0d=0aBcc:eve?=@example.com"}, "contact_email: must be an email"),
        ({"age": 41}, {"contact_email": "a" * 320 + "@example.com"}, "contact_email: must be an email address"),
    ],
)
def test_what_does_not_fit_is_named_and_never_repeated(
    database: Database, attributes: dict[str, Any], details: dict[str, str], problem: str
) -> None:
    open_niche(database, is_public=True)
    wrong = IntakeLead("moving", attributes, {**DETAILS, **details}, CONSENT)
    for who in (send, visit):
        with pytest.raises(BadInput) as caught:
            who(database, wrong)
        assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems
        assert not any(canary in str(caught.value).lower() for canary in (*CANARIES, "eve@"))
    assert stored_leads(database) == []


def test_the_public_has_to_leave_an_address_and_a_consent(database: Database) -> None:
    open_niche(database, is_public=True)
    bare = IntakeLead("moving", {"age": 41}, {"contact_email": ""}, None)
    with pytest.raises(BadInput) as caught:
        visit(database, bare)
    assert caught.value.problems == ("contact_email: is needed, to confirm the lead", "consent: is needed")
    assert send(database, bare).status == "pending_approval"


@pytest.mark.parametrize(
    ("consent", "problem"),
    [
        (GivenConsent(""), "consent.text"),
        (GivenConsent("  "), "consent.text"),
        (GivenConsent("x" * 10_001), "consent.text"),
        (GivenConsent("a\x00"), "consent.text"),
        (GivenConsent("yes", datetime(2026, 1, 1)), "consent.consented_at: must say its time zone"),  # noqa: DTZ001
        (GivenConsent("yes", source_url="javascript:alert(1)"), "consent.source_url"),
        (GivenConsent("yes", source_url="https://"), "consent.source_url"),
        (GivenConsent("yes", source_url="https://[::1"), "consent.source_url"),
        (GivenConsent("yes", certificate_url="https://a.example/" + "x" * 2_000), "consent.certificate_url"),
        (GivenConsent("yes", ip="somewhere"), "consent.ip"),
        (GivenConsent("yes", user_agent="a\nb"), "consent.user_agent"),
    ],
)
def test_a_consent_is_what_can_be_shown_later(database: Database, consent: GivenConsent, problem: str) -> None:
    open_niche(database)
    with pytest.raises(BadInput) as caught:
        send(database, replace(LEAD, consent=consent))
    [found] = caught.value.problems
    assert found.startswith(problem)


def test_a_niche_that_is_not_public_is_none_for_the_public(database: Database) -> None:
    niche_id = open_niche(database)
    assert refusal(send, database, replace(LEAD, niche_slug="nowhere")) == "niche_unknown"
    assert refusal(visit, database, replace(LEAD, niche_slug="nowhere")) == "niche_unknown"
    assert refusal(visit, database) == "niche_unknown"
    change_niche(database, niche_id, NicheChange(is_active=False), OPERATOR)
    assert refusal(send, database) == "niche_inactive"
    assert refusal(visit, database) == "niche_unknown"
    assert stored_leads(database) == []


# Limits --------------------------------------------------------------------------------------------------------------


def test_a_mailbox_is_written_to_only_so_often_and_the_answer_does_not_tell(database: Database) -> None:
    open_niche(database, is_public=True)
    written = ("box@example.com", "BOX@example.com", "Box@Example.Com", "box+2@example.com", "box+3@EXAMPLE.com")
    for number, address in enumerate(written):
        taken = visit(database, lead(contact_email=address), replace(VISITOR, ip=f"203.0.113.{number}"))
        assert (taken.status, taken.duplicate_of) == ("pending_confirmation", None)
    states = rows(database, "select state from notifications order by id")
    let_through = CONFIRMATION_OF_MAILBOX.capacity
    assert states == ["queued"] * let_through + ["skipped"] * (len(written) - let_through)
    assert {*rows(database, "select last_answer from notifications where state = 'skipped'")} == {
        TOO_MANY_CONFIRMATIONS
    }
    visit(database, lead(contact_email="other@example.com"), replace(VISITOR, ip="203.0.113.99"))
    assert rows(database, "select count(*) from notifications where state = 'queued'") == [let_through + 1]


def test_the_name_of_a_limit_does_not_tell_whose_mailbox_it_is(database: Database) -> None:
    open_niche(database, is_public=True)
    visit(database)
    [before] = rows(database, "select name from rate_buckets where name like 'confirmation_of_mailbox:%%'")
    value(database, "delete from rate_buckets")
    value(database, "update intake_secret set secret = sha256(secret)")
    visit(database)
    [after] = rows(database, "select name from rate_buckets where name like 'confirmation_of_mailbox:%%'")
    assert before != after


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(hours=2), timedelta(days=9_000)])
@pytest.mark.parametrize("who", [send, visit])
def test_a_clock_that_runs_fast_loses_no_lead(database: Database, who: Any, ahead: timedelta) -> None:
    open_niche(database, is_public=True)
    now = database.read(clock)
    taken = who(database, replace(LEAD, consent=replace(CONSENT, consented_at=now + ahead)))
    consent = database.read(lambda conn: consent_of_lead(conn, taken.lead_id))
    assert consent is not None
    assert now <= consent.consented_at == consent.recorded_at
    noted = value(database, "select new->>'consent_ahead_seconds' from audit_log where action = 'lead.taken_in'")
    assert ahead - timedelta(minutes=1) < timedelta(seconds=int(noted)) <= ahead


@pytest.mark.parametrize(
    "name",
    ["\u5c71\u7530\u3000\u592a\u90ce", "Jean\u00a0Dupont", "\u0639\u0644\u06cc\u200c\u0631\u0636", "Ann\u00adMarie"],
)
def test_names_of_every_script_are_taken_and_what_serves_statistics_is_shortened(database: Database, name: str) -> None:
    open_niche(database, is_public=True)
    details = {
        **DETAILS,
        "contact_name": f" {name} ",
        "referrer": "https://a.example/" + "x" * 2_001,
        "utm_source": "s" * 240,
    }
    for who in (send, visit):
        who(database, replace(LEAD, details=details))
    [stored, _again] = stored_leads(database, "contact_name, length(referrer), length(utm_source)")
    assert stored == (name, 2_000, 200)
