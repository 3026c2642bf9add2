"""Leads that came before a rule, from a file or by hand, are found as duplicates once the workers have seen to them."""

from dataclasses import replace

import pytest

from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.maintenance import fingerprint as flow
from fairlead.flows.maintenance.fingerprint import fingerprint
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.flows.access.people import refusal, rows
from tests.flows.earlier import move_leads_back
from tests.flows.intake.senders import BY_EMAIL, DETAILS, LEAD, open_niche, rule, send, visit
from tests.flows.maintenance.workers import maintenance_of


def enter(database: Database, slug: str = "moving", **details: str) -> str:
    """An operator enters the lead by hand."""
    entered = EnteredLead(slug, {"age": 41}, {**DETAILS, **details})
    return create_lead(database, entered, OPERATOR, approve=False).lead_id


def later(database: Database) -> None:
    """As if all leads had come eleven minutes earlier."""
    move_leads_back(database, "11 minutes")


def added(database: Database) -> int:
    return fingerprint(maintenance_of(database))["fingerprints"]


def test_a_lead_entered_by_hand_is_found(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    enter(database)
    assert added(database) == 0  # it may not be committed everywhere yet
    later(database)
    assert added(database) == 1
    assert refusal(send, database) == "lead_duplicate"
    assert added(database) == 0


def test_a_new_rule_sees_what_came_before_it(database: Database) -> None:
    open_niche(database)
    send(database)
    later(database)
    assert added(database) == 0
    change_intake_policy(database, "moving", IntakePolicy(duplicate_rule=BY_EMAIL), OPERATOR)
    assert added(database) == 1
    assert refusal(send, database) == "lead_duplicate"
    # And a newer one begins anew.
    change_intake_policy(database, "moving", IntakePolicy(duplicate_rule=rule(["contact_phone"])), OPERATOR)
    assert added(database) == 1
    assert refusal(send, database) == "lead_duplicate"


def test_leads_of_other_niches_are_seen_where_a_rule_looks_at_the_marketplace(database: Database) -> None:
    open_niche(database, "cleaning")
    enter(database, "cleaning")
    later(database)
    open_niche(database, "moving", duplicate_rule=BY_EMAIL)
    assert added(database) == 0
    wide = rule(["contact_email"], scope="marketplace")
    change_intake_policy(database, "moving", IntakePolicy(duplicate_rule=wide), OPERATOR)
    assert added(database) == 1
    assert refusal(send, database) == "lead_duplicate"


def test_what_was_rejected_or_is_not_confirmed_has_none(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    visit(database)
    reject_lead(database, enter(database), "a test", OPERATOR)
    later(database)
    assert added(database) == 0
    assert rows(database, "select count(*) from lead_fingerprints") == [0]


def test_it_goes_on_where_it_was_chunk_by_chunk(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 3)
    monkeypatch.setattr(flow, "MOST_CHUNKS", 2)
    open_niche(database, duplicate_rule=BY_EMAIL)
    for number in range(8):
        enter(database, contact_email=f"entered{number}@example.com")
    later(database)
    assert added(database) == 6
    assert added(database) == 2
    assert added(database) == 0
    found = [
        refusal(send, database, replace(LEAD, details={"contact_email": f"ENTERED{number}@example.com"}))
        for number in range(8)
    ]
    assert found == ["lead_duplicate"] * 8


def test_a_lead_that_has_one_already_gets_no_other(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    send(database)
    later(database)
    assert added(database) == 0
    assert rows(database, "select count(*) from lead_fingerprints") == [1]
