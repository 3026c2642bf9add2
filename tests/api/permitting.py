"""Asking every route of a router, as a user who may not."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from tests.flows.configuration.market import UNKNOWN


def codes_of(router: APIRouter, client: TestClient) -> set[tuple[int, str]]:
    """Status and code of what the client is answered by each route of the router; there must be at least one."""
    answers = [client.request(method, path) for method, path in _addresses(router)]
    assert answers
    return {(answer.status_code, answer.json()["code"]) for answer in answers}


def _addresses(router: APIRouter) -> Iterator[tuple[str, str]]:
    for route in router.routes:
        assert isinstance(route, APIRoute)
        path = route.path.replace("{number}", "1")
        while "{" in path:
            path = path[: path.index("{")] + UNKNOWN + path[path.index("}") + 1 :]
        for method in sorted(route.methods or ()):
            yield method, path


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of an answer that is a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def seen(answer: Any) -> dict[str, str]:
    """The header that says that this is what was seen."""
    return {"If-Match": answer.headers["etag"]}


STALE = {"If-Match": '"another-operator-changed-it"'}
"""A version that nothing has."""
