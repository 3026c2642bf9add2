"""A provider's levels and subscriptions over HTTP: its own, and nothing of another's."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.read_limits import PREVIEWS_OF_PROVIDER
from fairlead.flows.configuration.levels import create_level, delete_level
from fairlead.flows.configuration.subscriptions import pause_subscription, subscribe, unsubscribe
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin, machine
from tests.api.permitting import problem
from tests.api.portal import API, EVERY_LEAD, NORTH, UNFIT, level, open_portal, subscription
from tests.api.test_matrix import unnoticed
from tests.flows.access.people import value
from tests.flows.configuration.market import UNKNOWN
from tests.flows.marketplaces import activity
from tests.flows.sales import audited, query

OWN = f"{API}/subscriptions"
ANY = {"If-Match": "*"}

VERBS: dict[str, Callable[[Any, str], Any]] = {
    "show": lambda who, id: who.get(f"{OWN}/{id}"),
    "history": lambda who, id: who.get(f"{OWN}/{id}/history"),
    "pause": lambda who, id: who.post(f"{OWN}/{id}/pause"),
    "resume": lambda who, id: who.post(f"{OWN}/{id}/resume"),
    "filter": lambda who, id: who.put(f"{OWN}/{id}/filter", json=NORTH, headers=ANY),
    "leave": lambda who, id: who.delete(f"{OWN}/{id}", headers=ANY),
}


def test_what_is_on_offer_shows_ones_own_place_alone(database: Database) -> None:
    portal = open_portal(database)
    [niche] = portal.sam.get(f"{API}/levels").json()["items"]
    assert (niche["slug"], [each["name"] for each in niche["levels"]]) == ("hosting", ["gold", "silver"])
    assert niche["form_schema"]["fields"][0]["key"] == "cores"
    gold, silver = niche["levels"]
    assert (gold["price_cents"], gold["currency"], gold["max_recipients"]) == (2000, "EUR", 1)
    assert gold["own"]["subscription_id"] == subscription(database, portal.sale.anchor_id, "gold")
    assert silver["own"]["is_active"]
    unsubscribe(database, gold["own"]["subscription_id"], OPERATOR, of_provider_id=None)
    [again] = portal.sam.get(f"{API}/levels").json()["items"]
    assert again["levels"][0]["own"] is None
    [of_bea] = portal.bea.get(f"{API}/levels").json()["items"]
    assert of_bea["levels"][0]["own"]["deactivation_reason"] == "insufficient_funds"


def test_a_filter_that_is_too_large_is_refused_with_its_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = open_portal(database)
    silver = subscription(database, portal.sale.anchor_id, "silver")
    monkeypatch.setattr("fairlead.core.filters.filter.MAX_FILTER_BYTES", 77)
    for answer in (
        portal.sam.put(f"{OWN}/{silver}/filter", json=NORTH, headers=ANY),
        portal.sam.post(f"{API}/levels/{level(database, 'gold')}/filter-preview", json=NORTH),
    ):
        assert problem(answer) == (422, "input_invalid")
        [told] = answer.json()["errors"]
        assert (told["pointer"][-6:], told["code"]) == ("/rules", "filter_too_large")


def test_a_filter_is_tried_on_the_last_leads(database: Database) -> None:
    portal = open_portal(database)
    gold = level(database, "gold")
    before = unnoticed(database)
    fits = portal.sam.post(f"{API}/levels/{gold}/filter-preview", json=NORTH).json()
    assert fits == {
        "matched_count": 1,
        "lead_count": 1,
        "filter_summary": "Region is north",
        "is_estimate": False,
    }
    south = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "south"}]}
    assert portal.sam.post(f"{API}/levels/{gold}/filter-preview", json=south).json()["matched_count"] == 0
    unfit = portal.sam.post(f"{API}/levels/{gold}/filter-preview", json=UNFIT)
    assert problem(unfit) == (422, "input_invalid")
    [error] = unfit.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/rules/0/field_key", "unknown_field")
    assert problem(portal.sam.post(f"{API}/levels/{UNKNOWN}/filter-preview", json=NORTH)) == (404, "level_unknown")
    [(form,)] = query(database, "select form_schema::text from niches")
    value(database, "update niches set form_schema = '{}'")
    assert problem(portal.sam.post(f"{API}/levels/{gold}/filter-preview", json=NORTH)) == (409, "form_unreadable")
    value(database, "update niches set form_schema = %s::jsonb", form)
    assert unnoticed(database) == before


def test_filters_are_tried_by_providers_that_may_buy_and_only_so_often(database: Database) -> None:
    portal = open_portal(database)
    preview = f"{API}/levels/{level(database, 'gold')}/filter-preview"
    codes: list[int] = []
    while 429 not in codes:
        codes.append(portal.sam.post(preview, json=NORTH).status_code)
    # Turns come back while a slow machine asks: never fewer than the capacity are let through.
    assert codes[:-1] == [200] * len(codes[:-1])
    assert PREVIEWS_OF_PROVIDER.capacity < len(codes) <= 3 * PREVIEWS_OF_PROVIDER.capacity
    key = create_api_key(database, "CRM", ["own:read", "own:write"], OPERATOR, provider_id=portal.sale.anchor_id)
    # A turn or two may have come back meanwhile; a limit of the key's own would hold twice as many as are asked for.
    keyed = [
        machine(portal.app, key.text).post(preview, json=NORTH).status_code
        for _ in range(PREVIEWS_OF_PROVIDER.capacity // 2)
    ]
    assert 429 in keyed, "the provider's keys share its limit"
    for status in ("pending", "suspended", "active"):
        value(database, "update providers set status = %s where id = %s", status, portal.sale.bowline_id)
        assert portal.bea.post(preview, json=NORTH).status_code == (200 if status == "active" else 403)


def test_one_lists_and_sees_ones_own(database: Database) -> None:
    portal = open_portal(database)
    items = portal.sam.get(OWN).json()["items"]
    assert [each["level_name"] for each in items] == ["gold", "silver"]
    gold = items[0]
    assert (gold["niche"], gold["price_cents"], gold["currency"]) == ("hosting", 2000, "EUR")
    assert (gold["filter_summary"], gold["is_active"]) == ("Cores at least 4", True)
    assert gold["last_received_at"] is not None
    assert {each["subscription_id"] for each in portal.bea.get(OWN).json()["items"]}.isdisjoint(
        {each["subscription_id"] for each in items}
    )
    shown = portal.sam.get(f"{OWN}/{gold['subscription_id']}")
    assert shown.json() == gold
    assert shown.headers["etag"].startswith('"')
    portal.sam.delete(f"{OWN}/{gold['subscription_id']}", headers=ANY)
    assert [each["level_name"] for each in portal.sam.get(OWN).json()["items"]] == ["silver"]
    with_ended = portal.sam.get(OWN, params={"with_ended": True}).json()["items"]
    assert [(each["level_name"], each["is_ended"]) for each in with_ended] == [("gold", True), ("silver", False)]


@pytest.mark.parametrize("name", VERBS)
def test_anothers_subscription_is_unknown(database: Database, name: str) -> None:
    portal = open_portal(database)
    foreign, verb = subscription(database, portal.sale.bowline_id, "silver"), VERBS[name]
    before = activity(database)
    refused = verb(portal.sam, foreign)
    assert problem(refused) == problem(verb(portal.sam, UNKNOWN)) == (404, "subscription_unknown")
    assert activity(database) == before
    assert verb(portal.bea, foreign).status_code == 200


def test_subscribing_takes_effect_once_and_names_what_is_wrong(database: Database) -> None:
    portal = open_portal(database)
    [(niche_id,)] = query(database, "select id::text from niches")
    bronze = create_level(database, niche_id, "bronze", 100, 5, OPERATOR).row.level.level_id
    asked = {"level_id": bronze, "filter_rules": NORTH}
    made = portal.sam.post(OWN, json=asked)
    assert (made.status_code, made.json()["filter_summary"], made.json()["is_active"]) == (201, "Region is north", True)
    assert "anchor bronze" in activity(database)
    assert "bowline bronze" not in activity(database)
    again = portal.sam.post(OWN, json=asked)
    assert (again.status_code, again.json()) == (201, made.json())
    assert len(audited(database, "subscription.subscribed")) == 1
    assert made.headers["etag"] == portal.sam.get(made.headers["location"]).headers["etag"]
    other = portal.sam.post(OWN, json={"level_id": bronze, "filter_rules": EVERY_LEAD})
    assert problem(other) == (409, "subscription_exists")
    unfit = portal.sam.post(OWN, json={"level_id": bronze, "filter_rules": UNFIT})
    assert (problem(unfit), unfit.json()["errors"][0]["pointer"]) == (
        (422, "input_invalid"),
        "/filter_rules/rules/0/field_key",
    )
    assert problem(portal.sam.post(OWN, json={"level_id": UNKNOWN})) == (404, "level_unknown")


def test_a_deleted_level_takes_no_subscription(database: Database) -> None:
    portal = open_portal(database)
    [(niche_id,)] = query(database, "select id::text from niches")
    bronze = create_level(database, niche_id, "bronze", 100, 5, OPERATOR).row.level.level_id
    delete_level(database, bronze, OPERATOR)
    assert problem(portal.sam.post(OWN, json={"level_id": bronze})) == (409, "level_deleted")


def test_pausing_resuming_and_leaving(database: Database) -> None:
    portal = open_portal(database)
    silver = subscription(database, portal.sale.anchor_id, "silver")
    paused = portal.sam.post(f"{OWN}/{silver}/pause").json()
    assert (paused["is_active"], paused["deactivation_reason"]) == (False, "paused")
    assert activity(database)["anchor silver"] == "paused"
    assert portal.sam.post(f"{OWN}/{silver}/resume").json()["is_active"]
    assert activity(database)["anchor silver"] == "active"
    broke = subscription(database, portal.sale.bowline_id, "gold")
    assert portal.bea.post(f"{OWN}/{broke}/resume").json()["deactivation_reason"] == "insufficient_funds"
    assert problem(portal.sam.delete(f"{OWN}/{silver}")) == (428, "precondition_required")
    ended = portal.sam.delete(f"{OWN}/{silver}", headers=ANY)
    assert (ended.status_code, ended.json()["is_ended"], ended.json()["is_active"]) == (200, True, False)
    assert activity(database)["anchor silver"] == "deleted"
    assert portal.sam.delete(f"{OWN}/{silver}", headers=ANY).status_code == 200
    assert problem(portal.sam.post(f"{OWN}/{silver}/pause")) == (409, "subscription_ended")
    assert problem(portal.sam.post(f"{OWN}/{silver}/resume")) == (409, "subscription_ended")
    filtered = portal.sam.put(f"{OWN}/{silver}/filter", json=NORTH, headers=ANY)
    assert problem(filtered) == (409, "subscription_ended")
    who = query(database, "select distinct actor, actor_role from audit_log where action = 'subscription.paused'")
    [(user_id,)] = query(database, "select id::text from users where provider_id = %s", portal.sale.anchor_id)
    assert who == [(f"user:{user_id}", "provider")]


def test_a_change_of_a_filter_needs_its_last_version(database: Database) -> None:
    portal = open_portal(database)
    silver = subscription(database, portal.sale.anchor_id, "silver")
    path = f"{OWN}/{silver}/filter"
    seen = portal.sam.get(f"{OWN}/{silver}").headers["etag"]
    assert problem(portal.sam.put(path, json=NORTH)) == (428, "precondition_required")
    done = portal.sam.put(path, json=NORTH, headers={"If-Match": seen})
    assert (done.status_code, done.json()["filter_summary"]) == (200, "Region is north")
    stale = portal.sam.put(path, json=EVERY_LEAD, headers={"If-Match": seen})
    assert problem(stale) == (412, "version_conflict")
    assert problem(portal.sam.delete(f"{OWN}/{silver}", headers={"If-Match": seen})) == (412, "version_conflict")
    now = {"If-Match": done.headers["etag"]}
    unfit = portal.sam.put(path, json=UNFIT, headers=now)
    assert (problem(unfit), unfit.json()["errors"][0]["pointer"]) == ((422, "input_invalid"), "/rules/0/field_key")
    assert portal.sam.put(path, json=EVERY_LEAD, headers=now).json()["filter_rules"] == EVERY_LEAD


def test_the_history_tells_of_the_providers_own_deeds(database: Database) -> None:
    portal = open_portal(database)
    silver = subscription(database, portal.sale.anchor_id, "silver")
    pause_subscription(database, silver, OPERATOR, of_provider_id=None, memo="they owe us an answer")
    portal.sam.post(f"{OWN}/{silver}/resume")
    first = portal.sam.get(f"{OWN}/{silver}/history", params={"limit": 2}).json()
    resumed, paused = first["items"]
    assert (resumed["is_active"], resumed["action"], resumed["actor_role"]) == (
        True,
        "subscription.resumed",
        "provider",
    )
    assert resumed["actor"].startswith("user:")
    assert (paused["deactivation_reason"], paused["actor"], paused["memo"]) == ("paused", None, None)
    assert paused["actor_role"] == "admin"
    rest = portal.sam.get(f"{OWN}/{silver}/history", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    seqs = [each["seq"] for each in (*first["items"], *rest["items"])]
    assert seqs == [3, 2, 1], "the journal's numbers would tell how much happens in the niche"


def test_operators_and_reading_keys_change_nothing_here(database: Database) -> None:
    portal = open_portal(database)
    silver = subscription(database, portal.sale.anchor_id, "silver")
    ann = an_admin(portal.app, database)
    key = portal.sam.post(f"{API}/keys", json={"name": "CRM", "scopes": ["own:read"]}).json()["key"]
    crm = machine(portal.app, key)
    for name, verb in VERBS.items():
        assert problem(verb(ann, silver)) == (403, "permission_missing"), name
        if name not in ("show", "history"):
            assert problem(verb(crm, silver)) == (403, "permission_missing"), name
    assert crm.get(f"{OWN}/{silver}").status_code == 200
    assert problem(ann.post(OWN, json={"level_id": level(database, "gold")})) == (403, "permission_missing")
    assert activity(database)["anchor silver"] == "active"


def test_one_who_comes_back_has_its_filter_again(database: Database) -> None:
    portal = open_portal(database)
    gold = subscription(database, portal.sale.anchor_id, "gold")
    portal.sam.delete(f"{OWN}/{gold}", headers=ANY)
    back = portal.sam.post(OWN, json={"level_id": level(database, "gold")}).json()
    assert (back["subscription_id"], back["filter_summary"]) == (gold, "Cores at least 4")
    assert subscribe(database, portal.sale.anchor_id, level(database, "gold"), OPERATOR).took_effect is False
