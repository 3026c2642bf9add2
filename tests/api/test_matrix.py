"""Every route against every visitor who may come to it, generated from the routes themselves.

Who is let through follows from what a route declares; what each route declares is on a page that people review.
"""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext
from starlette.testclient import TestClient

from fairlead.api.access import Access, Needs, NeedsOwn, NeedsSession
from fairlead.api.idempotency import RefusesKeys, declared_repetition
from fairlead.api.openapi import access_of, api_routes
from fairlead.store.connection import Database
from tests.api.asking import application
from tests.api.cast import cast, refusal_of
from tests.flows.access.people import add_provider, value
from tests.flows.marketplaces import everything

REVIEWED = Path(__file__).with_name("route_permissions.txt")

AT_THE_DOOR = {"session_invalid", "api_key_invalid", "session_required"}
TURNED_AWAY = AT_THE_DOOR | {
    "enrolment_required",
    "second_factor_required",
    "permission_missing",
    "step_up_required",
}
# What counts attempts and use changes with every knock.
NOTES_OF_ATTEMPTS = {"rate_buckets", "sessions", "api_keys"}


def declared(app: FastAPI) -> list[tuple[str, RouteContext, Access]]:
    """Method, route and what it declares: every operation that declares anything."""
    return [
        (method, route, access)
        for route in api_routes(app)
        for method in sorted(route.methods or ())
        for access in access_of(route)
    ]


def words(access: Access) -> str:
    """What a route declares, as the reviewed page has it."""
    if isinstance(access, Needs):
        return access.permission.value
    if isinstance(access, NeedsOwn):
        return f"{access.permission.value} of the caller's provider"
    return "a session" if isinstance(access, NeedsSession) else "public"


def test_what_every_route_needs_was_reviewed(database: Database) -> None:
    found = sorted(
        f"{route.path_format} {method}: {words(access)}" for method, route, access in declared(application(database))
    )
    assert REVIEWED.read_text().splitlines() == found, "look at the difference, then write it down"


@pytest.mark.long
def test_every_visitor_is_let_through_or_turned_away_as_declared(database: Database) -> None:
    app = application(database)
    visitors = cast(app, database, add_provider(database))
    wrong: list[str] = []
    before = unnoticed(database)
    for method, route, access in declared(app):
        path = unknown_at(route)
        # There are more routes than wrong keys that are let through at once.
        value(database, "delete from rate_buckets")
        for name, visitor in visitors.items():
            expected = refusal_of(visitor, access)
            if expected is None:
                continue
            code = code_of(ask(visitor.arrive(), method, path))
            if code != expected:
                wrong.append(f"{method} {route.path_format} for {name}: {code} instead of {expected}")
    assert wrong == []
    assert unnoticed(database) == before, "a visitor who was turned away left a trace"
    for method, route, access in declared(app):
        path = unknown_at(route)
        for name, visitor in visitors.items():
            if refusal_of(visitor, access) is None:
                code = code_of(ask(visitor.arrive(), method, path, with_key=not refuses_key(route)))
                if code in (AT_THE_DOOR if isinstance(access, NeedsSession) else TURNED_AWAY):
                    wrong.append(f"{method} {route.path_format} for {name}: turned away with {code}")
                value(database, "update sessions set ended_at = null, ended_why = null where ended_at is not null")
    assert wrong == []


def unknown_at(route: RouteContext) -> str:
    """An address of the route, of things that there are not."""
    assert route.path_format is not None, "every route has an address"
    return re.sub(r"\{(\w+)\}", lambda _: str(uuid4()), route.path_format)


def refuses_key(route: RouteContext) -> bool:
    """Whether those who are let through are turned away for a key."""
    return any(isinstance(each, RefusesKeys) for each in declared_repetition(route.dependant))


def ask(client: TestClient, method: str, path: str, body: Any = None, *, with_key: bool = True) -> Any:
    """The answer; what may be told apart by its key or version has one."""
    headers = {"If-Match": "*"}
    if with_key:
        headers["Idempotency-Key"] = str(uuid4())
    return client.request(method, path, json=body, headers=headers)


def code_of(answer: Any) -> str | None:
    """The code of a problem, None of anything else."""
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.json()["code"] if is_problem else None


def unnoticed(database: Database) -> dict[str, list[str]]:
    """All that may not change by a visitor's being turned away."""
    return {name: rows for name, rows in everything(database).items() if name not in NOTES_OF_ATTEMPTS}
