"""A flood of logins: those who log in wait for one another, and nobody else for them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.api.password_turns import AT_ONCE
from fairlead.api.routes import session
from fairlead.core.errors import Refused
from fairlead.store.connection import Database
from tests.api.asking import application, nobody

LOGIN = {"email": "ann@example.com", "password": "guessed at"}
FLOOD = 60


def test_nobody_waits_for_a_flood_of_logins(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, at_work = threading.Event(), threading.Semaphore(0)

    def slow(*_: object) -> None:
        at_work.release()
        go_on.wait(20)
        raise Refused("login_refused", "no")

    monkeypatch.setattr(session, "log_in", slow)
    with nobody(application(database)) as client, ThreadPoolExecutor(FLOOD) as crowd:
        waiting = [crowd.submit(client.post, "/api/v1/session", json=LOGIN) for _ in range(FLOOD)]
        for _ in range(AT_ONCE):
            assert at_work.acquire(timeout=10), "nobody logs in"
        try:
            # These need a thread each, of which all logins together would have taken every one.
            for _ in range(3):
                assert client.get("/api/v1/admin/leads").status_code == 401
            assert not at_work.acquire(timeout=0.2), "more than so many at once"
        finally:
            go_on.set()
        assert {each.result(20).status_code for each in waiting} == {401}
