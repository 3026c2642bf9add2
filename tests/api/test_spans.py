"""Spans of time have one scheme everywhere: `X_from` is included, `X_before` is not, and X is a time that is shown."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from fairlead.cli.lazy_group import LazyGroup, load
from fairlead.cli.program import app
from fairlead.flows.exporting.kinds import KINDS
from fairlead.store.exports.own_sources import OWN_SOURCES
from tests.api.document import written_document

OTHER_WORDS = re.compile(
    r"(^|[-_])(since|until|to|after|begin|start|end|first|last|earliest|latest|before|from)([-_]|$)"
)
"""What a span is called by those who do not know the scheme."""

FILES = {
    {"audit": "audit-events"}.get(kind.name, kind.name): tuple(column.name for column in kind.columns)
    for kind in KINDS.values()
}
OWN_FILES = {name: tuple(column.name for column in source.columns) for name, source in OWN_SOURCES.items()}

IN_SCHEME = re.compile(r"(?P<what>[a-z]+)_(?P<end>from|before)")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of the API."""
    return written_document()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def is_time(schema: dict[str, Any]) -> bool:
    return schema.get("format") in ("date", "date-time") or any(map(is_time, schema.get("anyOf", ())))


def out_of_scheme(parameters: list[dict[str, Any]]) -> list[str]:
    """The parameters of a query that are times and have no name of the scheme, or no other end."""
    names = {each["name"] for each in parameters if each["in"] == "query"}
    wrong: list[str] = []
    for each in parameters:
        name = each["name"]
        if each["in"] != "query" or not (is_time(each["schema"]) or OTHER_WORDS.search(name)):
            continue
        fits = IN_SCHEME.fullmatch(name)
        if (
            fits is None
            or not is_time(each["schema"])
            or not {f"{fits['what']}_{end}" for end in ("from", "before")} <= names
        ):
            wrong.append(name)
    return wrong


def shown(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """The members of an answer, those of its items included."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    for name, each in schema.get("properties", {}).items():
        yield name
        yield from shown(each.get("items", {}), schemas)


def test_every_span_of_the_document_is_in_the_scheme(document: dict[str, Any]) -> None:
    wrong = {path: out_of_scheme(each.get("parameters", [])) for path, each in operations(document)}
    assert {path: names for path, names in wrong.items() if names} == {}


def test_a_span_is_of_a_time_that_is_shown(document: dict[str, Any]) -> None:
    seen: set[str] = set()
    for path, operation in operations(document):
        if path.endswith(("/statement", "/totals", "/replayable")):
            continue  # the sums of a list that shows the time
        spans = [IN_SCHEME.fullmatch(each["name"]) for each in operation.get("parameters", ())]
        for what in {span["what"] for span in spans if span is not None}:
            media = operation["responses"]["200"]["content"].values()
            found = {name for each in media for name in shown(each["schema"], document["components"]["schemas"])}
            for export, columns in (OWN_FILES if "/provider/" in path else FILES).items():
                found |= {*columns} if path.endswith(f"/exports/{export}") else set()
            assert found >= ({"day_from", "day_before"} if what == "day" else {f"{what}_at"}), f"{path} {what}"
            seen.add(what)
    assert seen == {"created", "assigned", "failed", "recorded", "reported", "issued", "day"}


def test_both_ends_say_the_same_everywhere(document: dict[str, Any]) -> None:
    said: dict[str, set[str]] = {}
    for _, operation in operations(document):
        for each in operation.get("parameters", ()):
            if (span := IN_SCHEME.fullmatch(each["name"])) is not None:
                kind = "day" if span["what"] == "day" else "time"
                said.setdefault(f"{kind} {span['end']}", set()).add(each["description"])
    assert {kind: len(words) for kind, words in said.items()} == {
        "time from": 1,
        "time before": 1,
        "day from": 1,
        "day before": 1,
    }


@pytest.mark.parametrize("name", ["since", "from", "to", "first_day", "created_after", "created_from", "created_to"])
def test_a_name_outside_the_scheme_is_found(name: str) -> None:
    time = {"name": name, "in": "query", "schema": {"anyOf": [{"type": "string", "format": "date-time"}]}}
    assert out_of_scheme([time]) == [name]
    assert out_of_scheme([{"name": "before", "in": "query", "schema": {"type": "string"}}]) == ["before"]


def options(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every option of the program, with the verb that takes it."""
    if isinstance(command, LazyGroup):
        for verb in command.verbs:
            yield from options(load(verb), *words, verb.name)
    elif isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from options(each, *words, name)
    for each in command.params:
        yield from ((words, name) for name in each.opts if name.startswith("--"))


def test_the_command_line_says_from_and_before() -> None:
    found = [(" ".join(verb), name) for verb, name in options(get_command(app)) if OTHER_WORDS.search(name[2:])]
    assert found == [("export", "--from"), ("export", "--before"), ("webhooks replay", "--from")]
