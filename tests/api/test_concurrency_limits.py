"""Floods of logins and of what is asked before them: those of one kind wait for one another, and no other for them."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

from fairlead.api import concurrency_limits
from fairlead.api.concurrency_limits import AT_ONCE, EVEN_ANSWER_SECONDS
from fairlead.api.routes import session
from fairlead.api.serve import serve_in_thread
from fairlead.core.errors import Refused
from fairlead.flows.access.log_in import finish_log_in
from fairlead.flows.access.throttle import LOGIN_OF_PAIR, RESET_OF_ACCOUNT
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.flows.access.people import PASSWORD, add_admin, rows
from tests.waiting import PATIENCE_SECONDS

LOGIN = {"email": "ann@example.com", "password": "guessed at"}
FLOOD = 60


def test_no_other_request_waits_for_a_flood_of_logins(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, at_work = threading.Event(), threading.Semaphore(0)

    def slow(*_: object) -> None:
        at_work.release()
        go_on.wait(PATIENCE_SECONDS)
        raise Refused("login_refused", "no")

    monkeypatch.setattr(session, "admit_log_in", lambda *_: None)
    monkeypatch.setattr(session, "finish_log_in", slow)
    with anonymous(application(database)) as client, ThreadPoolExecutor(FLOOD) as crowd:
        waiting = [crowd.submit(client.post, "/api/v1/session", json=LOGIN) for _ in range(FLOOD)]
        for _ in range(AT_ONCE):
            assert at_work.acquire(timeout=PATIENCE_SECONDS), "no log-in is under way"
        try:
            # These need a thread each, of which all logins together would have taken every one.
            for _ in range(3):
                assert client.get("/api/v1/admin/leads").status_code == 401
            assert not at_work.acquire(timeout=0.2), "more than so many at once"
        finally:
            go_on.set()
        assert {each.result(PATIENCE_SECONDS).status_code for each in waiting} == {401}


def test_who_is_refused_by_a_limit_takes_no_turn(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every turn of a login taken, and more who wait for one, each other answer comes."""
    go_on, at_work = threading.Event(), threading.Semaphore(0)

    def slow(*words: object) -> object:
        at_work.release()
        go_on.wait(PATIENCE_SECONDS)
        return finish_log_in(*words)  # pyright: ignore[reportArgumentType]

    add_admin(database)
    app = application(database)
    with anonymous(app) as client, ThreadPoolExecutor(AT_ONCE + 2) as crowd:
        for _ in range(LOGIN_OF_PAIR.capacity):
            assert client.post("/api/v1/session", json=LOGIN).status_code == 401
        monkeypatch.setattr(session, "finish_log_in", slow)
        away = anonymous(app, "198.51.100.9")
        waiting = [
            crowd.submit(away.post, "/api/v1/session", json={"email": f"ann{number}@example.com", "password": "x"})
            for number in range(AT_ONCE + 2)
        ]
        for _ in range(AT_ONCE):
            assert at_work.acquire(timeout=PATIENCE_SECONDS), "no log-in is under way"
        try:
            assert client.post("/api/v1/session", json=LOGIN).status_code == 429
            used = {"token": "x" * 43, "password": PASSWORD}
            for link in ("accept-invitation", "reset-password"):
                answer = client.post(f"/api/v1/accounts/{link}", json=used)
                assert answer.json()["code"] == "token_refused"
            asked = client.post("/api/v1/accounts/request-password-reset", json={"email": "ann@example.com"})
            assert asked.status_code == 202
            registered = {"email": "sales@capstan.example", "name": "Capstan"}
            assert client.post("/api/v1/accounts/register", json=registered).status_code == 202
            assert not any(each.done() for each in waiting)
        finally:
            go_on.set()
        assert {each.result(PATIENCE_SECONDS).status_code for each in waiting} == {401}


def post(port: int, path: str, body: object, address: str) -> int:
    """The status of the answer to a client at this address, over a connection of its own."""
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("POST", path, json.dumps(body), headers)
        return connection.getresponse().status


def test_a_login_goes_through_beside_a_flood_of_lost_passwords(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """160 connections ask for links to one address that had too many: all of them wait, and hold nothing."""
    add_admin(database)
    count, all_wait, go_on = 160, threading.Event(), threading.Event()
    sleeping: list[float] = []

    async def held(seconds: float) -> None:
        sleeping.append(seconds)
        if len(sleeping) == count:
            all_wait.set()
        while not go_on.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(concurrency_limits, "sleep", held)
    app = application(database, trusted_proxies="127.0.0.1", cookie_over_http=True, public_url=None)
    # Each from a network of its own, so that the limit of a network stops none of them.
    with serve_in_thread(app, "127.0.0.1", 0) as site, ThreadPoolExecutor(count) as crowd:

        def ask(number: int) -> int:
            address = f"198.51.{number}.7"
            return post(site.port, "/api/v1/accounts/request-password-reset", {"email": "ANN@example.com"}, address)

        flood = [crowd.submit(ask, number) for number in range(count)]
        try:
            assert all_wait.wait(PATIENCE_SECONDS), f"only {len(sleeping)} wait: the others are kept waiting for them"
            known = {"email": "ann@example.com", "password": PASSWORD}
            assert post(site.port, "/api/v1/session", known, "203.0.113.1") == 200
            assert not any(each.done() for each in flood)
        finally:
            go_on.set()
        assert {each.result(PATIENCE_SECONDS) for each in flood} == {202}
    assert max(sleeping) <= EVEN_ANSWER_SECONDS
    sent = "select count(*) from audit_log where new ->> 'will_be_sent' = 'true'"
    assert rows(database, sent) == [RESET_OF_ACCOUNT.capacity]


def test_how_long_an_answer_takes_does_not_tell_what_was_found(database: Database) -> None:
    add_admin(database)
    with anonymous(application(database)) as client:
        for email in ("ann@example.com", "nobody@example.com"):
            for ask, asked in (("request-password-reset", {}), ("register", {"name": "Somebody"})):
                began = time.monotonic()
                assert client.post(f"/api/v1/accounts/{ask}", json={"email": email} | asked).status_code == 202
                assert time.monotonic() - began >= EVEN_ANSWER_SECONDS
