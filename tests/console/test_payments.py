"""The pages of payments: what the API says, each provider its own, and what an operator decides."""

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin
from tests.console.portal_pages import shown
from tests.console.visiting import console
from tests.flows.payments.paying import GATEWAY, ask


def test_a_provider_pays_in_where_it_is_a_test_and_says_so(database: Database) -> None:
    asked = ask(database)
    app = console(database, payment_gateway="test")
    bea = a_provider(app, database, asked.bowline_id, "sales@bowline.example")
    sam = a_provider(app, database, asked.anchor_id)
    words = shown(bea, "/portal/payments")
    assert "Payments here are tests: no money is collected." in words
    assert "Test gateway pending €14.00" in words
    one = f"/portal/payments/{asked.request_id}"
    assert "Go on to pay €14.00" in shown(bea, one)
    assert "This is a test: no money is collected" in shown(bea, f"/portal/test-gateway/{asked.request_id}")
    for address in (one, f"/portal/test-gateway/{asked.request_id}"):
        assert sam.get(address, headers={"Accept": "text/html"}).status_code == 404
    assert "€14.00" not in shown(sam, "/portal/payments")
    take_report(database, GATEWAY, asked.reported(amount_cents=900))
    assert "An operator of the marketplace looks at it." in shown(bea, one)
    take_report(database, GATEWAY, asked.paid)
    assert "It is on your balance." in shown(bea, one)
    assert "Pay in" in shown(bea, "/portal/balance")


def test_without_a_gateway_the_page_says_how_payments_come(database: Database) -> None:
    asked = ask(database)
    bea = a_provider(console(database), database, asked.bowline_id, "sales@bowline.example")
    assert "This marketplace collects no payments here." in shown(bea, "/portal/payments")


def test_operators_see_every_payment_and_what_is_in_doubt(database: Database) -> None:
    asked = ask(database)
    ann = an_admin(console(database), database)
    assert "No payment is in doubt" in shown(ann, "/money/payments/doubts")
    words = shown(ann, "/money/payments")
    assert "Bowline Test gateway pending" in words
    assert "Payments are in doubt" not in words
    take_report(database, GATEWAY, asked.reported(amount_cents=900))
    take_report(database, GATEWAY, GatewayReport(ReportKind.DISPUTED, None, "charge-9", 500, "EUR", detail="d1"))
    assert "Payments are in doubt" in shown(ann, "/money/payments?state=in_review")
    assert "No payment is like that" in shown(ann, "/money/payments?state=failed")
    words = shown(ann, "/money/payments/doubts")
    assert "another amount" in words
    assert "€14.00 €9.00" in words
    assert "Credit €9.00" in words
    assert "disputed" in words
    assert "2 payments in doubt" in shown(ann, "/overview")
