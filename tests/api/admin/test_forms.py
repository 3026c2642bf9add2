"""The versions of a niche's form over HTTP: what a change does to filters is told before and after."""

from fairlead.store.connection import Database
from tests.api.asking import an_admin, application
from tests.api.permitting import STALE, problem, seen
from tests.flows.configuration.market import UNKNOWN, changes_nothing, open_market
from tests.flows.sales import query

CORES = {"key": "cores", "label": "Cores", "type": "number", "required": False}
REGION = {"key": "region", "label": "Region", "type": "select", "required": False, "options": ["north", "south"]}
WITHOUT_CORES = {"version": 1, "fields": [REGION]}


def test_a_change_is_tried_made_and_taken_back(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"/api/v1/admin/niches/{market.niche}/form"
    before = ann.get(address)
    assert before.json()["form_schema"] == {"version": 1, "fields": [CORES, REGION]}
    assert before.json()["number"] == 1

    tried = changes_nothing(database, lambda: ann.post(f"{address}/preview", json={"form_schema": WITHOUT_CORES}))
    assert (tried.status_code, tried.json()["is_dry_run"]) == (200, True)
    [unfit] = tried.json()["invalidated"]
    assert unfit["subscription_id"] == market.subscriptions["anchor gold"]
    assert (unfit["provider_id"], unfit["level_id"]) == (market.anchor, market.gold)
    assert unfit["problem"].startswith("rules[0].field_key: ")

    asked = {"form_schema": WITHOUT_CORES, "memo": "nobody asks"}
    assert problem(ann.put(address, json=asked)) == (428, "precondition_required")
    assert problem(ann.put(address, json=asked, headers=STALE)) == (412, "version_conflict")
    made = ann.put(address, json=asked, headers=seen(before))
    assert made.json() == tried.json() | {"is_dry_run": False, "number": 2}
    invalid = "select id::text from subscriptions where not filter_is_valid"
    assert query(database, invalid) == [(market.subscriptions["anchor gold"],)]

    versions = ann.get(f"{address}/versions").json()["items"]
    assert [(each["number"], each["memo"]) for each in versions] == [(2, "nobody asks"), (1, versions[1]["memo"])]
    assert versions[0]["created_by"].startswith("user:")
    first = ann.get(f"{address}/versions/1").json()
    assert (first["number"], first["form_schema"]) == (1, before.json()["form_schema"])

    assert problem(ann.post(f"{address}/versions/1/restore", headers=STALE)) == (412, "version_conflict")
    back = ann.post(f"{address}/versions/1/restore", headers=seen(made))
    assert (back.json()["number"], back.json()["invalidated"]) == (3, [])
    assert back.json()["validated_subscription_ids"] == [market.subscriptions["anchor gold"]]
    assert query(database, invalid) == []
    assert ann.get(address).headers["etag"] == before.headers["etag"] == back.headers["etag"]


def test_what_there_is_not_is_refused(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address, nowhere = (f"/api/v1/admin/niches/{each}/form" for each in (market.niche, UNKNOWN))
    asked = {"form_schema": WITHOUT_CORES}
    answers = [
        ann.get(nowhere),
        ann.put(nowhere, json=asked, headers=STALE),
        ann.post(f"{nowhere}/preview", json=asked),
        ann.get(f"{nowhere}/versions"),
        ann.get(f"{nowhere}/versions/1"),
        ann.post(f"{nowhere}/versions/1/restore", headers=STALE),
    ]
    assert [problem(answer) for answer in answers] == [(404, "niche_unknown")] * 6
    for answer in (
        ann.get(f"{address}/versions/2"),
        ann.post(f"{address}/versions/2/restore", headers={"If-Match": "*"}),
    ):
        assert problem(answer) == (404, "form_version_unknown")
    assert problem(ann.get(f"{address}/versions/0")) == (422, "input_invalid")


def test_a_form_that_is_none_is_told_by_its_place(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"/api/v1/admin/niches/{market.niche}/form"
    twice = {"form_schema": {"version": 1, "fields": [CORES, CORES]}}
    for answer in (ann.put(address, json=twice, headers=STALE), ann.post(f"{address}/preview", json=twice)):
        assert problem(answer) == (422, "input_invalid")
        [error] = answer.json()["errors"]
        assert (error["location"], error["pointer"]) == ("body", "/form_schema/fields/1/key")
