"""People who can log in, over HTTP: inviting them, their role, and ending what they have open."""

import pytest

from fairlead.api.routes.admin.access import users as admin_users
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.permitting import codes_of, problem
from tests.flows.access.people import (
    add_provider,
    enrolled_admin,
    provider_user,
    rows,
)
from tests.flows.configuration.market import UNKNOWN

USERS = "/api/v1/admin/users"


def test_a_user_is_invited(database: Database) -> None:
    ann = an_admin(application(database), database)
    anchor = add_provider(database)
    admin = ann.post(USERS, json={"email": "ben@example.com", "name": "Ben Example", "role": "admin"})
    assert (admin.status_code, admin.json()["status"]) == (201, "invited")
    asked = {"email": "sam@anchor.example", "name": "Sam Sales", "role": "provider", "provider_id": anchor}
    assert ann.post(USERS, json=asked).status_code == 201
    found = rows(database, "select email, role, provider_id::text from users where status = 'invited' order by email")
    assert found == [("ben@example.com", "admin", None), ("sam@anchor.example", "provider", anchor)]
    assert rows(database, "select count(*) from notifications where kind = 'user_invited'") == [2]
    assert problem(ann.post(USERS, json={**asked, "role": "admin"})) == (422, "input_invalid")
    assert problem(ann.post(USERS, json={**asked, "provider_id": None})) == (422, "input_invalid")
    assert problem(ann.post(USERS, json={**asked, "role": "system"})) == (422, "input_invalid")
    assert problem(ann.post(USERS, json={**asked, "provider_id": UNKNOWN})) == (404, "provider_unknown")
    taken = ann.post(USERS, json={"email": "ann@example.com", "name": "Ann", "role": "admin"})
    assert problem(taken) == (409, "email_taken")
    assert "ann@" not in taken.text


def test_users_are_found_page_by_page_without_their_secrets(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    anchor, bowline = add_provider(database), add_provider(database, "Bowline")
    sam = provider_user(database, anchor)
    eve = provider_user(database, bowline, "sales@bowline.example")
    ann.post(f"{USERS}/{eve.user_id}/disable")

    def emails(**params: str) -> list[str]:
        answer = ann.get(USERS, params=params)
        assert answer.status_code == 200, answer.text
        return sorted(each["email"] for each in answer.json()["items"])

    all_users = ["ann@example.com", "sales@anchor.example", "sales@bowline.example"]
    assert emails() == all_users
    assert emails(role="provider") == all_users[1:]
    assert emails(provider_id=anchor) == ["sales@anchor.example"]
    assert emails(status="disabled") == ["sales@bowline.example"]
    first = ann.get(USERS, params={"limit": 2}).json()
    rest = ann.get(USERS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert sorted(each["email"] for each in first["items"] + rest["items"]) == all_users
    assert rest["next_cursor"] is None

    shown = ann.get(f"{USERS}/{sam.user_id}")
    assert (shown.json()["email"], shown.json()["has_second_factor"]) == ("sales@anchor.example", False)
    assert shown.json() in first["items"] + rest["items"]
    for secret in ("argon2", "password", "seed", "token"):
        assert secret not in ann.get(USERS).text


def test_another_role_ends_sessions_and_keys(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    anchor = add_provider(database)
    ben = enrolled_admin(database, "ben@example.com")
    key = ann.post("/api/v1/admin/keys", json={"name": "cron", "scopes": ["leads:read"], "user_id": ben.user_id}).json()
    assert machine(app, key["key"]).get("/api/v1/admin/leads").status_code == 200
    asked = {"role": "provider", "provider_id": anchor}
    done = ann.put(f"{USERS}/{ben.user_id}/role", json=asked).json()
    assert (done["took_effect"], done["ended_sessions"], done["revoked_keys"]) == (True, 1, 1)
    assert rows(database, "select role, provider_id::text from users where email = 'ben@example.com'") == [
        ("provider", anchor)
    ]
    assert problem(machine(app, key["key"]).get("/api/v1/admin/leads")) == (401, "api_key_invalid")
    assert not ann.put(f"{USERS}/{ben.user_id}/role", json=asked).json()["took_effect"]
    unknown = ann.put(f"{USERS}/{ben.user_id}/role", json={"role": "provider", "provider_id": UNKNOWN})
    assert problem(unknown) == (404, "provider_unknown")
    without = ann.put(f"{USERS}/{ben.user_id}/role", json={"role": "provider"})
    assert problem(without) == (422, "input_invalid")


def test_who_is_disabled_is_out_until_enabled(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    sam = a_provider(app, database, add_provider(database))
    [user_id] = rows(database, "select id::text from users where role = 'provider'")
    done = ann.post(f"{USERS}/{user_id}/disable").json()
    assert (done["status"], done["ended_sessions"]) == ("disabled", 1)
    assert problem(sam.get("/api/v1/session")) == (401, "session_invalid")
    assert problem(ann.post(f"{USERS}/{user_id}/reset-second-factor")) == (409, "user_disabled")
    assert ann.post(f"{USERS}/{user_id}/enable").json()["status"] == "active"
    assert rows(database, "select status from users where role = 'provider'") == ["active"]


def test_a_lost_second_factor_begins_again(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    ben = enrolled_admin(database, "ben@example.com")
    done = ann.post(f"{USERS}/{ben.user_id}/reset-second-factor").json()
    assert (done["status"], done["ended_sessions"]) == ("invited", 1)
    assert rows(database, "select totp_seed, password_hash from users where email = 'ben@example.com'") == [
        (None, None)
    ]
    assert rows(database, "select kind from notifications") == ["user_invited"]


def test_all_sessions_of_a_user_are_ended(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    anchor = add_provider(database)
    sam = a_provider(app, database, anchor)
    eve = a_provider(app, database, add_provider(database, "Eve"), "sales@eve.example")
    [user_id] = rows(database, "select id::text from users where provider_id = %s", anchor)
    assert ann.delete(f"{USERS}/{user_id}/sessions").json() == {"ended": 1}
    assert problem(sam.get("/api/v1/session")) == (401, "session_invalid")
    assert eve.get("/api/v1/session").status_code == ann.get("/api/v1/session").status_code == 200
    assert ann.delete(f"{USERS}/{user_id}/sessions").json() == {"ended": 0}


def test_no_admin_does_it_to_themselves(database: Database) -> None:
    app = application(database)
    ann = enrolled_admin(database)
    client = an_admin(app, database, "ben@example.com")
    [own] = rows(database, "select id::text from users where email = 'ben@example.com'")
    asked = {"role": "admin"}
    assert problem(client.put(f"{USERS}/{own}/role", json=asked)) == (409, "own_role")
    assert problem(client.post(f"{USERS}/{own}/disable")) == (409, "own_user")
    assert problem(client.post(f"{USERS}/{own}/reset-second-factor")) == (409, "own_second_factor")
    client.post(f"{USERS}/{ann.user_id}/disable")
    [status] = rows(database, "select status from users where email = 'ann@example.com'")
    assert status == "disabled"


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "", None),
        ("PUT", "/role", {"role": "admin"}),
        ("POST", "/disable", None),
        ("POST", "/enable", None),
        ("POST", "/reset-second-factor", None),
        ("DELETE", "/sessions", None),
    ],
)
def test_an_unknown_user_is_404(database: Database, method: str, path: str, asked: dict[str, str] | None) -> None:
    ann = an_admin(application(database), database)
    assert problem(ann.request(method, f"{USERS}/{UNKNOWN}{path}", json=asked)) == (404, "user_unknown")


def test_changes_take_a_fresh_proof_and_looking_does_not(database: Database) -> None:
    ann = an_admin(application(database), database)
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    for method, path in (("POST", ""), ("PUT", f"/{UNKNOWN}/role"), ("DELETE", f"/{UNKNOWN}/sessions")):
        assert problem(ann.request(method, f"{USERS}{path}")) == (403, "step_up_required")
    for verb in ("disable", "enable", "reset-second-factor"):
        assert problem(ann.post(f"{USERS}/{UNKNOWN}/{verb}")) == (403, "step_up_required")
    assert ann.get(USERS).status_code == 200


def test_it_is_for_operators(database: Database) -> None:
    app = application(database)
    sam = a_provider(app, database, add_provider(database))
    eve = a_provider(app, database, add_provider(database, "Eve"), "sales@eve.example")
    assert codes_of(admin_users.router, anonymous(app)) == {(401, "session_invalid")}
    for client in (sam, eve):
        assert codes_of(admin_users.router, client) == {(403, "permission_missing")}
