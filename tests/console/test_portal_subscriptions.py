"""Why a provider did not get more leads, what it subscribes to and what is on offer, as pages."""

import json
import re
from html import unescape

from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.api.portal import level, subscription
from tests.console.portal_pages import shown, visit_portal
from tests.flows.access.people import add_provider, value


def test_the_page_of_more_leads_has_the_numbers_of_the_api_and_nothing_of_others(database: Database) -> None:
    portal = visit_portal(database)
    [niche] = portal.sam.get("/api/v1/provider/activity").json()["items"]
    gold = next(each for each in niche["subscriptions"] if each["level_name"] == "gold")
    words = shown(portal.sam, "/portal/more")
    assert f"one lead, of which you received {niche['received_count']}" in words
    assert (
        f"In the niche {niche['lead_count']} Passed your filter {gold['matched_count']} "
        f"fewer than 10 would pass it as it is now You received {gold['received_count']} "
        f"Your place now {gold['place']} of {gold['queue_length']}"
    ) in words
    assert "You have the lead from another level 1" in words
    assert "Bowline" not in words
    assert "not in the queue" in shown(portal.bea, "/portal/more")


def test_more_days_are_looked_at_as_they_are_chosen(database: Database) -> None:
    portal = visit_portal(database)
    for days in ("30", "90", "365"):
        words = shown(portal.sam, f"/portal/more?days={days}")
        assert f"why you did not get more, in the last {days} days" in words
        assert f"Compared with the {days} days before." in words
        assert "Received 1 before: 0" in words
        assert "Spent €20.00 before: €0.00" in words
        page = portal.sam.get(f"/portal/more?days={days}").text
        assert re.search(rf'href="/portal/more\?days={days}" aria-current="true"', page)
    refused = portal.sam.get("/portal/more?days=7", headers={"Accept": "text/html"})
    assert (refused.status_code, "Traceback" in refused.text) == (404, False)


def test_a_reason_of_fewer_than_ten_is_said_to_be_one(database: Database) -> None:
    """Anchor's filter asks for a number that people type."""
    portal = visit_portal(database)
    leads: list[dict[str, object]] = [{"cores": 2, "region": "south"}]
    submit_leads(database, "hosting", leads, OPERATOR, approve=True)
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    sentence = "such reasons are counted in tens, and what is left of each, fewer than ten leads, stands together."
    assert sentence in shown(portal.sam, "/portal/more")
    assert sentence not in shown(portal.bea, "/portal/more")


def test_who_subscribes_to_nothing_is_led_to_what_is_on_offer(database: Database) -> None:
    portal = visit_portal(database)
    fresh = a_provider(portal.app, database, add_provider(database, "Capstan"), "sales@capstan.example")
    assert "You subscribe to nothing" in shown(fresh, "/portal/more")
    words = shown(fresh, "/portal/subscriptions")
    assert "You subscribe to nothing" in words
    assert "gold €20.00 you alone at this level" in words
    assert "silver €5.00 up to 3 providers at this level" in words


def test_what_an_exclusive_level_sells_and_what_price_rules_ask_is_said_before_subscribing(database: Database) -> None:
    portal = visit_portal(database)
    fresh = a_provider(portal.app, database, add_provider(database, "Capstan"), "sales@capstan.example")
    gold, silver = level(database, "gold"), level(database, "silver")
    change_level(database, gold, LevelChange(is_exclusive=True), OPERATOR)
    old = {"name": "Old", "price_cents": 400, "lead_age_minutes": {"from": 60}}
    set_price_rules(database, silver, {"version": 1, "rules": [old]}, OPERATOR)
    words = shown(fresh, "/portal/subscriptions")
    assert "gold €20.00 you alone, at any level" in words
    assert "silver €4.00 to €5.00 up to 3 providers at this level" in words
    assert "Recipients 1 you alone, at any level" in shown(fresh, f"/portal/levels/{gold}")
    assert "Hosting, silver €4.00 to €5.00 a lead out of money Region is north none" in shown(
        portal.bea, "/portal/subscriptions"
    )
    [niche] = fresh.get("/api/v1/provider/levels").json()["items"]
    assert {each["name"]: each["is_exclusive"] for each in niche["levels"]} == {"gold": True, "silver": False}


def test_own_subscriptions_are_told_in_words_and_lead_to_their_filters(database: Database) -> None:
    portal = visit_portal(database)
    words = shown(portal.sam, "/portal/subscriptions")
    assert "Hosting, gold €20.00 a lead active Cores at least 4 none fewer than 10 of 1 1" in words
    gold = subscription(database, portal.sale.anchor_id, "gold")
    page = portal.sam.get(f"/portal/subscriptions/{gold}").text
    found = re.search(r"data-builder>(.*?)</script>", page, re.S)
    assert found is not None
    builder = json.loads(unescape(found[1]))
    assert builder["rules"] == [{"field_key": "cores", "operator": "gte", "value": 4}]
    assert [each["key"] for each in builder["fields"]] == ["cores", "region"]
    assert ["in", "is one of"] in builder["fields"][1]["operators"]
    portal.sam.post(f"/api/v1/provider/subscriptions/{gold}/pause")
    assert "paused" in shown(portal.sam, f"/portal/subscriptions/{gold}")


def test_the_subscription_of_another_and_a_level_that_is_none_are_pages_of_nothing(database: Database) -> None:
    portal = visit_portal(database)
    foreign = subscription(database, portal.sale.bowline_id, "gold")
    for address in (f"/portal/subscriptions/{foreign}", f"/portal/levels/{foreign}", "/portal/levels/x"):
        assert portal.sam.get(address, headers={"Accept": "text/html"}).status_code == 404, address
    offered = shown(portal.sam, f"/portal/levels/{level(database, 'gold')}")
    assert "You subscribe to this level" in offered
