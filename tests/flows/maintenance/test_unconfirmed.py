"""A public lead that is not confirmed within seven days is given up, and nothing else is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.maintenance import unconfirmed as flow
from fairlead.flows.maintenance.unconfirmed import REASON, reject_unconfirmed
from fairlead.store.connection import Database
from tests.flows.access.people import actions, refusal, rows
from tests.flows.earlier import move_leads_back
from tests.flows.intake.senders import VISITOR, lead, link, open_niche, send, visit
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.niches import audited, stored_leads


def test_after_seven_days_it_is_rejected_with_a_reason(database: Database) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    move_leads_back(database, "6 days 23 hours 59 minutes")
    assert reject_unconfirmed(maintenance_of(database)) == {"leads": 0, "links": 0}
    move_leads_back(database, "1 minute")
    assert reject_unconfirmed(maintenance_of(database)) == {"leads": 1, "links": 0}
    assert stored_leads(database, "status, rejected_by, rejection_reason, rejected_at is not null") == [
        ("rejected", "fairlead", REASON, True)
    ]
    assert audited(database, "lead.rejected") == [{"status": "rejected"}]
    assert refusal(confirm_lead, database, token, VISITOR) == "token_refused"
    assert reject_unconfirmed(maintenance_of(database)) == {"leads": 0, "links": 0}


def test_what_was_confirmed_or_came_with_a_key_is_left_alone(database: Database) -> None:
    open_niche(database, is_public=True)
    confirm_lead(database, link(database, visit(database).lead_id), VISITOR)
    send(database)
    move_leads_back(database, "30 days")
    reject_unconfirmed(maintenance_of(database))
    assert stored_leads(database, "status") == ["pending_approval", "pending_approval"]


def test_links_are_forgotten_thirty_days_after_they_ran_out(database: Database) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    confirm_lead(database, token, VISITOR)
    move_leads_back(database, "36 days 23 hours")
    assert reject_unconfirmed(maintenance_of(database))["links"] == 0
    assert confirm_lead(database, token, VISITOR).was_already
    move_leads_back(database, "1 hour")
    assert reject_unconfirmed(maintenance_of(database))["links"] == 1
    assert refusal(confirm_lead, database, token, VISITOR) == "token_refused"


def test_many_are_seen_to_in_chunks_and_once_however_many_do_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 3)
    open_niche(database, is_public=True)
    for number in range(10):
        visit(database, lead(contact_email=f"visitor{number}@example.com"))
    move_leads_back(database, "7 days")
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: reject_unconfirmed(maintenance_of(database))["leads"], range(3)))
    assert sum(counts) == 10
    assert actions(database).count("lead.rejected") == 10
    assert rows(database, "select distinct status from leads") == ["rejected"]
