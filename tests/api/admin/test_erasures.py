"""Erasing personal data over HTTP: looked at first, with a fresh proof, told to those who bought, listed afterwards."""

import pytest
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.flows.erasure.canaries import CANARIES, distribute, found, open_market, sent
from tests.flows.intake.senders import send, visit
from tests.flows.intake.test_own_request import own_link
from tests.flows.sales import query

ADMIN = "/api/v1/admin"
WHY = {"reason": "consumer_request"}


@pytest.fixture
def lead_id(database: Database) -> str:
    """A lead with everything that a lead can say."""
    open_market(database)
    return send(database, sent()).lead_id


def test_what_would_go_is_shown_and_then_goes(ann: TestClient, database: Database, lead_id: str) -> None:
    shown = ann.get(f"{ADMIN}/leads/{lead_id}/erasure/preview").json()
    assert [(each["answers"], each["consents"], each["erased_at"]) for each in shown["leads"]] == [(3, 1, None)]
    done = ann.post(f"{ADMIN}/leads/{lead_id}/erase", json=WHY)
    assert done.json() == {"lead_id": lead_id, "was_already": False, "was_sold": False, "told_count": 0}
    assert ann.post(f"{ADMIN}/leads/{lead_id}/erase", json=WHY).json()["was_already"]
    assert found(database) == []
    lead = ann.get(f"{ADMIN}/leads/{lead_id}").json()
    assert (lead["status"], lead["contact_email"], lead["attributes"]) == ("rejected", None, {})
    assert lead["erased_at"] is not None
    [record] = ann.get(f"{ADMIN}/leads/{lead_id}/erasures").json()["items"]
    assert (record["scope"], record["reason"], record["origin"]) == ("lead", "consumer_request", "operator")
    assert ann.get(f"{ADMIN}/erasures").json()["items"] == [record]


def test_a_person_is_found_by_a_body_and_never_by_an_address(ann: TestClient, database: Database, lead_id: str) -> None:
    person = {"person": CANARIES["contact_email"].upper()}
    shown = ann.post(f"{ADMIN}/persons/erasure/preview", json=person).json()
    assert [each["lead_id"] for each in shown["leads"]] == [lead_id]
    done = ann.post(f"{ADMIN}/persons/erase", json={**person, **WHY})
    assert done.json() == {"lead_ids": [lead_id], "told_count": 0}
    assert ann.post(f"{ADMIN}/persons/erase", json={**person, **WHY}).json() == {"lead_ids": [], "told_count": 0}
    refused = ann.post(f"{ADMIN}/persons/erase", json={"person": "Quokka", **WHY})
    assert refused.status_code == 422
    assert "Quokka" not in refused.text


def test_all_that_is_held_of_a_person_is_given_and_kept_nowhere(
    ann: TestClient, database: Database, lead_id: str
) -> None:
    given = ann.post(f"{ADMIN}/persons/data", json={"person": CANARIES["contact_phone"]}).json()
    assert given["leads"][0]["lead_id"] == lead_id
    assert given["leads"][0]["answers"]["wishes"] == CANARIES["answer"]
    events = ann.get(f"{ADMIN}/audit-events", params={"action": "person.disclosed"}).json()["items"]
    assert [each["entity_id"] for each in events] == [given["file_id"]]
    assert query(database, "select count(*) from idempotency_keys") == [(0,)]


def test_retention_is_set_with_the_version_that_was_seen(ann: TestClient, database: Database, lead_id: str) -> None:
    [(niche_id,)] = query(database, "select id::text from niches")
    path = f"{ADMIN}/niches/{niche_id}/retention"
    seen = ann.get(path)
    assert seen.json()["answers_days"] is None
    days = {"answers_days": 30, "contact_days": None, "rejected_days": 7, "unsold_days": None, "deliveries_days": 3}
    done = ann.put(path, json=days, headers={"If-Match": seen.headers["ETag"]})
    assert {name: done.json()[name] for name in days} == days
    assert ann.put(path, json={**days, "answers_days": 0}, headers={"If-Match": "*"}).status_code == 422
    again = ann.put(path, json={**days, "answers_days": 9}, headers={"If-Match": seen.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (412, "version_conflict")
    [shown] = ann.get(f"{ADMIN}/erasures/next").json()["items"]
    assert (shown["niche"], shown["counts"]) == ("hosting", {"answers": 0, "rejected": 0})


@pytest.mark.parametrize("reason", ["retention", "Mr Canary asked", "", None])
def test_a_reason_is_one_of_a_few(reason: str | None, ann: TestClient, database: Database, lead_id: str) -> None:
    refused = ann.post(f"{ADMIN}/leads/{lead_id}/erase", json={"reason": reason})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert query(database, "select count(*) from erasures") == [(0,)]


def test_it_takes_a_fresh_proof(ann: TestClient, database: Database, lead_id: str) -> None:
    query(database, "update sessions set stepped_up_at = stepped_up_at - interval '1 day' returning id")
    person = {"person": "a@example.com"}
    for path, body in (
        (f"leads/{lead_id}/erase", WHY),
        ("persons/erase", {**person, **WHY}),
        ("persons/data", person),
    ):
        refused = ann.post(f"{ADMIN}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    assert ann.get(f"{ADMIN}/leads/{lead_id}/erasure/preview").status_code == 200


def test_a_consumer_erases_by_its_link(database: Database) -> None:
    open_market(database)
    lead_id = visit(database, sent()).lead_id
    body = {"token": own_link(database, lead_id)}
    visitor = anonymous(application(database))
    done = visitor.post("/api/v1/public/leads/erase", json=body)
    assert done.json() == {"was_passed_on": False, "told_count": 0}
    assert visitor.post("/api/v1/public/leads/state", json=body).json()["code"] == "token_refused"
    distribute(database)
    assert found(database) == []
