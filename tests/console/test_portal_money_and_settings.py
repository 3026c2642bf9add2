"""Balance, deliveries and settings: each provider its own, with the figures that the API gives."""

from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.console.portal_pages import shown, visit_portal
from tests.flows.access.people import add_provider

ENDPOINTS = "/api/v1/provider/webhook-endpoints"


def test_the_balance_adds_up_to_the_ledger_with_its_causes(database: Database) -> None:
    portal = visit_portal(database)
    words = shown(portal.sam, "/portal/balance")
    assert "Available €30.00" in words
    assert "Lasts for 1 day" in words.replace("one day", "1 day")
    assert "Hosting, gold \N{MINUS SIGN}€20.00 €30.00" in words
    assert "+€50.00 €50.00" in words
    assert f"/portal/leads/{portal.sale.anchor}" in portal.sam.get("/portal/balance").text
    assert "Available €1.00" in shown(portal.bea, "/portal/balance")
    deposits = shown(portal.sam, "/portal/balance?kind=deposit")
    assert "+€50.00" in deposits
    assert "\N{MINUS SIGN}€20.00" not in deposits
    assert portal.sam.get("/portal/balance?kind=gift", headers={"Accept": "text/html"}).status_code == 404


def test_a_provider_without_a_movement_has_a_balance_and_no_pace(database: Database) -> None:
    portal = visit_portal(database)
    fresh = a_provider(portal.app, database, add_provider(database, "Capstan"), "sales@capstan.example")
    words = shown(fresh, "/portal/balance")
    assert "Available €0.00" in words
    assert "nothing was spent in these days" in words
    assert "No entries" in words


def test_deliveries_show_the_own_endpoint_and_never_its_secret(database: Database) -> None:
    portal = visit_portal(database)
    assert "Create the endpoint" in shown(portal.sam, "/portal/deliveries")
    made = portal.sam.post(ENDPOINTS, json={"url": "http://127.0.0.1:9/leads"}).json()
    page = portal.sam.get("/portal/deliveries").text
    words = shown(portal.sam, "/portal/deliveries")
    assert "http://127.0.0.1:9/leads" in words
    assert "active" in words
    assert "No deliveries yet" in words
    assert made["secret"] not in page
    assert made["endpoint_id"] in page
    assert "127.0.0.1:9" not in portal.bea.get("/portal/deliveries").text
    portal.sam.post(f"{ENDPOINTS}/{made['endpoint_id']}/pause", json={"reason": "maintenance"})
    assert "paused" in shown(portal.sam, "/portal/deliveries")


def test_settings_show_what_the_provider_is_told_and_who_logs_in(database: Database) -> None:
    portal = visit_portal(database)
    profile = portal.sam.get("/api/v1/provider/profile")
    assert "You are not told when it is low." in shown(portal.sam, "/portal/balance")
    change = {"low_balance_threshold_cents": 1550, "low_balance_days": 7}
    portal.sam.patch("/api/v1/provider/profile", json=change, headers={"If-Match": profile.headers["etag"]})
    page = portal.sam.get("/portal/settings").text
    assert 'value="15.50"' in page
    assert portal.sam.get("/api/v1/provider/profile").headers["etag"] in page.replace("&#34;", '"')
    words = shown(portal.sam, "/portal/settings")
    assert "sales@anchor.example" in words
    assert "sales@bowline.example" not in words
    balance = shown(portal.sam, "/portal/balance")
    assert "You are told when it falls below €15.50." in balance
    assert "You are told when it lasts for less than 7 days at this pace." in balance
