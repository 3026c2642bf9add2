"""What every answer has, whatever was asked: an id, careful headers, problems in one form, nothing repeated."""

from typing import Any

import pytest

from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application
from tests.flows.access.people import PASSWORD, add_admin

SECRET = "canary-4711"


def problem(answer: Any) -> dict[str, Any]:
    """The problem that the answer is."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    assert found["type"] == f"/api/v1/problems/{found['code']}"
    assert SECRET not in answer.text
    return found


def test_every_answer_is_careful(database: Database) -> None:
    client = anonymous(application(database))
    for answer in (client.get("/api/v1/problems"), client.get("/nowhere"), client.get("/livez")):
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-request-id"]


def test_a_request_id_comes_back_and_is_in_the_audit_log(database: Database) -> None:
    ann = an_admin(application(database), database)
    answer = ann.post("/api/v1/session/recovery-codes", headers={"X-Request-ID": "my-request-1"})
    assert answer.headers["x-request-id"] == "my-request-1"
    with database.snapshot() as conn:
        row = conn.execute("select request_id from audit_log where action = 'recovery_codes.renewed'").fetchone()
    assert row == ("my-request-1",)
    odd = ann.get("/api/v1/session", headers={"X-Request-ID": "a b;\tc" * 50})
    assert odd.headers["x-request-id"] != "a b;\tc" * 50


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "input_invalid"),
        (b"{", 400, "body_malformed"),
        (b"\xff\xfe", 400, "body_malformed"),
        (b'{"email": "a@b.example", "password": NaN}', 422, "input_invalid"),
        (b"[]", 422, "input_invalid"),
        (b'"canary-4711"', 422, "input_invalid"),
        (b'{"email": "a@b.example", "password": "canary-4711", "more": "canary-4711"}', 422, "input_invalid"),
        (b'{"email": "a@b.example", "password": "\\u0000canary-4711"}', 422, "input_invalid"),
        (b'{"email": "a@b.example", "password": "\\ud800"}', 422, "input_invalid"),
        (b'{"email": 5, "password": true}', 422, "input_invalid"),
        (b'{"email": "' + b"a" * 1000 + b'", "password": "canary-4711"}', 422, "input_invalid"),
        (b"[" * 60_000, 400, "body_malformed"),
        (b'{"email": "a@b.example", "email": "c@d.example", "password": "canary-4711"}', 400, "body_malformed"),
        (b'{"email": "a@b.example", "password": ' + b"9" * 10_000 + b"}", 400, "body_malformed"),
    ],
)
def test_no_body_is_too_odd(database: Database, body: bytes, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = anonymous(application(database)).post("/api/v1/session", content=body, headers=headers)
    found = problem(answer)
    assert (found["status"], found["code"]) == (status, code)


def test_a_body_that_is_too_large_is_not_read(database: Database) -> None:
    client = anonymous(application(database))
    answer = client.post("/api/v1/session", content=b" " * 2_000_000, headers={"Content-Type": "application/json"})
    assert problem(answer)["code"] == "body_too_large"

    def unbounded() -> Any:
        for _ in range(200):
            yield b" " * 10_000

    chunked = client.post("/api/v1/session", content=unbounded(), headers={"Content-Type": "application/json"})
    assert problem(chunked)["code"] == "body_too_large"


def test_unknown_addresses_and_methods(database: Database) -> None:
    client = anonymous(application(database))
    assert problem(client.get("/canary"))["code"] == "route_unknown"
    answer = client.put("/api/v1/session")
    assert problem(answer)["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "DELETE, GET, POST"


def test_what_breaks_inside_says_nothing_outside(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    app = application(database)

    @app.get("/breaks")
    def breaks() -> None:  # pyright: ignore[reportUnusedFunction]
        raise RuntimeError(SECRET)

    assert problem(anonymous(app).get("/breaks"))["code"] == "internal_error"
    assert SECRET not in caplog.text.replace(f"RuntimeError: {SECRET}", "")


def test_what_the_problems_are_is_an_answer_too(database: Database) -> None:
    client = anonymous(application(database))
    every = client.get("/api/v1/problems").json()["items"]
    assert {"code": "lead_unknown", "status": 404, "title": "There is no such lead"} in every
    assert client.get("/api/v1/problems/lead_unknown").json()["status"] == 404
    assert problem(client.get("/api/v1/problems/nothing_like_that"))["code"] == "problem_unknown"


def test_only_a_trusted_proxy_says_where_a_request_comes_from(database: Database) -> None:
    add_admin(database)
    told = {"X-Forwarded-For": "203.0.113.99"}
    for trusted, peer in [("", "10.0.0.1"), ("10.0.0.0/8", "192.0.2.1"), ("10.0.0.0/8", "10.0.0.1")]:
        client = anonymous(application(database, trusted_proxies=trusted), peer)
        client.post("/api/v1/session", json={"email": "ann@example.com", "password": PASSWORD}, headers=told)
    with database.snapshot() as conn:
        found = conn.execute("select ip from sessions order by created_at").fetchall()
    assert found == [("10.0.0.1",), ("192.0.2.1",), ("203.0.113.99",)]


def test_a_misspelt_parameter_is_refused_and_not_left_out(database: Database) -> None:
    ann = an_admin(application(database), database)
    found = problem(ann.get("/api/v1/admin/leads", params={"limit": 5, "staus": "approved"}))
    assert found["code"] == "input_invalid"
    assert [(each["location"], each["pointer"], each["code"]) for each in found["errors"]] == [
        ("query", "/staus", "extra_forbidden")
    ]
    assert ann.get("/api/v1/admin/leads", params={"limit": 5, "status": "approved"}).status_code == 200
    assert problem(ann.get("/api/v1/session", params={"x": SECRET}))["status"] == 422


def test_what_is_wrong_with_an_address_is_told_of_the_address(database: Database) -> None:
    ann = an_admin(application(database), database)
    asked = {"day_from": "2026-01-01", "day_before": "2026-02-01", "timezone": "Mars/Base"}
    [error] = problem(ann.get("/api/v1/admin/reports/funnel", params=asked))["errors"]
    assert (error["location"], error["pointer"]) == ("query", "/timezone")
