"""Saving a method at Stripe and charging it without its owner, against a server of ours: no network, no account."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import (
    ChargeToMake,
    Checkout,
    GatewayUnavailable,
    MethodToSave,
    SavedMethod,
    SavingState,
)
from fairlead.delivery.stripe_gateway import StripeGateway
from tests.delivery.stripe_stub import KEY, SECRET, recorded, stripe_stub

REQUEST = "01900000-0000-7000-8000-000000000001"
BACK = "https://leads.example.com/portal/auto-top-up"
PAGE = "https://checkout.stripe.com/c/setup/cs_test_s1"
SAVING = MethodToSave(REQUEST, "EUR", "cs_test_s1")
CHARGE = ChargeToMake(REQUEST, 1400, "EUR", "cus_1:pm_1")
PAID = GatewayReport(ReportKind.PAID, REQUEST, "pi_9", 1400, "EUR")
REFUSED = GatewayReport(ReportKind.FAILED, REQUEST, "pi_9")
CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}}


def intent(name: str = "charge_succeeded", **changes: object) -> dict[str, Any]:
    return recorded(name, REQUEST, **changes)["data"]["object"]


def session(**changes: object) -> dict[str, Any]:
    return recorded("method_saved", REQUEST, **changes)["data"]["object"]


def gateway(url: str) -> StripeGateway:
    return StripeGateway(KEY, [SECRET], url)


def test_a_page_for_saving_says_what_it_is_for_and_can_be_opened_again() -> None:
    with stripe_stub(session(status="open", url=PAGE)) as stub:
        opened = [gateway(stub.url).open_saving(SAVING, BACK) for _ in range(2)]
    assert opened == [Checkout("cs_test_s1", PAGE)] * 2
    assert {each["idempotency-key"] for _, each, _ in stub.calls} == {f"setup-{REQUEST}"}
    call, _, body = stub.calls[0]
    assert call == "POST /v1/checkout/sessions"
    assert {name: value for name, [value] in body.items()} == {
        "mode": "setup",
        "currency": "eur",
        "customer_creation": "always",
        "client_reference_id": REQUEST,
        "metadata[fairlead_setup_id]": REQUEST,
        "setup_intent_data[metadata][fairlead_setup_id]": REQUEST,
        "success_url": BACK,
        "cancel_url": BACK,
    }


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        (
            {"setup_intent": {"id": "seti_1", "object": "setup_intent", "payment_method": CARD}},
            SavingState(SavedMethod("cus_1:pm_1", "Visa 4242")),
        ),
        ({"status": "open", "setup_intent": None}, SavingState()),
        ({"status": "expired", "setup_intent": None}, SavingState(is_over=True)),
    ],
)
def test_how_far_saving_has_come(changes: dict[str, object], state: SavingState) -> None:
    with stripe_stub(session(**changes)) as stub:
        assert gateway(stub.url).look_up_saving(SAVING) == state
    [(call, _, _)] = stub.calls
    assert call.startswith("GET /v1/checkout/sessions/cs_test_s1?expand")


def test_a_charge_is_made_once_however_often_it_is_asked_for() -> None:
    with stripe_stub(intent()) as stub:
        stub.failures[:] = [500]
        reports = [gateway(stub.url).charge(replace(CHARGE, ask_count=number)) for number in range(2)]
    assert reports == [PAID] * 2
    assert {each["idempotency-key"] for _, each, _ in stub.calls} == {f"charge-{REQUEST}"}
    call, _, body = stub.calls[0]
    assert call == "POST /v1/payment_intents"
    assert {name: value for name, [value] in body.items()} == {
        "amount": "1400",
        "currency": "eur",
        "customer": "cus_1",
        "payment_method": "pm_1",
        "off_session": "true",
        "confirm": "true",
        "metadata[fairlead_request_id]": REQUEST,
        "metadata[fairlead_automatic]": "1",
    }


@pytest.mark.parametrize(
    ("name", "reason", "advice"),
    [
        ("charge_declined", "insufficient_funds", "try_again_later"),
        ("charge_declined_without_advice", "generic_decline", None),
        ("charge_needs_its_owner", "authentication_required", None),
    ],
)
def test_a_charge_that_is_refused_says_why_and_whether_to_try_again(name: str, reason: str, advice: str | None) -> None:
    refused = intent(name)
    with stripe_stub(refused) as stub:
        stub.refusal = refused["last_payment_error"] | {"payment_intent": {"id": "pi_9", "object": "payment_intent"}}
        assert gateway(stub.url).charge(CHARGE) == replace(REFUSED, reason=reason, advice=advice)


def test_a_charge_without_an_answer_may_have_been_made() -> None:
    with stripe_stub(intent()) as stub:
        stub.failures[:] = [500] * 3
        with pytest.raises(GatewayUnavailable) as caught:
            gateway(stub.url).charge(CHARGE)
        assert "secret" not in str(caught.value)


def test_a_charge_is_found_among_those_to_its_customer() -> None:
    other = intent() | {"metadata": {"fairlead_request_id": "another", "fairlead_automatic": "1"}}
    under_way = intent(status="processing", amount_received=0)
    with stripe_stub({"object": "list", "data": [other, under_way], "has_more": False, "url": "/x"}) as stub:
        assert gateway(stub.url).look_up_charge(CHARGE) == [GatewayReport(ReportKind.PENDING, REQUEST, "pi_9")]
    [(call, _, _)] = stub.calls
    assert call.startswith("GET /v1/payment_intents?customer=cus_1")


def test_a_method_is_forgotten_once_and_again() -> None:
    with stripe_stub(CARD) as stub:
        gateway(stub.url).forget_method("cus_1:pm_1")
        stub.failures[:] = [404]
        gateway(stub.url).forget_method("cus_1:pm_1")
    assert [call for call, _, _ in stub.calls] == ["POST /v1/payment_methods/pm_1/detach"] * 2
