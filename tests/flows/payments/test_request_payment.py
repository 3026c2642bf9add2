"""Asking for a payment, opening its page, and what the test gateway makes of it."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.configuration.marketplace import change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.payments.gateways import open_gateway, sandbox_gateway
from fairlead.flows.payments.request_payment import (
    MOST_PENDING,
    answer_as_test,
    open_checkout,
    read_request,
    request_payment,
)
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.payments.paying import PAYER, ask, ask_now, ask_once_more, balance, doubts, state_of
from tests.flows.sales import query


def refusal(attempt: object) -> str:
    assert callable(attempt)
    with pytest.raises(Refused) as caught:
        attempt()
    return caught.value.code


def test_the_page_is_the_same_however_often_it_is_opened(database: Database) -> None:
    asked, gateway = ask(database), sandbox_gateway(database)
    pages = {open_checkout(database, gateway, asked.bowline_id, asked.request_id, "/back") for _ in range(3)}
    assert pages == {f"/portal/test-gateway/{asked.request_id}"}
    # What was opened stays open where the gateway was changed since.
    assert open_checkout(database, None, asked.bowline_id, asked.request_id, "/back") in pages


def test_a_payment_is_its_providers_own(database: Database) -> None:
    asked, gateway = ask(database), sandbox_gateway(database)
    for attempt in (
        lambda: open_checkout(database, gateway, asked.anchor_id, asked.request_id, "/back"),
        lambda: answer_as_test(database, asked.anchor_id, asked.request_id, "pays"),
        lambda: read_request(database, asked.anchor_id, asked.request_id),
    ):
        assert refusal(attempt) == "payment_unknown"


@pytest.mark.parametrize("answer", ["pays", "answers_twice"])
def test_what_was_paid_is_on_the_balance_once(database: Database, answer: str) -> None:
    asked = ask(database)
    answer_as_test(database, asked.bowline_id, asked.request_id, answer)  # pyright: ignore[reportArgumentType]
    answer_as_test(database, asked.bowline_id, asked.request_id, "declines")
    assert ask_now(database) == 1
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    assert (ask_now(database), doubts(database)) == (0, [])
    settled = lambda: open_checkout(  # noqa: E731
        database, sandbox_gateway(database), asked.bowline_id, asked.request_id, "/back"
    )
    assert refusal(settled) == "payment_settled"


def test_what_was_declined_has_failed(database: Database) -> None:
    asked = ask(database)
    answer_as_test(database, asked.bowline_id, asked.request_id, "declines")
    ask_now(database)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (600, ("failed", "card_declined"))


def test_what_is_paid_later_is_pending_until_then(database: Database) -> None:
    asked = ask(database)
    answer_as_test(database, asked.bowline_id, asked.request_id, "pays_later")
    [(seconds,)] = query(
        database,
        "select extract(epoch from r.ask_at - c.answers_at)::float8"
        " from payment_requests r join sandbox_charges c on c.request_id = r.id",
    )
    assert seconds == 0, "it is asked when it answers"
    ask_now(database)
    assert state_of(database, asked) == ("pending", None)
    query(database, "update sandbox_charges set answers_at = now() returning 1")
    ask_now(database)
    assert state_of(database, asked) == ("succeeded", None)


def test_a_deposit_is_within_the_marketplaces_bounds(database: Database) -> None:
    asked, gateway = ask(database), sandbox_gateway(database)
    change_marketplace(database, UNCHANGED, OPERATOR, min_deposit_cents=1000, max_deposit_cents=5000)
    for cents in (999, 5001):
        with pytest.raises(BadInput, match="must be between 1000 and 5000"):
            request_payment(database, gateway, asked.bowline_id, cents, PAYER)
    for cents in (1000, 5000):
        request_payment(database, gateway, asked.bowline_id, cents, PAYER)
    with pytest.raises(BadInput, match="at least min_deposit_cents"):
        change_marketplace(database, UNCHANGED, OPERATOR, max_deposit_cents=999)
    change_marketplace(database, UNCHANGED, OPERATOR, min_deposit_cents=None)
    request_payment(database, gateway, asked.bowline_id, 1, PAYER)


def test_without_a_gateway_nothing_is_asked_for(database: Database) -> None:
    asked = ask(database)
    assert refusal(lambda: request_payment(database, None, asked.bowline_id, 500, PAYER)) == "payments_off"


def test_of_payments_that_are_not_settled_there_are_only_so_many(database: Database) -> None:
    first = ask(database)
    asked = [first, *(ask_once_more(database) for _ in range(MOST_PENDING - 1))]
    assert refusal(lambda: ask_once_more(database)) == "too_many_payments"
    answer_as_test(database, first.bowline_id, asked[3].request_id, "declines")
    ask_now(database)
    ask_once_more(database)


@pytest.mark.parametrize(
    ("settings", "collects"),
    [
        ({}, True),
        ({"public_url": "https://leads.example.com"}, False),
        ({"http_host": "0.0.0.0"}, False),  # noqa: S104 - it is not listened at
        ({"public_url": "https://leads.example.com", "payment_gateway": "test"}, True),
        ({"payment_gateway": "none"}, False),
    ],
)
def test_the_test_gateway_is_off_where_others_could_pay_with_it(
    database: Database, settings: dict[str, object], collects: bool
) -> None:
    assert (open_gateway(database, Settings.model_validate(settings)) is not None) == collects
