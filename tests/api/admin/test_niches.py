"""Opening niches over HTTP, changing them, and for how long their leads can be reported."""

import pytest

from fairlead.api.routes.admin.niches import forms as admin_forms
from fairlead.api.routes.admin.niches import levels as admin_levels
from fairlead.api.routes.admin.niches import niches as admin_niches
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.flows.configuration.market import UNKNOWN, events, open_market
from tests.flows.sales import query

NICHES = "/api/v1/admin/niches"
FORM = {"version": 1, "fields": [{"key": "rooms", "type": "number"}]}
HOURLY = {"every_minutes": 60, "max_times": 5, "max_hours": 48}


def test_a_niche_is_opened_once(database: Database) -> None:
    ann = an_admin(application(database), database)
    asked = {"slug": "moving", "name": "Moving", "form_schema": FORM, "auto_distribute": False, "reoffer": HOURLY}
    made = ann.post(NICHES, json=asked)
    assert made.status_code == 201, made.text
    niche = made.json()["niche"]
    assert (niche["slug"], niche["auto_distribute"], niche["reoffer"]) == ("moving", False, HOURLY)
    assert made.headers["etag"] == f'"{niche["version"]}"'
    assert query(database, "select id::text, slug, reoffer_every_minutes from niches") == [
        (niche["niche_id"], "moving", 60)
    ]
    again = ann.post(NICHES, json=asked)
    assert (again.status_code, again.json()["took_effect"], again.json()["niche"]) == (201, False, niche)
    assert problem(ann.post(NICHES, json={**asked, "name": "Removals"})) == (409, "niche_exists")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"slug": "Moving"}, "/slug"),
        ({"name": "\u3000 "}, "/name"),
        ({"name": "Mov\u202eing"}, "/name"),
        ({"is_active": "true"}, "/is_active"),
        ({"reoffer": {**HOURLY, "max_times": True}}, "/reoffer/max_times"),
        ({"colour": "red"}, "/colour"),
        ({"form_schema": {"version": 2, "fields": []}}, "/form_schema/version"),
        ({"form_schema": {"version": 1, "fields": [{"key": "a", "type": "select"}]}}, "/form_schema/fields/0/options"),
    ],
)
def test_what_is_wrong_with_a_niche_is_told_by_its_place(
    database: Database, asked: dict[str, object], pointer: str
) -> None:
    ann = an_admin(application(database), database)
    refused = ann.post(NICHES, json={"slug": "moving", "name": "Moving"} | asked)
    assert problem(refused) == (422, "input_invalid")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert query(database, "select from niches") == []


def test_niches_are_listed_page_by_page(database: Database) -> None:
    ann = an_admin(application(database), database)
    for number in range(3):
        ann.post(NICHES, json={"slug": f"niche-{number}", "name": f"Niche {number}"})
    first = ann.get(NICHES, params={"limit": 2}).json()
    second = ann.get(NICHES, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["slug"] for each in first["items"] + second["items"]] == ["niche-0", "niche-1", "niche-2"]
    assert second["next_cursor"] is None


def test_a_niche_is_shown_with_its_levels(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    shown = ann.get(f"{NICHES}/{market.niche}")
    body = shown.json()
    assert [(each["name"], each["price_cents"], each["currency"]) for each in body["levels"]] == [
        ("gold", 2000, "EUR"),
        ("silver", 500, "EUR"),
    ]
    assert shown.headers["etag"] == f'"{body["niche"]["version"]}"'
    assert problem(ann.get(f"{NICHES}/{UNKNOWN}")) == (404, "niche_unknown")
    assert problem(ann.get(f"{NICHES}/moving")) == (422, "input_invalid")


def test_only_what_is_sent_is_changed(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{NICHES}/{market.niche}"
    before = ann.get(address)
    changed = ann.patch(address, json={"reoffer": HOURLY, "memo": "worth a try"}, headers=seen(before))
    assert changed.status_code == 200, changed.text
    assert changed.json()["niche"] == before.json()["niche"] | {
        "reoffer": HOURLY,
        "version": changed.json()["niche"]["version"],
    }
    assert events(database)[-1][0::3] == ("niche.policy_changed", "worth a try")
    off = ann.patch(address, json={"reoffer": None, "is_active": False}, headers=seen(changed)).json()["niche"]
    assert (off["reoffer"], off["is_active"], off["name"]) == (None, False, "Hosting")
    assert query(database, "select name, is_active, reoffer_max_times from niches") == [("Hosting", False, None)]
    assert not ann.patch(address, json={}, headers={"If-Match": "*"}).json()["took_effect"]


def test_a_change_says_what_it_is_a_change_of(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{NICHES}/{market.niche}"
    assert problem(ann.patch(address, json={"name": "Servers"})) == (428, "precondition_required")
    assert problem(ann.patch(address, json={"name": "Servers"}, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.patch(address, json={"name": None}, headers=STALE)) == (422, "input_invalid")
    assert problem(ann.patch(f"{NICHES}/{UNKNOWN}", json={}, headers=STALE)) == (404, "niche_unknown")
    assert query(database, "select name from niches") == [("Hosting",)]


def test_the_window_of_reports_is_changed(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{NICHES}/{market.niche}/bad-lead-window"
    before = ann.get(address)
    assert before.json()["bad_lead_window_days"] == 14
    assert problem(ann.put(address, json={"bad_lead_window_days": 30})) == (428, "precondition_required")
    assert problem(ann.put(address, json={"bad_lead_window_days": 30}, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.put(address, json={"bad_lead_window_days": 0}, headers=STALE)) == (422, "input_invalid")
    done = ann.put(address, json={"bad_lead_window_days": 30}, headers=seen(before))
    assert (done.status_code, done.json()["bad_lead_window_days"]) == (200, 30)
    assert query(database, "select bad_lead_window_days from niches") == [(30,)]
    unknown = f"{NICHES}/{UNKNOWN}/bad-lead-window"
    assert problem(ann.get(unknown)) == (404, "niche_unknown")
    assert problem(ann.put(unknown, json={"bad_lead_window_days": 30}, headers=STALE)) == (404, "niche_unknown")


def test_it_is_for_operators(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    sam = a_provider(app, database, market.anchor)
    eve = a_provider(app, database, market.bowline, "sales@bowline.example")
    for router in (admin_niches.router, admin_forms.router, admin_levels.router):
        assert codes_of(router, anonymous(app)) == {(401, "session_invalid")}
        for client in (sam, eve):
            assert codes_of(router, client) == {(403, "permission_missing")}
