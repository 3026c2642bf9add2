"""Each case of docs/reference/payments.md with Stripe: its events over HTTP, its answers by a server of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fairlead.delivery.stripe_gateway import StripeGateway
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments import ask_again, charge_top_ups, saving_methods
from fairlead.flows.payments.auto_top_up import change_auto_top_up
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
    return dict(
        task(Maintenance(database, Settings.model_validate(STRIPE | {"public_url": "https://leads.example.com"})))
    )


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
