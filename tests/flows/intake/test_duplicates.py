"""A lead that came before is found, refused or flagged as its niche's rule has it, and told to no stranger."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.intake.lead import LeadDuplicate
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy, intake_of_lead
from fairlead.store.simulated_clock import SimulatedClock
from tests.by_hand import APPROVED, CLOSED, WAITS, rows_by_hand
from tests.flows.access.people import refusal, rows, value
from tests.flows.intake.senders import (
    BY_EMAIL,
    CANARIES,
    LEAD,
    OTHER_PARTNER,
    PARTNER,
    lead,
    open_niche,
    rule,
    send,
    visit,
)
from tests.flows.niches import audited, stored_leads
from tests.lost_answers import answers_lost

FLAG = rule(["contact_email"], action="flag")


def refused(database: Database, *words: Any, **named: Any) -> LeadDuplicate:
    """What the lead is refused with."""
    with pytest.raises(LeadDuplicate) as caught:
        send(database, *words, **named)
    return caught.value


@contextmanager
def timed(database: Database) -> Generator[tuple[Database, SimulatedClock]]:
    """The same marketplace at a time that is set, and the clock that sets it."""
    clock = SimulatedClock(datetime(1996, 1, 31, 12, tzinfo=UTC))
    with Database(database.url, "fairlead", simulated_clock=clock) as opened:
        yield opened, clock


def test_without_a_rule_the_same_may_come_again(database: Database) -> None:
    open_niche(database)
    send(database)
    send(database)
    assert len(stored_leads(database)) == 2
    assert rows(database, "select count(*) from lead_fingerprints") == [0]


def test_the_same_again_is_refused_and_its_own_sender_learns_which(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    first = send(database)
    again = refused(database, lead(contact_email=" cora.canary@EXAMPLE.com".strip(), contact_name="Somebody else"))
    assert again.code == "lead_duplicate"
    assert (again.earlier.matched_fields, again.earlier.lead_id) == (("contact_email",), first.lead_id)
    assert again.earlier.created_at == value(database, "select created_at from leads")
    assert len(stored_leads(database)) == 1
    assert len(audited(database, "lead.taken_in")) == 1


def test_another_sender_learns_that_it_is_one_and_nothing_else(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    first = send(database)
    again = refused(database, actor=OTHER_PARTNER)
    assert (again.earlier.matched_fields, again.earlier.lead_id) == (("contact_email",), None)
    assert not any(each in str(again).lower() for each in (*CANARIES, first.lead_id))


def test_any_group_will_do_and_all_of_its_fields_have_to_agree(database: Database) -> None:
    any_of = (["contact_email"], ["contact_phone", "attributes.city"])
    open_niche(database, duplicate_rule=rule(*any_of))
    send(database)
    other = lead(contact_email="other@example.com")
    assert refused(database, other).earlier.matched_fields == ("attributes.city", "contact_phone")
    assert refused(database).earlier.matched_fields == ("attributes.city", "contact_email", "contact_phone")
    elsewhere = replace(other, attributes={"age": 41, "city": "Elsewhere"})
    assert send(database, elsewhere).status == "pending_approval"
    # A field that is not given agrees with nothing, not even with another that is not given.
    nameless = replace(lead(contact_email="third@example.com"), attributes={"age": 41})
    assert send(database, nameless).status == "pending_approval"
    assert send(database, replace(nameless, details={"contact_phone": "+49 30 7654321"})).status == "pending_approval"


def test_what_is_flagged_is_taken_in_and_waits_for_an_operator(database: Database) -> None:
    niche_id = open_niche(database, approves=True, duplicate_rule=FLAG)
    first = send(database)
    assert first.status == "approved"
    again = send(database)
    assert (again.status, again.duplicate_of is not None) == ("pending_approval", True)
    assert again.duplicate_of is not None
    assert (again.duplicate_of.matched_fields, again.duplicate_of.lead_id) == (("contact_email",), first.lead_id)
    intake = database.read(lambda conn: intake_of_lead(conn, again.lead_id))
    assert intake is not None
    assert (intake.duplicate_of, intake.duplicate_fields) == (first.lead_id, ("contact_email",))
    assert audited(database, "lead.taken_in")[1] == {
        "status": "pending_approval",
        "niche_id": niche_id,
        "via": "key",
        "duplicate_of": first.lead_id,
    }
    # Of several, the newest is named.
    third = send(database, actor=OTHER_PARTNER)
    intake = database.read(lambda conn: intake_of_lead(conn, third.lead_id))
    assert intake is not None
    assert intake.duplicate_of == again.lead_id
    assert third.duplicate_of is not None
    assert third.duplicate_of.lead_id is None


def test_what_came_between_an_attempt_and_its_repetition_is_not_earlier(database: Database) -> None:
    """The commit was not answered, another sender was quicker than the next attempt, and flagged itself."""
    open_niche(database, duplicate_rule=FLAG)
    others: list[str] = []
    with answers_lost(lambda: others.append(send(database, actor=OTHER_PARTNER).lead_id)):
        taken = send(database)
    assert taken.duplicate_of is None
    assert rows(database, "select lead_id::text, duplicate_of::text from lead_intakes order by taken_in_at") == [
        (taken.lead_id, None),
        (others[0], taken.lead_id),
    ]


def test_only_so_far_back(database: Database) -> None:
    with timed(database) as (market, clock):
        open_niche(market, duplicate_rule=BY_EMAIL)
        send(market)
        came_at = value(market, "select created_at from leads")
        clock.set(came_at + timedelta(days=89, hours=23))
        assert refusal(send, market) == "lead_duplicate"
        clock.set(came_at + timedelta(days=90))
        assert send(market).status == "pending_approval"


def test_or_for_ever(database: Database) -> None:
    with timed(database) as (market, clock):
        open_niche(market, duplicate_rule=rule(["contact_email"], duplicate_window_days=None))
        send(market)
        clock.set(clock.now() + timedelta(days=30 * 365))
        assert refusal(send, market) == "lead_duplicate"


def test_in_the_niche_alone_or_in_the_whole_marketplace(database: Database) -> None:
    wide = rule(["contact_email"], scope="marketplace")
    open_niche(database, "moving", duplicate_rule=BY_EMAIL)
    open_niche(database, "cleaning")
    open_niche(database, "painting", duplicate_rule=wide)
    send(database, replace(LEAD, niche_slug="cleaning"))
    # A niche without a rule takes the same in as often as it comes; one that looks around finds it there.
    send(database, replace(LEAD, niche_slug="cleaning"))
    assert refusal(send, database, replace(LEAD, niche_slug="painting")) == "lead_duplicate"
    assert send(database).status == "pending_approval"
    assert refusal(send, database) == "lead_duplicate"


@pytest.mark.parametrize(("status", "counts"), [("rejected", False), ("bad", True), ("approved", True)])
@rows_by_hand(APPROVED, CLOSED, WAITS)
def test_what_counts_as_there(database: Database, status: str, counts: bool) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    first = send(database)
    if status == "rejected":
        reject_lead(database, first.lead_id, "a test", OPERATOR)
    else:
        value(database, "update leads set status = %s, approved_at = created_at", status)
    if counts:
        assert refusal(send, database) == "lead_duplicate"
    else:
        assert send(database).status == "pending_approval"


def test_an_unconfirmed_lead_blocks_no_other(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    visit(database)
    visit(database)
    assert send(database).status == "pending_approval"
    # And a visitor without a key is not told that the consumer asked before.
    taken = visit(database)
    assert (taken.status, taken.duplicate_of) == ("pending_confirmation", None)


def test_a_rule_holds_from_the_next_lead_on(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    send(database)
    change_intake_policy(database, "moving", IntakePolicy(duplicate_rule=FLAG), OPERATOR)
    assert send(database).duplicate_of is not None
    change_intake_policy(database, "moving", IntakePolicy(), OPERATOR)
    assert send(database).duplicate_of is None


def test_a_fingerprint_is_of_the_marketplaces_secret(database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    send(database)
    assert rows(database, "select octet_length(secret) from intake_secret") == [32]
    value(database, "update intake_secret set secret = sha256(secret)")
    assert send(database, actor=PARTNER).status == "pending_approval"
    assert rows(database, "select count(distinct fingerprint) from lead_fingerprints") == [2]


BY_PHONE = rule(["contact_phone"])


@pytest.mark.parametrize(
    ("region", "first", "second"),
    [
        (None, "+49 (0)30 5550102", "+49 30 5550102"),
        (None, "p:+4930 5550102", "0049 (0) 30 / 5550102"),
        ("DE", "030 5550102", "+49 (0)30 5550102"),
        ("GB", "020 7946 0018", "+44 20 7946 0018"),
    ],
)
def test_one_telephone_number_is_one_in_every_writing(
    database: Database, region: str | None, first: str, second: str
) -> None:
    niche_id = open_niche(database, duplicate_rule=BY_PHONE)
    change_niche(database, niche_id, NicheChange(phone_region=region), OPERATOR)
    send(database, lead(contact_phone=first))
    assert refused(database, lead(contact_phone=second)).earlier.matched_fields == ("contact_phone",)


def test_numbers_of_two_regions_are_two(database: Database) -> None:
    niche_id = open_niche(database, duplicate_rule=BY_PHONE)
    change_niche(database, niche_id, NicheChange(phone_region="AT"), OPERATOR)
    send(database, lead(contact_phone="030 5550102"))
    assert send(database, lead(contact_phone="+49 30 5550102")).duplicate_of is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a@m\u00fcller.de", "a@xn--mller-kva.de"),
        ("ann@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com", "Ann@example.com"),
        ("jo\u0308rg@example.com", "J\u00d6RG@example.com"),
    ],
)
def test_one_mailbox_is_one_in_every_writing(database: Database, first: str, second: str) -> None:
    open_niche(database, duplicate_rule=rule(["contact_email"]))
    send(database, lead(contact_email=first))
    assert refused(database, lead(contact_email=second)).earlier.matched_fields == ("contact_email",)
