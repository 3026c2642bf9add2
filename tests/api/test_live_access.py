"""Who may watch: asked before the handshake, and again and again, without a user counting as active by it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.routing import APIWebSocketRoute, iter_route_contexts

from fairlead.api.application import web_application
from fairlead.api.live import hub
from fairlead.api.live.access import Watches
from fairlead.api.serve import ServingThread, serve_in_thread
from fairlead.core.permissions import Role
from fairlead.flows.access.api_keys import create_api_key, revoke_api_key
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.sessions import log_out, revoke_session
from fairlead.flows.access.users import change_role, disable_user
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.live.rights import Audience
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.live_sites import ADMIN, PROVIDER, Who, closing_code, receive, refusal, watching
from tests.flows.access.people import (
    HOME,
    PASSWORD,
    Person,
    add_admin,
    add_provider,
    enrolled_admin,
    provider_user,
    value,
)

SCOPES = ["leads:read", "reports:read"]
SITE = "https://leads.example.com"


@pytest.fixture
def app(database: Database) -> FastAPI:
    return web_application(database, Settings.model_validate({"cookie_over_http": True, "public_url": SITE}))


@pytest.fixture
def site(app: FastAPI) -> Iterator[ServingThread]:
    with serve_in_thread(app, "127.0.0.1", 0) as served:
        yield served


@pytest.fixture
def ann(database: Database) -> Person:
    return enrolled_admin(database)


def key_of_user(database: Database, user_id: str, scopes: list[str]) -> str:
    return create_api_key(database, "console", scopes, OPERATOR, user_id=user_id).text


def key_of_provider(database: Database, provider_id: str) -> str:
    return create_api_key(database, "crm", ["own:read"], OPERATOR, provider_id=provider_id).text


def test_every_websocket_declares_its_audience(app: FastAPI) -> None:
    sockets = [
        each.original_route
        for each in iter_route_contexts(app.routes)
        if isinstance(each.original_route, APIWebSocketRoute)
    ]
    declared = {
        route.path: [each.call.audience for each in route.dependant.dependencies if isinstance(each.call, Watches)]
        for route in sockets
    }
    assert declared == {ADMIN: [Audience.OPERATORS], PROVIDER: [Audience.PROVIDER]}


def test_only_who_may_see_it_is_let_in(database: Database, site: ServingThread, ann: Person) -> None:
    provider_id = add_provider(database)
    sam = provider_user(database, provider_id)
    gone = add_provider(database, "Gone", "suspended")
    bob_id = add_admin(database, "bob@example.com")
    pending = log_in(database, "bob@example.com", PASSWORD, HOME).token
    cases = [
        (ADMIN, Who(), 401, "session_invalid"),
        (ADMIN, Who("no such token"), 401, "session_invalid"),
        (ADMIN, Who(key="fl_nothing"), 401, "api_key_invalid"),
        (ADMIN, Who(pending), 403, "enrolment_required"),
        (ADMIN, Who(sam.token), 403, "permission_missing"),
        (ADMIN, Who(key=key_of_provider(database, provider_id)), 403, "permission_missing"),
        (ADMIN, Who(key=key_of_user(database, bob_id, ["leads:read"])), 403, "permission_missing"),
        (ADMIN, Who(key=key_of_user(database, bob_id, ["reports:read"])), 403, "permission_missing"),
        (PROVIDER, Who(), 401, "session_invalid"),
        (PROVIDER, Who(ann.token), 403, "permission_missing"),
        (PROVIDER, Who(key=key_of_provider(database, gone)), 403, "permission_missing"),
        # A key that is wrong is not made up for by a cookie.
        (ADMIN, Who(ann.token, key="fl_nothing"), 401, "api_key_invalid"),
    ]
    for path, who, status, code in cases:
        assert refusal(site.port, path, who) == (status, code), (path, who)
    for path, who in [
        (ADMIN, Who(ann.token)),
        (ADMIN, Who(key=key_of_user(database, bob_id, SCOPES), origin="")),
        (PROVIDER, Who(sam.token)),
        (PROVIDER, Who(key=key_of_provider(database, provider_id), origin="")),
    ]:
        with watching(site.port, path, who) as feed:
            assert receive(feed)["type"] == "ready"


def test_a_page_of_another_site_is_refused(database: Database, site: ServingThread, ann: Person) -> None:
    key = key_of_user(database, ann.user_id, SCOPES)
    refused = (403, "cross_origin_refused")
    for origin in ("https://evil.example", "null", f"{SITE}.evil.example", "http://127.0.0.1", "http://127.0.0.1:1"):
        assert refusal(site.port, ADMIN, Who(ann.token, origin=origin)) == refused, origin
        assert refusal(site.port, ADMIN, Who(key=key, origin=origin)) == refused, origin
    assert refusal(site.port, ADMIN, Who(ann.token, origin="")) == refused
    told = {"Sec-Fetch-Site": "cross-site"}
    assert refusal(site.port, ADMIN, Who(ann.token, headers=told)) == refused
    for who in (Who(ann.token, origin=SITE), Who(ann.token, headers={"Sec-Fetch-Site": "same-origin"})):
        with watching(site.port, ADMIN, who) as feed:
            assert receive(feed)["type"] == "ready"


Loss = Callable[[Database, Person], object]


def set_to(statement: str) -> Loss:
    return lambda database, person: value(database, statement, person.session_id)


@pytest.mark.parametrize(
    ("lose", "code"),
    [
        (lambda database, person: log_out(database, person.token, HOME), 4401),
        (lambda database, person: revoke_session(database, person.user_id, person.session_id, OPERATOR), 4401),
        (lambda database, person: disable_user(database, person.user_id, OPERATOR), 4401),
        (lambda database, person: change_role(database, person.user_id, Role.ADMIN, OPERATOR), 4401),
        (lambda database, person: suspend_provider(database, provider_of(database, person), OPERATOR), 4403),
        (set_to("update sessions set idle_expires_at = now() where id = %s"), 4401),
        (set_to("update sessions set expires_at = now() where id = %s"), 4401),
        (set_to("update sessions set state = 'password_ok' where id = %s"), 4403),
        (
            set_to(
                "update users set role = 'admin', provider_id = null "
                "where id = (select user_id from sessions where id = %s)"
            ),
            4403,
        ),
    ],
    ids=[
        "logout", "revocation", "disabled", "role", "suspension", "idle", "expired", "second factor", "no longer there"
    ],
)  # fmt: skip
def test_a_watcher_who_loses_the_right_is_shown_out(
    database: Database, site: ServingThread, lose: Loss, code: int
) -> None:
    provider_id = add_provider(database)
    sam = provider_user(database, provider_id)
    other = provider_user(database, provider_id, "other@anchor.example")
    enrolled_admin(database)
    with watching(site.port, PROVIDER, Who(sam.token)) as feed, watching(site.port, PROVIDER, Who(other.token)) as rest:
        assert receive(feed)["type"] == receive(rest)["type"] == "ready"
        lose(database, sam)
        assert closing_code(feed) == code
        if value(database, "select status from providers") == "active":
            with pytest.raises(TimeoutError):
                rest.recv(1.5)  # the other is not


def test_rights_are_asked_for_again_every_few_seconds() -> None:
    assert hub.RIGHTS_SECONDS + hub.PAUSE_SECONDS < 5


def provider_of(database: Database, person: Person) -> str:
    return value(database, "select provider_id::text from users where id = %s", person.user_id)


@pytest.mark.parametrize("how", ["revoked", "expired", "owner", "scope"])
def test_a_key_that_opens_nothing_any_more_is_shown_out(
    database: Database, site: ServingThread, ann: Person, how: str
) -> None:
    bob_id = add_admin(database, "bob@example.com")
    with watching(site.port, ADMIN, Who(key=key_of_user(database, bob_id, SCOPES), origin="")) as feed:
        receive(feed)
        key_id = value(database, "select id::text from api_keys")
        if how == "revoked":
            assert revoke_api_key(database, key_id, OPERATOR)
        elif how == "expired":
            value(database, "update api_keys set expires_at = now() where id = %s", key_id)
        elif how == "owner":
            disable_user(database, bob_id, OPERATOR)
        else:
            value(database, "update api_keys set scopes = '{leads:read}' where id = %s", key_id)
        assert closing_code(feed) == (4403 if how == "scope" else 4401)


def test_watching_keeps_no_session_alive(database: Database, site: ServingThread, ann: Person) -> None:
    value(database, "update sessions set last_seen_at = last_seen_at - interval '30 minutes'")
    before = value(database, "select (last_seen_at, idle_expires_at)::text from sessions where state = 'full'")
    with watching(site.port, ADMIN, Who(ann.token)) as feed:
        receive(feed)
        time.sleep(1.5)
    assert value(database, "select (last_seen_at, idle_expires_at)::text from sessions where state = 'full'") == before


def test_no_user_has_too_many_and_all_together_do_not_either(
    database: Database, site: ServingThread, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_OF_OWNER", 2)
    monkeypatch.setattr(hub, "MOST_CONNECTIONS", 3)
    who = Who(ann.token)
    bob = Who(enrolled_admin(database, "bob@example.com").token)
    same = replace(who, token=None, key=key_of_user(database, ann.user_id, SCOPES))
    with watching(site.port, ADMIN, who) as first, watching(site.port, ADMIN, same):
        receive(first)
        assert refusal(site.port, ADMIN, who) == (429, "too_many_connections")
        with watching(site.port, ADMIN, bob) as third:
            receive(third)
            assert refusal(site.port, ADMIN, bob) == (503, "unavailable")
    with watching(site.port, ADMIN, who) as again:  # those that ended do not count
        assert receive(again)["type"] == "ready"
