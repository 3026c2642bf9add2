"""Twenty at once, each in front of the same lock: one lead is taken in, one click confirms, and the others know."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.store.connection import Database, Timeouts
from tests.flows.access.people import rows
from tests.flows.intake.senders import BY_EMAIL, LEAD, VISITOR, lead, link, open_niche, rule, send, visit
from tests.flows.niches import stored_leads
from tests.race.test_access import AT_ONCE, all_at_once

LOCK_AUDIT = "select from audit_head for update"


@pytest.fixture
def crowd(database: Database, database_url: str) -> Iterator[Database]:
    """The same marketplace with a connection for each of them."""
    with Database(database_url, "fairlead", Timeouts(30_000, 30_000, 30_000), max_connections=AT_ONCE + 4) as opened:
        yield opened


def test_one_lead_twenty_times_at_once_is_one_lead(database: Database, crowd: Database, database_url: str) -> None:
    """Each would look for the others before any of them is committed, were it not for the fingerprint's lock."""
    open_niche(database, duplicate_rule=BY_EMAIL)
    calls = [lambda: send(crowd) for _ in range(AT_ONCE)]
    assert all_at_once(crowd, database_url, LOCK_AUDIT, calls) == Counter(done=1, lead_duplicate=AT_ONCE - 1)
    assert len(stored_leads(database)) == 1


def test_groups_that_overlap_crosswise_end_in_no_deadlock(
    database: Database, crowd: Database, database_url: str
) -> None:
    """Leads that share an email address with one and a telephone number with another, in every order."""
    open_niche(database, duplicate_rule=rule(["contact_email"], ["contact_phone"]))
    sent = [
        lead(contact_email=f"a{number % 4}@example.com", contact_phone=f"030 555000{number % 5}")
        for number in range(AT_ONCE)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_AUDIT, [lambda each=each: send(crowd, each) for each in sent])
    assert outcomes["done"] + outcomes["lead_duplicate"] == AT_ONCE
    kept = rows(database, "select contact_email, contact_phone from leads")
    assert 1 <= len(kept) == outcomes["done"] <= 4
    for place in (0, 1):
        assert len({each[place] for each in kept}) == len(kept)


def test_two_niches_that_look_at_each_other(database: Database, crowd: Database, database_url: str) -> None:
    wide = rule(["contact_email"], scope="marketplace")
    open_niche(database, "moving", duplicate_rule=wide)
    open_niche(database, "cleaning", duplicate_rule=wide)
    slugs = ["moving", "cleaning"] * (AT_ONCE // 2)
    calls = [lambda slug=slug: send(crowd, replace(LEAD, niche_slug=slug)) for slug in slugs]
    assert all_at_once(crowd, database_url, LOCK_AUDIT, calls) == Counter(done=1, lead_duplicate=AT_ONCE - 1)


def test_one_link_twenty_times_at_once_confirms_once(database: Database, crowd: Database, database_url: str) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    calls = [lambda: confirm_lead(crowd, token, VISITOR) for _ in range(AT_ONCE)]
    assert all_at_once(crowd, database_url, "select from leads for update", calls) == Counter(done=AT_ONCE)
    assert rows(database, "select action from audit_log where action = 'lead.confirmed'") == ["lead.confirmed"]
    assert stored_leads(database, "status") == ["pending_approval"]


def test_two_leads_of_one_consumer_confirmed_at_once_leave_one(
    database: Database, crowd: Database, database_url: str
) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    tokens = [link(database, visit(database).lead_id) for _ in range(8)]
    calls = [lambda token=token: confirm_lead(crowd, token, VISITOR) for token in tokens]
    assert all_at_once(crowd, database_url, LOCK_AUDIT, calls) == Counter(done=8)
    assert Counter(stored_leads(database, "status")) == Counter(pending_approval=1, rejected=7)
