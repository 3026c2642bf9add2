"""Paying in over HTTP: each provider its own payments, and the test gateway's answers."""

from fairlead.store.connection import Database
from tests.api.permitting import problem
from tests.api.portal import API, Portal, open_portal
from tests.flows.payments.paying import ask_now
from tests.flows.sales import balances

PAYMENTS = f"{API}/payments"


def key(number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"key-{number}"}


def pay(portal: Portal, answer: str) -> str:
    """Sam asks for 50.00 and chooses how the test gateway answers."""
    made = portal.sam.post(PAYMENTS, json={"amount_cents": 5000}, headers=key(1))
    assert made.status_code == 201, made.text
    one = f"{PAYMENTS}/{made.json()['request_id']}"
    assert made.headers["location"] == one
    page = portal.sam.post(f"{one}/checkout").json()["url"]
    assert page == f"/portal/test-gateway/{made.json()['request_id']}"
    assert portal.sam.post(f"{one}/test-answer", json={"answer": answer}).json()["state"] == "pending"
    return one


def test_a_provider_pays_in_and_is_credited_once_the_gateway_says_so(database: Database) -> None:
    portal = open_portal(database, payment_gateway="test")
    before = balances(database)["Anchor"]
    one = pay(portal, "answers_twice")
    assert balances(database)["Anchor"] == before, "what a browser says moves nothing"
    ask_now(database)
    shown = portal.sam.get(one).json()
    assert (shown["state"], shown["amount_cents"], shown["gateway"]) == ("succeeded", 5000, "test_gateway")
    assert balances(database)["Anchor"] == before + 5000
    assert [each["state"] for each in portal.sam.get(PAYMENTS).json()["items"]] == ["succeeded", "succeeded"]
    assert problem(portal.sam.post(f"{one}/checkout")) == (409, "payment_settled")


def test_a_payment_is_one_providers_and_no_others(database: Database) -> None:
    portal = open_portal(database, payment_gateway="test")
    one = pay(portal, "pays")
    for answer in (
        portal.bea.get(one),
        portal.bea.post(f"{one}/checkout"),
        portal.bea.post(f"{one}/test-answer", json={"answer": "pays"}),
    ):
        assert problem(answer) == (404, "payment_unknown")
    assert len(portal.bea.get(PAYMENTS).json()["items"]) == 1, "its opening deposit"


def test_sent_again_it_is_one_payment(database: Database) -> None:
    portal = open_portal(database, payment_gateway="test")
    first, again = (portal.sam.post(PAYMENTS, json={"amount_cents": 5000}, headers=key(1)) for _ in range(2))
    assert first.json() == again.json()
    assert problem(portal.sam.post(PAYMENTS, json={"amount_cents": 5000})) == (400, "idempotency_key_missing")


def test_where_others_are_served_there_is_no_test_gateway(database: Database) -> None:
    portal = open_portal(database)
    asked = portal.sam.post(PAYMENTS, json={"amount_cents": 5000}, headers=key(1))
    assert problem(asked) == (409, "payments_off")
