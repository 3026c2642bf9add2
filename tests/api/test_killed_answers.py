"""A server is killed between the commit and the answer: the request, sent again, is answered as if it had not been.

The process is really killed; the client sees a connection that breaks.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fairlead.api.idempotency import REPLAYED
from fairlead.api.session_cookie import DEVELOPMENT_COOKIE
from fairlead.flows.distributor import Distributor
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS, application, logged_in, machine
from tests.api.test_matrix import unnoticed
from tests.flows.access.people import BOX, enrolled_admin, provider_user, rows, value
from tests.flows.notifications.stage import set_endpoint
from tests.flows.sales import sell

ADMIN, OWN = "/api/v1/admin", "/api/v1/provider"
PATIENCE_SECONDS = 60
KEY = {"Idempotency-Key": "k-1"}


@contextmanager
def dying_process(url: str) -> Iterator[int]:
    """The port of a web process that is killed by the first request with a key."""
    command = [sys.executable, str(Path(__file__).with_name("dying_site.py")), url, SECRET_KEYS]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


Case = Callable[[Database], tuple[str, str, Any]]
"""The token of a user's session, the path and the body of the request."""


def rotate_secret(database: Database) -> tuple[str, str, Any]:
    """The new secret is in the answer alone."""
    sale = sell(database)
    made = set_endpoint(database, "https://crm.example.com/in")
    token = provider_user(database, sale.anchor_id).token
    return token, f"{OWN}/webhook-endpoints/{made.endpoint_id}/rotate-secret", None


def create_key(database: Database) -> tuple[str, str, Any]:
    """Another key each time, without an idempotency key."""
    ann = enrolled_admin(database)
    return ann.token, f"{ADMIN}/keys", {"name": "it", "scopes": ["leads:read"], "user_id": ann.user_id}


def create_niche(database: Database) -> tuple[str, str, Any]:
    """The answer has an ETag."""
    return enrolled_admin(database).token, f"{ADMIN}/niches", {"slug": "roofing", "name": "Roofing"}


def replay_endpoint(database: Database) -> tuple[str, str, Any]:
    """Otherwise many transactions, and everything is sent again each time."""
    sell(database)
    made = set_endpoint(database, "https://crm.example.com/in")
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    dispatch_notifications(database)
    value(database, "update notifications set state = 'sent', sent_at = now() where channel = 'webhook'")
    path = f"{ADMIN}/webhook-endpoints/{made.endpoint_id}/replay"
    return enrolled_admin(database).token, path, {"created_from": "2026-01-01T00:00:00Z"}


CASES: dict[str, Case] = {each.__name__: each for each in (rotate_secret, create_key, create_niche, replay_endpoint)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_lost_answer_is_there_when_it_is_asked_for_again(name: str, database: Database, database_url: str) -> None:
    token, path, body = CASES[name](database)
    before = unnoticed(database)
    headers = {**KEY, "Cookie": f"{DEVELOPMENT_COOKIE}={token}"}
    with dying_process(database_url) as port:
        address = f"http://127.0.0.1:{port}{path}"
        with pytest.raises(httpx2.TransportError):
            httpx2.post(address, json=body, headers=headers, timeout=PATIENCE_SECONDS)
    done = unnoticed(database)
    assert done != before, "it was committed"
    app = application(database)
    again = logged_in(app, token).post(path, json=body, headers=KEY)
    assert (again.status_code < 300, again.headers.get(REPLAYED)) == (True, "true"), again.text
    assert unnoticed(database) == done, "a second effect"
    answer = again.json()
    if name == "rotate_secret":
        [sealed] = rows(database, "select secret from webhook_endpoints")
        assert BOX.open(bytes(sealed), answer["endpoint_id"]) == answer["secret"]
    if name == "create_key":
        assert machine(app, answer["key"]).get(f"{ADMIN}/leads").status_code == 200
