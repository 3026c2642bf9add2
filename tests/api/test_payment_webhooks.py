"""Stripe's webhooks over HTTP: believed by their signature, and done once."""

import json
from typing import Any

from stripe import WebhookSignature

from fairlead.delivery.stripe_gateway import StripeGateway
from fairlead.flows.payments.request_payment import request_payment
from fairlead.store.connection import Database
from fairlead.store.money.payment_requests import keep_checkout
from tests.api.asking import anonymous, application
from tests.api.permitting import problem
from tests.delivery.stripe_stub import KEY, SECRET, recorded
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import PAYER, Asked, balance, doubts, state_of
from tests.flows.sales import ANCHOR, BOWLINE

ADDRESS = "/api/v1/webhooks/stripe"
STRIPE = {"payment_gateway": "stripe", "stripe_secret_key": KEY, "stripe_webhook_secrets": f"whsec_next, {SECRET}"}


def asked_of_stripe(database: Database) -> Asked:
    """Bowline's payment of 14.00, with its page."""
    declare(database, HOSTING)
    bowline, anchor = provider_id(database, BOWLINE), provider_id(database, ANCHOR)
    done = request_payment(database, StripeGateway(KEY, [SECRET]), bowline, 1400, PAYER)
    database.run(lambda conn: keep_checkout(conn, done.request_id, "cs_test_a1", "https://checkout.stripe.com/c/1"))
    return Asked(done.request_id, bowline, anchor)


def send(client: Any, name: str, request_id: str, **changes: object) -> Any:
    """The event about this payment reaches us, signed."""
    body = json.dumps(recorded(name, request_id, **changes))
    signature = WebhookSignature.generate_signature_header(body, SECRET)
    return client.post(ADDRESS, content=body, headers={"Stripe-Signature": signature})


def test_events_late_twice_and_out_of_order_credit_once(database: Database) -> None:
    asked = asked_of_stripe(database)
    stripe = anonymous(application(database, **STRIPE))
    for name in (
        "completed_unpaid",
        "refunded",
        "async_failed",
        "async_succeeded",
        "completed",
        "expired",
        "completed",
    ):
        assert send(stripe, name, asked.request_id).status_code == 204, name
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    assert doubts(database) == [("refunded", None)]
    # A dispute names the charge alone; a second refund of it raises the sum.
    assert send(stripe, "disputed", asked.request_id).status_code == 204
    assert send(stripe, "refunded", asked.request_id, amount_refunded=1400).status_code == 204
    assert send(stripe, "completed", asked.request_id, payment_intent="pi_2").status_code == 204
    assert sorted(kind for kind, _ in doubts(database)) == ["disputed", "paid_twice", "refunded", "refunded"]


def test_another_amount_or_currency_waits_for_an_operator(database: Database) -> None:
    asked = asked_of_stripe(database)
    stripe = anonymous(application(database, **STRIPE))
    assert send(stripe, "completed", asked.request_id, amount_total=1399).status_code == 204
    assert send(stripe, "completed", asked.request_id, currency="usd", payment_intent="pi_2").status_code == 204
    assert (balance(database, asked.bowline_id), state_of(database, asked)[0]) == (600, "in_review")
    assert sorted(kind for kind, _ in doubts(database)) == ["other_amount", "other_currency"]


def test_what_is_not_signed_or_too_large_is_not_read(database: Database) -> None:
    asked = asked_of_stripe(database)
    stripe = anonymous(application(database, **STRIPE))
    body = json.dumps(recorded("completed", asked.request_id))
    assert problem(stripe.post(ADDRESS, content=body)) == (400, "webhook_refused")
    assert problem(stripe.post(ADDRESS, content=body + " " * 300_000)) == (413, "body_too_large")
    assert state_of(database, asked) == ("pending", None)
    off = anonymous(application(database, payment_gateway="test"))
    assert problem(send(off, "completed", asked.request_id)) == (409, "payments_off")
