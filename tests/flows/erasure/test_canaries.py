"""Of an erased person nothing is left: unique texts in every field are found nowhere afterwards."""

import pytest

from fairlead.flows.erasure.erase import erase_lead, erase_person
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.erasure.canaries import CANARIES, Walked, found, walk
from tests.flows.sales import query


@pytest.fixture
def walked(database: Database) -> Walked:
    """Two leads of one person that have come as far as leads come."""
    return walk(database)


def test_the_search_finds_what_there_is(database: Database, walked: Walked) -> None:
    """Else finding nothing would prove nothing."""
    places = found(database)
    expected = {
        "assignments.bad_lead_evidence",
        "assignments.bad_lead_note",
        "assignments.rejection_reason",
        "export_chunks.content",
        "exports.parameters",
        "lead_consents.certificate_url",
        "lead_consents.consent_text",
        "lead_consents.ip",
        "lead_consents.source_url",
        "lead_consents.user_agent",
        "lead_name_words.word",
        "lead_views.filters",
        "leads.attributes",
        "leads.contact_email",
        "leads.contact_name",
        "leads.contact_phone",
        "leads.email_key",
        "leads.phone_key",
        "leads.referrer",
        "leads.utm_campaign",
        "leads.utm_medium",
        "leads.utm_source",
    }
    assert set(places) == expected


def test_of_an_erased_lead_nothing_is_left_and_all_is_still_proven(database: Database, walked: Walked) -> None:
    for lead_id in walked.ids:
        erased = erase_lead(database, lead_id, "consumer_request", OPERATOR)
        assert (erased.was_already, erased.was_sold, erased.told_count) == (False, True, 2)
    assert found(database) == []
    assert query(database, "select count(*) from leads where attributes_salt is not null") == [(0,)]
    proof = verify(database)
    assert proof.holds, [check for check in proof.checks if not check.holds]
    assert (proof.decisions_replayed, proof.decisions_of_erased) == (0, 2)


@pytest.mark.parametrize("person", [CANARIES["contact_email"].upper(), "0034600717273", "+34 (600) 717-273"])
def test_all_leads_of_a_person_are_found_however_it_is_written(person: str, database: Database, walked: Walked) -> None:
    erased = erase_person(database, person, "consent_withdrawn", OPERATOR)
    assert sorted(erased.lead_ids) == sorted(walked.ids)
    assert found(database) == []
    assert erase_person(database, person, "consent_withdrawn", OPERATOR).lead_ids == ()


def test_erasing_again_changes_nothing(database: Database, walked: Walked) -> None:
    erase_lead(database, walked.public_id, "consumer_request", OPERATOR)
    before = query(database, "select count(*) from audit_log"), query(database, "select count(*) from notifications")
    again = erase_lead(database, walked.public_id, "unlawful", OPERATOR)
    assert (again.was_already, again.told_count) == (True, 0)
    after = query(database, "select count(*) from audit_log"), query(database, "select count(*) from notifications")
    assert after == before
    assert query(database, "select scope, reason, origin from erasures") == [("lead", "consumer_request", "operator")]
