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
