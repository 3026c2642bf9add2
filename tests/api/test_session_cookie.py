"""Which cookie holds a session: for https, and over plain HTTP for a browser on this machine alone."""

import pytest
from starlette.testclient import TestClient

from fairlead.flows.access.first_operator import make_setup_link
from fairlead.store.connection import Database
from tests.api.asking import application, event_loop
from tests.api.permitting import problem
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


def behind_nginx(database: Database, origin: str, **settings: object) -> TestClient:
    """A browser behind `location / { proxy_pass http://127.0.0.1:8000; }` of nginx, with no other line.

    It sends its upstream's name as Host, `Connection: close`, what the browser sent, and no header that says proxy.
    """
    app = application(database, **({"public_url": None} | settings))
    headers = {"Connection": "close", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    client = TestClient(app, base_url=HERE, client=("127.0.0.1", 50_000), headers=headers)
    client.portal = event_loop()
    return client


@pytest.mark.parametrize("origin", ["https://leads.example.com", "https://127.0.0.1.example.com", "null", "https://[x"])
def test_a_proxy_that_does_not_say_so_gets_no_cookie_for_this_machine(database: Database, origin: str) -> None:
    add_admin(database)
    answer = behind_nginx(database, origin).post("/api/v1/session", json=LOGIN)
    assert problem(answer) == (403, "cross_origin_refused")
    assert "FAIRLEAD_PUBLIC_URL" in answer.json()["detail"]
    assert "set-cookie" not in answer.headers


def test_a_set_up_link_is_not_used_up_behind_such_a_proxy(database: Database) -> None:
    link = make_setup_link(database)
    assert link is not None
    wish = {"token": link.token, "email": "ann@example.com", "name": "Ann Example", "password": PASSWORD}
    path, origin = "/api/v1/setup/operator", "https://leads.example.com"
    assert problem(behind_nginx(database, origin).post(path, json=wish)) == (403, "cross_origin_refused")
    answer = behind_nginx(database, origin, public_url=origin).post(path, json=wish)
    assert answer.status_code == 201
    assert answer.headers["set-cookie"].startswith(OVER_HTTPS)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_a_browser_on_this_machine_says_so_by_its_origin(database: Database, origin: str) -> None:
    add_admin(database)
    answer = behind_nginx(database, origin).post("/api/v1/session", json=LOGIN)
    assert answer.status_code == 200
    assert answer.headers["set-cookie"].startswith(OVER_HTTP)
