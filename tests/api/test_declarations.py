"""Every route says who may call it, and the document says everything that a route takes and answers."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

import fairlead
from fairlead.api.bodies import BoundedRoute
from fairlead.api.openapi import access_of, api_routes
from fairlead.api.problem_codes import PROBLEMS
from fairlead.core.entry.contact import TRACKING_DETAILS
from fairlead.store.connection import Database
from tests.api.asking import application
from tests.api.document import written_document

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(fairlead.__file__).parent
WITHOUT_ACCESS = {"/livez", "/readyz", "/metrics"}
"""For supervisors and Prometheus, by network; they say nothing of a person."""


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application; nothing here asks its database anything."""
    return application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead"))


def test_every_route_declares_who_may_call_it(app: FastAPI) -> None:
    undeclared = [
        f"{sorted(route.methods or ())} {route.path_format}"
        for route in api_routes(app)
        if len(access_of(route)) != 1 and route.path_format not in WITHOUT_ACCESS
    ]
    assert undeclared == []
    others = [each.original_route for each in iter_route_contexts(app.routes)]
    assert {type(each) for each in others} <= {BoundedRoute, APIRoute, APIWebSocketRoute} | {type(None)}, (
        "a route of another kind"
    )
    assert not [each for each in others if type(each) is Route]


def test_a_route_without_a_declaration_is_found(app: FastAPI) -> None:
    bare = FastAPI()

    @bare.get("/bare")
    def open_to_all() -> None:  # pyright: ignore[reportUnusedFunction]
        """Nothing."""

    assert [access_of(route) for route in api_routes(bare)] == [[]]


def test_operations_have_names_of_their_own_and_say_what_they_do(app: FastAPI) -> None:
    document = written_document()
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert sorted(names) == sorted(set(names))
    assert [each["operationId"] for each in operations if not each.get("description")] == []
    assert [each["operationId"] for each in operations if not each.get("tags")] == []


def test_the_document_is_valid_and_its_examples_fit(app: FastAPI) -> None:
    document = written_document()
    OpenAPIV31SpecValidator(document).validate()
    without: list[str] = []
    for path in document["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for media in [media for body in bodies for media in body.get("content", {}).items()]:
                if not media[0].endswith("json"):
                    continue
                if "example" not in media[1]:
                    without.append(operation["operationId"])
                    continue
                schema = {**media[1]["schema"], "components": document["components"]}
                problems = list(Draft202012Validator(schema).iter_errors(media[1]["example"]))
                assert not problems, f"{operation['operationId']}: {problems[0].message}"
    assert without == []


def test_everything_that_is_sent_is_bounded_in_the_document(app: FastAPI) -> None:
    """What bounds a value in the code bounds it in the document: no client finds out by being refused."""
    document = written_document()
    unbounded: list[str] = []

    def look(schema: Any, place: str) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name not in place:
                look(document["components"]["schemas"][name], f"{place}/{name}")
        if {"ge", "gt", "le", "lt"} & schema.keys():
            unbounded.append(f"{place}: a bound by another name")
        is_number = schema.get("type") in ("integer", "number") and not {"const", "enum"} & schema.keys()
        if is_number and not {"minimum", "maximum"} <= schema.keys():
            unbounded.append(place)
        takes_any = place.rsplit("/", 1)[-1] in TRACKING_DETAILS  # shortened, never refused
        if (
            schema.get("type") == "string"
            and not takes_any
            and not {"pattern", "enum", "const", "format"} & schema.keys()
        ):
            unbounded.append(place)
        for name, each in schema.get("properties", {}).items():
            look(each, f"{place}/{name}")
        for each in (
            *schema.get("anyOf", ()),
            *schema.get("oneOf", ()),
            *([schema["items"]] if "items" in schema else []),
        ):
            look(each, place)

    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                look(parameter["schema"], f"{operation['operationId']}?{parameter['name']}")
            for media in operation.get("requestBody", {}).get("content", {}).values():
                look(media["schema"], operation["operationId"])
    assert not unbounded, "\n".join(unbounded)


def test_the_committed_document_is_todays(app: FastAPI) -> None:
    committed = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
    assert committed == json.loads(json.dumps(written_document())), "write it anew: python3 dev.py reference"


def test_every_code_that_a_verb_refuses_with_is_listed() -> None:
    used: set[str] = set()
    for source in SOURCES.rglob("*.py"):
        if source.is_relative_to(SOURCES / "cli"):
            continue  # its codes go to a terminal
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    used.add(first.value)
    assert used - PROBLEMS.keys() - _OF_OTHER_DOORS == set()


def test_every_code_that_is_listed_is_said_by_something() -> None:
    said: set[str] = set()
    for source in SOURCES.rglob("*.py"):
        if source.name != "problem_codes.py":
            nodes = ast.walk(ast.parse(source.read_text()))
            said |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    assert PROBLEMS.keys() - said == set()


_OF_OTHER_DOORS = {
    "address_unavailable",
    "database_address_invalid",
    "direct_address_needed",
    "schema_missing",
    "schema_outdated",
    "schema_unknown",
    "schema_unreleased",
    "server_too_old",
}
"""Codes of what only the command line does: nothing is served before it went well."""


def test_the_page_of_problems_is_the_list() -> None:
    page = (ROOT / "docs" / "reference" / "problems.md").read_text()
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert found == [(code, str(kind.status), kind.title) for code, kind in sorted(PROBLEMS.items())]
