"""Deciding about leads over HTTP: approved, rejected, bad; one by one and many at once."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.api.asking import a_provider, an_admin, anonymous, application
from tests.flows.marketplaces import everything
from tests.flows.sales import MEMO, balances, query, sell, told

LEADS = "/api/v1/admin/leads"
REASON = "Ms Canary asked us:\nto forget it"
ONCE = {"Idempotency-Key": "k-1"}

pytestmark = pytest.mark.usefixtures("hosting")


def pending(database: Database, count: int = 1) -> list[str]:
    return submit_leads(database, "hosting", [{"cores": 8}] * count, OPERATOR, approve=False)


def statuses(database: Database) -> dict[str, str]:
    return dict(query(database, "select id::text, status from leads"))


def test_a_lead_is_approved_and_its_job_is_there(ann: TestClient, database: Database) -> None:
    [lead_id] = pending(database)
    assert ann.post(f"{LEADS}/{lead_id}/approve").json() == {"lead_id": lead_id, "was_already": False}
    assert ann.post(f"{LEADS}/{lead_id}/approve").json() == {"lead_id": lead_id, "was_already": True}
    assert statuses(database) == {lead_id: "approved"}
    jobs = query(database, "select count(*) from jobs where payload ->> 'lead_id' = %s", lead_id)
    assert jobs == [(1,)]


def test_a_lead_is_rejected_for_a_reason_that_stays_with_it(ann: TestClient, database: Database) -> None:
    [lead_id] = pending(database)
    done = ann.post(f"{LEADS}/{lead_id}/reject", json={"reason": REASON})
    assert done.json() == {"lead_id": lead_id, "was_already": False}
    assert ann.get(f"{LEADS}/{lead_id}").json()["rejection_reason"] == REASON
    assert "Canary" not in str(query(database, "select * from audit_log"))
    refused = ann.post(f"{LEADS}/{lead_id}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "lead_rejected")


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 1001, "a bell \a", None])
def test_no_reason_is_refused(ann: TestClient, database: Database, reason: str | None) -> None:
    [lead_id] = pending(database)
    answer = ann.post(f"{LEADS}/{lead_id}/reject", json={"reason": reason})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert statuses(database) == {lead_id: "pending_approval"}


def test_many_are_approved_and_each_that_is_not_says_why(ann: TestClient, database: Database) -> None:
    first, second, third = pending(database, 3)
    unknown = new_id()
    ann.post(f"{LEADS}/{second}/reject", json={"reason": "a test"})
    ann.post(f"{LEADS}/{third}/approve")
    asked = [unknown, third, second, first, first.upper()]
    done = ann.post(f"{LEADS}/bulk/approve", json={"lead_ids": asked}).json()
    assert done["done_count"] == 1
    results = {each["lead_id"]: (each["result"], each["code"]) for each in done["items"]}
    assert results == {
        first: ("done", None),
        second: ("refused", "lead_rejected"),
        third: ("already", None),
        unknown: ("refused", "lead_unknown"),
    }
    assert [each["lead_id"] for each in done["items"]] == sorted(results)
    assert statuses(database) == {first: "approved", second: "rejected", third: "approved"}


def test_many_are_rejected_for_one_reason(ann: TestClient, database: Database) -> None:
    ids = pending(database, 3)
    done = ann.post(f"{LEADS}/bulk/reject", json={"lead_ids": ids, "reason": "a campaign of ours"}).json()
    assert done["done_count"] == 3
    assert query(database, "select distinct status, rejection_reason from leads") == [
        ("rejected", "a campaign of ours")
    ]
    again = ann.post(f"{LEADS}/bulk/reject", json={"lead_ids": ids, "reason": "again"}).json()
    assert (again["done_count"], {each["result"] for each in again["items"]}) == (0, {"already"})


@pytest.mark.parametrize(("verb", "more"), [("approve", {}), ("reject", {"reason": "a test"})])
def test_sent_again_with_its_key_the_first_answer_comes_again(
    ann: TestClient, database: Database, verb: str, more: dict[str, str]
) -> None:
    ids = pending(database, 3)
    asked = {"lead_ids": [*ids, new_id()], **more}
    first = ann.post(f"{LEADS}/bulk/{verb}", json=asked, headers=ONCE)
    again = ann.post(f"{LEADS}/bulk/{verb}", json=asked, headers=ONCE)
    assert (first.json()["done_count"], again.json()) == (3, first.json())
    other = ann.post(f"{LEADS}/bulk/{verb}", json={**asked, "lead_ids": ids}, headers=ONCE)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("ids", [[], ["x"], [None], [new_id() for _ in range(1_001)]])
def test_what_is_no_list_of_a_thousand_ids_is_refused(ann: TestClient, database: Database, ids: list[Any]) -> None:
    [lead_id] = pending(database)
    answer = ann.post(f"{LEADS}/bulk/approve", json={"lead_ids": [*ids, lead_id] if ids else ids})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
    assert statuses(database) == {lead_id: "pending_approval"}


def test_a_bad_lead_gives_each_buyer_the_whole_price_back(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    done = ann.post(f"{LEADS}/{sale.lead_id}/mark-bad", json={"memo": MEMO}, headers=ONCE)
    assert done.status_code == 200
    refunds = {each["provider_id"]: (each["amount_cents"], each["currency"]) for each in done.json()["refunds"]}
    assert refunds == {sale.anchor_id: (2000, "EUR"), sale.bowline_id: (500, "EUR")}
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}
    assert len(told(database, "refund_issued")) == 2
    assert ann.post(f"{LEADS}/{sale.lead_id}/mark-bad", json={"memo": MEMO}, headers=ONCE).json() == done.json()
    other = ann.post(f"{LEADS}/{sale.lead_id}/mark-bad", json={"memo": MEMO}, headers={"Idempotency-Key": "k-2"})
    assert (other.json()["was_already"], other.json()["refunds"]) == (True, [])
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}


def test_marking_bad_moves_money_and_asks_for_all_that_this_takes(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    address = f"{LEADS}/{sale.lead_id}/mark-bad"
    without = ann.post(address, json={"memo": MEMO})
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_missing")
    short = ann.post(address, json={"memo": "too short"}, headers=ONCE)
    assert (short.status_code, short.json()["errors"][0]["pointer"]) == (422, "/memo")
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    stale = ann.post(address, json={"memo": MEMO}, headers=ONCE)
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")
    assert statuses(database) == {sale.lead_id: "distributed"}
    assert balances(database) == {"Anchor": 3000, "Bowline": 100}


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_sold_lead_is_reviewed_no_more(database: Database, verb: str) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    before = everything(database)["leads"]
    answer = ann.post(f"{LEADS}/{sale.lead_id}/{verb}", json={"reason": "too late"})
    if verb == "approve":
        assert (answer.status_code, answer.json()["was_already"]) == (200, True)
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "lead_distributed")
    assert everything(database)["leads"] == before
    unknown = ann.post(f"{LEADS}/{new_id()}/{verb}", json={"reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "lead_unknown")


@pytest.mark.parametrize("verb", ["approve", "reject", "mark-bad"])
def test_only_operators_review(database: Database, verb: str) -> None:
    sale = sell(database)
    app = application(database)
    asked = {"memo": MEMO} if verb == "mark-bad" else {"reason": "x"}
    for client in (
        a_provider(app, database, sale.anchor_id),
        a_provider(app, database, sale.bowline_id, "sales@bowline.example"),
    ):
        answer = client.post(f"{LEADS}/{sale.lead_id}/{verb}", json=asked, headers=ONCE)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    stranger = anonymous(app).post(f"{LEADS}/{sale.lead_id}/{verb}", json=asked, headers=ONCE)
    assert stranger.json()["code"] == "session_invalid"
    assert statuses(database) == {sale.lead_id: "distributed"}
