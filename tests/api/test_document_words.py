"""The document's names are each of one thing, also those that generators make up; and what it says of answers is so."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.api.answers import own_headers
from fairlead.api.problem_codes import kind_of
from fairlead.api.routes import intake
from fairlead.api.routes.admin.niches import niches
from tests.api.document import written_document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of the API."""
    return written_document()


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def class_name(text: str) -> str:
    """The name of a class that generators make of a name."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", text) if word)


def names_made(document: dict[str, Any]) -> dict[str, set[str]]:
    """What each name that a generator gives to a type stands for. A part without a name is called after its parent."""
    made: dict[str, set[str]] = defaultdict(set)

    def look(parent: str, schema: dict[str, Any], place: str) -> None:
        if schema.get("enum") or (schema.get("type") == "object"):
            made[class_name(parent)].add(place)
        for several in ("anyOf", "oneOf", "allOf"):
            for each in schema.get(several, ()):
                look(parent, each, place)
        if "items" in schema:
            look(f"{parent} Item", schema["items"], f"{place} item")

    for name, schema in document["components"]["schemas"].items():
        made[class_name(name)].add(name)
        for member, each in schema.get("properties", {}).items():
            look(f"{name} {member}", each, f"{name}.{member}")
    for operation in operations(document):
        for each in operation.get("parameters", ()):
            look(f"{operation['operationId']} {each['name']}", each["schema"], operation["operationId"])
    return made


def clashes(document: dict[str, Any]) -> dict[str, set[str]]:
    return {name: places for name, places in names_made(document).items() if len(places) > 1}


def test_no_two_schemas_are_called_alike(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+_)?", name)] == []
    titles = [schema["title"] for schema in schemas.values() if "title" in schema]
    assert sorted(titles) == sorted(set(titles))
    assert clashes(document) == {}


@pytest.mark.parametrize(
    "schemas",
    [
        {"Own": {"properties": {"state": {"enum": ["a", "b"]}}}, "OwnState": {"properties": {}}},
        {"Own": {"properties": {"states": {"items": {"enum": ["a"]}}}}, "OwnStatesItem": {"properties": {}}},
        {"Own_A": {"properties": {}}, "OwnA": {"properties": {}}},
        {"Own": {"properties": {"map": {"anyOf": [{"type": "object"}, {"type": "null"}]}}}, "OwnMap": {}},
    ],
)
def test_names_that_would_meet_are_found(schemas: dict[str, Any]) -> None:
    assert clashes({"components": {"schemas": schemas}, "paths": {}})


def test_every_answer_says_what_it_is_and_problems_have_the_status_they_stand_under(document: dict[str, Any]) -> None:
    wrong: list[str] = []
    for operation in operations(document):
        for status, response in operation["responses"].items():
            place = f"{operation['operationId']} {status}"
            if response["description"] in ("", "Successful Response"):
                wrong.append(f"{place}: {response['description']!r}")
            if response["description"].endswith(" The answer has no body.") is ("content" in response):
                wrong.append(f"{place}: a body, or none")
            for media in response.get("content", {}).values():
                example = media.get("example")
                if int(status) >= 400 and (
                    str(example["status"]) != status or kind_of(example["code"]).title != example["title"]
                ):
                    wrong.append(f"{place}: {example}")
    assert wrong == []


def test_headers_are_in_the_document(document: dict[str, Any]) -> None:
    for operation in operations(document):
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"]
            assert ("Retry-After" in response["headers"]) is (status in ("429", "503"))
            assert ("WWW-Authenticate" in response["headers"]) is (status == "401")
            assert all(header["description"] for header in response["headers"].values())
    named = {each["operationId"]: each for each in operations(document)}
    assert "ETag" in named["show_niche"]["responses"]["200"]["headers"]
    assert "ETag" not in named["show_niche"]["responses"]["404"]["headers"]
    assert "Location" in named["create_own_endpoint"]["responses"]["201"]["headers"]
    assert "Set-Cookie" in named["begin_session"]["responses"]["200"]["headers"]


def test_the_headers_of_a_route_are_read_from_its_code() -> None:
    assert own_headers(niches.show_niche) == {"ETag"}
    assert own_headers(niches.list_niches) == frozenset()
    assert own_headers(intake.take_in_public_lead) == frozenset()
