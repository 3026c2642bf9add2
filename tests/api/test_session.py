"""Logging in over HTTP: the cookie, the second factor, and what each state of a session opens."""

from http.cookies import SimpleCookie

import pytest

from fairlead.store.connection import Database
from tests.api.asking import COOKIE, SITE, a_provider, an_admin, anonymous, application, logged_in
from tests.flows.access.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_admin,
    add_provider,
    as_if_long_ago,
    code,
    enrolled_admin,
    rows,
)

LOGIN = {"email": "ann@example.com", "password": PASSWORD}


def test_an_operator_comes_in_with_password_and_second_factor(database: Database) -> None:
    add_admin(database)
    ann = anonymous(application(database))
    begun = ann.post("/api/v1/session", json=LOGIN)
    assert (begun.status_code, begun.json()["next_step"], begun.json()["permissions"]) == (200, "enrolment", [])
    enrolment = ann.post("/api/v1/session/enrolment").json()
    assert enrolment["uri"].startswith("otpauth://totp/Fairlead")
    assert "<svg" in enrolment["qr_svg"]
    confirmed = ann.post("/api/v1/session/enrolment/confirm", json={"code": code(database, enrolment["secret"])})
    assert len(confirmed.json()["recovery_codes"]) == 10
    own = ann.get("/api/v1/session").json()
    assert own["next_step"] is None
    assert "leads:approve" in own["permissions"]
    assert own["stepped_up_until"] is not None

    again = anonymous(application(database))
    assert again.post("/api/v1/session", json=LOGIN).json()["next_step"] == "second_factor"
    as_if_long_ago(database)
    asked = {"code": code(database, enrolment["secret"])}
    assert again.post("/api/v1/session/second-factor", json=asked).json()["next_step"] is None
    again.post("/api/v1/session", json=LOGIN)
    refused = again.post("/api/v1/session/second-factor", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (401, "code_refused")


def test_the_token_is_in_a_careful_cookie_and_nowhere_else(database: Database) -> None:
    add_admin(database)
    answer = anonymous(application(database)).post("/api/v1/session", json=LOGIN)
    morsel = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, True, "lax", "/")
    assert (morsel["domain"], morsel["max-age"], morsel["expires"]) == ("", "", "")
    assert len(morsel.value) >= 43
    assert morsel.value not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_planted_token_is_not_continued(database: Database) -> None:
    planted = enrolled_admin(database, "eve@example.com").token
    add_admin(database)
    ann = logged_in(application(database), planted)
    own = ann.post("/api/v1/session", json=LOGIN)
    assert SimpleCookie(own.headers["set-cookie"])[COOKIE].value != planted
    assert own.json()["next_step"] == "enrolment"


@pytest.mark.parametrize("asked", [{**LOGIN, "password": "wrong"}, {**LOGIN, "email": "nobody@example.com"}])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(database: Database, asked: dict[str, str]) -> None:
    add_admin(database)
    answer = anonymous(application(database)).post("/api/v1/session", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (401, "login_refused")
    assert "set-cookie" not in answer.headers
    assert answer.json()["detail"].startswith("the email or the password is wrong")


def test_guessing_is_answered_with_429_and_how_long_to_wait(database: Database) -> None:
    add_admin(database)
    eve = anonymous(application(database))
    answers = [eve.post("/api/v1/session", json={**LOGIN, "password": "wrong"}) for _ in range(12)]
    assert answers[0].status_code == 401
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_attempts")
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_logging_out_ends_the_session_and_takes_the_cookie_back(database: Database) -> None:
    app = application(database)
    person = enrolled_admin(database)
    ann = logged_in(app, person.token)
    answer = ann.delete("/api/v1/session")
    assert answer.status_code == 204
    assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["max-age"] == "0"
    assert logged_in(app, person.token).get("/api/v1/session").json()["code"] == "session_invalid"
    assert anonymous(app).delete("/api/v1/session").status_code == 204


def test_a_step_up_gives_a_new_token_and_the_old_one_opens_nothing(database: Database) -> None:
    app = application(database)
    person = enrolled_admin(database)
    ann = logged_in(app, person.token)
    as_if_long_ago(database)
    answer = ann.post("/api/v1/session/step-up", json={"proof": code(database, person.seed)})
    assert answer.status_code == 200
    assert ann.get("/api/v1/session").status_code == 200
    assert logged_in(app, person.token).get("/api/v1/session").status_code == 401


def test_a_new_password_ends_the_other_sessions(database: Database) -> None:
    app = application(database)
    anchor = add_provider(database)
    sam = a_provider(app, database, anchor)
    other = anonymous(app)
    other.post("/api/v1/session", json={"email": "sales@anchor.example", "password": PASSWORD})
    assert len(sam.get("/api/v1/session/all").json()["items"]) == 2
    asked = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert sam.post("/api/v1/session/password", json=asked).status_code == 200
    assert other.get("/api/v1/session").status_code == 401
    assert [each["is_current"] for each in sam.get("/api/v1/session/all").json()["items"]] == [True]


def test_no_user_ends_or_sees_anothers_session(database: Database) -> None:
    app = application(database)
    sam = a_provider(app, database, add_provider(database))
    eve = a_provider(app, database, add_provider(database, "Eve"), "sales@eve.example")
    of_sam = sam.get("/api/v1/session").json()["session_id"]
    assert of_sam not in {each["session_id"] for each in eve.get("/api/v1/session/all").json()["items"]}
    assert eve.delete(f"/api/v1/session/all/{of_sam}").json()["code"] == "session_unknown"
    assert sam.get("/api/v1/session").status_code == 200
    assert sam.delete(f"/api/v1/session/all/{of_sam}").status_code == 204
    assert sam.get("/api/v1/session").status_code == 401


def test_other_sessions_are_ended_at_once(database: Database) -> None:
    app = application(database)
    sam = a_provider(app, database, add_provider(database))
    other = anonymous(app)
    other.post("/api/v1/session", json={"email": "sales@anchor.example", "password": PASSWORD})
    assert sam.delete("/api/v1/session/others").json() == {"ended": 1}
    assert (sam.get("/api/v1/session").status_code, other.get("/api/v1/session").status_code) == (200, 401)


def test_recovery_codes_are_renewed_after_a_step_up(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    assert len(ann.post("/api/v1/session/recovery-codes").json()["recovery_codes"]) == 10
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    assert ann.post("/api/v1/session/recovery-codes").json()["code"] == "step_up_required"


@pytest.mark.parametrize(
    ("headers", "is_let_through"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": SITE}, False),
        ({"origin": SITE}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://["}, False),
    ],
)
def test_other_sites_pages_change_nothing(database: Database, headers: dict[str, str], *, is_let_through: bool) -> None:
    ann = an_admin(application(database), database)
    before = rows(database, "select count(*) from users where totp_pending_seed is not null")
    answer = ann.post("/api/v1/session/enrolment", headers=headers)
    assert answer.status_code == (200 if is_let_through else 403)
    if not is_let_through:
        assert answer.json()["code"] == "cross_origin_refused"
        assert rows(database, "select count(*) from users where totp_pending_seed is not null") == before
    assert ann.get("/api/v1/session", headers=headers).status_code == answer.status_code, "reads, too"


def test_without_keys_to_seal_with_no_user_enrols(database: Database) -> None:
    add_admin(database)
    app = application(database, encryption_keys=None)
    ann = anonymous(app)
    ann.post("/api/v1/session", json=LOGIN)
    answer = ann.post("/api/v1/session/enrolment")
    assert (answer.status_code, answer.json()["code"]) == (503, "encryption_keys_missing")
