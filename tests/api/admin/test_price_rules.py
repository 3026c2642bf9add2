"""Price rules over HTTP: set, shown in words, tried; and what a provider pays at most."""

from datetime import timedelta
from typing import Any

from fairlead.api.routes.admin.niches import price_rules as admin_price_rules
from fairlead.core.permissions import Permission
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.api.portal import subscription
from tests.flows.access.people import rows
from tests.flows.configuration.market import UNKNOWN, open_market
from tests.flows.sales import told

ANY = {"If-Match": "*"}
OLD: dict[str, Any] = {"name": "Old", "price_cents": 400, "lead_age_minutes": {"from": 60}}
BIG: dict[str, Any] = {
    "name": "Big",
    "price_cents": 900,
    "filter": {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 16}]},
}
NIGHT: dict[str, Any] = {
    "name": "Night",
    "price_cents": 700,
    "hours": [{"days": ["mon"], "opens": "22:00", "closes": "06:00"}],
}


def rules(*each: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"price_rules": {"version": 1, "rules": list(each), **more}}


def test_price_rules_are_set_shown_and_taken_away(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = f"/api/v1/admin/levels/{market.gold}/price-rules"
    before = ann.get(own)
    assert (before.json()["price_rules"], before.json()["in_words"]) == ({"version": 1, "rules": []}, [])
    done = ann.put(own, json=rules(BIG, OLD, NIGHT, timezone="Europe/Berlin"), headers=seen(before))
    assert done.status_code == 200, done.text
    assert problem(ann.put(own, json=rules(OLD), headers=seen(before))) == (412, "version_conflict")
    shown = ann.get(own).json()
    assert shown["lowest_price_cents"] == 400
    assert [each["when"] for each in shown["in_words"]] == [
        "Cores at least 16",
        "the lead is at least 1 hour old",
        "Mon 22:00 to 06:00 (Europe/Berlin)",
    ]
    assert ann.get(f"/api/v1/admin/levels/{market.gold}").json()["price_rules"] == shown["price_rules"]
    assert ann.put(own, json=rules(), headers=ANY).json()["took_effect"] is True
    assert ann.get(own).json()["lowest_price_cents"] == shown["price_cents"]


def test_what_cannot_be_set_is_named_by_its_place(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = f"/api/v1/admin/levels/{market.gold}/price-rules"
    unknown = {**BIG, "filter": {"version": 1, "rules": [{"field_key": "height", "operator": "gte", "value": 1}]}}
    refused = ann.put(own, json=rules(unknown), headers=ANY)
    assert problem(refused) == (422, "input_invalid")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/price_rules/rules/0/filter/rules/0/field_key"]
    assert problem(ann.put(own, json=rules(NIGHT), headers=ANY)) == (422, "input_invalid")
    assert problem(ann.put(own, json=rules({"name": "All", "price_cents": 4}), headers=ANY)) == (422, "input_invalid")
    assert problem(ann.put(own, json=rules(OLD))) == (428, "precondition_required")
    nowhere = f"/api/v1/admin/levels/{UNKNOWN}/price-rules"
    assert problem(ann.get(nowhere)) == (404, "level_unknown")
    assert problem(ann.put(nowhere, json=rules(OLD), headers=ANY)) == (404, "level_unknown")
    assert problem(ann.post(f"{nowhere}/trial", json={"attributes": {}})) == (404, "level_unknown")


def test_a_lead_is_tried_by_rules_that_are_set_or_meant(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = f"/api/v1/admin/levels/{market.gold}/price-rules"
    ann.put(own, json=rules(BIG, OLD), headers=ANY)

    def tried(**asked: Any) -> dict[str, Any]:
        answer = ann.post(f"{own}/trial", json={"attributes": {"cores": 8}, **asked})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    fresh = tried()
    assert (fresh["rule_number"], [each["holds"] for each in fresh["rules"]]) == (None, [False, False])
    assert tried(age_minutes=59)["rule_number"] is None
    old = tried(age_minutes=60)
    assert (old["rule_number"], old["price_cents"]) == (2, 400)
    assert old["rules"][0]["conditions"] == {"filter": False}
    assert tried(attributes={"cores": 16}, age_minutes=60)["price_cents"] == 900
    night = rules(NIGHT, timezone="Europe/Berlin")
    assert tried(at="2026-03-02T21:00:00Z", **night)["price_cents"] == 700
    assert tried(at="2026-03-02T20:59:59Z", **night)["rule_number"] is None
    assert problem(ann.post(f"{own}/trial", json={"attributes": {"cores": "many"}})) == (422, "input_invalid")
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        beyond = ann.post(f"{own}/trial", json={"attributes": {"cores": 8}, "at": moment, **night})
        assert problem(beyond) == (422, "input_invalid")
        assert [each["pointer"] for each in beyond.json()["errors"]] == ["/at"]


def test_a_lead_of_the_niche_is_tried_by_its_answers_and_age(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    ann = an_admin(app, database)
    own = f"/api/v1/admin/levels/{market.gold}/price-rules"
    ann.put(own, json=rules(BIG, OLD), headers=ANY)
    [big, small] = submit_leads(database, "hosting", [{"cores": 32}, {"cores": 2}], OPERATOR, approve=False)
    came_in = rows(database, "select created_at from leads where id = %s", small)[0]

    def tried(lead_id: str, **asked: Any) -> Any:
        return ann.post(f"{own}/trial", json={"lead_id": lead_id, **asked})

    assert tried(big).json()["price_cents"] == 900
    assert (tried(small).json()["rule_number"], tried(small).json()["age_minutes"]) == (None, 0)
    later = tried(small, at=(came_in + timedelta(minutes=61)).isoformat()).json()
    assert (later["rule_number"], later["age_minutes"]) == (2, 61)
    earlier = tried(small, at=(came_in - timedelta(minutes=1)).isoformat())
    assert problem(earlier) == (422, "input_invalid")
    assert "came in later" in earlier.text
    assert problem(tried(UNKNOWN)) == (404, "lead_unknown")
    assert problem(tried(small, attributes={})) == (422, "input_invalid")
    assert problem(ann.post(f"{own}/trial", json={})) == (422, "input_invalid")
    of_niches = machine(app, operators_key(database, Permission.NICHES_READ))
    asked = {"lead_id": small}
    assert problem(of_niches.post(f"{own}/trial", json=asked)) == (403, "permission_missing")
    erase_lead(database, small, "consumer_request", OPERATOR)
    assert problem(tried(small)) == (409, "lead_erased")


def test_a_form_that_price_rules_do_not_fit_is_refused(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    ann.put(f"/api/v1/admin/levels/{market.gold}/price-rules", json=rules(BIG), headers=ANY)
    form = {"form_schema": {"version": 1, "fields": [{"key": "size", "type": "number"}]}}
    refused = ann.put(f"/api/v1/admin/niches/{market.niche}/form", json=form, headers=ANY)
    assert problem(refused) == (409, "price_rules_unfit")


def limited(database: Database, ann: Any, provider_id: str, cents: int | None) -> str:
    """The provider pays so much at most at the level gold; the subscription's id."""
    own = subscription(database, provider_id, "gold")
    limit = f"/api/v1/admin/subscriptions/{own}/price-limit"
    assert ann.put(limit, json={"max_price_cents": cents}, headers=ANY).status_code == 200
    return own


def notices_of_limits(database: Database) -> list[tuple[str, dict[str, int]]]:
    return [(name, dict(detail)) for name, detail in told(database, "price_limit_passed")]


def test_a_dearer_level_says_whom_it_leaves_out_before_and_tells_them_once_afterwards(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    anchor = limited(database, ann, market.anchor, 2400)
    bowline = limited(database, ann, market.bowline, 2000)
    address = f"/api/v1/admin/levels/{market.gold}"

    def left_out(cents: int) -> list[tuple[str, str]]:
        said = ann.post(f"{address}/preview", json={"price_cents": cents}).json()["left_out"]
        return sorted((each["subscription_id"], each["provider_id"]) for each in said)

    both = sorted([(anchor, market.anchor), (bowline, market.bowline)])
    assert [left_out(cents) for cents in (1000, 2000, 2400)] == [[], [], [(bowline, market.bowline)]]
    assert left_out(2401) == both
    assert notices_of_limits(database) == []

    dearer = ann.patch(address, json={"price_cents": 2001}, headers=ANY).json()
    assert dearer["left_out_subscription_ids"] == [bowline]
    limits = {"lowest_price_cents": 2001, "max_price_cents": 2000}
    assert notices_of_limits(database) == [("Bowline", limits)]
    assert left_out(2401) == [(anchor, market.anchor)], "the other was left out before"
    again = ann.patch(address, json={"price_cents": 2001}, headers=ANY).json()
    assert (again["took_effect"], again["left_out_subscription_ids"]) == (False, [])
    ann.patch(address, json={"name": "Golden", "price_cents": 2300}, headers=ANY)
    assert len(notices_of_limits(database)) == 1
    ann.patch(address, json={"price_cents": 2000}, headers=ANY)
    ann.patch(address, json={"price_cents": 2001}, headers=ANY)
    assert notices_of_limits(database) == [("Bowline", limits)] * 2, "another change, another notice"


def test_price_rules_say_whom_they_leave_out(database: Database) -> None:
    """The least that the level asks counts: a rule that asks less lets leads come."""
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = f"/api/v1/admin/levels/{market.gold}/price-rules"
    ann.put(own, json=rules(OLD), headers=ANY)
    anchor = limited(database, ann, market.anchor, 400)
    limited(database, ann, market.bowline, None)
    dearer = rules({**OLD, "price_cents": 401})
    told_before = ann.post(f"{own}/preview", json=dearer)
    assert told_before.status_code == 200, told_before.text
    assert told_before.json()["left_out"] == [{"subscription_id": anchor, "provider_id": market.anchor}]
    assert ann.post(f"{own}/preview", json=rules(OLD, BIG)).json()["left_out"] == []
    assert notices_of_limits(database) == []
    assert ann.put(own, json=dearer, headers=ANY).json()["left_out_subscription_ids"] == [anchor]
    assert notices_of_limits(database) == [("Anchor", {"lowest_price_cents": 401, "max_price_cents": 400})]
    assert problem(ann.post(f"{own}/preview", json=rules({"name": "All", "price_cents": 4}))) == (422, "input_invalid")
    nowhere = f"/api/v1/admin/levels/{UNKNOWN}/price-rules/preview"
    assert problem(ann.post(nowhere, json=rules(OLD))) == (404, "level_unknown")
    reader = machine(application(database), operators_key(database, Permission.NICHES_READ))
    assert problem(reader.post(f"{own}/preview", json=rules(OLD))) == (403, "permission_missing")


def test_the_most_that_is_paid_is_set_by_operators(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    own = subscription(database, market.anchor, "gold")
    limit = f"/api/v1/admin/subscriptions/{own}/price-limit"
    set_to = ann.put(limit, json={"max_price_cents": 450}, headers=ANY)
    assert set_to.json()["subscription"]["max_price_cents"] == 450
    assert set_to.json()["price_limit_warning"].endswith("cents, and the most that is paid 450")
    too_low = ann.put(limit, json={"max_price_cents": 1}, headers=ANY).json()
    assert too_low["price_limit_warning"].endswith("cents, and the most that is paid 1")
    assert ann.put(limit, json={"max_price_cents": 2000}, headers=ANY).json()["price_limit_warning"] is None
    assert problem(ann.put(limit, json={"max_price_cents": 451}, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.put(limit, json={"max_price_cents": 0}, headers=ANY)) == (422, "input_invalid")
    assert ann.put(limit, json={"max_price_cents": None}, headers=ANY).json()["subscription"]["max_price_cents"] is None


def test_who_may(database: Database) -> None:
    open_market(database)
    app = application(database)
    assert codes_of(admin_price_rules.router, anonymous(app)) == {(401, "session_invalid")}
    other = machine(app, operators_key(database, Permission.LEADS_READ))
    assert codes_of(admin_price_rules.router, other) == {(403, "permission_missing")}
