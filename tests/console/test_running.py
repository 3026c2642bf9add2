"""Operations and settings: what is stuck with its cause and remedy, who did what, who may log in."""

from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.flows.given_up import give_up_lead, give_up_notification

PATHS = (
    "/operations",
    "/operations/dead-letters",
    "/operations/deliveries",
    "/operations/endpoints",
    "/operations/audit",
    "/settings",
    "/settings/people",
    "/settings/keys",
)


def test_every_page_stands_where_there_is_nothing(ann: TestClient) -> None:
    for path in PATHS:
        answer = ann.get(path)
        assert answer.status_code == 200, (path, answer.text[:500])
    assert "Nothing was given up" in ann.get("/operations/dead-letters").text
    assert "There is no key" in ann.get("/settings/keys").text


def test_what_was_given_up_leads_to_its_cause_and_remedy(ann: TestClient, database: Database) -> None:
    _, lead_id, letter = give_up_lead(database)
    give_up_notification(database)
    assert f'href="/operations/dead-letters/{letter}"' in ann.get("/operations/dead-letters?queue=distribute").text
    text = ann.get(f"/operations/dead-letters/{letter}").text
    assert "the books are wrong" in text
    assert f'data-api="POST /api/v1/admin/dead-letters/{letter}/retry"' in text
    assert f'href="/leads/{lead_id}"' in text
    closed = ann.post(f"/api/v1/admin/dead-letters/{letter}/resolve", json={"memo": "the form had a mistake"})
    assert closed.status_code == 200
    assert "the form had a mistake" in ann.get(f"/operations/dead-letters/{letter}").text
    assert letter not in ann.get("/operations/dead-letters").text
    assert letter in ann.get("/operations/dead-letters?state=resolved").text
    assert "550 no such user" in ann.get("/operations/deliveries?state=failed").text


def test_the_audit_log_is_filtered_by_what_the_form_sends(ann: TestClient, database: Database) -> None:
    give_up_lead(database)
    everything = ann.get("/operations/audit?actor=&action=&entity=&entity_id=&niche=").text
    assert "dead_letter.opened" in everything
    text = ann.get("/operations/audit?action=user.&actor=").text
    assert "dead_letter.opened" not in text
    assert "user." in text


def test_parameters_that_cannot_be_are_a_page(ann: TestClient) -> None:
    for path in ("/operations/audit?cursor=x", "/operations/dead-letters?queue=no", "/operations/audit?entity_id=1"):
        answer = ann.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 404, 422), path
        assert answer.headers["content-type"].startswith("text/html")


def test_exports_lead_to_files_of_those_days(ann: TestClient) -> None:
    text = ann.get("/settings?from=2026-03-01&to=2026-03-31").text
    start = text.index("/api/v1/admin/exports/ledger")
    address = text[start : text.index('"', start)].replace("&amp;", "&")
    assert "created_from=2026-03-01T00%3A00%3A00Z" in address
    assert "created_before=2026-04-01T00%3A00%3A00Z" in address
    assert ann.get(address).status_code == 200
