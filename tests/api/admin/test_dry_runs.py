"""A lead that does not exist, tried over HTTP."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.concurrency_limits import REPLAYS
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin, logged_in, machine
from tests.flows.access.people import enrolled_admin, value
from tests.flows.marketplaces import everything

DRY_RUNS = "/api/v1/admin/dry-runs"

pytestmark = pytest.mark.usefixtures("hosting")


def test_it_says_who_would_pay_what_and_why_the_others_would_not(ann: TestClient, database: Database) -> None:
    before = everything(database)
    tried = ann.post(DRY_RUNS, json={"niche": "hosting", "attributes": {"cores": 2, "region": "south"}}).json()
    assert (tried["outcome"], tried["currency"], tried["next_start_order_position"]) == ("success", "EUR", 2)
    told = {
        level["level_name"]: [(each["provider_name"], each["received"], each["sentence"]) for each in level["reached"]]
        + [(each["provider_name"], False, each["sentence"]) for own in level["outside"] for each in own["items"]]
        for level in tried["levels"]
    }
    assert told == {
        "gold": [
            ("Anchor", False, "Filter: `Cores` is 2, they take 4 or more."),
            ("Bowline", False, "The subscription was off, because funds did not suffice."),
        ],
        "silver": [("Anchor", True, None), ("Bowline", False, "Filter: `Region` is `south`, they take `north`.")],
    }
    assert tried["charged_cents"] == 500
    assert everything(database).keys() == before.keys()


def test_what_does_not_fit_the_form_is_named(ann: TestClient) -> None:
    refused = ann.post(DRY_RUNS, json={"niche": "hosting", "attributes": {"rank": 1}})
    assert (refused.status_code, refused.json()["code"]) == (422, "input_invalid")
    assert "rank" in str(refused.json())


def test_one_operator_takes_one_place_by_all_that_it_has(app: FastAPI, database: Database) -> None:
    person = enrolled_admin(database)
    scopes = [Permission.LEADS_READ.value]
    key = create_api_key(database, "a machine", scopes, OPERATOR, user_id=person.user_id).text
    asked = {"niche": "hosting", "attributes": {"cores": 2, "region": "south"}}
    with REPLAYS.slot(person.user_id):
        for client in (logged_in(app, person.token), machine(app, key)):
            refused = client.post(DRY_RUNS, json=asked)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert an_admin(app, database, "eve@example.com").post(DRY_RUNS, json=asked).status_code == 200


def test_dry_runs_are_not_for_asking_all_the_time(ann: TestClient, database: Database) -> None:
    asked = {"niche": "hosting", "attributes": {"cores": 2, "region": "south"}}
    assert ann.post(DRY_RUNS, json=asked).status_code == 200
    value(
        database,
        "update rate_buckets set full_at = now() + make_interval(secs => %s) where name like 'reports_of_caller%%'",
        REPORTS_OF_CALLER.capacity * REPORTS_OF_CALLER.seconds_per_token,
    )
    refused = ann.post(DRY_RUNS, json=asked)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")


def test_only_so_many_are_made_at_once(ann: TestClient) -> None:
    with REPLAYS.slot("one operator"), REPLAYS.slot("another"):
        refused = ann.post(DRY_RUNS, json={"niche": "hosting", "attributes": {}})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
