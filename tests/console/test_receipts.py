"""The pages of receipts and billing details: each provider its own, as the API gives them."""

import re
from datetime import UTC, datetime

from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note, list_receipts
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.money.receipts import ReceiptFilter
from fairlead.store.simulated_clock import SimulatedClock
from tests.api.asking import an_admin
from tests.console.portal_pages import shown, visit_portal, words_of
from tests.console.test_statements import close_this_month
from tests.flows.sales import MEMO

HTML = {"Accept": "text/html"}


def name_both(database: Database, provider_id: str) -> None:
    papers = PapersChange("Harbour GmbH", "Kai 1\nBremen", "DE", "DE987", 1_900)
    change_marketplace(database, UNCHANGED, OPERATOR, papers=papers)
    details = WantedDetails("Anchor Hosting GmbH", "Kai 4\n20457 Hamburg", "DE", "DE123")
    change_billing_details(database, provider_id, details, OPERATOR)


def test_a_provider_sees_its_own_receipts_and_no_other(database: Database) -> None:
    portal = visit_portal(database)
    name_both(database, portal.sale.anchor_id)
    deposit(database, portal.sale.anchor_id, 11_900, "manual", "taxed", OPERATOR)
    assert "/portal/receipts" in portal.sam.get("/portal/balance", headers=HTML).text
    words = shown(portal.sam, "/portal/receipts")
    assert "3 Receipt" in words
    assert "€19.00 €119.00" in words
    assert "€119.00" not in shown(portal.bea, "/portal/receipts")
    assert "Marketplace file, recorded by an operator" in words
    assert "No receipts of these days" in shown(portal.sam, "/portal/receipts?from=2020-01-01&to=2020-12-31")
    words = shown(portal.sam, "/portal/receipts/3")
    assert (
        "From Harbour GmbH Kai 1 Bremen Germany Tax id DE987 To Anchor Hosting GmbH Kai 4 20457 Hamburg Germany"
        in words
    )
    assert "before tax €100.00 Tax, 19% €19.00 Total €119.00" in words
    assert portal.bea.get("/portal/receipts/3", headers=HTML).status_code == 404
    assert portal.sam.get("/portal/receipts/0", headers=HTML).status_code == 404
    page = portal.sam.get("/portal/settings", headers=HTML).text
    assert 'value="Anchor Hosting GmbH"' in page
    assert "Anchor Hosting GmbH" not in portal.bea.get("/portal/settings", headers=HTML).text


def test_operators_see_every_receipt_and_take_one_back(database: Database) -> None:
    portal = visit_portal(database)
    ann = an_admin(portal.app, database)
    name_both(database, portal.sale.anchor_id)
    assert "1 Receipt" in shown(ann, "/money/receipts")
    long_ago = shown(ann, "/money/receipts?from=2020-01-01&to=2020-12-31")
    assert "No receipts of these days" in long_ago
    assert "Paid: Marketplace file, recorded by an operator" in shown(ann, "/money/receipts/1")
    of_one = ann.get(f"/money/receipts?provider_id={portal.sale.anchor_id}", headers=HTML).text
    assert "Bowline" not in of_one
    [export] = re.findall('href="(/exports/new[^"]+)"', of_one)
    assert export.startswith(f"/exports/new?kind=receipts&amp;provider_id={portal.sale.anchor_id}&amp;created_from=")
    assert f'value="{portal.sale.anchor_id}"' in ann.get(export.replace("&amp;", "&"), headers=HTML).text
    assert "/api/v1/admin/receipts/1/credit-note" in ann.get("/money/receipts/1", headers=HTML).text
    issue_credit_note(database, 1, MEMO, OPERATOR)
    words = shown(ann, "/money/receipts/1")
    assert "This receipt was taken back. Credit note 3" in words
    assert "Issue a credit note" not in words
    assert "Takes back receipt 1 \N{MINUS SIGN}€" in shown(ann, "/money/receipts/3")
    assert "taken back" in shown(ann, "/money/receipts")
    path = f"/providers/{portal.sale.anchor_id}"
    assert f"{path}/billing-details" in ann.get(path, headers=HTML).text
    assert 'value="Anchor Hosting GmbH"' in ann.get(f"{path}/billing-details", headers=HTML).text
    assert 'value="19.00"' in ann.get("/settings", headers=HTML).text
    for address in ("/money/receipts", "/money/receipts/1", f"{path}/billing-details"):
        assert portal.sam.get(address, headers=HTML).status_code in {403, 404}


def test_a_statement_names_both_as_they_were(database: Database) -> None:
    portal = visit_portal(database)
    name_both(database, portal.sale.anchor_id)
    month = close_this_month(database)
    change_billing_details(database, portal.sale.anchor_id, WantedDetails("Other", "Elsewhere", "FR"), OPERATOR)
    words = shown(portal.sam, f"/portal/statements/{month}")
    assert "Marketplace Harbour GmbH Kai 1 Bremen Germany" in words
    assert "Provider Anchor Hosting GmbH Kai 4 20457 Hamburg Germany" in words


def test_papers_are_dated_by_the_clocks_of_the_marketplace_and_of_no_viewer(database: Database) -> None:
    half_past_midnight = SimulatedClock(datetime(2030, 1, 31, 23, 30, tzinfo=UTC))
    with Database(database.url, "fairlead", simulated_clock=half_past_midnight) as then:
        change_marketplace(then, UNCHANGED, OPERATOR, timezone="Europe/Berlin")
        portal = visit_portal(then)
        portal.sam.cookies.set("time_zone", "America/New_York")
        [receipt] = list_receipts(then, ReceiptFilter(portal.sale.anchor_id), None, 10).items
        path = f"/portal/receipts/{receipt.number}"
        assert "1 Feb 2030 Europe/Berlin" in shown(portal.sam, path)
        assert "1 Feb 2030 00:30:00 Deposit" in shown(portal.sam, "/portal/statements/2030-02")
        assert portal.sam.get("/portal/statements/2030-01", headers=HTML).status_code == 404
        after_it = SimulatedClock(datetime(2030, 3, 2, tzinfo=UTC))
        with Database(database.url, "fairlead", simulated_clock=after_it) as later:
            assert close_months(later)
            change_marketplace(later, UNCHANGED, OPERATOR, timezone="America/New_York")
        assert "1 Feb 2030 Europe/Berlin" in shown(portal.sam, path), "as its month was closed"


def test_the_lists_say_while_papers_name_no_legal_name(database: Database) -> None:
    portal = visit_portal(database)
    ann = an_admin(portal.app, database)
    for client, path, where in (
        (ann, "/money/receipts", "/settings#papers"),
        (portal.sam, "/portal/receipts", "/portal/settings#billing"),
    ):
        assert f'href="{where}"' in client.get(path, headers=HTML).text
    name_both(database, portal.sale.anchor_id)
    assert "without a legal name" not in shown(ann, "/money/receipts")
    assert "without a legal name" not in shown(portal.sam, "/portal/receipts")
    assert "without a legal name" in shown(portal.bea, "/portal/receipts")


def test_who_may_change_nothing_sees_billing_details_as_words(database: Database) -> None:
    portal = visit_portal(database)
    name_both(database, portal.sale.anchor_id)
    suspend_provider(database, portal.sale.anchor_id, OPERATOR)
    page = portal.sam.get("/portal/settings", headers=HTML).text
    assert "PUT /api/v1/provider/billing-details" not in page
    assert "Legal name Anchor Hosting GmbH Address Kai 4, 20457 Hamburg Country Germany Tax id DE123" in words_of(page)
    assert "PUT /api/v1/provider/billing-details" in portal.bea.get("/portal/settings", headers=HTML).text
