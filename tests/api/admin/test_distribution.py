"""A lead's distribution over HTTP: asked for, followed, explained."""

import pytest
from starlette.testclient import TestClient

from fairlead.api.concurrency_limits import REPLAYS
from fairlead.core.decision_entries import decision_payload
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.api.asking import a_provider, an_admin, application
from tests.by_hand import CLOSED, rows_by_hand
from tests.flows.sales import query, sell

LEADS = "/api/v1/admin/leads"
MANUAL = {"reason": "manual_trigger"}

pytestmark = pytest.mark.usefixtures("hosting")


def approved(database: Database) -> str:
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    return lead_id


def test_a_distribution_is_queued_and_its_job_decides_it(ann: TestClient, database: Database) -> None:
    lead_id = approved(database)
    queued = ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL)
    [(job_id,)] = query(database, "select id from jobs where payload ->> 'lead_id' = %s", lead_id)
    assert (queued.status_code, queued.json()) == (202, {"lead_id": lead_id, "status": "queued", "job_id": job_id})
    assert ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL).json()["job_id"] == job_id
    status = ann.get(f"{LEADS}/{lead_id}/distribution-status").json()
    assert (status["lead_status"], status["last_attempt_status"]) == ("approved", "queued")

    LeadDistribution(Distributor(database)).run(lead_id)
    status = ann.get(f"{LEADS}/{lead_id}/distribution-status").json()
    assert status.pop("last_attempt_at").endswith("Z")
    assert status == {
        "lead_id": lead_id,
        "lead_status": "distributed",
        "last_attempt_status": "success",
        "assignments_created": 2,
        "start_level_order_position": 1,
        "distribution_attempts": 1,
        "notes": [],
    }
    sold = ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL)
    assert (sold.status_code, sold.json()["code"]) == (409, "lead_distributed")


def test_the_key_of_a_request_that_was_granted_is_good_after_the_sale_too(ann: TestClient, database: Database) -> None:
    lead_id = approved(database)
    key = {"Idempotency-Key": "k-1"}
    first = ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL, headers=key)
    LeadDistribution(Distributor(database)).run(lead_id)
    again = ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    other = approved(database)
    reused = ann.post(f"{LEADS}/{other}/distribute", json=MANUAL, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("status", ["pending_approval", "pending_confirmation", "rejected", "bad"])
@rows_by_hand(CLOSED)
def test_only_an_approved_lead_is_distributed(ann: TestClient, database: Database, status: str) -> None:
    lead_id = approved(database)
    query(
        database,
        "update leads set status = %s, awaits_decision = false, approved_at = null, approved_by = null returning 1",
        status,
    )
    answer = ann.post(f"{LEADS}/{lead_id}/distribute", json=MANUAL)
    assert (answer.status_code, answer.json()["code"]) == (409, f"lead_{status}")


def test_only_the_reason_that_there_is_counts_and_an_unknown_lead_is_unknown(ann: TestClient) -> None:
    assert ann.post(f"{LEADS}/{new_id()}/distribute", json=MANUAL).json()["code"] == "lead_unknown"
    for wrong in ({}, {"reason": "because"}, {**MANUAL, "force": True}):
        assert ann.post(f"{LEADS}/{new_id()}/distribute", json=wrong).status_code == 422


@pytest.mark.parametrize("version", [1, 2])
def test_a_decision_is_explained_for_programs_and_in_words(
    database: Database, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.core.batch.decision_payload", lambda decision, _: decision_payload(decision, version))
    sale = sell(database)
    ann = an_admin(application(database), database)
    story = ann.get(f"{LEADS}/{sale.lead_id}/explain").json()
    assert (story["niche"], story["lead_status"], story["currency"]) == ("hosting", "distributed", "EUR")
    [decision] = story["decisions"]
    [(payload, seq)] = query(database, "select payload, seq from niche_journal where kind = 'decision'")
    assert (decision["journal_seq"], decision["outcome"]) == (seq, payload["outcome"])
    assert (decision["version"], payload.get("version", 1)) == (version, version)
    # All that the journal has is there, and the names beside it.
    for level, recorded in zip(decision["levels"], payload["levels"], strict=True):
        for name in ("level_id", "order_position", "price_cents", "max_recipients", "counts"):
            assert level[name] == recorded[name]
        for shown, kept in zip(level["recipients"], recorded["recipients"], strict=True):
            assert {name: shown[name] for name in kept} == kept
        for shown, kept in zip(level["refused"], recorded["refused"], strict=True):
            assert {name: shown[name] for name in kept} == kept
    gold, silver = decision["levels"]
    named, counted = [each["reason"] for each in silver["refused"]], silver["counts"].get("already_recipient", 0)
    assert (named, counted) == ((["already_recipient"], 0) if version == 1 else ([], 1))
    told = {
        1: "The provider had this lead already, from level `gold`.",
        2: "1 more: provider has the lead from another level",
    }[version]
    assert any(told in line for line in story["lines"])
    assert (gold["level_name"], [each["provider_name"] for each in gold["recipients"]]) == ("gold", ["Anchor"])
    assert [each["provider_name"] for each in silver["recipients"]] == ["Bowline"]
    assert f"Lead {sale.lead_id} in hosting: distributed" in story["lines"]
    assert "    1. Anchor, paid from 50.00 EUR" in story["lines"]


def test_only_so_many_journals_are_replayed_at_once(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    path, asked = f"{LEADS}/{sale.lead_id}/explain", {"provider_id": sale.bowline_id}
    with REPLAYS.slot("one operator"), REPLAYS.slot("another"):
        busy = ann.get(path, params=asked)
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (429, "too_many_attempts", "5")
        assert ann.get(path).status_code == 200, "what the decision itself says is no replay"
    for _ in range(3):
        assert ann.get(path, params=asked).status_code == 200
    assert ann.get(path, params={"provider_id": new_id()}).status_code == 404
    assert ann.get(path, params=asked).status_code == 200


def test_one_providers_standing_is_explained(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    story = ann.get(f"{LEADS}/{sale.lead_id}/explain", params={"provider_id": sale.bowline_id}).json()
    assert (story["provider_id"], story["provider_name"]) == (sale.bowline_id, "Bowline")
    standings = {each["level_name"]: (each["received"], each["reason"]) for each in story["levels"]}
    assert standings == {"gold": (False, "subscription_inactive"), "silver": (True, None)}
    assert any("silver: received the lead for 5.00 EUR" in line for line in story["lines"])
    unknown = ann.get(f"{LEADS}/{sale.lead_id}/explain", params={"provider_id": new_id()})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "provider_unknown")


def test_what_was_never_decided_has_no_standings(database: Database) -> None:
    sale = sell(database)
    lead_id = approved(database)
    ann = an_admin(application(database), database)
    story = ann.get(f"{LEADS}/{lead_id}/explain").json()
    assert (story["decisions"], story["lines"][-1]) == ([], "  It was never decided; it awaits its decision.")
    answer = ann.get(f"{LEADS}/{lead_id}/explain", params={"provider_id": sale.anchor_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "lead_undecided")


def test_a_provider_learns_nothing_of_a_decision(database: Database) -> None:
    sale = sell(database)
    app = application(database)
    for provider_id, email in ((sale.anchor_id, "sales@anchor.example"), (sale.bowline_id, "sales@bowline.example")):
        client = a_provider(app, database, provider_id, email)
        for path in ("explain", f"explain?provider_id={provider_id}", "distribution-status"):
            assert client.get(f"{LEADS}/{sale.lead_id}/{path}").json()["code"] == "permission_missing"
        assert client.post(f"{LEADS}/{sale.lead_id}/distribute", json=MANUAL).json()["code"] == "permission_missing"
