"""What users do before they can log in: by a link, and without telling who is known."""

import pytest

from fairlead.core.permissions import Role
from fairlead.flows.access.invitations import invite_user
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application
from tests.api.permitting import problem
from tests.flows.access.people import NEW_PASSWORD, PASSWORD, add_provider, rows, token_for

ACCOUNTS = "/api/v1/accounts"


def test_an_invited_user_sets_a_password_once(database: Database) -> None:
    anchor = add_provider(database)
    user_id = invite_user(
        database, "sam@anchor.example", "Sam Sales", Role.PROVIDER, OPERATOR, provider_id=anchor
    ).user_id
    token = token_for(database, user_id, "invite")
    sam = anonymous(application(database))
    weak = sam.post(f"{ACCOUNTS}/accept-invitation", json={"token": token, "password": "password"})
    assert problem(weak) == (422, "input_invalid")
    asked = {"token": token, "password": PASSWORD}
    done = sam.post(f"{ACCOUNTS}/accept-invitation", json=asked)
    assert (done.status_code, done.text) == (204, "")
    assert "set-cookie" not in done.headers
    login = sam.post("/api/v1/session", json={"email": "sam@anchor.example", "password": PASSWORD})
    assert (login.status_code, login.json()["provider_id"]) == (200, anchor)
    assert problem(sam.post(f"{ACCOUNTS}/accept-invitation", json=asked)) == (403, "token_refused")
    other = sam.post(f"{ACCOUNTS}/reset-password", json={"token": token, "password": NEW_PASSWORD})
    assert problem(other) == (403, "token_refused")


def test_a_lost_password_is_replaced_by_a_link(database: Database) -> None:
    app = application(database)
    sam = a_provider(app, database, add_provider(database))
    [user_id] = rows(database, "select id::text from users")
    token = token_for(database, user_id, "password_reset")
    asked = {"token": token, "password": NEW_PASSWORD}
    assert anonymous(app).post(f"{ACCOUNTS}/reset-password", json=asked).status_code == 204
    assert problem(sam.get("/api/v1/session")) == (401, "session_invalid")
    login = {"email": "sales@anchor.example", "password": NEW_PASSWORD}
    assert anonymous(app).post("/api/v1/session", json=login).status_code == 200
    assert problem(anonymous(app).post(f"{ACCOUNTS}/reset-password", json=asked)) == (403, "token_refused")


def test_asking_for_a_link_does_not_tell_who_is_known(database: Database) -> None:
    app = application(database)
    a_provider(app, database, add_provider(database))
    known, unknown = (
        anonymous(app, address).post(f"{ACCOUNTS}/request-password-reset", json={"email": email})
        for email, address in (("sales@anchor.example", "192.0.2.7"), ("nobody@example.com", "192.0.2.8"))
    )
    assert known.status_code == unknown.status_code == 202
    assert known.json() == unknown.json() == {"status": "accepted"}
    assert {*known.headers} == {*unknown.headers}
    assert rows(database, "select count(*) from notifications where kind = 'password_reset'") == [1]


def test_a_provider_registers_and_waits(database: Database) -> None:
    app = application(database)
    asked = {"email": "leads@capstan.example", "name": "Capstan"}
    first = anonymous(app).post(f"{ACCOUNTS}/register", json=asked)
    again = anonymous(app).post(f"{ACCOUNTS}/register", json={**asked, "name": "Somebody else"})
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json() == {"status": "accepted"}
    assert rows(database, "select name, status from providers") == [("Capstan", "pending")]
    [found] = an_admin(app, database).get("/api/v1/admin/providers?status=pending").json()["items"]
    assert found["email"] == "leads@capstan.example"
    assert problem(anonymous(app).post(f"{ACCOUNTS}/register", json={**asked, "email": "capstan"})) == (
        422,
        "input_invalid",
    )


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("accept-invitation", {"token": "guess", "password": PASSWORD}),
        ("reset-password", {"token": "guess", "password": PASSWORD}),
        ("request-password-reset", {"email": "nobody@example.com"}),
        ("register", {"email": "leads@capstan.example", "name": "Capstan"}),
    ],
)
def test_asking_too_often_is_told_how_long_to_wait(database: Database, path: str, asked: dict[str, str]) -> None:
    eve = anonymous(application(database))
    attempts = (eve.post(f"{ACCOUNTS}/{path}", json=asked) for _ in range(100))
    answer = next(attempt for attempt in attempts if attempt.status_code == 429)
    assert problem(answer) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) >= 1
    elsewhere = anonymous(application(database), "198.51.100.77").post(f"{ACCOUNTS}/{path}", json=asked)
    assert elsewhere.status_code in (202, 403)


@pytest.mark.parametrize("path", ["accept-invitation", "reset-password", "request-password-reset", "register"])
def test_other_sites_pages_ask_for_nothing(database: Database, path: str) -> None:
    answer = anonymous(application(database)).post(
        f"{ACCOUNTS}/{path}", json={}, headers={"sec-fetch-site": "cross-site"}
    )
    assert problem(answer) == (403, "cross_origin_refused")
