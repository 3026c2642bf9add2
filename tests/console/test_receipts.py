"""The pages of receipts and billing details: each provider its own, as the API gives them."""

from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.console.portal_pages import shown, visit_portal
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
    words = shown(portal.sam, "/portal/receipts/3")
    assert "From Harbour GmbH Kai 1 Bremen DE Tax id DE987 To Anchor Hosting GmbH Kai 4 20457 Hamburg DE" in words
    assert "before tax €100.00 Tax, 19 % €19.00 Total €119.00" in words
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
    of_one = ann.get(f"/money/receipts?provider_id={portal.sale.anchor_id}", headers=HTML).text
    assert "Bowline" not in of_one
    export = f"/exports/new?kind=receipts&amp;provider_id={portal.sale.anchor_id}"
    assert f'href="{export}"' in of_one
    assert f'value="{portal.sale.anchor_id}"' in ann.get(export.replace("&amp;", "&"), headers=HTML).text
    assert "/api/v1/admin/receipts/1/credit-note" in ann.get("/money/receipts/1", headers=HTML).text
    issue_credit_note(database, 1, MEMO, OPERATOR)
    words = shown(ann, "/money/receipts/1")
    assert "This receipt was taken back. Credit note 3" in words
    assert "Issue a credit note" not in words
    assert "Takes back receipt 1 \N{MINUS SIGN}€" in shown(ann, "/money/receipts/3").replace("-€", "\N{MINUS SIGN}€")
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
    assert "Marketplace Harbour GmbH Kai 1 Bremen DE" in words
    assert "Provider Anchor Hosting GmbH Kai 4 20457 Hamburg DE" in words
