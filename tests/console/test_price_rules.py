"""Price rules on the pages: in words for operators and providers, and with the lead whose price they decided."""

from starlette.testclient import TestClient

from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import level, subscription
from tests.console.portal_pages import shown, visit_portal
from tests.flows.sales import query

OLD = {"name": "Old ones", "price_cents": 300, "lead_age_minutes": {"from": 120}}


def test_operators_and_providers_read_price_rules_in_words(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    silver = level(database, "silver")
    set_price_rules(database, silver, {"version": 1, "rules": [OLD]}, OPERATOR)
    told = "1. Old ones the lead is at least 2 hours old €3.00 none of them every other lead €5.00"
    niche_id = query(database, "select niche_id::text from competition_levels where id = %s", silver)[0][0]
    own = f"/niches/{niche_id}/levels/{silver}/price-rules"
    for words in (shown(ann, own), shown(portal.sam, f"/portal/levels/{silver}")):
        assert told in words
    for words in (shown(ann, f"/niches/{niche_id}"), shown(portal.sam, f"/portal/levels/{silver}")):
        assert "€3.00 to €5.00" in words
    assert "1 price rule" in shown(ann, f"/niches/{niche_id}")
    assert ann.get(own.replace(niche_id, silver)).status_code == 404


def test_a_provider_sees_and_sets_the_most_that_it_pays(database: Database) -> None:
    portal = visit_portal(database)
    gold = subscription(database, portal.sale.anchor_id, "gold")
    api = f"/api/v1/provider/subscriptions/{gold}/price-limit"
    assert portal.sam.put(api, json={"max_price_cents": 1550}, headers={"If-Match": "*"}).status_code == 200
    page = f"/portal/subscriptions/{gold}"
    assert 'value="15.50"' in portal.sam.get(page).text
    said = "No lead comes to you: this level never asks less than €20.00, and you pay €15.50 at most."
    assert said in shown(portal.sam, page)
    portal.sam.put(api, json={"max_price_cents": 2000}, headers={"If-Match": "*"})
    assert "No lead comes to you" not in shown(portal.sam, page)
    foreign = subscription(database, portal.sale.bowline_id, "gold")
    other = api.replace(gold, foreign)
    assert portal.sam.put(other, json={"max_price_cents": 1}, headers={"If-Match": "*"}).status_code == 404
