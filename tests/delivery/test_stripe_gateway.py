"""Stripe's calls against a server of ours, and its events as they are recorded: no network, no account."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from stripe import WebhookSignature

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import Checkout, EventRefused, GatewayUnavailable, PaymentToCollect
from fairlead.delivery.stripe_gateway import StripeGateway
from tests.delivery.stripe_stub import KEY, SECRET, recorded, stripe_stub

REQUEST = "01900000-0000-7000-8000-000000000001"
PAYMENT = PaymentToCollect(REQUEST, 1400, "EUR", "cs_test_a1")
BACK = f"https://leads.example.com/portal/payments/{REQUEST}"
PAID = GatewayReport(ReportKind.PAID, REQUEST, "pi_1", 1400, "EUR")
REFUSED = GatewayReport(ReportKind.FAILED, REQUEST)


def session(**changes: object) -> dict[str, Any]:
    return recorded("completed", REQUEST, **changes)["data"]["object"]


def gateway(url: str | None = None) -> StripeGateway:
    return StripeGateway(KEY, [SECRET], url)


def signed(body: str, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    return {"stripe-signature": WebhookSignature.generate_signature_header(body, secret, at)}


def test_a_checkout_says_what_it_is_for_and_can_be_opened_again() -> None:
    page = "https://checkout.stripe.com/c/pay/cs_test_a1"
    with stripe_stub(session(status="open", payment_status="unpaid", url=page)) as stub:
        opened = [gateway(stub.url).open_checkout(PAYMENT, BACK) for _ in range(2)]
    assert opened == [Checkout("cs_test_a1", page)] * 2
    calls = [call for call, _, _ in stub.calls]
    assert calls == ["POST /v1/checkout/sessions"] * 2
    _, headers, body = stub.calls[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert {each["idempotency-key"] for _, each, _ in stub.calls} == {f"checkout-{REQUEST}"}
    assert headers["stripe-version"] == "2026-10-28.endive", "a new version of the library speaks another: read on"
    assert {name: value for name, [value] in body.items()} == {
        "mode": "payment",
        "client_reference_id": REQUEST,
        "metadata[fairlead_request_id]": REQUEST,
        "payment_intent_data[metadata][fairlead_request_id]": REQUEST,
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "1400",
        "line_items[0][price_data][product_data][name]": "Deposit",
        "success_url": BACK,
        "cancel_url": BACK,
    }


def test_a_call_that_fails_is_made_again_with_its_key_and_then_given_up() -> None:
    with stripe_stub(session(url="https://checkout.stripe.com/c/pay/1")) as stub:
        stub.failures[:] = [500]
        assert gateway(stub.url).open_checkout(PAYMENT, BACK).reference == "cs_test_a1"
        assert len({headers["idempotency-key"] for _, headers, _ in stub.calls}) == 1
        assert len(stub.calls) == 2
        stub.failures[:] = [500] * 3
        with pytest.raises(GatewayUnavailable) as caught:
            gateway(stub.url).open_checkout(PAYMENT, BACK)
        assert "secret" not in str(caught.value)
    with pytest.raises(GatewayUnavailable):
        gateway(stub.url).look_up(PAYMENT)


@pytest.mark.parametrize(
    ("changes", "report"),
    [
        ({}, PAID),
        (
            {"payment_status": "unpaid", "status": "open"},
            GatewayReport(ReportKind.PENDING, REQUEST, "pi_1", None, "EUR"),
        ),
        (
            {"payment_status": "unpaid", "status": "expired", "payment_intent": None},
            GatewayReport(ReportKind.FAILED, REQUEST, None, None, "EUR", "expired"),
        ),
    ],
)
def test_what_a_session_says_when_it_is_asked(changes: dict[str, object], report: GatewayReport) -> None:
    with stripe_stub(session(**changes)) as stub:
        assert gateway(stub.url).look_up(PAYMENT) == [report]
    assert [call for call, _, _ in stub.calls] == ["GET /v1/checkout/sessions/cs_test_a1"]


@pytest.mark.parametrize(
    ("name", "reports"),
    [
        ("completed", [PAID]),
        ("completed_unpaid", [GatewayReport(ReportKind.PENDING, REQUEST, "pi_1", None, "EUR")]),
        ("async_succeeded", [PAID]),
        ("async_failed", [GatewayReport(ReportKind.FAILED, REQUEST, "pi_1", None, "EUR", "failed")]),
        ("expired", [GatewayReport(ReportKind.FAILED, REQUEST, None, None, "EUR", "expired")]),
        ("refunded", [GatewayReport(ReportKind.REFUNDED, REQUEST, "pi_1", 400, "EUR", None, "refunded-400")]),
        ("disputed", [GatewayReport(ReportKind.DISPUTED, None, "pi_1", 1400, "EUR", None, "dp_1")]),
        ("setup_completed", []),
        ("method_saved", [GatewayReport(ReportKind.METHOD_SAVED, REQUEST)]),
        ("charge_succeeded", [replace(PAID, charge_reference="pi_9")]),
        ("charge_declined", [replace(REFUSED, reason="insufficient_funds", advice="try_again_later")]),
        ("charge_declined_without_advice", [replace(REFUSED, reason="generic_decline")]),
        ("charge_needs_its_owner", [replace(REFUSED, reason="authentication_required")]),
        ("own_payment_failed", []),
        ("customer_created", []),
    ],
)
def test_what_an_event_says(name: str, reports: list[GatewayReport]) -> None:
    body = json.dumps(recorded(name, REQUEST))
    assert gateway().read_event(body.encode(), signed(body)) == reports


def test_of_two_secrets_either_signs() -> None:
    body = json.dumps(recorded("completed", REQUEST))
    both = StripeGateway(KEY, ["whsec_new", SECRET])
    for secret in ("whsec_new", SECRET):
        assert both.read_event(body.encode(), signed(body, secret)) == [PAID]


def test_what_is_not_signed_as_it_must_be_is_refused() -> None:
    body = json.dumps(recorded("completed", REQUEST))
    now = int(time.time())
    forged: list[tuple[bytes, dict[str, str]]] = [
        (body.encode(), {}),
        (body.encode(), {"stripe-signature": "nonsense"}),
        (body.encode(), {"stripe-signature": f"t={now},v1=\xe9"}),
        (body.encode(), signed(body, "whsec_of_another")),
        (body.encode() + b" ", signed(body)),
        (body.encode(), signed(body, SECRET, now - 3600)),
        (body.encode(), {"stripe-signature": signed(body)["stripe-signature"].replace("v1=", "v0=")}),
        (b"\xff\xfe", signed(body)),
    ]
    for content, headers in forged:
        with pytest.raises(EventRefused):
            gateway().read_event(content, headers)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"type": "checkout.session.completed"}', '{"type": 1, "data": []}'])
def test_what_is_signed_and_no_event_is_refused(body: str) -> None:
    with pytest.raises(EventRefused):
        gateway().read_event(body.encode(), signed(body))
