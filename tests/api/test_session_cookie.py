"""Which cookie holds a session: for https, and over plain HTTP for a browser on this machine alone."""

import pytest
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import application, event_loop
from tests.flows.access.people import PASSWORD, add_admin

LOGIN = {"email": "ann@example.com", "password": PASSWORD}
HERE = "http://127.0.0.1:8000"
OVER_HTTP, OVER_HTTPS = "fairlead_session_http", "__Host-fairlead_session"


def cookie(
    database: Database, base_url: str, peer: str, headers: dict[str, str] | None = None, **settings: object
) -> str:
    """The name of the cookie that a login gives."""
    app = application(database, **({"public_url": None} | settings))
    client = TestClient(app, base_url=base_url, client=(peer, 50_000), headers=headers)
    client.portal = event_loop()
    answer = client.post("/api/v1/session", json=LOGIN)
    assert answer.status_code == 200
    given = answer.headers["set-cookie"]
    name = given.partition("=")[0]
    assert ("Secure" in given) == (name == OVER_HTTPS)
    return name


@pytest.mark.parametrize(
    ("base_url", "peer", "headers"),
    [
        (HERE, "127.0.0.1", {}),
        ("http://localhost:8000", "127.0.0.1", {}),
        ("http://[::1]:8000", "::1", {}),
    ],
)
def test_a_browser_on_this_machine_needs_no_setting(
    database: Database, base_url: str, peer: str, headers: dict[str, str]
) -> None:
    add_admin(database)
    assert cookie(database, base_url, peer, headers) == OVER_HTTP


@pytest.mark.parametrize(
    ("base_url", "peer", "headers"),
    [
        (HERE, "192.0.2.1", {}),
        ("http://leads.example.com", "127.0.0.1", {}),
        ("http://127.0.0.1.example.com", "127.0.0.1", {}),
        ("https://127.0.0.1:8000", "127.0.0.1", {}),
        (HERE, "127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}),
        (HERE, "127.0.0.1", {"X-Forwarded-Proto": "https"}),
        (HERE, "127.0.0.1", {"Forwarded": "for=192.0.2.1"}),
        (HERE, "127.0.0.1", {"Via": "1.1 proxy"}),
    ],
)
def test_it_is_for_https_but_for_a_browser_on_this_machine(
    database: Database, base_url: str, peer: str, headers: dict[str, str]
) -> None:
    add_admin(database)
    assert cookie(database, base_url, peer, headers) == OVER_HTTPS


def test_a_site_with_an_address_of_its_own_is_used_by_that(database: Database) -> None:
    add_admin(database)
    assert cookie(database, HERE, "127.0.0.1", public_url="https://leads.example.com") == OVER_HTTPS


def test_a_setting_says_never_or_always(database: Database) -> None:
    add_admin(database)
    assert cookie(database, HERE, "127.0.0.1", cookie_over_http=False) == OVER_HTTPS
    assert cookie(database, "https://leads.example.com", "192.0.2.1", cookie_over_http=True) == OVER_HTTP
