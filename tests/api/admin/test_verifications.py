"""Verifications over the API: asked for, followed, read."""

from starlette.testclient import TestClient

from fairlead.flows.proving.verifications import verify_requested
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, application
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import sell

PATH = "/api/v1/admin/verifications"


def test_one_is_asked_for_followed_and_read(database: Database) -> None:
    sale = sell(database)
    app = application(database)
    ann = an_admin(app, database)
    answer = ann.post(PATH, json={})
    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["niche"], asked["started_at"], asked["holds"]) == (None, None, None)
    state = ann.get(f"{PATH}/state").json()
    assert (state["last"], state["under_way"]) == (None, asked)
    assert ann.post(PATH, json={"niche": "hosting"}).json()["verification_id"] == asked["verification_id"]
    verify_requested(maintenance_of(database))
    found = ann.get(f"{PATH}/{asked['verification_id']}").json()
    assert (found["holds"], found["decision_count"], found["difference_count"]) == (True, 1, 0)
    assert len(found["checks"]) > 10
    assert [each["verification_id"] for each in ann.get(PATH).json()["items"]] == [asked["verification_id"]]
    state = ann.get(f"{PATH}/state").json()
    assert state == {"last": found, "under_way": None}
    _refuses_others(ann, a_provider(app, database, sale.anchor_id))


def _refuses_others(ann: TestClient, provider: TestClient) -> None:
    unknown = ann.get(f"{PATH}/01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "verification_unknown")
    assert ann.post(PATH, json={"niche": "nothing-here"}).json()["code"] == "niche_unknown"
    assert provider.post(PATH, json={}).status_code == 403
    assert provider.get(f"{PATH}/state").status_code == 403


def test_the_state_of_a_niche_counts_what_was_verified_of_it_alone(database: Database) -> None:
    sell(database)
    ann = an_admin(application(database), database)
    ann.post(PATH, json={"niche": "hosting"})
    verify_requested(maintenance_of(database))
    assert ann.get(f"{PATH}/state").json()["last"] is None
    assert ann.get(f"{PATH}/state?niche=hosting").json()["last"]["niche"] == "hosting"
