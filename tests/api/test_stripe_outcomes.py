"""Each case of docs/reference/payments.md with Stripe: its events over HTTP, its answers by a server of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.stripe_gateway import StripeGateway
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments import ask_again, charge_top_ups, saving_methods
from fairlead.flows.payments.auto_top_up import change_auto_top_up
from fairlead.flows.payments.take_report import take_report
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.api.test_payment_webhooks import STRIPE, asked_of_stripe, send
from tests.delivery.stripe_stub import KEY, SECRET, Stub, recorded, stripe_stub
from tests.flows.marketplaces import HOSTING, declare, everything, provider_id
from tests.flows.payments.outcomes import CASES, TOP_UP_CASES, Case, TopUpCase
from tests.flows.payments.paying import PAYER, ask, balance
from tests.flows.payments.seen_outcomes import charge_outcome, outcome, wanted_charge_outcome, wanted_outcome
from tests.flows.payments.topping_up import WANTED
from tests.flows.sales import BOWLINE, query

CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
SAVED = {"id": "seti_1", "object": "setup_intent", "payment_method": CARD}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_stripe_reports_has_one_outcome(database: Database, case: Case) -> None:
    asked = ask(database) if case.is_elsewhere else asked_of_stripe(database)
    if case.before is not None:
        case.before(database, StripeGateway(KEY, [SECRET]), asked)
    stripe = anonymous(application(database, **STRIPE))

    def report() -> None:
        for name, changes in case.events:
            assert send(stripe, name, asked.request_id, **changes).status_code == 204, name

    report()
    assert outcome(database, asked) == wanted_outcome(case)
    before = payments(database)
    report()
    assert payments(database) == before, "an event that comes again changes nothing"


def payments(database: Database) -> dict[str, list[str]]:
    """All that is there, but for what counts requests."""
    return {table: rows for table, rows in everything(database).items() if table != "rate_buckets"}


@contextmanager
def saved_at_stripe(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stub, str]]:
    """Bowline saved a card at Stripe, whom workers ask at a server of ours, and its auto top-up is on and due."""
    declare(database, HOSTING)
    bowline = provider_id(database, BOWLINE)
    page = recorded("method_saved", "saved", status="open", url="https://checkout.stripe.com/c/setup/cs_test_s1")
    with stripe_stub(page["data"]["object"]) as stub:
        gateway = StripeGateway(KEY, [SECRET], stub.url)
        for module in (saving_methods, charge_top_ups, ask_again):
            monkeypatch.setattr(module, "open_gateway", lambda *_: gateway)
        saving_methods.open_saving(database, gateway, bowline, "/back", PAYER)
        stub.session = recorded("method_saved", "saved", setup_intent=SAVED)["data"]["object"]
        assert at_once(database, "saved_methods", saving_methods.ask_about_savings) == {"methods": 1}
        change_auto_top_up(database, bowline, WANTED, PAYER)
        yield stub, bowline


def at_once(database: Database, table: str, task: Callable[[Maintenance], Any]) -> dict[str, int]:
    """What workers do now of what they would do later."""
    query(database, f"update {table} set ask_at = now() where ask_at is not null returning 1")
    return dict(task(maintenance(database)))


def maintenance(database: Database) -> Maintenance:
    """What periodic tasks of a marketplace with Stripe are given."""
    return Maintenance(database, Settings.model_validate(STRIPE | {"public_url": "https://leads.example.com"}))


@pytest.mark.parametrize("case", TOP_UP_CASES, ids=lambda case: case.name)
def test_a_charge_at_stripe_has_one_outcome(
    database: Database, monkeypatch: pytest.MonkeyPatch, case: TopUpCase
) -> None:
    with saved_at_stripe(database, monkeypatch) as (stub, bowline):
        intent = answered(stub, case)
        assert at_once(database, "payment_requests", charge_top_ups.charge_top_ups) == {"charges": 1}
        stub.refusal, stub.session = None, {"object": "list", "data": [intent], "has_more": False, "url": "/x"}
        for _ in range(2):
            at_once(database, "payment_requests", ask_again.ask_gateways)
        keys = {headers["idempotency-key"] for call, headers, _ in stub.calls if call == "POST /v1/payment_intents"}
        [(request_id,)] = query(database, "select id::text from payment_requests")
        assert keys == {f"charge-{request_id}"}
    assert charge_outcome(database) == wanted_charge_outcome(case)
    assert balance(database, bowline) == 600 + case.credited_cents
    if case.state == "succeeded":
        before = payments(database)
        stripe = anonymous(application(database, **STRIPE))
        assert send(stripe, case.answer, request_id).status_code == 204
        assert payments(database) == before, "the event that follows the answer says the same"


def answered(stub: Stub, case: TopUpCase) -> dict[str, Any]:
    """The stub will answer the charge as the case has it; returns the payment intent as it is listed afterwards."""
    intent = recorded(case.answer, "{request_id}")["data"]["object"]
    if intent["last_payment_error"] is not None:
        intent["last_payment_error"] |= dict(case.changes)
        named = {"payment_intent": {"id": intent["id"], "object": "payment_intent"}}
        stub.refusal = intent["last_payment_error"] | named
        return intent
    intent |= dict(case.changes)
    under_way = {"status": "processing", "amount_received": 0}
    stub.session = intent | (under_way if case.card == "pays_later" else {})
    stub.failures[:] = [500] * 3 if case.is_lost else []
    return intent


def methods(database: Database) -> list[tuple[str, bool]]:
    """The state of each method, the oldest first, and whether the gateway's name for it is kept."""
    return query(database, "select state, method_reference is not null from saved_methods order by created_at")


def forgotten(database: Database) -> list[tuple[str, str]]:
    """The methods that the audit log says were forgotten, and by whom."""
    return query(
        database, "select entity_id, actor from audit_log where action = 'payment_method.forgotten' order by seq"
    )


def replace_card(database: Database, stub: Stub, bowline: str) -> None:
    """Bowline saves another card, on a page of its own."""
    stub.session = recorded(
        "method_saved", "saved", id="cs_test_s2", status="open", url="https://checkout.stripe.com/c/setup/cs_test_s2"
    )["data"]["object"]
    saving_methods.open_saving(database, StripeGateway(KEY, [SECRET], stub.url), bowline, "/back", PAYER)
    other = SAVED | {"payment_method": CARD | {"id": "pm_2"}}
    stub.session = recorded("method_saved", "saved", setup_intent=other, customer="cus_2")["data"]["object"]
    assert at_once(database, "saved_methods", saving_methods.ask_about_savings) == {"methods": 1}


def detached(stub: Stub) -> list[str]:
    """The methods that Stripe was told to keep no more."""
    return [call for call, _, _ in stub.calls if call.endswith("/detach")]


def test_a_method_that_was_replaced_is_kept_at_stripe_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saved_at_stripe(database, monkeypatch) as (stub, bowline):
        [(first,)] = query(database, "select id::text from saved_methods")
        replace_card(database, stub, bowline)
        assert methods(database) == [("replaced", True), ("saved", True)]
        stub.failures = [500] * 3
        assert at_once(database, "saved_methods", saving_methods.ask_about_savings) == {"methods": 1}
        assert methods(database) == [("replaced", True), ("saved", True)], "no answer: it is told again"
        assert forgotten(database) == []
        stub.calls.clear()
        assert saving_methods.ask_about_savings(maintenance(database)) == {"methods": 0}, "not at once"
        assert at_once(database, "saved_methods", saving_methods.ask_about_savings) == {"methods": 1}
        assert detached(stub) == ["POST /v1/payment_methods/pm_1/detach"]
        assert methods(database) == [("forgotten", False), ("saved", True)]
        assert forgotten(database) == [(first, "gateway:stripe")]
        assert at_once(database, "saved_methods", saving_methods.ask_about_savings) == {"methods": 0}
        assert query(database, "select is_on from auto_top_ups") == [(True,)], "the other one is charged"


def test_a_replaced_method_is_kept_while_a_charge_to_it_is_not_settled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saved_at_stripe(database, monkeypatch) as (stub, bowline):
        stub.failures = [500] * 3
        at_once(database, "payment_requests", charge_top_ups.charge_top_ups)
        assert query(database, "select state, method_reference from payment_requests") == [("pending", "cus_1:pm_1")]
        replace_card(database, stub, bowline)
        at_once(database, "saved_methods", saving_methods.ask_about_savings)
        assert (detached(stub), methods(database)[0]) == ([], ("replaced", True))
        [(request_id,)] = query(database, "select id::text from payment_requests")
        take_report(database, "stripe", GatewayReport(ReportKind.FAILED, request_id, reason="card_declined"))
        at_once(database, "saved_methods", saving_methods.ask_about_savings)
        assert (len(detached(stub)), methods(database)[0]) == (1, ("forgotten", False))


def test_who_forgets_its_method_forgets_those_that_were_replaced_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saved_at_stripe(database, monkeypatch) as (stub, bowline):
        replace_card(database, stub, bowline)
        saving_methods.forget_method(database, StripeGateway(KEY, [SECRET], stub.url), bowline, PAYER)
        assert sorted(detached(stub)) == [f"POST /v1/payment_methods/pm_{n}/detach" for n in (1, 2)]
        assert methods(database) == [("forgotten", False)] * 2
        assert len(forgotten(database)) == 2
