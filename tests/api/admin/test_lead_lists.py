"""Lists of leads: what became of each, filters and their count, order, sources, and saved views."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads import listing
from tests.api.asking import an_admin, application, machine
from tests.api.permitting import problem
from tests.flows.access.people import add_admin
from tests.flows.sales import MEMO, audited, sell

LEADS, VIEWS = "/api/v1/admin/leads", "/api/v1/admin/lead-views"


@pytest.fixture
def app(database: Database) -> FastAPI:
    return application(database)


@pytest.fixture
def ann(app: FastAPI, database: Database) -> TestClient:
    return an_admin(app, database)


def waiting(database: Database, source: str) -> str:
    lead = {"cores": 1, "region": "south"}
    details = [{"utm_source": source, "contact_name": "Ada Example"}]
    return submit_leads(database, "hosting", [lead], OPERATOR, approve=False, details=details)[0]


def test_each_lead_says_what_became_of_it(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    open_id, rejected = waiting(database, "newsletter"), waiting(database, "search")
    reject_lead(database, rejected, MEMO, OPERATOR)
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    items = {each["lead_id"]: each for each in ann.get(LEADS).json()["items"]}
    sold = items[sale.lead_id]
    assert (sold["outcome"], sold["assignment_count"], sold["slot_count"]) == ("sold", 2, 4)
    assert (sold["refunded_count"], sold["net_cents"]) == (1, 2000)
    assert (items[open_id]["outcome"], items[open_id]["contact_name"]) == (None, "Ada Example")
    assert items[rejected]["outcome"] == "rejected"


def test_filters_are_counted_as_far_as_that_is_cheap(
    ann: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = sell(database)
    new = [waiting(database, "newsletter") for _ in range(3)]

    def asked(**wanted: str) -> tuple[list[str], int | None, bool]:
        page = ann.get(LEADS, params={"with_count": "true", **wanted}).json()
        return [each["lead_id"] for each in page["items"]], page["count"], page["count_is_more"]

    assert asked(source="newsletter") == (new[::-1], 3, False)
    assert asked(source="newsletter", order="oldest", limit="2") == (new[:2], 3, False)
    assert asked(source="newsletter", status="approved") == ([], 0, False)
    assert asked(outcome="sold") == ([sale.lead_id], 1, False)
    assert asked(outcome="partial") == asked(outcome="rejected") == ([], 0, False)
    assert asked(outcome="sold", status="approved") == ([], 0, False)
    assert asked(outcome="unsold") == asked(outcome="failed") == ([], 0, False)
    monkeypatch.setattr(listing, "COUNTED_LEADS", 2)
    assert asked(source="newsletter")[1:] == (2, True)
    monkeypatch.setattr(listing, "LOOKED_AT_TO_COUNT", 2)
    assert asked(source="newsletter", status="pending_approval")[1:] == (None, False)
    assert ann.get("/api/v1/admin/lead-sources").json() == {"sources": ["newsletter"]}


def test_what_may_be_done_is_said_for_the_caller(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    assert ann.get(f"{LEADS}/{sale.lead_id}").json()["permitted_actions"] == ["mark_bad"]
    open_id = waiting(database, "search")
    assert ann.get(f"{LEADS}/{open_id}").json()["permitted_actions"] == ["approve", "reject", "mark_bad"]


def test_a_view_is_of_its_user_or_of_all_and_the_shared_ones_are_audited(
    app: FastAPI, ann: TestClient, database: Database
) -> None:
    ben = an_admin(app, database, "ben@example.com")
    own = {"name": "Mine", "filters": {"niche": "hosting", "outcome": "unsold"}, "columns": ["revenue", "niche"]}
    mine = ann.put(VIEWS, json=own).json()
    assert (mine["columns"], mine["filters"]["outcome"], mine["is_shared"]) == (["niche", "revenue"], "unsold", False)
    assert ann.put(VIEWS, json={**own, "order": "oldest"}).json()["view_id"] == mine["view_id"], "replaced by its name"
    shared = ann.put(VIEWS, json={"name": "Ours", "is_shared": True}).json()
    assert [each["name"] for each in ann.get(VIEWS).json()["items"]] == ["Mine", "Ours"]
    assert [each["name"] for each in ben.get(VIEWS).json()["items"]] == ["Ours"]
    assert ben.delete(f"{VIEWS}/{mine['view_id']}").json()["code"] == "lead_view_unknown"
    assert ben.delete(f"{VIEWS}/{shared['view_id']}").status_code == 204
    assert [each[0] for each in audited(database, "lead_view.saved")] == [shared["view_id"]]
    assert [each[0] for each in audited(database, "lead_view.deleted")] == [shared["view_id"]]
    assert "Ours" not in str(audited(database, "lead_view.saved")), "its name is a person's words"
    for wrong in ({"filters": {"contact": "ada"}}, {"columns": ["salt"]}, {"name": ""}):
        assert ann.put(VIEWS, json={**own, **wrong}).status_code == 422


def test_a_key_that_reads_changes_no_view_of_its_owner(app: FastAPI, database: Database) -> None:
    owner = add_admin(database, "ben@example.com")

    def key(*scopes: Permission) -> TestClient:
        names = [str(scope) for scope in scopes]
        return machine(app, create_api_key(database, "a machine", names, OPERATOR, user_id=owner).text)

    reader, writer = key(Permission.LEADS_READ), key(Permission.LEADS_READ, Permission.LEADS_WRITE)
    mine = writer.put(VIEWS, json={"name": "Mine"}).json()
    assert problem(reader.put(VIEWS, json={"name": "Mine", "order": "oldest"})) == (403, "permission_missing")
    assert problem(reader.put(VIEWS, json={"name": "Another"})) == (403, "permission_missing")
    assert problem(reader.delete(f"{VIEWS}/{mine['view_id']}")) == (403, "permission_missing")
    assert reader.get(VIEWS).json()["items"] == [mine]
    assert writer.delete(f"{VIEWS}/{mine['view_id']}").status_code == 204


def test_messages_about_a_lead_are_listed(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    items = ann.get(f"{LEADS}/{sale.lead_id}/messages").json()["items"]
    assert [(each["provider_name"], each["kind"], each["state"]) for each in items] == [
        ("Anchor", "lead_assigned", "queued"),
        ("Bowline", "lead_assigned", "queued"),
    ]
