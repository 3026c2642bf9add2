"""Every POST may be sent again with its key: it has one effect, and the same answer, marked as a repetition."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext

from fairlead.api.idempotency import REPLAYED
from fairlead.api.openapi import api_routes
from fairlead.store.connection import Database
from tests.api.document import written_document
from tests.api.permitting import problem
from tests.api.portal import level
from tests.api.posts import ADMIN, OWN, Post, cast_of, every_post
from tests.api.test_matrix import unnoticed
from tests.flows.access.people import value

CHANGE_NOTHING: Mapping[str, Any] = {
    f"{ADMIN}/niches/{{niche_id}}/form/preview": {"form_schema": {"version": 1, "fields": []}},
    f"{ADMIN}/niches/{{niche_id}}/filter-preview": {"filter_rules": {"version": 1, "rules": []}},
    f"{ADMIN}/dry-runs": {"niche": "hosting", "attributes": {"cores": 8}},
    f"{ADMIN}/lead-search": {"text": "cora@example.com"},
    f"{ADMIN}/leads/{{lead_id}}/verify": None,
    f"{ADMIN}/levels/{{level_id}}/preview": {"price_cents": 700},
    f"{ADMIN}/levels/{{level_id}}/price-rules/preview": {"price_rules": {"version": 1, "rules": []}},
    f"{ADMIN}/levels/{{level_id}}/price-rules/trial": {"attributes": {"cores": 8}},
    f"{ADMIN}/persons/erasure/preview": {"person": "cora@example.com"},
    f"{ADMIN}/templates/{{kind}}/preview": {"subject": "New", "html": "<p>x</p>", "text": "x"},
    f"{OWN}/levels/{{level_id}}/filter-preview": {"version": 1, "rules": []},
    f"{OWN}/assignment-search": {"search": "canary"},
}
"""POSTs that only ask, with something to ask."""

REFUSE_KEYS = {
    f"{ADMIN}/persons/erase",
    f"{ADMIN}/persons/data",
    "/api/v1/session",
    "/api/v1/session/second-factor",
    "/api/v1/session/step-up",
    "/api/v1/session/enrolment",
    "/api/v1/session/enrolment/confirm",
    "/api/v1/session/recovery-codes",
    "/api/v1/session/password",
    "/api/v1/accounts/accept-invitation",
    "/api/v1/accounts/request-password-reset",
    "/api/v1/accounts/reset-password",
    "/api/v1/accounts/register",
    "/api/v1/setup/operator",
    "/api/v1/public/leads/state",
    "/api/v1/admin/users/{user_id}/invitation-link",
    f"{OWN}/webhook-endpoints/{{endpoint_id}}/test",
    f"{OWN}/payments/{{request_id}}/checkout",
    f"{OWN}/auto-top-up/method",
    "/api/v1/webhooks/stripe",
}
"""What counts attempts, gives and ends sessions, or sends something at once."""

OF_THE_ANSWER = ("content-type", "etag", "location")


def posts(app: FastAPI) -> list[RouteContext]:
    """Every POST of the application."""
    return [route for route in api_routes(app) if "POST" in (route.methods or ())]


def route_of(app: FastAPI, path: str) -> str:
    """The address of the route that answers there, as the document has it."""
    found = [route.path_format or "" for route in posts(app) if route.path_regex.match(path)]
    # `/leads/bulk/approve` is no lead's approval.
    return min(found, key=lambda each: each.count("{"))


def send(post: Post, key: str) -> Any:
    """The answer to the request with this key."""
    return post.who.post(post.path, json=post.body, headers={**post.headers, "Idempotency-Key": key})


def test_every_post_is_done_once_and_answered_twice(database: Database) -> None:
    cast = cast_of(database)
    walk, played, wrong = every_post(cast), list[str](), list[str]()
    post = next(walk)
    with suppress(StopIteration):
        while True:
            played.append(route_of(cast.app, post.path))
            before, key = unnoticed(database), f"key-{len(played)}"
            first = send(post, key)
            assert first.status_code < 300, f"{played[-1]}: {first.text}"
            after = unnoticed(database)
            changed = {name for name in after if after[name] != before[name]}
            if not changed - {"idempotency_keys"}:
                wrong.append(f"{played[-1]}: it had no effect at all")
            wrong += [f"{played[-1]}: {why}" for why in wrong_with_repetition(first, send(post, key))]
            if unnoticed(database) != after:
                wrong.append(f"{played[-1]}: the repetition had an effect of its own")
            post = walk.send(first.json())
    assert wrong == []
    others = {route.path_format for route in posts(cast.app)} - {*played}
    assert others == CHANGE_NOTHING.keys() | REFUSE_KEYS, "look at the difference, then write it down"


def wrong_with_repetition(first: Any, again: Any) -> list[str]:
    """How the answer to the repetition differs from the first otherwise than by its mark."""
    wrong = list[str]()
    if (again.status_code, again.content) != (first.status_code, first.content):
        wrong.append(f"answered {again.text} instead of {first.text}")
    if [again.headers.get(name) for name in OF_THE_ANSWER] != [first.headers.get(name) for name in OF_THE_ANSWER]:
        wrong.append(f"headers {again.headers} instead of {first.headers}")
    if (first.headers.get(REPLAYED), again.headers.get(REPLAYED)) != (None, "true"):
        wrong.append("the repetition is not marked, or the first is")
    return wrong


def test_what_changes_nothing_does_so_with_a_key_too(database: Database) -> None:
    cast = cast_of(database)
    things = {
        "niche_id": value(database, "select id::text from niches where slug = 'hosting'"),
        "level_id": level(database, "gold"),
        "lead_id": value(database, "select lead_id::text from assignments limit 1"),
        "kind": "lead_assigned",
    }
    before = unnoticed(database)
    for route, body in CHANGE_NOTHING.items():
        who = cast.ann if route.startswith(ADMIN) else cast.sam
        answers = [send(Post(who, route.format_map(things), body), "one key") for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200], answers[0].text
        first, again = ({**each.json(), "verified_at": None, "tried_at": None, "decided_at": None} for each in answers)
        assert first == again, "but for when it was asked"
        assert REPLAYED not in answers[1].headers
    assert unnoticed(database) == before


def test_where_a_key_cannot_be_honoured_it_is_refused_before_anything_is_done(database: Database) -> None:
    cast = cast_of(database)
    before = unnoticed(database)
    for route in sorted(REFUSE_KEYS):
        who = cast.ann if route.startswith(ADMIN) else cast.sam
        answer = send(Post(who, re.sub(r"{\w+}", "x", route), {"email": "sales@anchor.example"}), "a key")
        assert problem(answer) == (400, "idempotency_key_unsupported"), route
    assert unnoticed(database) == before


def test_the_document_says_of_every_post_what_becomes_of_a_key() -> None:
    for route, operations in written_document()["paths"].items():
        for operation in (each for method, each in operations.items() if method == "post"):
            is_taken = "idempotency-key" in {each["name"] for each in operation.get("parameters", ())}
            assert is_taken is (route not in CHANGE_NOTHING and route not in REFUSE_KEYS), route
            is_told = [REPLAYED in each["headers"] for code, each in operation["responses"].items() if code < "3"]
            assert is_told == [is_taken], route
            refusals = operation["responses"].get("400", {"description": ""})["description"]
            assert ("idempotency_key_unsupported" in refusals) is (route in REFUSE_KEYS), route
