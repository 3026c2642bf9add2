"""Limits and hours on pages: two providers see their own, with what is used; an operator sees whose word stands."""

import json
import re
from html import unescape
from typing import Any

from starlette.testclient import TestClient

from fairlead.flows.configuration.local_time import (
    set_provider_limits,
    set_provider_schedule,
    set_subscription_limits,
)
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.deposit import deposit
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.api.portal import subscription
from tests.console.portal_pages import shown, visit_portal, words_of
from tests.flows.sales import Sale, query

NIGHTS = {
    "weekly": [{"days": ["fri", "sat"], "opens": "22:00", "closes": "06:00"}],
    "dates_off": ["2031-12-24", {"from": "2031-12-31", "to": "2032-01-02"}],
    "holidays": {"country": "DE", "region": "BY"},
}


def test_each_provider_sees_its_own_limits_and_what_is_used(database: Database) -> None:
    portal = visit_portal(database)
    gold = subscription(database, portal.sale.anchor_id, "gold")
    silver = subscription(database, portal.sale.bowline_id, "silver")
    set_subscription_limits(database, gold, {"leads_total": 1}, OPERATOR, of_provider_id=None)
    set_provider_limits(database, portal.sale.anchor_id, {"spend_cents_per_month": 7500}, OPERATOR, memo="agreed")
    page = shown(portal.sam, f"/portal/subscriptions/{gold}")
    assert "Leads in total 1 of 1" in page
    assert "Spending a month over all subscriptions €20.00 of €75.00" in page
    assert "€55.00" in page
    assert "agreed" not in page, "what an operator writes is for operators"
    assert "Leads in total: 1 of 1" in shown(portal.sam, "/portal/subscriptions")
    assert "Leads in total: 1 of 1" in shown(portal.sam, "/portal/more")
    own = shown(portal.sam, "/portal/limits")
    assert "€20.00 of €75.00" in own
    assert "Set by an operator" in own
    for address in ("/portal/limits", f"/portal/subscriptions/{silver}", "/portal/subscriptions", "/portal/more"):
        other = shown(portal.bea, address)
        assert "75.00" not in other
        assert "Leads in total: 1" not in other
        assert "Leads in total 1" not in other
    assert portal.bea.get(f"/portal/subscriptions/{gold}", headers={"Accept": "text/html"}).status_code == 404


def test_a_schedule_stands_as_a_week_with_a_table_of_the_same(database: Database) -> None:
    portal = visit_portal(database)
    set_provider_schedule(database, portal.sale.bowline_id, NIGHTS, OPERATOR)
    silver = subscription(database, portal.sale.bowline_id, "silver")
    for address in ("/portal/limits", f"/portal/subscriptions/{silver}"):
        page = shown(portal.bea, address)
        assert "Friday 22:00\N{EN DASH}06:00 Saturday 22:00\N{EN DASH}06:00 Sunday closed" in page
        assert "24 Dec 2031, 31 Dec 2031\N{EN DASH}2 Jan 2032" in page
        assert "Germany, BY" in page
    assert "by the schedule of all subscriptions" in shown(portal.bea, f"/portal/subscriptions/{silver}")
    html = portal.bea.get("/portal/limits", headers={"Accept": "text/html"}).text
    bars = re.findall(r'class="week-open" x="(\d+)" y="(\d+)" width="(\d+)"', html)
    # Friday evening, Saturday night and evening, and what is left of it on Sunday.
    assert bars == [("1320", "114", "120"), ("0", "142", "360"), ("1320", "142", "120"), ("0", "170", "360")]
    [text] = re.findall(r'<script type="application/json" data-editor>(.*?)</script>', html, re.S)
    assert json.loads(unescape(text))["schedule"] == NIGHTS
    assert "week-open" not in portal.sam.get("/portal/limits", headers={"Accept": "text/html"}).text


def test_who_may_only_look_is_shown_no_form(database: Database) -> None:
    portal = visit_portal(database)
    own_page = portal.sam.get("/portal/limits", headers={"Accept": "text/html"}).text
    assert 'data-api="PUT /api/v1/provider/limits"' in own_page
    ann = an_admin(portal.app, database)
    ann.put("/api/v1/admin/portal-view", json={"provider_id": portal.sale.anchor_id})
    seen = ann.get("/portal/limits", headers={"Accept": "text/html"}).text
    assert "No limit" in words_of(seen)
    assert 'data-api="PUT /api/v1/provider/limits"' not in seen


def test_an_operator_sees_limits_where_the_provider_is(ann: TestClient, database: Database, sale: Sale) -> None:
    gold = subscription(database, sale.anchor_id, "gold")
    set_subscription_limits(database, gold, {"leads_total": 4}, OPERATOR, of_provider_id=None, memo="a trial")
    set_provider_schedule(database, sale.anchor_id, {"paused_until": "2999-01-01T00:00:00Z"}, OPERATOR)
    page = words_of(ann.get(f"/providers/{sale.anchor_id}").text)
    assert "Leads in total: 1 of 4" in page
    assert "Paused until Tue 1 Jan 2999 00:00 UTC" in page
    one = words_of(ann.get(f"/providers/{sale.anchor_id}/subscriptions/{gold}").text)
    assert "Leads in total 1 of 4" in one
    assert "a trial" in one
    assert "by the schedule of all subscriptions" in one
    other = words_of(ann.get(f"/providers/{sale.bowline_id}").text)
    assert "1 of 4" not in other
    assert "No limit" in other


def test_why_not_more_leads_to_the_limit(database: Database) -> None:
    portal = visit_portal(database)
    gold = subscription(database, portal.sale.anchor_id, "gold")
    set_subscription_limits(database, gold, {"leads_total": 1}, OPERATOR, of_provider_id=None)
    # What a filter of numbers brings is told in tens.
    deposit(database, portal.sale.anchor_id, 100_000, "manual", "for ten more", OPERATOR)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 11, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    html: Any = portal.sam.get("/portal/more", headers={"Accept": "text/html"}).text
    assert f'href="/portal/subscriptions/{gold}#limits">Raise the limit</a>' in html
    assert "Your limit of leads or spending was reached" in words_of(html)
