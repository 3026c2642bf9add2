"""API keys over HTTP: shown once, listed without what opens anything, revoked at once."""

import pytest

from fairlead.api.routes.admin.access import keys as admin_keys
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.permitting import codes_of, problem
from tests.flows.access.people import add_provider, rows
from tests.flows.configuration.market import UNKNOWN

KEYS = "/api/v1/admin/keys"


def test_a_key_is_shown_once_and_opens_what_it_is_for(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    own = ann.get("/api/v1/session").json()["user_id"]
    made = ann.post(KEYS, json={"name": "cron", "scopes": ["niches:read"], "user_id": own, "lifetime_days": 30})
    assert made.status_code == 201, made.text
    key = made.json()
    cron = machine(app, key["key"])
    assert cron.get("/api/v1/admin/niches").status_code == 200
    asked = {"slug": "moving", "name": "Moving"}
    assert problem(cron.post("/api/v1/admin/niches", json=asked)) == (403, "permission_missing")
    [listed] = ann.get(KEYS).json()["items"]
    assert (listed["key_id"], listed["prefix"], listed["scopes"]) == (key["key_id"], key["prefix"], ["niches:read"])
    assert listed["expires_at"] == key["expires_at"]
    assert listed["last_used_at"] is not None
    assert key["key"].rsplit("_", 1)[1] not in ann.get(KEYS).text

    assert ann.delete(f"{KEYS}/{key['key_id']}").status_code == 204
    assert problem(cron.get("/api/v1/admin/niches")) == (401, "api_key_invalid")
    assert ann.delete(f"{KEYS}/{key['key_id']}").status_code == 204
    assert ann.get(KEYS).json()["items"] == []
    [gone] = ann.get(KEYS, params={"with_revoked": True}).json()["items"]
    assert gone["revoked_at"] is not None
    assert rows(database, "select action from audit_log where entity = 'api_key' order by seq") == [
        "api_key.created",
        "api_key.revoked",
    ]


def test_keys_are_found_page_by_page(database: Database) -> None:
    ann = an_admin(application(database), database)
    own = ann.get("/api/v1/session").json()["user_id"]
    anchor, bowline = add_provider(database), add_provider(database, "Bowline")
    owners = [{"user_id": own}, {"provider_id": anchor}, {"provider_id": bowline}]
    for number, owner in enumerate(owners):
        scopes = ["leads:read"] if "user_id" in owner else ["own:read"]
        made = ann.post(KEYS, json={"name": f"key {number}", "scopes": scopes, **owner})
        assert made.status_code == 201, made.text

    def names(**params: str) -> list[str]:
        return [each["name"] for each in ann.get(KEYS, params=params).json()["items"]]

    assert names() == ["key 2", "key 1", "key 0"]
    assert names(user_id=own) == ["key 0"]
    assert names(provider_id=anchor) == ["key 1"]
    first = ann.get(KEYS, params={"limit": 2}).json()
    rest = ann.get(KEYS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["name"] for each in first["items"] + rest["items"]] == names()
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["money:write"]},
        {"scopes": ["own:read"]},
        {"scopes": ["everything"]},
        {"name": ""},
        {"name": "x" * 101},
        {"lifetime_days": 0},
        {"lifetime_days": 3651},
        {"user_id": None},
        {"provider_id": UNKNOWN},
    ],
)
def test_what_cannot_be_a_key(database: Database, wrong: dict[str, object]) -> None:
    ann = an_admin(application(database), database)
    own = ann.get("/api/v1/session").json()["user_id"]
    asked = {"name": "cron", "scopes": ["leads:read"], "user_id": own} | wrong
    assert problem(ann.post(KEYS, json=asked)) == (422, "input_invalid")
    assert rows(database, "select from api_keys") == []


def test_keys_of_unknown_owners(database: Database) -> None:
    ann = an_admin(application(database), database)
    of_user = ann.post(KEYS, json={"name": "cron", "scopes": ["leads:read"], "user_id": UNKNOWN})
    of_provider = ann.post(KEYS, json={"name": "cron", "scopes": ["own:read"], "provider_id": UNKNOWN})
    assert problem(of_user) == (404, "user_unknown")
    assert problem(of_provider) == (404, "provider_unknown")
    assert problem(ann.delete(f"{KEYS}/{UNKNOWN}")) == (404, "api_key_unknown")


def test_making_and_revoking_takes_a_fresh_proof(database: Database) -> None:
    ann = an_admin(application(database), database)
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    assert problem(ann.post(KEYS)) == (403, "step_up_required")
    assert problem(ann.delete(f"{KEYS}/{UNKNOWN}")) == (403, "step_up_required")
    assert ann.get(KEYS).status_code == 200


def test_it_is_for_operators(database: Database) -> None:
    app = application(database)
    sam = a_provider(app, database, add_provider(database))
    eve = a_provider(app, database, add_provider(database, "Eve"), "sales@eve.example")
    assert codes_of(admin_keys.router, anonymous(app)) == {(401, "session_invalid")}
    for client in (sam, eve):
        assert codes_of(admin_keys.router, client) == {(403, "permission_missing")}
