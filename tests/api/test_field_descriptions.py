"""Every field and parameter of the document is described, once, in words that say when it is null."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.api.field_descriptions import described, descriptions
from fairlead.api.openapi import document_of
from fairlead.store.connection import Database
from tests.api.asking import application
from tests.api.document import written_document

Table = dict[tuple[str, ...], str]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of the API."""
    return written_document()


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The document without what the table says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fairlead.api.openapi.describe_fields", lambda document: None)
        return document_of(application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead")))


def undescribed(document: dict[str, Any]) -> list[str]:
    return [each.place for each in described(document, {}) if not each.part.get("description")]


def unused(plain: dict[str, Any], table: Table) -> set[tuple[str, ...]]:
    return table.keys() - {each.entry for each in described(plain, table)}


def schemas_of(part: Any, document: dict[str, Any], found: set[str]) -> set[str]:
    """The names of the schemas that a part of the document leads to."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in found:
            found.add(name)
            schemas_of(document["components"]["schemas"][name], document, found)
        for each in part.values():
            schemas_of(each, document, found)
    elif isinstance(part, list):
        for each in part:
            schemas_of(each, document, found)
    return found


def answered(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields of everything that is answered."""
    responses = [operation["responses"] for path in document["paths"].values() for operation in path.values()]
    for name in sorted(schemas_of(responses, document, set())):
        for field, part in document["components"]["schemas"][name].get("properties", {}).items():
            yield f"{name}.{field}", part


def is_nullable(part: dict[str, Any]) -> bool:
    return {"type": "null"} in part.get("anyOf", ())


def test_every_field_and_parameter_is_described(document: dict[str, Any]) -> None:
    assert undescribed(document) == []


def test_no_description_is_left_over_or_says_the_same_twice(plain: dict[str, Any]) -> None:
    table = descriptions()
    assert unused(plain, table) == set()
    assert [entry for entry, text in table.items() if len(entry) == 3 and table.get(("fields", entry[2])) == text] == []


def test_what_is_null_says_when_and_nothing_else_does(document: dict[str, Any]) -> None:
    wrong = [
        f"{place}: {part['description']}"
        for place, part in answered(document)
        if bool(re.search(r"\bnull\b", part["description"], re.IGNORECASE)) is not is_nullable(part)
    ]
    assert wrong == []


def test_descriptions_are_sentences_and_amounts_name_their_unit(document: dict[str, Any]) -> None:
    wrong: list[str] = []
    for each in described(document, {}):
        text, name = each.part["description"], each.place.rpartition(".")[2]
        if not re.fullmatch(r"[A-Z`0-9\"'].*[.:)]", text, re.DOTALL):
            wrong.append(f"{each.place}: {text}")
        if name.endswith("_cents") and "minor units" not in text:
            wrong.append(f"{each.place}: of what? {text}")
    assert wrong == []


def test_what_is_missing_or_left_over_is_found() -> None:
    document = {
        "components": {"schemas": {"Niche": {"properties": {"slug": {}, "name": {"description": "Its name."}}}}},
        "paths": {"/niches": {"get": {"parameters": [{"name": "name", "in": "query"}]}}},
    }
    assert undescribed(document) == ["Niche.slug", "get /niches name"]
    table: Table = {("fields", "slug"): "a", ("fields_of", "Niche", "slug"): "b", ("query", "name"): "c"}
    assert unused(document, table) == {("fields", "slug")}
    table = {("fields", "name"): "a", ("path", "name"): "b", ("fields_of", "Level", "slug"): "c"}
    assert unused(document, table) == table.keys()
