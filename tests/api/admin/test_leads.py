"""Leads over HTTP: listed, looked for, shown, entered, and where they come from."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.flows.access.people import rows
from tests.flows.configuration.market import UNKNOWN
from tests.flows.sales import query, sell

LEADS = "/api/v1/admin/leads"
ENTRY: dict[str, Any] = {
    "niche": "hosting",
    "attributes": {"cores": 8, "region": "north"},
    "contact_name": "Ada Canary",
    "contact_email": "Ada.Canary@example.com",
    "contact_phone": "+49 30 5550100",
    "utm_source": "newsletter",
}

pytestmark = pytest.mark.usefixtures("hosting")


def test_a_lead_is_entered_and_shown_as_it_was(ann: TestClient, database: Database) -> None:
    made = ann.post(LEADS, json=ENTRY)
    assert (made.status_code, made.json()["status"], made.json()["awaits_decision"]) == (201, "pending_approval", False)
    shown = ann.get(made.headers["location"]).json()
    assert shown["attributes"] == {"cores": 8, "region": "north"}
    assert type(shown["attributes"]["cores"]) is int
    assert (shown["contact_name"], shown["contact_email"], shown["utm_source"]) == (
        "Ada Canary",
        "Ada.Canary@example.com",
        "newsletter",
    )
    assert shown["created_at"].endswith("Z")
    [actor] = rows(database, "select actor from audit_log where action = 'lead.created'")
    assert actor.startswith("user:")


def test_one_that_is_approved_at_once_awaits_its_decision(ann: TestClient) -> None:
    made = ann.post(LEADS, json={**ENTRY, "approve": True}).json()
    assert (made["status"], made["awaits_decision"]) == ("approved", True)


def test_what_does_not_fit_the_form_is_told_by_its_place_and_never_repeated(ann: TestClient) -> None:
    answer = ann.post(LEADS, json={**ENTRY, "attributes": {"cores": "canary", "region": "north"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/attributes/cores"]
    assert "canary" not in answer.text
    assert ann.post(LEADS, json={**ENTRY, "niche": "other"}).json()["code"] == "niche_unknown"


def test_sent_again_it_is_the_same_lead(ann: TestClient, database: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = ann.post(LEADS, json=ENTRY, headers=key)
    again = ann.post(LEADS, json=ENTRY, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = ann.post(LEADS, json={**ENTRY, "approve": True}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert rows(database, "select count(*) from leads") == [1]


def test_a_key_that_may_only_write_leads_does_not_approve_them(ann: TestClient, database: Database) -> None:
    app = application(database)
    clerk = machine(app, operators_key(database, Permission.LEADS_WRITE))
    assert clerk.post(LEADS, json=ENTRY).status_code == 201
    refused = clerk.post(LEADS, json={**ENTRY, "approve": True})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    assert rows(database, "select status from leads") == ["pending_approval"]


def test_pages_hold_every_lead_once_and_filters_hold(ann: TestClient, database: Database) -> None:
    ids = submit_leads(database, "hosting", [{"cores": 8}] * 5, OPERATOR, approve=False)
    [approved] = submit_leads(database, "hosting", [{"cores": 2}], OPERATOR, approve=True)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = ann.get(LEADS, params={"limit": 2, **cursor}).json()
        seen += [each["lead_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted([*ids, approved], reverse=True)

    def listed(**wanted: str) -> list[str]:
        return [each["lead_id"] for each in ann.get(LEADS, params=wanted).json()["items"]]

    assert listed(status="approved", niche="hosting") == [approved]
    assert listed(niche="other") == []
    assert listed(id_prefix=approved[:34]) == [approved]
    assert listed(id_prefix=approved) == [approved]
    [[moment]] = [[each.isoformat()] for each in rows(database, "select created_at from leads where id = %s", approved)]
    assert listed(created_from=moment) == [approved]
    assert len(listed(created_before=moment)) == 5


@pytest.mark.parametrize(
    "wrong",
    [{"status": "sold"}, {"created_from": "yesterday"}, {"id_prefix": "f" * 33}, {"cursor": "x"}, {"limit": "0"}],
)
def test_a_filter_that_means_nothing_is_refused(ann: TestClient, wrong: dict[str, str]) -> None:
    answer = ann.get(LEADS, params=wrong)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, "query")


@pytest.mark.parametrize(
    ("contact", "is_found"),
    [
        ("ada@example.com", True),
        ("ADA@Example.com", True),
        ("+49 30 5550100", True),
        ("ada@example", False),
        ("5550100", False),
        ("' or true --", False),
    ],
)
def test_a_consumers_leads_are_found_by_the_whole_address_or_number(
    ann: TestClient, contact: str, *, is_found: bool
) -> None:
    ids = [ann.post(LEADS, json={**ENTRY, "contact_email": "ada@example.com"}).json()["lead_id"] for _ in range(3)]
    ann.post(LEADS, json={**ENTRY, "contact_email": "bob@example.com", "contact_phone": None})
    page = ann.post("/api/v1/admin/lead-search?limit=2", json={"text": contact}).json()
    found = [each["lead_id"] for each in page["items"]]
    if page["next_cursor"]:
        more = ann.post(f"/api/v1/admin/lead-search?cursor={page['next_cursor']}", json={"text": contact}).json()
        found += [each["lead_id"] for each in more["items"]]
    assert found == (sorted(ids, reverse=True) if is_found else [])


def test_who_received_a_lead_is_listed_by_page(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    first = ann.get(f"{LEADS}/{sale.lead_id}/assignments", params={"page": 1, "limit": 1}).json()
    assert {name: first[name] for name in ("lead_id", "page", "limit", "total")} == {
        "lead_id": sale.lead_id,
        "page": 1,
        "limit": 1,
        "total": 2,
    }
    [item] = first["items"]
    assert item.keys() == {
        "assignment_id",
        "provider_id",
        "provider_name",
        "subscription_id",
        "competition_level_id",
        "level_name",
        "price_cents",
        "price_rule",
        "currency",
        "assigned_at",
        "status",
    }
    assert (item["assignment_id"], item["provider_name"], item["price_cents"]) == (sale.anchor, "Anchor", 2000)
    second = ann.get(f"{LEADS}/{sale.lead_id}/assignments", params={"page": 2, "limit": 1}).json()
    assert [each["assignment_id"] for each in second["items"]] == [sale.bowline]
    assert ann.get(f"{LEADS}/{sale.lead_id}").json()["assignment_count"] == 2


@pytest.mark.parametrize("path", ["", "/origin", "/assignments", "/distribution-status", "/explain"])
def test_an_unknown_lead_is_unknown_everywhere(ann: TestClient, path: str) -> None:
    answer = ann.get(f"{LEADS}/{UNKNOWN}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "lead_unknown")
    assert ann.get(f"{LEADS}/not-an-id{path}").status_code == 422


def test_an_entered_lead_comes_from_nowhere_else(ann: TestClient) -> None:
    lead_id = ann.post(LEADS, json=ENTRY).json()["lead_id"]
    assert ann.get(f"{LEADS}/{lead_id}/origin").json() == {"lead_id": lead_id, "intake": None, "consent": None}


READS = [
    ("GET", ""),
    ("GET", "/{lead}"),
    ("GET", "/{lead}/origin"),
    ("GET", "/{lead}/assignments"),
    ("GET", "/{lead}/distribution-status"),
    ("GET", "/{lead}/explain"),
]
WRITES = [
    ("POST", ""),
    ("POST", "/{lead}/approve"),
    ("POST", "/{lead}/reject"),
    ("POST", "/{lead}/mark-bad"),
    ("POST", "/{lead}/distribute"),
    ("POST", "/bulk/approve"),
    ("POST", "/bulk/reject"),
]


@pytest.mark.parametrize(("method", "path"), READS + WRITES)
def test_providers_machines_of_another_kind_and_strangers_get_nothing(
    database: Database, method: str, path: str
) -> None:
    sale = sell(database)
    app = application(database)
    address = LEADS + path.format(lead=sale.lead_id)
    before = query(database, "select count(*) from audit_log where action like 'lead.%%'")
    for provider_id, email in ((sale.anchor_id, "sales@anchor.example"), (sale.bowline_id, "sales@bowline.example")):
        answer = a_provider(app, database, provider_id, email).request(method, address, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert anonymous(app).request(method, address, json={}).status_code == 401
    other = machine(app, operators_key(database, Permission.NICHES_READ))
    assert other.request(method, address, json={}).json()["code"] == "permission_missing"
    assert query(database, "select count(*) from audit_log where action like 'lead.%%'") == before
