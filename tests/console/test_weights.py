"""Weighted levels on the pages: the order of a level, and the weight and share of a subscription."""

from starlette.testclient import TestClient

from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import level, subscription
from tests.console.portal_pages import shown, visit_portal
from tests.flows.sales import query


def test_a_weight_and_its_share_are_shown_to_operators_and_their_provider(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    adjust_balance(database, portal.sale.bowline_id, "credit", 1_000, "paid ahead", OPERATOR)
    silver, own = level(database, "silver"), subscription(database, portal.sale.anchor_id, "silver")
    foreign = subscription(database, portal.sale.bowline_id, "silver")
    niche = f"/niches/{query(database, 'select id::text from niches')[0][0]}"
    provider = f"/providers/{portal.sale.anchor_id}"
    assert "by weights" not in shown(portal.sam, f"/portal/levels/{silver}")
    assert "Your weight" not in shown(portal.sam, f"/portal/subscriptions/{own}")
    assert "weight 1" not in shown(ann, provider)
    assert "weights count only at levels" in shown(ann, f"{provider}/subscriptions/{own}")
    change_level(database, silver, LevelChange(order="weighted", max_recipients=1), OPERATOR)
    set_subscription_weight(database, own, 3, OPERATOR)

    words = shown(ann, niche)
    assert "weight 3 · 75.0%" in words
    assert "weight 1 · 25.0%" in words
    form = ann.get(niche).text
    assert form.count('<option value="weighted" selected>') == 1, "of the level that is weighted"
    assert form.count('<option value="least_recently_served" selected>') == 2, "of gold, and of a new level"
    assert "weight 3 · 75.0%" in shown(ann, provider)
    page = ann.get(f"{provider}/subscriptions/{own}").text
    assert f'data-api="PUT /api/v1/admin/subscriptions/{own}/weight"' in page
    assert "75.0% of the level's leads" in shown(ann, f"{provider}/subscriptions/{own}")

    words = shown(portal.sam, f"/portal/subscriptions/{own}")
    assert "75.0% of the level's leads" in words
    assert "Your weight is 3." in words
    assert "25.0%" not in words
    assert "25.0% of the level's leads" in shown(portal.bea, f"/portal/subscriptions/{foreign}")
    assert "/weight" not in portal.sam.get(f"/portal/subscriptions/{own}").text
    assert "by weights" in shown(portal.sam, f"/portal/levels/{silver}")
