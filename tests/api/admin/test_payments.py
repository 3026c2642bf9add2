"""Payments of all providers over HTTP: lists, deposits made elsewhere, and payments in doubt."""

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.permissions import Permission
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from tests.api.asking import an_admin, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.api.posts import ADMIN, MEMO
from tests.flows.payments.paying import GATEWAY, ask, balance

DEPOSITS, DOUBTS, PAYMENTS = f"{ADMIN}/deposits", f"{ADMIN}/payment-doubts", f"{ADMIN}/payments"


def key(number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"key-{number}"}


def test_a_key_records_a_deposit_once_and_nothing_else(database: Database) -> None:
    asked, app = ask(database), application(database)
    bank = machine(app, operators_key(database, Permission.PAYMENTS_RECORD))
    body = {"provider_id": asked.bowline_id, "amount_cents": 1400, "made_by": "bank_transfer", "external_id": "7"}
    first, again = bank.post(DEPOSITS, json=body), bank.post(DEPOSITS, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["was_recorded"], again.json()["was_recorded"]) == (False, True)
    assert first.json()["payment_id"] == again.json()["payment_id"]
    assert (first.json()["balance_after_cents"], balance(database, asked.bowline_id)) == (2000, 2000)
    assert problem(bank.post(DEPOSITS, json={**body, "amount_cents": 1401})) == (409, "deposit_conflict")
    assert problem(bank.post(DEPOSITS, json={**body, "provider_id": asked.anchor_id})) == (409, "deposit_conflict")
    assert problem(bank.post(DEPOSITS, json={**body, "made_by": "stripe"})) == (422, "input_invalid")
    assert problem(bank.get(PAYMENTS)) == (403, "permission_missing")
    other = machine(app, operators_key(database, Permission.MONEY_READ, email="cal@example.com"))
    assert problem(other.post(DEPOSITS, json=body)) == (403, "permission_missing")
    # The same id elsewhere is another deposit.
    assert bank.post(DEPOSITS, json={**body, "made_by": "cash"}).status_code == 201


def test_payments_are_listed_with_where_they_come_from(database: Database) -> None:
    asked = ask(database)
    ann = an_admin(application(database), database)
    listed = ann.get(PAYMENTS).json()["items"]
    assert next((each["state"], each["provider_name"], each["external_id"]) for each in listed) == (
        "pending",
        "Bowline",
        None,
    )
    assert len(listed) == 3, "with the two opening deposits"
    take_report(database, GATEWAY, asked.paid)
    [paid] = ann.get(PAYMENTS, params={"provider_id": asked.bowline_id, "limit": 1}).json()["items"]
    assert (paid["request_id"], paid["state"], paid["external_id"]) == (asked.request_id, "succeeded", "charge-1")
    assert len(ann.get(PAYMENTS).json()["items"]) == 3, "a payment that answers a request is one item"
    first = ann.get(PAYMENTS, params={"limit": 2}).json()
    rest = ann.get(PAYMENTS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert ann.get(PAYMENTS, params={"state": "failed"}).json()["items"] == []


def test_an_operator_resolves_what_is_in_doubt_with_a_fresh_proof(database: Database) -> None:
    asked = ask(database)
    for charge, cents in (("a", 900), ("b", 800)):
        take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, None, charge, cents, "EUR"))
    app = application(database)
    ann = an_admin(app, database)
    first, second = ann.get(DOUBTS).json()["items"]
    assert (first["kind"], first["amount_cents"], first["can_be_credited"]) == ("unknown_payment", 900, True)
    credit, close = f"{DOUBTS}/{first['doubt_id']}/credit", f"{DOUBTS}/{second['doubt_id']}/close"
    assert problem(ann.post(credit, json=MEMO, headers=key(1))) == (409, "payment_not_creditable")
    wanted = {**MEMO, "provider_id": asked.bowline_id}
    done = ann.post(credit, json=wanted, headers=key(2))
    assert (done.json()["resolution"], done.json()["balance_after_cents"]) == ("credited", 1500)
    assert ann.post(credit, json=wanted, headers=key(2)).json() == done.json()
    assert problem(ann.post(credit, json=wanted, headers=key(3))) == (409, "payment_doubt_resolved")
    assert ann.post(close, json=MEMO, headers=key(4)).json()["resolution"] == "closed"
    assert ann.get(DOUBTS).json()["items"] == []
    reader = machine(app, operators_key(database, Permission.MONEY_READ))
    assert problem(reader.post(close, json=MEMO, headers=key(5))) == (403, "permission_missing")


def test_the_bounds_of_a_deposit_are_the_marketplaces(database: Database) -> None:
    ask(database)
    ann = an_admin(application(database), database)
    seen = {"If-Match": ann.get(f"{ADMIN}/marketplace").headers["etag"]}
    bounds = {"min_deposit_cents": 1000, "max_deposit_cents": 5000}
    done = ann.put(f"{ADMIN}/marketplace", json=bounds, headers=seen)
    assert {name: done.json()[name] for name in bounds} == bounds
    wrong = ann.put(f"{ADMIN}/marketplace", json={"max_deposit_cents": 1}, headers={"If-Match": done.headers["etag"]})
    assert problem(wrong) == (422, "input_invalid")
