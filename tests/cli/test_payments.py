"""`fairlead payments`: what came and how, what is in doubt and how that is decided, and top-ups that went off."""

import pytest

from fairlead.flows.money.deposit import deposit
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.cli.program import Program
from tests.flows.payments.paying import GATEWAY, MEMO, ask, balance, doubts, state_of
from tests.flows.payments.topping_up import charge_now, switch_on
from tests.flows.sales import BOWLINE, query


@pytest.fixture
def fairlead(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(monkeypatch, capsys, database_url)


def open_doubt(database: Database) -> str:
    [(doubt_id,)] = query(database, "select id::text from payment_doubts where resolved_at is null")
    return doubt_id


def test_the_list_has_what_gateways_collect_and_what_was_paid_elsewhere(fairlead: Program, database: Database) -> None:
    assert fairlead("payments", "list").out == "No payments.\n"
    asked = ask(database)
    deposit(database, asked.anchor_id, 700, "bank_transfer", "2026-11/1", OPERATOR)
    take_report(database, GATEWAY, asked.paid)
    listed = fairlead("payments", "list", "--json").json
    assert [(each["gateway"], each["amount_cents"], each["state"]) for each in listed[:2]] == [
        ("bank_transfer", 700, "succeeded"),
        ("test_gateway", 1400, "succeeded"),
    ]
    of_bowline = fairlead("payments", "list", "--provider", BOWLINE.upper(), "--json").json
    assert {each["provider_name"] for each in of_bowline} == {"Bowline"}
    assert "14.00 EUR" in fairlead("payments", "list", "--provider", BOWLINE).out
    assert fairlead("payments", "list", "--state", "in_review").out == "No payments.\n"


def test_one_payment_is_shown_by_its_request_and_by_its_payment(fairlead: Program, database: Database) -> None:
    asked = ask(database)
    take_report(database, GATEWAY, asked.reported(amount_cents=1300))
    shown = fairlead("payments", "show", asked.request_id).out
    assert "in_review: other_amount" in shown
    assert f"fairlead payments credit or close {open_doubt(database)}" in shown
    take_report(database, GATEWAY, asked.reported(charge_reference="charge-2"))
    by_request = fairlead("payments", "show", asked.request_id, "--json").json
    assert (by_request["state"], by_request["external_id"]) == ("succeeded", "charge-2")
    assert [each["kind"] for each in by_request["doubts"]] == ["other_amount"]
    assert fairlead("payments", "show", by_request["payment_id"], "--json").json == by_request


def test_a_payment_in_doubt_is_credited_once(fairlead: Program, database: Database) -> None:
    asked = ask(database)
    assert fairlead("payments", "doubts").out == "No payment is in doubt.\n"
    take_report(database, GATEWAY, asked.reported(amount_cents=1300))
    [listed] = fairlead("payments", "doubts", "--json").json
    assert (listed["kind"], listed["requested_cents"], listed["amount_cents"]) == ("other_amount", 1400, 1300)
    assert "13.00 EUR" in fairlead("payments", "doubts").out
    doubt_id = open_doubt(database)
    ran = fairlead("payments", "credit", doubt_id, "--memo", MEMO)
    assert (ran.status, ran.out) == (0, "credited; the balance is 19.00 EUR\n")
    assert (balance(database, asked.bowline_id), doubts(database)) == (1900, [("other_amount", "credited")])
    again = fairlead("payments", "credit", doubt_id, "--memo", MEMO)
    assert (again.status, again.err) == (1, "error: the payment in doubt was resolved already\n")


def test_an_unknown_payment_is_credited_to_the_provider_that_is_named(fairlead: Program, database: Database) -> None:
    asked = ask(database)
    take_report(database, GATEWAY, asked.reported(request_id=None))
    doubt_id = open_doubt(database)
    unnamed = fairlead("payments", "credit", doubt_id, "--memo", MEMO)
    assert (unnamed.status, "name its provider" in unnamed.err) == (1, True)
    done = fairlead("payments", "credit", doubt_id, "--provider", BOWLINE, "--memo", MEMO, "--json").json
    assert (done["provider_id"], done["balance_after_cents"]) == (asked.bowline_id, 2000)


def test_what_was_sent_back_at_the_gateway_is_closed(fairlead: Program, database: Database) -> None:
    asked = ask(database)
    take_report(database, GATEWAY, asked.reported(currency="USD"))
    shown = fairlead("payments", "doubts").out
    assert ("14.00 USD" in shown, "14.00 EUR" in shown) == (True, True), "what came, and what was asked for"
    assert fairlead("payments", "close", open_doubt(database), "--memo", MEMO).out == "closed; no money was moved\n"
    assert (state_of(database, asked), balance(database, asked.bowline_id)) == (("failed", "other_currency"), 600)


def test_auto_top_ups_that_went_off_are_listed_until_they_are_set_anew(fairlead: Program, database: Database) -> None:
    assert fairlead("payments", "top-ups").out == "No auto top-up was switched off by a refused charge.\n"
    bowline = switch_on(database, "declines_for_good")
    charge_now(database)
    [listed] = fairlead("payments", "top-ups", "--json").json
    assert (listed["provider_id"], listed["off_reason"], listed["amount_cents"]) == (bowline, "lost_card", 1400)
    assert listed["refused_at"] is not None
    assert "lost_card" in fairlead("payments", "top-ups").out
    shown = fairlead("status").out
    assert "top-ups      1 switched off by refused charges: fairlead payments top-ups" in shown


def test_the_status_names_payments_in_doubt(fairlead: Program, database: Database) -> None:
    asked = ask(database)
    assert "in doubt" not in fairlead("status").out
    take_report(database, GATEWAY, asked.reported(request_id=None))
    assert "payments     1 in doubt, the oldest for 0.0 h: fairlead payments doubts" in fairlead("status").out
    work = fairlead("status", "--json").json["work"]
    assert (work["payments"]["doubt_count"], work["payments"]["switched_off_count"]) == (1, 0)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("list", "--state", "paid"), 2, "--state: there is no state 'paid'"),
        (("list", "--provider", "no@example.com"), 1, "there is no provider"),
        (("show", "7"), 2, "7"),
        (("show", new_id()), 1, "there is no payment"),
        (("close", new_id(), "--memo", MEMO), 1, "there is no payment in doubt"),
        (("close", new_id(), "--memo", "short"), 2, "memo"),
        (("credit", "7", "--memo", MEMO), 2, "'7' is no id of a payment in doubt: it should look like"),
        (("close", "7", "--memo", MEMO), 2, "'7' is no id of a payment in doubt: it should look like"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_what_is_refused_is_told_in_a_line(fairlead: Program, words: tuple[str, ...], status: int, told: str) -> None:
    ran = fairlead("payments", *words)
    assert (ran.status, told in ran.err, ran.err.count("\n")) == (status, True, 1), ran
