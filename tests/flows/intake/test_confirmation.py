"""The owner of the address confirms the lead, however often; no other does, and no other learns anything by it."""

from dataclasses import replace

import pytest

from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, Throttled
from fairlead.flows.access.tokens import new_token
from fairlead.flows.intake.confirmation import Confirmed, confirm_lead
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy, intake_of_lead
from tests.flows.access.people import actions, refusal, rows, value
from tests.flows.intake.senders import BY_EMAIL, VISITOR, link, open_niche, rule, send, visit
from tests.flows.niches import audited, stored_leads
from tests.lost_answers import answers_lost


def test_a_click_sends_the_lead_on_and_a_second_is_told_the_same(database: Database) -> None:
    open_niche(database, is_public=True, approves=True)
    lead_id = visit(database).lead_id
    token, second = link(database, lead_id), link(database, lead_id)
    assert confirm_lead(database, token, VISITOR) == Confirmed(lead_id, was_already=False)
    assert stored_leads(database, "status, approved_at") == [("pending_approval", None)]
    assert audited(database, "lead.confirmed") == [{"status": "pending_approval"}]
    for again in (token, second, token):
        assert confirm_lead(database, again, VISITOR) == Confirmed(lead_id, was_already=True)
    assert actions(database).count("lead.confirmed") == 1


def test_what_became_of_it_later_is_not_the_consumers_to_know(database: Database) -> None:
    open_niche(database, is_public=True)
    lead_id = visit(database).lead_id
    token = link(database, lead_id)
    confirm_lead(database, token, VISITOR)
    reject_lead(database, lead_id, "too far away", OPERATOR)
    assert confirm_lead(database, token, VISITOR) == Confirmed(lead_id, was_already=True)
    assert stored_leads(database, "status") == ["rejected"]


def test_what_is_no_link_opens_nothing(database: Database) -> None:
    open_niche(database, is_public=True)
    visit(database)
    for token in (new_token(), "", "\ud800", "x" * 10_000):
        assert refusal(confirm_lead, database, token, VISITOR) == "token_refused"
    assert stored_leads(database, "status") == ["pending_confirmation"]


def test_a_link_is_good_until_the_lead_has_to_be_confirmed(database: Database) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    value(database, "update confirmation_tokens set created_at = created_at - interval '7 days'")
    value(database, "update confirmation_tokens set expires_at = expires_at - interval '6 days 23 hours 59 minutes'")
    assert not confirm_lead(database, token, VISITOR).was_already
    other = link(database, visit(database).lead_id)
    value(database, "update confirmation_tokens set created_at = created_at - interval '8 days'")
    value(database, "update confirmation_tokens set expires_at = expires_at - interval '7 days'")
    assert refusal(confirm_lead, database, other, VISITOR) == "token_refused"
    assert stored_leads(database, "status") == ["pending_approval", "pending_confirmation"]


def test_a_lead_that_was_rejected_meanwhile_stays_so(database: Database) -> None:
    open_niche(database, is_public=True)
    lead_id = visit(database).lead_id
    token = link(database, lead_id)
    reject_lead(database, lead_id, "a joke", OPERATOR)
    assert refusal(confirm_lead, database, token, VISITOR) == "token_refused"
    assert stored_leads(database, "status") == ["rejected"]


def test_guessing_is_limited_and_what_succeeds_does_not_count(database: Database) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    for _ in range(TOKEN_OF_ADDRESS.capacity + 2):
        confirm_lead(database, token, VISITOR)
    for _ in range(TOKEN_OF_ADDRESS.capacity):
        assert refusal(confirm_lead, database, new_token(), VISITOR) == "token_refused"
    with pytest.raises(Throttled):
        confirm_lead(database, token, VISITOR)
    assert confirm_lead(database, token, replace(VISITOR, ip="203.0.113.9")).was_already


def test_an_attempt_whose_commit_was_not_answered_is_found(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    token = link(database, visit(database).lead_id)
    with answers_lost() as lost:
        assert not confirm_lead(database, token, VISITOR).was_already
    assert lost
    assert stored_leads(database, "status") == ["pending_approval"]
    assert actions(database).count("lead.confirmed") == 1


# Duplicates ----------------------------------------------------------------------------------------------------------


def test_only_a_confirmed_lead_is_held_against_others(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    first, second = visit(database).lead_id, visit(database).lead_id
    assert confirm_lead(database, link(database, second), VISITOR) == Confirmed(second, was_already=False)
    assert refusal(send, database) == "lead_duplicate"
    # The older one is the repetition: it was confirmed later. Its answer does not tell.
    assert confirm_lead(database, link(database, first), VISITOR) == Confirmed(first, was_already=False)
    assert stored_leads(database, "id::text, status, rejected_by, rejection_reason") == [
        (first, "rejected", "anonymous", f"it repeats the lead {second} in contact_email"),
        (second, "pending_approval", None, None),
    ]
    intake = database.read(lambda conn: intake_of_lead(conn, first))
    assert intake is not None
    assert (intake.duplicate_of, intake.duplicate_fields) == (second, ("contact_email",))
    assert actions(database)[-2:] == ["lead.confirmed", "lead.rejected"]


def test_a_repetition_may_be_flagged(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=rule(["contact_email"], action="flag"))
    first = send(database).lead_id
    second = visit(database).lead_id
    confirm_lead(database, link(database, second), VISITOR)
    assert stored_leads(database, "status") == ["pending_approval", "pending_approval"]
    assert rows(database, "select duplicate_of::text from lead_intakes order by lead_id") == [None, first]
    assert audited(database, "lead.confirmed") == [{"status": "pending_approval", "duplicate_of": first}]


def test_the_rule_is_the_one_at_the_time_of_the_click(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    send(database)
    lead_id = visit(database).lead_id
    change_intake_policy(database, "moving", IntakePolicy(is_public=False), OPERATOR)
    confirm_lead(database, link(database, lead_id), VISITOR)
    assert stored_leads(database, "status") == ["pending_approval", "pending_approval"]
