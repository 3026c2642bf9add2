"""A consumer sees by a link how far the request has come and who has it, and withdraws it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest

from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import Refused
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import IntakeLead
from fairlead.flows.intake.own_request import (
    IS_CHECKED_FOR,
    LINK_LASTS,
    MOST_LINKS,
    ShownRequest,
    Withdrawn,
    link_to_request,
    request_token,
    show_request,
    withdraw_request,
)
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.consumer_links import insert_consumer_link
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.leads.rows import clock
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.access.people import value
from tests.flows.intake.senders import CONSENT, VISITOR, link, rule, visit
from tests.flows.marketplaces import HOSTING, declare, everything
from tests.flows.notifications.mail import text_of
from tests.flows.notifications.stage import ANCHOR, set_endpoint, settings_for, work_off
from tests.flows.sales import query, told

SITE = "https://leads.example.com"


def open_market(database: Database, **policy: Any) -> None:
    declare(database, HOSTING)
    change_intake_policy(database, "hosting", IntakePolicy(is_public=True, **policy), OPERATOR)


def ask(database: Database, *, email: str = "cora@example.com", language: str | None = None) -> str:
    """A consumer's request for hosting; its id."""
    details = {"contact_name": "Cora Canary", "contact_email": email, "contact_phone": "+34 600 123 456"}
    sent = IntakeLead("hosting", {"cores": 8, "region": "north"}, details, CONSENT, language)
    return visit(database, sent).lead_id


def confirmed(database: Database, **more: Any) -> str:
    lead_id = ask(database, **more)
    confirm_lead(database, link(database, lead_id), VISITOR)
    return lead_id


def own_link(database: Database, lead_id: str) -> str:
    with database.transaction() as conn:
        url = link_to_request(conn, lead_id, SITE, clock(conn))
    assert url is not None
    return url.partition("#")[2]


def distribute(database: Database) -> None:
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    Distributor(database).distribute_waiting(niche_id)


def sold(database: Database) -> str:
    lead_id = confirmed(database)
    approve_lead(database, lead_id, OPERATOR)
    distribute(database)
    return lead_id


def seen(database: Database, token: str) -> ShownRequest:
    return show_request(database, token, VISITOR)


def test_the_state_is_told_in_the_order_of_what_happens(database: Database) -> None:
    open_market(database)
    lead_id = ask(database)
    token = own_link(database, lead_id)
    assert (seen(database, token).state, seen(database, token).may_withdraw) == ("waiting_for_confirmation", True)
    confirm_lead(database, link(database, lead_id), VISITOR)
    assert seen(database, token).state == "being_checked"
    approve_lead(database, lead_id, OPERATOR)
    assert seen(database, token).state == "being_checked"
    distribute(database)
    shown = seen(database, token)
    assert (shown.state, shown.niche_name, shown.may_withdraw) == ("passed_on", "Hosting", True)
    assert [(each.name, each.email) for each in shown.recipients] == [
        ("Anchor", "anchor@example.com"),
        ("Bowline", "bowline@example.com"),
    ]


def test_a_request_that_repeats_another_looks_like_one_that_is_checked(database: Database) -> None:
    """Who typed a stranger's telephone number does not learn that the stranger asked for the same."""
    open_market(database, duplicate_rule=rule(["contact_phone"]))
    first, again = confirmed(database), confirmed(database, email="eve@example.com")
    assert [value(database, "select status from leads where id = %s", each) for each in (first, again)] == [
        "pending_approval",
        "rejected",
    ]
    shown = [seen(database, own_link(database, each)) for each in (first, again)]
    assert [(each.state, each.may_withdraw, each.recipients) for each in shown] == [("being_checked", True, ())] * 2
    query(database, "update lead_intakes set confirmed_at = confirmed_at - %s returning 1", IS_CHECKED_FOR)
    assert [seen(database, own_link(database, each)).state for each in (first, again)] == ["not_passed_on"] * 2
    query(database, "update lead_intakes set confirmed_at = confirmed_at + %s returning 1", IS_CHECKED_FOR)


def test_withdrawn_before_it_is_sold_it_is_rejected_with_that_reason_and_never_sold(database: Database) -> None:
    open_market(database)
    lead_id = confirmed(database)
    approve_lead(database, lead_id, OPERATOR)
    token = own_link(database, lead_id)
    assert withdraw_request(database, token, VISITOR) == Withdrawn(was_already=False, was_passed_on=False)
    assert query(database, "select status, rejection_reason, rejected_by from leads") == [
        ("rejected", "withdrawn by the consumer", "consumer")
    ]
    distribute(database)
    assert query(database, "select count(*) from assignments") == [(0,)]
    shown = seen(database, token)
    assert (shown.state, shown.may_withdraw) == ("withdrawn", False)
    assert withdraw_request(database, token, VISITOR) == Withdrawn(was_already=True, was_passed_on=False)
    audited = query(
        database, "select action, actor from audit_log where action like 'lead.%%' order by seq desc limit 2"
    )
    assert audited == [("lead.withdrawn", "consumer"), ("lead.rejected", "consumer")]


def test_withdrawn_after_it_is_sold_it_stays_sold_and_each_recipient_is_told_once(database: Database) -> None:
    open_market(database)
    token = own_link(database, sold(database))
    balances = query(database, "select name, balance_cents from providers order by name")
    for was_already in (False, True):
        assert withdraw_request(database, token, VISITOR) == Withdrawn(was_already, was_passed_on=True)
    assert query(database, "select status from leads") == [("distributed",)]
    assert query(database, "select name, balance_cents from providers order by name") == balances
    assert sorted(name for name, _ in told(database, "lead_withdrawn")) == ["Anchor", "Bowline"]
    shown = seen(database, token)
    assert (shown.state, shown.may_withdraw, len(shown.recipients)) == ("passed_on", False, 2)
    assert shown.withdrawn_at is not None


def test_a_withdrawal_reaches_the_system_of_a_recipient_once(database: Database) -> None:
    open_market(database)
    token = own_link(database, sold(database))
    with receiver(says(204)) as crm:
        set_endpoint(database, crm.url(), ANCHOR)
        for _ in range(2):
            withdraw_request(database, token, VISITOR)
        work_off(database, settings_for(), rounds=2)
    [request] = crm.requests
    body = json.loads(request.body)
    assert body["type"] == "lead.withdrawn"
    [(lead_id, withdrawn_at)] = query(database, "select id::text, withdrawn_at from leads")
    assert (body["data"]["lead_id"], body["data"]["withdrawn_at"]) == (lead_id, timestamp_text(withdrawn_at))
    assert b"Cora" not in request.body


def test_a_link_leads_to_one_request_and_a_wrong_one_to_none(database: Database) -> None:
    open_market(database)
    first, second = confirmed(database), confirmed(database, email="ann@example.com")
    withdraw_request(database, own_link(database, second), VISITOR)
    assert query(database, "select id::text from leads where withdrawn_at is not null") == [(second,)]
    expired = new_token()
    with database.transaction() as conn:
        at = clock(conn) - LINK_LASTS
        insert_consumer_link(conn, hash_of(expired), first, at, at + LINK_LASTS)
    for wrong in (expired, "x", link(database, first)):
        for act in (show_request, withdraw_request):
            with pytest.raises(Refused, match="expired, or it never was") as refused:
                act(database, wrong, VISITOR)
            assert refused.value.code == "token_refused"
    with pytest.raises(Refused) as refused:
        confirm_lead(database, own_link(database, first), VISITOR)
    assert refused.value.code == "token_refused", "what shows a request confirms none"


def test_wrong_links_are_counted_and_good_ones_are_not(database: Database) -> None:
    open_market(database)
    token = own_link(database, confirmed(database))
    for _ in range(30):
        seen(database, token)
    codes: list[str] = []
    for number in range(25):
        with pytest.raises(Refused) as refused:
            show_request(database, f"guess-{number}", VISITOR)
        codes.append(refused.value.code)
    assert codes[0] == "token_refused"
    assert codes[-1] == "too_many_attempts"


def test_links_are_kept_as_hashes_and_are_not_without_number(database: Database) -> None:
    open_market(database)
    lead_id = confirmed(database)
    tokens = [own_link(database, lead_id) for _ in range(MOST_LINKS - 1)]
    with database.transaction() as conn:
        assert link_to_request(conn, lead_id, SITE, clock(conn)) is None
    assert not any(tokens[0] in line for lines in everything(database).values() for line in lines)


def test_who_confirms_is_given_the_same_link_each_time_and_it_confirms_nothing(database: Database) -> None:
    open_market(database)
    lead_id = ask(database)
    confirming = link(database, lead_id)
    token = request_token(confirming)
    with pytest.raises(Refused):
        seen(database, token)
    for _ in range(2):
        confirm_lead(database, confirming, VISITOR)
        assert seen(database, token).state == "being_checked"
    with pytest.raises(Refused):
        seen(database, confirming)


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        (None, "Your request, and how to withdraw it", "and you can withdraw it"),
        ("de", "Ihre Anfrage, und wie Sie sie zurückziehen", "und Sie können sie zurückziehen"),
        ("fr", "Your request, and how to withdraw it", "and you can withdraw it"),
    ],
)
def test_the_message_after_the_confirmation_has_the_link_in_the_consumers_language(
    database: Database, language: str | None, subject: str, words: str
) -> None:
    open_market(database)
    lead_id = ask(database, language=language)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
        [asking] = inbox.messages
        [withdrawing] = re.findall(rf"{re.escape(SITE)}/my-request#([\w-]{{43}})\s", text_of(asking))
        assert seen(database, withdrawing).state == "waiting_for_confirmation"
        confirm_lead(database, link(database, lead_id), VISITOR)
        work_off(database, settings_for(port, public_url=SITE))
    [_, message] = inbox.messages
    assert message["Subject"] == subject
    assert words in text_of(message)
    assert "Canary" not in text_of(message)
    [token] = re.findall(rf"{re.escape(SITE)}/my-request#([\w-]{{43}})\s", text_of(message))
    assert seen(database, token).state == "being_checked"


@pytest.mark.parametrize("rival", ["approval", "distribution", "rejection", "withdrawal"])
@pytest.mark.parametrize("round_", range(3))
def test_a_withdrawal_and_what_happens_at_the_same_moment_leave_one_truth(
    database: Database, rival: str, round_: int
) -> None:
    """Either it is withdrawn and never sold, or sold, and those who bought it are told."""
    open_market(database)
    lead_id = confirmed(database)
    if rival != "approval":
        approve_lead(database, lead_id, OPERATOR)
    token = own_link(database, lead_id)
    barrier = Barrier(2)

    def withdraw() -> Withdrawn:
        barrier.wait()
        return withdraw_request(database, token, VISITOR)

    def compete() -> None:
        barrier.wait()
        if rival == "distribution":
            distribute(database)
        elif rival == "withdrawal":
            withdraw_request(database, token, VISITOR)
        elif rival == "rejection":
            with suppress(Refused):
                reject_lead(database, lead_id, "not for us", OPERATOR)
        else:
            with suppress(Refused):
                approve_lead(database, lead_id, OPERATOR)

    with ThreadPoolExecutor(2) as pool:
        done, other = pool.submit(withdraw), pool.submit(compete)
        result = done.result()
        other.result()
    distribute(database)
    [(status, count)] = query(
        database, "select l.status, (select count(*) from assignments) from leads l where withdrawn_at is not null"
    )
    assert (status, count) == (("distributed", 2) if result.was_passed_on else ("rejected", 0))
    assert len(told(database, "lead_withdrawn")) == count
