"""Levels over HTTP: prices that move subscriptions, and orders that change at once."""

from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.store.connection import Database
from tests.api.asking import an_admin, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import STALE, problem, seen
from tests.flows.access.people import value
from tests.flows.configuration.market import UNKNOWN, open_market
from tests.flows.marketplaces import activity
from tests.flows.sales import query

LEVELS = "/api/v1/admin/levels"
ORDER = "select name from competition_levels where deleted_at is null order by order_position"


def test_a_level_is_added_once(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"/api/v1/admin/niches/{market.niche}/levels"
    asked = {"name": "bronze", "price_cents": 100, "max_recipients": 5, "memo": "for beginners"}
    made = ann.post(address, json=asked)
    assert made.status_code == 201, made.text
    level = made.json()["level"]
    assert (level["order_position"], level["price_cents"], level["currency"]) == (3, 100, "EUR")
    assert query(database, ORDER) == [("gold",), ("silver",), ("bronze",)]
    again = ann.post(address, json=asked)
    assert (again.status_code, again.json()["took_effect"], again.json()["level"]) == (201, False, level)
    assert problem(ann.post(address, json=asked | {"price_cents": 101})) == (409, "level_exists")
    taken = ann.post(address, json=asked | {"name": "tin", "order_position": 3})
    assert problem(taken) == (409, "position_taken")
    assert problem(ann.post(address, json=asked | {"max_recipients": 101})) == (422, "input_invalid")
    nowhere = ann.post(f"/api/v1/admin/niches/{UNKNOWN}/levels", json=asked)
    assert problem(nowhere) == (404, "niche_unknown")


def test_a_price_moves_subscriptions_at_once(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{LEVELS}/{market.silver}"
    before = ann.get(address)
    assert problem(ann.patch(address, json={"price_cents": 700})) == (428, "precondition_required")
    assert problem(ann.patch(address, json={"price_cents": 700}, headers=STALE)) == (412, "version_conflict")
    dear = ann.patch(address, json={"price_cents": 700}, headers=seen(before))
    assert dear.json()["deactivated_subscription_ids"] == [market.subscriptions["bowline silver"]]
    assert activity(database)["bowline silver"] == "insufficient_funds"
    cheap = ann.patch(address, json={"price_cents": 500, "memo": "too dear"}, headers=seen(dear))
    assert cheap.json()["reactivated_subscription_ids"] == [market.subscriptions["bowline silver"]]
    assert cheap.json()["level"] == before.json()
    assert activity(database)["bowline silver"] == "active"


def test_what_a_price_would_do_is_what_it_does(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address, bowline = f"{LEVELS}/{market.silver}", market.subscriptions["bowline silver"]
    before = ann.get(address)
    told = ann.post(f"{address}/preview", json={"price_cents": 700, "name": "tin"}).json()
    assert [each["subscription_id"] for each in told["deactivated"]] == [bowline]
    assert (told["active_count"], told["reactivated"], told["level"]["name"]) == (told["subscription_count"], [], "tin")
    assert ann.get(address).json() == before.json(), "nothing was changed"
    done = ann.patch(address, json={"price_cents": 700}, headers=seen(before))
    assert done.json()["deactivated_subscription_ids"] == [bowline]
    told = ann.post(f"{address}/preview", json={"price_cents": 500}).json()
    assert [each["subscription_id"] for each in told["reactivated"]] == [bowline]
    assert ann.post(f"{address}/preview", json={"max_recipients": 2}).json()["deactivated"] == []
    assert problem(ann.post(f"{LEVELS}/{UNKNOWN}/preview", json={})) == (404, "level_unknown")


def test_what_a_price_would_stop_is_told_to_those_who_may_change_it(database: Database) -> None:
    """Tried with one price after another, it tells each subscriber's balance."""
    market = open_market(database)
    app = application(database)
    address, wish = f"{LEVELS}/{market.silver}/preview", {"price_cents": 700}
    reader = machine(app, operators_key(database, Permission.NICHES_READ, Permission.PROVIDERS_READ))
    assert problem(reader.post(address, json=wish)) == (403, "permission_missing")
    editor = machine(app, operators_key(database, Permission.NICHES_WRITE, email="eve@example.com"))
    assert editor.post(address, json=wish).status_code == 200
    value(
        database,
        "update rate_buckets set full_at = now() + make_interval(secs => %s) where name like 'reports_of_caller%%'",
        REPORTS_OF_CALLER.capacity * REPORTS_OF_CALLER.seconds_per_token,
    )
    assert editor.post(address, json=wish).status_code == 429


def test_a_level_is_switched_off_and_renamed(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{LEVELS}/{market.silver}"
    done = ann.patch(address, json={"is_active": False, "name": "tin"}, headers=seen(ann.get(address))).json()["level"]
    assert (done["is_active"], done["name"], done["price_cents"]) == (False, "tin", 500)
    assert query(database, "select is_active, name from competition_levels where id = %s", market.silver) == [
        (False, "tin")
    ]
    taken = ann.patch(address, json={"name": "gold"}, headers={"If-Match": "*"})
    assert problem(taken) == (409, "level_exists")
    assert problem(ann.patch(f"{LEVELS}/{UNKNOWN}", json={}, headers=STALE)) == (404, "level_unknown")
    assert problem(ann.get(f"{LEVELS}/{UNKNOWN}")) == (404, "level_unknown")


def test_what_was_used_is_not_deleted(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    used = f"{LEVELS}/{market.silver}"
    assert problem(ann.delete(used)) == (428, "precondition_required")
    assert problem(ann.delete(used, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.delete(used, headers=seen(ann.get(used)))) == (409, "level_in_use")
    made = ann.post(
        f"/api/v1/admin/niches/{market.niche}/levels", json={"name": "tin", "price_cents": 1, "max_recipients": 1}
    )
    unused = f"{LEVELS}/{made.json()['level']['level_id']}"
    gone = ann.delete(unused, params={"memo": "a mistake"}, headers=seen(made))
    assert (gone.status_code, gone.text) == (204, "")
    assert query(database, ORDER) == [("gold",), ("silver",)]
    assert query(database, "select memo from audit_log where action = 'level.deleted'") == [("a mistake",)]
    assert ann.get(unused).json()["is_deleted"]
    assert problem(ann.patch(unused, json={"name": "x"}, headers={"If-Match": "*"})) == (409, "level_deleted")
    assert ann.delete(unused, headers=STALE).status_code == 204
    assert problem(ann.delete(f"{LEVELS}/{UNKNOWN}", headers=STALE)) == (404, "level_unknown")


def test_all_levels_are_put_into_another_order_at_once(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"/api/v1/admin/niches/{market.niche}/levels"
    before = ann.get(address)
    assert [each["level_id"] for each in before.json()["items"]] == [market.gold, market.silver]
    asked = {"level_ids": [market.silver, market.gold]}
    assert problem(ann.put(f"{address}/order", json=asked)) == (428, "precondition_required")
    assert problem(ann.put(f"{address}/order", json=asked, headers=STALE)) == (412, "version_conflict")
    done = ann.put(f"{address}/order", json=asked, headers=seen(before))
    assert [each["name"] for each in done.json()["items"]] == ["silver", "gold"]
    assert query(database, ORDER) == [("silver",), ("gold",)]
    assert ann.get(address).headers["etag"] == done.headers["etag"] == f'"{done.json()["order_version"]}"'
    for ids in ([market.silver], [market.silver, market.silver], [market.silver, market.gold, UNKNOWN]):
        partly = ann.put(f"{address}/order", json={"level_ids": ids}, headers={"If-Match": "*"})
        assert problem(partly) == (409, "levels_incomplete")
    nowhere = f"/api/v1/admin/niches/{UNKNOWN}/levels"
    assert problem(ann.get(nowhere)) == (404, "niche_unknown")
    assert problem(ann.put(f"{nowhere}/order", json=asked, headers=STALE)) == (404, "niche_unknown")
