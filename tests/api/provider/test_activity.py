"""A provider learns why it did not get more leads, from its own part of what was decided, and nothing of others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import API, NORTH, Portal, open_portal, subscription
from tests.flows.sales import query


def _told(client: TestClient) -> dict[str, dict[str, Any]]:
    """Its subscriptions by level, each with the numbers of its niche."""
    answer = client.get(f"{API}/activity")
    assert answer.status_code == 200, answer.text
    return {
        each["level_name"]: {**each, "lead_count": niche["lead_count"]}
        for niche in answer.json()["items"]
        for each in niche["subscriptions"]
    }


def _distribute(database: Database, *leads: dict[str, object]) -> None:
    submit_leads(database, "hosting", list(leads), OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    Distributor(database).distribute_waiting(niche_id)


def test_each_provider_has_its_own_numbers_by_the_reasons_of_the_engine(database: Database) -> None:
    portal = open_portal(database)
    _distribute(database, {"cores": 2, "region": "south"}, {"cores": 8, "region": "north"})
    sam, bea = _told(portal.sam), _told(portal.bea)
    assert {name: each["lead_count"] for name, each in sam.items()} == {"gold": 3, "silver": 3}
    received = query(
        database,
        "select c.name, count(*) from assignments a join competition_levels c on c.id = a.competition_level_id"
        " where a.provider_id = %s group by 1",
        portal.sale.anchor_id,
    )
    assert {name: each["received_count"] for name, each in sam.items() if each["received_count"]} == dict(received)
    for each in (*sam.values(), *bea.values()):
        assert each["received_count"] + sum(each["refused"].values()) == each["lead_count"]
    assert sam["gold"]["refused"] == {"filter_asks_for_typed": 1}, (
        "a number did not fit, and one lead is too few to tell"
    )
    gold = sam["gold"]
    assert (gold["matches_now_count"], gold["matches_now_is_estimate"]) == (None, True), "it asks for a number"
    assert set(bea["gold"]["refused"]) <= {"insufficient_balance", "subscription_inactive", "already_recipient"}
    assert portal.sale.anchor_id not in portal.bea.get(f"{API}/activity").text


def test_what_counts_is_the_filter_and_the_state_of_the_time(database: Database) -> None:
    portal = open_portal(database)
    gold = f"{API}/subscriptions/{subscription(database, portal.sale.anchor_id, 'gold')}"
    portal.sam.post(f"{gold}/pause")
    _distribute(database, {"cores": 8, "region": "south"})
    portal.sam.post(f"{gold}/resume")
    version = portal.sam.get(gold).headers["etag"]
    assert portal.sam.put(f"{gold}/filter", json=NORTH, headers={"If-Match": version}).status_code == 200
    told = _told(portal.sam)["gold"]
    assert told["refused"] == {"subscription_inactive": 1}
    assert (told["received_count"], told["matched_count"], told["matches_now_count"]) == (1, 1, 1)


def test_the_place_in_the_queue_is_of_those_that_could_receive_a_lead(database: Database) -> None:
    portal = open_portal(database)
    # Anchor was served last at gold; Bowline's money does not do for it, so it stands in no queue.
    assert _place(portal, "gold") == (1, 1)
    assert _told(portal.bea)["gold"]["place"] is None
    silver = _place(portal, "silver")
    assert silver[1] in (1, 2)
    portal.sam.post(f"{API}/subscriptions/{subscription(database, portal.sale.anchor_id, 'silver')}/pause")
    assert _told(portal.sam)["silver"]["place"] is None


def test_a_provider_that_subscribes_to_nothing_is_told_of_nothing(database: Database) -> None:
    portal = open_portal(database)
    for each in ("gold", "silver"):
        path = f"{API}/subscriptions/{subscription(database, portal.sale.bowline_id, each)}"
        portal.bea.delete(path, headers={"If-Match": portal.bea.get(path).headers["etag"]})
    assert portal.bea.get(f"{API}/activity").json()["items"] == []


def _place(portal: Portal, name: str) -> tuple[int, int]:
    told = _told(portal.sam)[name]
    return told["place"], told["queue_length"]


def test_each_provider_has_the_figures_of_its_own_days_beside_as_many_before(database: Database) -> None:
    portal = open_portal(database)
    sam, bea = (each.get(f"{API}/activity/figures").json() for each in (portal.sam, portal.bea))
    assert [(each["figures"]["received_count"], each["figures"]["spent_cents"]) for each in (sam, bea)] == [
        (1, 2000),
        (1, 500),
    ]
    assert sam["currency"] == "EUR"
    assert sam["earlier"]["received_count"] == 0
    assert sam["figures"]["acceptance_rate"] is None
    portal.sam.post(f"{API}/assignments/{portal.sale.anchor}/accept")
    assert portal.sam.get(f"{API}/activity/figures").json()["figures"]["acceptance_rate"] == 1
    # Of the days that begin tomorrow, the earlier ones are those of today.
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    days = {"day_from": tomorrow.isoformat(), "day_before": (tomorrow + timedelta(days=1)).isoformat()}
    found = portal.sam.get(f"{API}/activity/figures", params=days).json()
    assert (found["figures"]["received_count"], found["earlier"]["received_count"]) == (0, 1)
    assert portal.sam.get(f"{API}/activity/figures", params={"day_from": "yesterday"}).status_code == 422
