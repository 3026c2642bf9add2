"""The pages of auto top-up: what the API says, each provider its own, and what an operator sees of it."""

import re

from fairlead.flows.configuration.marketplace import change_marketplace
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.saving_methods import open_saving
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin
from tests.console.portal_pages import shown
from tests.console.visiting import console
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import PAYER
from tests.flows.payments.topping_up import charge_now, switch_on
from tests.flows.sales import ANCHOR, BOWLINE


def test_a_provider_sees_terms_month_and_method_and_another_sees_none_of_it(database: Database) -> None:
    bowline = switch_on(database)
    app = console(database, payment_gateway="test")
    bea = a_provider(app, database, bowline, "sales@bowline.example")
    sam = a_provider(app, database, provider_id(database, ANCHOR))
    charge_now(database)
    words = shown(bea, "/portal/auto-top-up")
    assert "Test card 4242" in words
    assert "€14.00 of €42.00 at the most" in words
    assert "topped up below €7.00" in words
    other = shown(sam, "/portal/auto-top-up")
    assert "No payment method is saved." in other
    assert "Test card" not in other
    page = open_saving(database, sandbox_gateway(database), bowline, "/back", PAYER)
    assert "Choose which card is saved." in shown(bea, page)
    assert sam.get(page, headers={"Accept": "text/html"}).status_code == 404
    assert "Auto top-up" in shown(bea, "/portal/payments")


def test_the_month_begins_by_the_clocks_of_the_marketplace(database: Database) -> None:
    """At midnight in Auckland it is still the day before in UTC, whose clocks a page goes by until a browser says."""
    bowline = switch_on(database)
    change_marketplace(database, "EUR", OPERATOR, timezone="Pacific/Auckland")
    app = console(database, payment_gateway="test")
    bea = a_provider(app, database, bowline, "sales@bowline.example")
    assert re.search(r"Next month begins 1 \w{3,4} \d{4} by the marketplace", shown(bea, "/portal/auto-top-up"))


def test_why_it_went_off_is_said_to_the_provider_and_to_operators(database: Database) -> None:
    bowline = switch_on(database, "asks_its_owner")
    charge_now(database)
    app = console(database, payment_gateway="test")
    bea = a_provider(app, database, bowline, "sales@bowline.example")
    why = "the bank wants its owner to confirm it"
    assert f"It went off by itself: {why}." in shown(bea, "/portal/auto-top-up")
    ann = an_admin(app, database)
    assert why in shown(ann, f"/providers/{bowline}")


def test_an_operator_sees_what_is_on_and_may_switch_it_off(database: Database) -> None:
    bowline = switch_on(database)
    ann = an_admin(console(database, payment_gateway="test"), database)
    words = shown(ann, f"/providers/{bowline}")
    assert "Switch it off" in words
    assert "€0.00 of €42.00" in words


def test_without_a_gateway_there_is_nothing_to_charge(database: Database) -> None:
    declare(database, HOSTING)
    bea = a_provider(console(database), database, provider_id(database, BOWLINE), "sales@bowline.example")
    assert "so there is nothing to charge." in shown(bea, "/portal/auto-top-up")
