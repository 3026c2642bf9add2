"""Every route about a provider's own things, asked by its owner and by another provider, generated from the routes.

Bodies are the document's own examples. What belongs to another provider is as unknown as what never was.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext
from starlette.testclient import TestClient

from fairlead.api.access import NeedsOwn
from fairlead.api.openapi import access_of, api_routes
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.notifications.endpoints import set_webhook_endpoint
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import request_payment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, application
from tests.api.document import written_document
from tests.api.test_matrix import ask, code_of, refuses_key, unnoticed
from tests.flows.access.people import BOX
from tests.flows.sales import query, sell

# Not a provider's own: every one that is active sees every level on offer.
SHARED = {"level_id", "month"}
NOWHERE = "01900000-0000-7000-8000-000000000000"
NUMBER_OF_NONE = "999999"
# What is of a range asks for one.
IN_A_RANGE = "?created_from=2020-01-01T00:00:00Z&created_before=2099-01-01T00:00:00Z"
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Side:
    """One of the two providers: a user of it, and its things by the names that addresses have for them."""

    client: TestClient
    things: Mapping[str, str]

    @property
    def telling(self) -> set[str]:
        """What its things are known by wherever it stands; the number of a receipt is as short as many another."""
        return {thing for name, thing in self.things.items() if name != "number"}


def side(app: FastAPI, database: Database, provider_id: str, assignment_id: str, name: str) -> Side:
    """A provider that has one of everything."""
    [(subscription_id,), *_] = query(
        database, "select id::text from subscriptions where provider_id = %s order by id", provider_id
    )
    endpoint = set_webhook_endpoint(
        database, BOX, provider_id, f"https://{name}.example/hook", None, OPERATOR, allow_private=True
    )
    key = create_api_key(database, name, ["own:read"], OPERATOR, provider_id=provider_id)
    payment = request_payment(database, sandbox_gateway(database), provider_id, 5000, OPERATOR)
    [(number,), *_] = query(
        database, "select number::text from receipts where provider_id = %s order by number", provider_id
    )
    things = {
        "assignment_id": assignment_id,
        "subscription_id": subscription_id,
        "endpoint_id": endpoint.endpoint_id,
        "key_id": key.key_id,
        "request_id": payment.request_id,
        "number": number,
    }
    return Side(a_provider(app, database, provider_id, f"sales@{name}.example"), things)


def own_routes(app: FastAPI) -> Iterator[tuple[str, RouteContext, Any]]:
    """Method, route, and the document's example of a body: what changes least comes first."""
    paths = written_document()["paths"]
    found = [
        (method, route, _example(paths[route.path_format][method.lower()]))
        for route in api_routes(app)
        for method in route.methods or ()
        if any(isinstance(access, NeedsOwn) for access in access_of(route))
    ]
    return iter(sorted(found, key=lambda each: _ORDER.index(each[0])))


def _example(operation: Mapping[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example")


def names_in(route: RouteContext) -> set[str]:
    """The things that the route's address names."""
    return set(re.findall(r"\{(\w+)\}", route.path_format or "")) - SHARED


def needs_a_range(route: RouteContext) -> bool:
    """Whether the operation takes a range."""
    return any(parameter.alias == "created_from" for parameter in route.dependant.query_params)


def address(route: RouteContext, things: Mapping[str, str]) -> str:
    """The route's address with these things, and in this month."""
    return (route.path_format or "").format_map({"month": f"{datetime.now(UTC):%Y-%m}", **things})


def test_no_provider_reaches_what_belongs_to_another(database: Database) -> None:
    sale = sell(database)
    app = application(database, webhook_allow_private=True, payment_gateway="test")
    anchor = side(app, database, sale.anchor_id, sale.anchor, "anchor")
    bowline = side(app, database, sale.bowline_id, sale.bowline, "bowline")
    about_things = [(method, route, body) for method, route, body in own_routes(app) if names_in(route)]
    assert {name for _, route, _ in about_things for name in names_in(route)} == anchor.things.keys()

    before, wrong = unnoticed(database), list[str]()
    for method, route, body in about_things:
        foreign, unknown = (
            address(route, anchor.things),
            address(route, dict.fromkeys(anchor.things, NOWHERE) | {"number": NUMBER_OF_NONE}),
        )
        with_key = not refuses_key(route)
        answers = [ask(bowline.client, method, path, body, with_key=with_key) for path in (foreign, unknown)]
        if [answer.status_code for answer in answers] != [404, 404]:
            wrong.append(f"{method} {route.path_format}: {[code_of(answer) for answer in answers]}")
        elif code_of(answers[0]) != code_of(answers[1]):
            wrong.append(f"{method} {route.path_format} tells foreign from unknown")
    assert wrong == []
    assert unnoticed(database) == before

    for method, route, body in about_things:
        answer = ask(anchor.client, method, address(route, anchor.things), body, with_key=not refuses_key(route))
        if answer.status_code in (404, 422) or answer.status_code >= 500:
            wrong.append(f"{method} {route.path_format} for its owner: {answer.status_code} {answer.text[:300]}")
    assert wrong == []


def test_no_list_shows_what_belongs_to_another_provider(database: Database) -> None:
    sale = sell(database)
    app = application(database)
    anchor = side(app, database, sale.anchor_id, sale.anchor, "anchor")
    bowline = side(app, database, sale.bowline_id, sale.bowline, "bowline")
    telling = {*anchor.telling, sale.anchor_id, "Anchor", "anchor@example.com", "anchor.example"}
    shown: set[str] = set()
    for method, route, _ in own_routes(app):
        if method == "GET" and not names_in(route):
            asked = IN_A_RANGE if needs_a_range(route) else ""
            answer = ask(bowline.client, method, address(route, {}) + asked)
            assert answer.status_code == 200, f"{route.path_format}: {answer.text}"
            assert [each for each in telling if each in answer.text] == [], route.path_format
            shown |= {each for each in bowline.telling if each in answer.text}
    assert shown == bowline.telling, "the lists show what is one's own"
