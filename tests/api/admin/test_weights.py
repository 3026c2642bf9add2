"""Weighted levels over HTTP: a level's order, a subscription's weight, and the share that its provider is told."""

from fairlead.api.routes.admin.providers import subscription_weights
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.subscriptions import pause_subscription
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.api.portal import level, open_portal, subscription
from tests.flows.configuration.market import UNKNOWN, events, head, journal, open_market
from tests.flows.sales import query

ANY = {"If-Match": "*"}
LEVELS = "/api/v1/admin/levels"
SUBSCRIPTIONS = "/api/v1/admin/subscriptions"
OWN = "/api/v1/provider/subscriptions"


def test_the_order_of_a_level_is_set_changed_and_told(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"/api/v1/admin/niches/{market.niche}/levels"
    asked = {"name": "bronze", "price_cents": 100, "max_recipients": 5, "order": "weighted"}
    made = ann.post(address, json=asked)
    assert (made.status_code, made.json()["level"]["order"]) == (201, "weighted")
    assert not ann.post(address, json=asked).json()["took_effect"]
    turns = {key: asked[key] for key in asked if key != "order"}
    assert problem(ann.post(address, json=turns)) == (409, "level_exists"), "by turns, where none is said"
    assert problem(ann.post(address, json=asked | {"order": "by chance"})) == (422, "input_invalid")
    gold = f"{LEVELS}/{market.gold}"
    before = ann.get(gold)
    assert before.json()["order"] == "least_recently_served"
    assert ann.post(f"{gold}/preview", json={"order": "weighted"}).json()["level"]["order"] == "weighted"
    length = head(database)
    changed = ann.patch(gold, json={"order": "weighted"}, headers=seen(before))
    assert (changed.json()["took_effect"], changed.json()["level"]["order"]) == (True, "weighted")
    assert [(kind, entry["order"]) for kind, entry in journal(database, length)] == [("level", "weighted")]
    assert ann.patch(gold, json={"name": "Gold"}, headers=ANY).json()["level"]["order"] == "weighted"
    back = ann.patch(gold, json={"order": "least_recently_served"}, headers=ANY)
    assert back.json()["level"]["order"] == "least_recently_served"
    assert problem(ann.patch(gold, json={"order": None}, headers=ANY)) == (422, "input_invalid")


def test_a_weight_is_set_by_operators(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor gold']}"
    before = ann.get(own)
    assert before.json()["weight"] == 1
    assert problem(ann.put(f"{own}/weight", json={"weight": 3})) == (428, "precondition_required")
    assert problem(ann.put(f"{own}/weight", json={"weight": 3}, headers=STALE)) == (412, "version_conflict")
    done = ann.put(f"{own}/weight", json={"weight": 3, "memo": "they pay ahead"}, headers=seen(before))
    assert (done.json()["took_effect"], done.json()["subscription"]["weight"]) == (True, 3)
    assert (ann.get(own).json()["weight"], ann.get(own).headers["ETag"]) == (3, done.headers["ETag"])
    action, old, new, memo = events(database)[-1]
    assert (action, old["weight"], new["weight"], memo) == ("subscription.weight_changed", 1, 3, "they pay ahead")
    assert not ann.put(f"{own}/weight", json={"weight": 3}, headers=ANY).json()["took_effect"]
    for wrong in (0, 101, 1.5, "3", None):
        assert problem(ann.put(f"{own}/weight", json={"weight": wrong}, headers=ANY)) == (422, "input_invalid")
    unknown = ann.put(f"{SUBSCRIPTIONS}/{UNKNOWN}/weight", json={"weight": 1}, headers=ANY)
    assert problem(unknown) == (404, "subscription_unknown")
    ann.delete(own, headers=ANY)
    assert problem(ann.put(f"{own}/weight", json={"weight": 4}, headers=ANY)) == (409, "subscription_ended")
    states = ann.get(f"{own}/history").json()["items"]
    assert [each["weight"] for each in states] == [3, 3, 1], "the newest first"


def test_a_provider_is_told_its_own_weight_and_share(database: Database) -> None:
    """Of two providers each sees its own numbers, and can set none."""
    portal = open_portal(database)
    ann = an_admin(portal.app, database)
    anchor = subscription(database, portal.sale.anchor_id, "silver")
    bowline = subscription(database, portal.sale.bowline_id, "silver")
    adjust_balance(database, portal.sale.bowline_id, "credit", 1_000, "paid ahead", OPERATOR)
    [own] = [each for each in portal.sam.get(OWN).json()["items"] if each["subscription_id"] == anchor]
    assert (own["weight"], own["is_weighted"], own["share"]) == (1, False, None)
    ann.patch(f"{LEVELS}/{level(database, 'silver')}", json={"order": "weighted", "max_recipients": 1}, headers=ANY)
    ann.put(f"{SUBSCRIPTIONS}/{anchor}/weight", json={"weight": 3}, headers=ANY)
    for who, own_id, weight, share in ((portal.sam, anchor, 3, 0.75), (portal.bea, bowline, 1, 0.25)):
        [listed] = [each for each in who.get(OWN).json()["items"] if each["subscription_id"] == own_id]
        assert listed == who.get(f"{OWN}/{own_id}").json()
        assert (listed["weight"], listed["is_weighted"], listed["share"]) == (weight, True, share)
        golden = [each["share"] for each in who.get(OWN).json()["items"] if each["level_name"] == "gold"]
        assert set(golden) <= {None}
    assert problem(portal.sam.get(f"{OWN}/{bowline}")) == (404, "subscription_unknown")
    assert portal.sam.put(f"{OWN}/{anchor}/weight", json={"weight": 9}, headers=ANY).status_code == 404
    of_provider = portal.sam.put(f"{SUBSCRIPTIONS}/{anchor}/weight", json={"weight": 9}, headers=ANY)
    assert problem(of_provider) == (403, "permission_missing")
    assert portal.sam.get(f"{OWN}/{anchor}").json()["weight"] == 3
    queues = ann.get(f"/api/v1/admin/niches/{query(database, 'select id::text from niches')[0][0]}/queues").json()[
        "levels"
    ]
    told = {each["subscription_id"]: (each["weight"], each["share"]) for own in queues for each in own["items"]}
    assert (told[anchor], told[bowline]) == ((3, 0.75), (1, 0.25))
    assert told[subscription(database, portal.sale.anchor_id, "gold")] == (1, None)
    offers = portal.sam.get("/api/v1/provider/levels").json()["items"][0]["levels"]
    assert {each["name"]: each["is_weighted"] for each in offers} == {"gold": False, "silver": True}
    assert {each["is_exclusive"] for each in offers} == {False}
    pause_subscription(database, bowline, OPERATOR, of_provider_id=None)
    assert portal.bea.get(f"{OWN}/{bowline}").json()["share"] is None
    assert portal.sam.get(f"{OWN}/{anchor}").json()["share"] == 1.0


def test_who_may(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    assert codes_of(subscription_weights.router, anonymous(app)) == {(401, "session_invalid")}
    reader = machine(app, operators_key(database, Permission.PROVIDERS_READ))
    assert codes_of(subscription_weights.router, reader) == {(403, "permission_missing")}
    provider = a_provider(app, database, market.anchor)
    assert codes_of(subscription_weights.router, provider) == {(403, "permission_missing")}
