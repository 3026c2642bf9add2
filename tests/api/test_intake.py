"""Leads from outside over HTTP: from partners with a key, from any site's page, and what a niche lets in."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.intake.own_request import request_token
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.flows.access.people import add_provider, rows
from tests.flows.intake.senders import BY_EMAIL, link, open_niche, rule
from tests.flows.marketplaces import everything

LEADS = "/api/v1/leads"
PUBLIC = "/api/v1/public/leads"
PAGE = {"origin": "https://moving.example.com", "sec-fetch-site": "cross-site"}
SENT: dict[str, Any] = {
    "niche": "moving",
    "attributes": {"age": 41, "city": "Canarytown"},
    "contact_name": "Cora Canary",
    "contact_email": "Cora.Canary@example.com",
    "contact_phone": "+49 30 7654321",
    "consent": {"text": "I agree to be called about moving.", "source_url": "https://moving.example.com/offer"},
}


@pytest.fixture
def app(database: Database) -> FastAPI:
    return application(database)


def partner(app: FastAPI, database: Database, email: str = "ben@example.com") -> TestClient:
    return machine(app, operators_key(database, Permission.INTAKE_WRITE, email=email))


def policy_of(niche_id: str) -> str:
    return f"/api/v1/admin/niches/{niche_id}/intake-policy"


def test_a_partners_lead_waits_for_approval_with_its_consent(app: FastAPI, database: Database) -> None:
    open_niche(database)
    consent = {**SENT["consent"], "ip": "203.0.113.5", "user_agent": "Canary Browser 1.0"}
    answer = partner(app, database).post(LEADS, json={**SENT, "consent": consent})
    lead_id = answer.json()["lead_id"]
    assert (answer.status_code, answer.json()) == (
        201,
        {"lead_id": lead_id, "status": "pending_approval", "duplicate_of": None},
    )
    origin = an_admin(app, database).get(f"/api/v1/admin/leads/{lead_id}/origin").json()
    assert (origin["intake"]["via"], origin["intake"]["sender"][:4]) == ("key", "key:")
    assert {name: origin["consent"][name] for name in ("consent_text", "ip", "user_agent", "certificate_url")} == {
        "consent_text": "I agree to be called about moving.",
        "ip": "203.0.113.5",
        "user_agent": "Canary Browser 1.0",
        "certificate_url": None,
    }


def test_a_repeated_lead_is_refused_with_what_may_be_told(app: FastAPI, database: Database) -> None:
    open_niche(database, duplicate_rule=BY_EMAIL)
    ben, cat = partner(app, database), partner(app, database, "cat@example.com")
    first = ben.post(LEADS, json=SENT).json()
    own, others = ben.post(LEADS, json=SENT), cat.post(LEADS, json=SENT)
    for answer, told in ((own, first["lead_id"]), (others, None)):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "lead_duplicate")
        assert answer.headers["content-type"] == "application/problem+json"
        assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [("/contact_email", "lead_duplicate")]
        assert (problem["duplicate_of"]["matched_fields"], problem["duplicate_of"]["lead_id"]) == (
            ["contact_email"],
            told,
        )
        assert "canary" not in answer.text.lower()
    assert first["lead_id"] not in others.text
    assert rows(database, "select count(*) from leads") == [1]


def test_a_flagged_one_names_the_earlier(app: FastAPI, database: Database) -> None:
    open_niche(database, duplicate_rule=rule(["attributes.city"], action="flag"))
    ben = partner(app, database)
    first = ben.post(LEADS, json=SENT).json()
    second = ben.post(LEADS, json=SENT).json()
    assert (second["duplicate_of"]["lead_id"], second["duplicate_of"]["matched_fields"]) == (
        first["lead_id"],
        ["attributes.city"],
    )
    origin = an_admin(app, database).get(f"/api/v1/admin/leads/{second['lead_id']}/origin").json()
    assert (origin["intake"]["duplicate_of"], origin["consent"]["consent_text"]) == (
        first["lead_id"],
        SENT["consent"]["text"],
    )


def test_sent_again_with_its_key_it_is_one_lead(app: FastAPI, database: Database) -> None:
    open_niche(database)
    ben, key = partner(app, database), {"Idempotency-Key": "order-4711"}
    first, again = ben.post(LEADS, json=SENT, headers=key), ben.post(LEADS, json=SENT, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert [each.headers.get("idempotency-replayed") for each in (first, again)] == [None, "true"]
    assert rows(database, "select count(*) from leads") == [1]


def test_a_public_lead_sent_again_with_its_key_is_one_lead(app: FastAPI, database: Database) -> None:
    open_niche(database, is_public=True)
    form, elsewhere = anonymous(app), anonymous(app, "198.51.100.7")
    key = {**PAGE, "Idempotency-Key": "form-4711"}
    first, again = form.post(PUBLIC, json=SENT, headers=key), form.post(PUBLIC, json=SENT, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert [each.headers.get("idempotency-replayed") for each in (first, again)] == [None, "true"]
    other = form.post(PUBLIC, json={**SENT, "contact_name": "Dora"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    # Another network's key of the same text is another key.
    assert elsewhere.post(PUBLIC, json=SENT, headers=key).json()["lead_id"] != first.json()["lead_id"]
    assert rows(database, "select count(*) from leads") == [2]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"attributes": {"age": "old"}}, "/attributes/age"),
        ({"attributes": {"age": 41, "height": 2}}, "/attributes/height"),
        ({"contact_email": "nobody"}, "/contact_email"),
        ({"contact_phone": "n/a"}, "/contact_phone"),
        ({"consent": {"text": " "}}, "/consent/text"),
        ({"consent": {"text": "yes", "source_url": "javascript:1"}}, "/consent/source_url"),
        ({"consent": {"text": "yes", "consented_at": "2026-01-01T00:00:00"}}, "/consent/consented_at"),
        ({"consent": {"text": "yes", "ip": "not an ip"}}, "/consent/ip"),
        ({"contact_emial": "x"}, "/contact_emial"),
    ],
)
def test_what_is_wrong_with_a_lead_is_told_by_its_place(
    app: FastAPI, database: Database, change: dict[str, Any], pointer: str
) -> None:
    open_niche(database)
    answer = partner(app, database).post(LEADS, json={**SENT, **change})
    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert rows(database, "select count(*) from leads") == [0]


def test_only_keys_with_the_scope_send_and_only_to_niches_that_are_open(app: FastAPI, database: Database) -> None:
    niche_id = open_niche(database)
    reader = machine(app, operators_key(database, Permission.LEADS_READ, Permission.LEADS_WRITE))
    assert reader.post(LEADS, json=SENT).json()["code"] == "permission_missing"
    provider = a_provider(app, database, add_provider(database))
    assert provider.post(LEADS, json=SENT).json()["code"] == "permission_missing"
    assert anonymous(app).post(LEADS, json=SENT).status_code == 401
    ben = partner(app, database, "dan@example.com")
    unknown = ben.post(LEADS, json={**SENT, "niche": "other"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "niche_unknown")
    with database.transaction() as conn:
        conn.execute("update niches set is_active = false where id = %s", (niche_id,))
    closed = ben.post(LEADS, json=SENT)
    assert (closed.status_code, closed.json()["code"]) == (409, "niche_inactive")
    with database.transaction() as conn:
        conn.execute("update niches set is_active = true where id = %s", (niche_id,))


def test_a_page_of_another_site_sends_a_lead_which_is_confirmed(app: FastAPI, database: Database) -> None:
    open_niche(database, is_public=True)
    form = anonymous(app, "198.51.100.7")
    form.headers["user-agent"] = "Canary Browser 2.0"
    answer = form.post(PUBLIC, json=SENT, headers=PAGE)
    lead_id = answer.json()["lead_id"]
    assert (answer.status_code, answer.json()) == (202, {"lead_id": lead_id, "status": "pending_confirmation"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    origin = an_admin(app, database).get(f"/api/v1/admin/leads/{lead_id}/origin").json()
    assert (origin["intake"]["via"], origin["consent"]["ip"], origin["consent"]["user_agent"]) == (
        "public",
        "198.51.100.7",
        "Canary Browser 2.0",
    )
    asked = {"token": link(database, lead_id)}
    for was_already in (False, True):
        confirmed = form.post(f"{PUBLIC}/confirm", json=asked, headers=PAGE)
        told = {"lead_id": lead_id, "was_already": was_already, "request_token": request_token(asked["token"])}
        assert (confirmed.status_code, confirmed.json()) == (200, told)
    assert rows(database, "select status from leads") == ["pending_approval"]
    own = {"token": request_token(asked["token"])}
    shown = form.post(f"{PUBLIC}/state", json=own, headers=PAGE)
    assert (shown.json()["state"], shown.json()["recipients"]) == ("being_checked", [])
    for was_already in (False, True):
        withdrawn = form.post(f"{PUBLIC}/withdraw", json=own, headers=PAGE)
        assert withdrawn.json() == {"was_already": was_already, "was_passed_on": False}
    for path in ("state", "withdraw"):
        assert form.post(f"{PUBLIC}/{path}", json=asked, headers=PAGE).json()["code"] == "token_refused"
    assert rows(database, "select status from leads") == ["rejected"]


def test_what_is_no_link_confirms_nothing(app: FastAPI, database: Database) -> None:
    answer = anonymous(app).post(f"{PUBLIC}/confirm", json={"token": "made up"}, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (403, "token_refused")
    # The page's script can read why.
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_public_is_let_into_the_niches_that_say_so_alone(app: FastAPI, database: Database) -> None:
    open_niche(database)
    for niche in ("moving", "other"):
        answer = anonymous(app).post(PUBLIC, json={**SENT, "niche": niche})
        assert (answer.status_code, answer.json()["code"]) == (404, "niche_unknown")


@pytest.mark.parametrize(
    "change", [{"contact_email": None}, {"consent": None}, {"consent": {"text": "y", "ip": "::1"}}]
)
def test_a_public_lead_needs_an_address_and_a_consent_of_its_own(
    app: FastAPI, database: Database, change: dict[str, Any]
) -> None:
    open_niche(database, is_public=True)
    assert anonymous(app).post(PUBLIC, json={**SENT, **change}).status_code == 422
    assert rows(database, "select count(*) from leads") == [0]


def test_a_flood_from_one_address_is_slowed_down(app: FastAPI, database: Database) -> None:
    open_niche(database, is_public=True)
    form, other = anonymous(app, "198.51.100.7"), anonymous(app, "198.51.100.8")
    answers = [form.post(PUBLIC, json={**SENT, "niche": "other"}) for _ in range(22)]
    assert (answers[0].status_code, answers[-1].status_code) == (404, 429)
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert other.post(PUBLIC, json=SENT).status_code == 202


@pytest.mark.parametrize("path", [PUBLIC, f"{PUBLIC}/confirm"])
def test_a_browser_is_told_that_pages_may_ask_here_without_credentials(app: FastAPI, path: str) -> None:
    asked = {**PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = anonymous(app).options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [LEADS, "/api/v1/session", "/api/v1/admin/leads"])
def test_nothing_else_is_open_to_pages(app: FastAPI, database: Database, path: str) -> None:
    asked = {**PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = anonymous(app).options(path, headers=asked)
    assert answer.status_code == 405
    ann = an_admin(app, database)
    for each in (answer, ann.post(path, json={}, headers=PAGE), ann.get(path, headers=PAGE)):
        assert not [name for name in each.headers if name.startswith("access-control")]
    assert ann.post(path, json={}, headers=PAGE).json()["code"] in ("cross_origin_refused", "input_invalid")


def test_a_policy_is_shown_and_a_change_needs_its_version(app: FastAPI, database: Database) -> None:
    niche_id = open_niche(database)
    ann = an_admin(app, database)
    shown = ann.get(policy_of(niche_id))
    assert shown.json() == {"is_public": False, "approves": False, "duplicate_rule": None}
    asked = {"is_public": True, "approves": True, "duplicate_rule": BY_EMAIL, "memo": "a form of our own"}
    bare = ann.put(policy_of(niche_id), json=asked)
    assert (bare.status_code, bare.json()["code"]) == (428, "precondition_required")
    done = ann.put(policy_of(niche_id), json=asked, headers={"If-Match": shown.headers["etag"]})
    assert (done.status_code, done.json()) == (200, {name: asked[name] for name in shown.json()})
    assert ann.get(policy_of(niche_id)).headers["etag"] == done.headers["etag"] != shown.headers["etag"]
    late = ann.put(policy_of(niche_id), json={**asked, "approves": False}, headers={"If-Match": shown.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert rows(database, "select memo from audit_log where action = 'niche.intake_changed'") == ["a form of our own"]
    assert partner(app, database).post(LEADS, json=SENT).json()["status"] == "approved"


@pytest.mark.parametrize(
    ("duplicate_rule", "pointer"),
    [
        ({**BY_EMAIL, "any_of": [["attributes.shoe_size"]]}, "/duplicate_rule/any_of/0/0"),
        ({**BY_EMAIL, "any_of": []}, "/duplicate_rule/any_of"),
        ({**BY_EMAIL, "duplicate_window_days": 0}, "/duplicate_rule/duplicate_window_days"),
        ({**BY_EMAIL, "version": 2}, "/duplicate_rule/version"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_its_place(
    app: FastAPI, database: Database, duplicate_rule: dict[str, Any], pointer: str
) -> None:
    niche_id = open_niche(database)
    asked = {"is_public": False, "approves": False, "duplicate_rule": duplicate_rule}
    answer = an_admin(app, database).put(policy_of(niche_id), json=asked, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert rows(database, "select duplicate_rule from niches") == [None]


def test_only_operators_see_or_change_a_policy(app: FastAPI, database: Database) -> None:
    niche_id = open_niche(database)
    before = everything(database)["niches"]
    asked = {"is_public": True, "approves": True, "duplicate_rule": None}
    clients = (
        a_provider(app, database, add_provider(database)),
        partner(app, database),
    )
    for client in clients:
        assert client.get(policy_of(niche_id)).json()["code"] == "permission_missing"
        answer = client.put(policy_of(niche_id), json=asked, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert everything(database)["niches"] == before
    ann = an_admin(app, database)
    assert ann.get(policy_of(new_id())).json()["code"] == "niche_unknown"
    assert ann.put(policy_of(new_id()), json=asked, headers={"If-Match": "*"}).json()["code"] == "niche_unknown"


def test_a_page_of_another_site_can_ask_what_a_public_niche_asks(app: FastAPI, database: Database) -> None:
    open_niche(database, is_public=True)
    answer = anonymous(app).get("/api/v1/public/forms/moving", headers=PAGE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    form = answer.json()
    assert (form["niche"], {each["key"] for each in form["fields"]} >= {"age", "city"}) == ("moving", True)
    open_niche(database, "closed")
    for slug in ("closed", "nowhere"):
        answer = anonymous(app).get(f"/api/v1/public/forms/{slug}")
        assert (answer.status_code, answer.json()["code"]) == (404, "niche_unknown")
