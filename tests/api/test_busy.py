"""A database that has no connection to spare: every kind of route says so within moments, and when to try again."""

from collections.abc import Callable

import pytest
from httpx2 import Response
from starlette.testclient import TestClient, WebSocketDenialResponse

from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.flows.sales import sell

PATIENCE_SECONDS = 0.3
MOST_WAITS = 2
"""How often one request may wait for a connection, each time for as long as its patience lasts."""
LOGIN = {"email": "ann@example.com", "password": "mizzen topsail 4711"}
LEAD = {"niche": "hosting", "attributes": {}, "contact_email": "a@example.com", "consent": {"text": "yes"}}


def test_every_kind_of_route_says_so_within_moments(database: Database, database_url: str) -> None:
    sold = sell(database)
    key = operators_key(database, Permission.LEADS_READ, Permission.REPORTS_READ)
    with Database(database_url, "fairlead", max_connections=1, patience_seconds=PATIENCE_SECONDS) as taken:
        app = application(taken)
        ann, sam = an_admin(app, database), a_provider(app, database, sold.anchor_id)
        asked: dict[str, Callable[[], Response]] = {
            "login": lambda: anonymous(app).post("/api/v1/session", json=LOGIN),
            "session": lambda: ann.get("/api/v1/session"),
            "operator": lambda: ann.get("/api/v1/admin/leads"),
            "money": lambda: ann.post(
                f"/api/v1/admin/providers/{sold.anchor_id}/adjustments",
                json={"direction": "credit", "amount_cents": 1, "memo": "a memo of some length"},
                headers={"Idempotency-Key": "once"},
            ),
            "export": lambda: ann.get("/api/v1/admin/exports/ledger"),
            "key": lambda: machine(app, key).get("/api/v1/admin/leads"),
            "wrong key": lambda: machine(app, "wrong").get("/api/v1/admin/leads"),
            "own": lambda: sam.get("/api/v1/provider/profile"),
            "public": lambda: anonymous(app).post("/api/v1/public/leads", json=LEAD),
            "register": lambda: anonymous(app).post(
                "/api/v1/accounts/register", json={"email": "a@b.example", "name": "A"}
            ),
            "live": lambda: refused_socket(machine(app, key)),
        }
        with taken.transaction():
            for kind, ask in asked.items():
                before = connections_waited_for(taken)
                answer = ask()
                assert 1 <= connections_waited_for(taken) - before <= MOST_WAITS, kind
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), kind
                assert 1 <= int(answer.headers["retry-after"]) <= 10, kind
            for path in ("/livez", "/readyz", "/api/v1/openapi.json", "/api/v1/problems"):
                assert anonymous(app).get(path).status_code in (200, 503), path
        assert ann.get("/api/v1/admin/leads").status_code == 200


def connections_waited_for(database: Database) -> int:
    """How many connections were asked for. Each of them is waited for as long as the pool says."""
    pool = database._pool  # pyright: ignore[reportPrivateUsage]
    assert pool.timeout == PATIENCE_SECONDS
    return pool.get_stats()["requests_num"]


def refused_socket(client: TestClient) -> Response:
    """The answer to a user who may watch and is not let in."""
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/api/v1/admin/live"):
        pass
    return refused.value
