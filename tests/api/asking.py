"""Asking the application as an operator, a provider, a machine, or without a login."""

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.application import web_application
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.flows.access.people import enrolled_admin, provider_user

SITE = "https://leads.example.com"
COOKIE = "__Host-fairlead_session"
SECRET_KEYS = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # the key of `people.BOX`


@cache
def event_loop() -> BlockingPortal:
    """The one loop that answers all requests of this process, until its end.

    By itself a client starts one for each request, with a thread of its own and another for the route: half of what a
    request costs.
    """
    until_the_end = ExitStack()
    atexit.register(until_the_end.close)
    return until_the_end.enter_context(start_blocking_portal())


def application(database: Database, **settings: Any) -> FastAPI:
    """The whole application, on this database."""
    return web_application(
        database, Settings.model_validate({"encryption_keys": SECRET_KEYS, "public_url": SITE} | settings)
    )


def anonymous(app: FastAPI, address: str = "192.0.2.1") -> TestClient:
    """A client without a session or a key. What the server raises is an answer, as it is for clients outside."""
    client = TestClient(app, base_url=SITE, raise_server_exceptions=False, client=(address, 50_000))
    client.portal = event_loop()
    return client


def logged_in(app: FastAPI, token: str) -> TestClient:
    """The client that has the session."""
    client = anonymous(app)
    client.cookies.set(COOKIE, token, domain="leads.example.com")
    return client


def machine(app: FastAPI, key: str) -> TestClient:
    """The client that has the API key."""
    client = anonymous(app)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def an_admin(app: FastAPI, database: Database, email: str = "ann@example.com") -> TestClient:
    """An operator, logged in, with a second factor that was just given."""
    return logged_in(app, enrolled_admin(database, email).token)


def a_provider(app: FastAPI, database: Database, provider_id: str, email: str = "sales@anchor.example") -> TestClient:
    """A user of the provider, logged in."""
    return logged_in(app, provider_user(database, provider_id, email).token)
