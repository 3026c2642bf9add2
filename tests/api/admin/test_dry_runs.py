"""A lead that does not exist, tried over HTTP."""

import pytest
from starlette.testclient import TestClient

from fairlead.api.concurrency_limits import REPLAYS
from fairlead.store.connection import Database
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


def test_only_so_many_are_made_at_once(ann: TestClient) -> None:
    with REPLAYS.slot("one operator"), REPLAYS.slot("another"):
        refused = ann.post(DRY_RUNS, json={"niche": "hosting", "attributes": {}})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
