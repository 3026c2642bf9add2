"""Money by hand over HTTP: who may, once, and what the books say afterwards."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.flows.sales import MEMO, PORTAL, Sale, balances, query, told

ADMIN = "/api/v1/admin"
ONCE = {"Idempotency-Key": "k-1"}
AGAIN = {"Idempotency-Key": "k-2"}
CREDIT = {"direction": "credit", "amount_cents": 700, "memo": MEMO}
DEBIT = {"direction": "debit", "amount_cents": 700, "memo": MEMO}

pytestmark = pytest.mark.usefixtures("sale")


def test_a_credit_and_a_debit_are_in_the_ledger(ann: TestClient, sale: Sale, database: Database) -> None:
    address = f"{ADMIN}/providers/{sale.anchor_id}/adjustments"
    credited = ann.post(address, json=CREDIT, headers=ONCE)
    assert credited.status_code == 201
    assert credited.json() == {
        "provider_id": sale.anchor_id,
        "amount_cents": 700,
        "currency": "EUR",
        "ledger_seq": 3,
        "balance_after_cents": 3700,
        "reactivated_subscription_ids": [],
        "deactivated_subscription_ids": [],
    }
    debited = ann.post(address, json=DEBIT, headers=AGAIN).json()
    assert (debited["amount_cents"], debited["balance_after_cents"]) == (-700, 3000)
    entries = query(
        database,
        "select kind, amount_cents, memo from ledger_entries where provider_id = %s and seq > 2",
        sale.anchor_id,
    )
    assert entries == [("manual_credit", 700, MEMO), ("manual_debit", -700, MEMO)]


def test_sent_again_it_is_one_movement_and_otherwise_it_is_refused(
    ann: TestClient, sale: Sale, database: Database
) -> None:
    address = f"{ADMIN}/providers/{sale.anchor_id}/adjustments"
    first = ann.post(address, json=CREDIT, headers=ONCE)
    again = ann.post(address, json=CREDIT, headers=ONCE)
    assert (again.status_code, again.json()) == (201, first.json())
    other = ann.post(address, json={**CREDIT, "amount_cents": 701}, headers=ONCE)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = ann.post(f"{ADMIN}/providers/{sale.bowline_id}/adjustments", json=CREDIT, headers=ONCE)
    assert elsewhere.json()["code"] == "idempotency_key_reused"
    without = ann.post(address, json=CREDIT)
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_missing")
    assert balances(database) == {"Anchor": 3700, "Bowline": 100}


def test_a_key_is_its_users_own(ann: TestClient, sale: Sale, database: Database) -> None:
    address = f"{ADMIN}/providers/{sale.anchor_id}/adjustments"
    ben = an_admin(application(database), database, "ben@example.com")
    assert [each.post(address, json=CREDIT, headers=ONCE).status_code for each in (ann, ben)] == [201, 201]
    assert balances(database)["Anchor"] == 4400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount_cents": 0}, "/amount_cents"),
        ({"amount_cents": -5}, "/amount_cents"),
        ({"amount_cents": 10**13}, "/amount_cents"),
        ({"amount_cents": "700"}, "/amount_cents"),
        ({"amount_cents": True}, "/amount_cents"),
        ({"amount_cents": 7.5}, "/amount_cents"),
        ({"direction": "sideways"}, "/direction"),
        ({"memo": "too short"}, "/memo"),
        ({"memo": "x" * 501}, "/memo"),
        ({"memo": "two\nlines of a memo"}, "/memo"),
        ({"currency": "EUR"}, "/currency"),
    ],
)
def test_what_is_no_adjustment_is_refused(
    ann: TestClient, sale: Sale, database: Database, change: dict[str, Any], pointer: str
) -> None:
    answer = ann.post(f"{ADMIN}/providers/{sale.anchor_id}/adjustments", json={**CREDIT, **change}, headers=ONCE)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])
    assert balances(database) == {"Anchor": 3000, "Bowline": 100}


def test_a_debit_into_debt_and_an_unknown_provider_are_refused(ann: TestClient, sale: Sale) -> None:
    poor = ann.post(f"{ADMIN}/providers/{sale.bowline_id}/adjustments", json=DEBIT, headers=ONCE)
    assert (poor.status_code, poor.json()["code"]) == (409, "insufficient_balance")
    gone = ann.post(f"{ADMIN}/providers/{new_id()}/adjustments", json=CREDIT, headers=ONCE)
    assert (gone.status_code, gone.json()["code"]) == (404, "provider_unknown")


def test_more_than_a_balance_holds_is_refused_with_a_code(
    ann: TestClient, sale: Sale, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    monkeypatch.setattr("fairlead.core.ledger.MAX_BALANCE_CENTS", 3699)
    asked: list[tuple[str, dict[str, Any]]] = [
        (f"{ADMIN}/providers/{sale.anchor_id}/adjustments", CREDIT),
        (f"{ADMIN}/assignments/{sale.anchor}/refund", {"memo": MEMO}),
        (f"{ADMIN}/bad-lead-reports/{sale.anchor}/accept", {"memo": MEMO}),
        (f"{ADMIN}/leads/{sale.lead_id}/mark-bad", {"memo": MEMO}),
    ]
    for number, (address, body) in enumerate(asked):
        answer = ann.post(address, json=body, headers={"Idempotency-Key": f"large-{number}"})
        assert (answer.status_code, answer.json()["code"]) == (409, "balance_too_large"), address
    assert balances(database) == {"Anchor": 3000, "Bowline": 100}


def test_an_assignment_is_refunded_once(ann: TestClient, sale: Sale, database: Database) -> None:
    address = f"{ADMIN}/assignments/{sale.bowline}/refund"
    done = ann.post(address, json={"memo": MEMO}, headers=ONCE)
    assert done.status_code == 200
    assert (done.json()["amount_cents"], done.json()["balance_after_cents"], done.json()["currency"]) == (
        500,
        600,
        "EUR",
    )
    assert done.json()["lead_id"] == sale.lead_id
    assert ann.post(address, json={"memo": MEMO}, headers=ONCE).json() == done.json()
    again = ann.post(address, json={"memo": MEMO}, headers=AGAIN)
    assert (again.status_code, again.json()["code"]) == (409, "assignment_refunded")
    unknown = ann.post(f"{ADMIN}/assignments/{new_id()}/refund", json={"memo": MEMO}, headers=AGAIN)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "assignment_unknown")
    assert balances(database) == {"Anchor": 3000, "Bowline": 600}
    assert told(database, "refund_issued") == [("Bowline", None)]


@pytest.mark.parametrize("memo", ["too short", "x" * 1001, None])
def test_a_refund_says_why(ann: TestClient, sale: Sale, memo: str | None) -> None:
    answer = ann.post(f"{ADMIN}/assignments/{sale.anchor}/refund", json={"memo": memo}, headers=ONCE)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/memo")


EVIDENCE = "mail of 2 March:\nI asked no one"


def report(database: Database, provider_id: str, assignment_id: str) -> None:
    report_bad_lead(
        database,
        provider_id,
        assignment_id,
        "spam",
        "she never asked",
        PORTAL,
        evidence=EVIDENCE,
    )


def test_reports_wait_in_order_and_are_decided_once(ann: TestClient, sale: Sale, database: Database) -> None:
    report(database, sale.bowline_id, sale.bowline)
    report(database, sale.anchor_id, sale.anchor)
    first = ann.get(f"{ADMIN}/bad-lead-reports", params={"limit": 1}).json()
    [item] = first["items"]
    assert (item["assignment_id"], item["provider_name"], item["price_cents"], item["currency"], item["note"]) == (
        sale.bowline,
        "Bowline",
        500,
        "EUR",
        "she never asked",
    )
    second = ann.get(f"{ADMIN}/bad-lead-reports", params={"cursor": first["next_cursor"]}).json()
    assert ([each["assignment_id"] for each in second["items"]], second["next_cursor"]) == ([sale.anchor], None)

    accepted = ann.post(f"{ADMIN}/bad-lead-reports/{sale.bowline}/accept", json={"memo": MEMO}, headers=ONCE).json()
    assert (accepted["decision"], accepted["refund"]["balance_after_cents"]) == ("accepted", 600)
    rejected = ann.post(f"{ADMIN}/bad-lead-reports/{sale.anchor}/reject", json={"memo": MEMO}, headers=AGAIN).json()
    assert (rejected["decision"], rejected["refund"]) == ("rejected", None)
    assert ann.get(f"{ADMIN}/bad-lead-reports").json() == {"items": [], "next_cursor": None}
    assert balances(database) == {"Anchor": 3000, "Bowline": 600}
    for verb in ("accept", "reject"):
        over = ann.post(
            f"{ADMIN}/bad-lead-reports/{sale.anchor}/{verb}", json={"memo": MEMO}, headers={"Idempotency-Key": verb}
        )
        assert (over.status_code, over.json()["code"]) == (409, "bad_lead_decided")


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_what_was_not_reported_is_not_decided(ann: TestClient, sale: Sale, verb: str) -> None:
    answer = ann.post(f"{ADMIN}/bad-lead-reports/{sale.anchor}/{verb}", json={"memo": MEMO}, headers=ONCE)
    assert (answer.status_code, answer.json()["code"]) == (409, "bad_lead_not_reported")
    unknown = ann.post(f"{ADMIN}/bad-lead-reports/{new_id()}/{verb}", json={"memo": MEMO}, headers=ONCE)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "assignment_unknown")
    bare = ann.post(f"{ADMIN}/bad-lead-reports/{sale.anchor}/{verb}", json={"memo": MEMO})
    assert bare.json()["code"] == "idempotency_key_missing"


MOVES = ["providers/{anchor_id}/adjustments", "assignments/{anchor}/refund"]
MOVES += ["bad-lead-reports/{anchor}/accept", "bad-lead-reports/{anchor}/reject"]


@pytest.mark.parametrize("path", MOVES)
def test_money_moves_for_operators_with_a_fresh_proof_alone(
    ann: TestClient, sale: Sale, database: Database, path: str
) -> None:
    app = application(database)
    report(database, sale.anchor_id, sale.anchor)
    address = f"{ADMIN}/" + path.format(anchor_id=sale.anchor_id, anchor=sale.anchor)
    asked = CREDIT if "adjustments" in path else {"memo": MEMO}
    for provider_id, email in ((sale.anchor_id, "sales@anchor.example"), (sale.bowline_id, "sales@bowline.example")):
        answer = a_provider(app, database, provider_id, email).post(address, json=asked, headers=ONCE)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert anonymous(app).post(address, json=asked, headers=ONCE).status_code == 401
    # No key can have the scope that this takes.
    key = operators_key(database, Permission.LEADS_APPROVE, Permission.MONEY_READ)
    assert machine(app, key).post(address, json=asked, headers=ONCE).json()["code"] == "permission_missing"
    assert machine(app, key).get(f"{ADMIN}/bad-lead-reports").status_code == 200
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    stale = ann.post(address, json=asked, headers=ONCE)
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")
    assert balances(database) == {"Anchor": 3000, "Bowline": 100}
