"""What every field and parameter of the document means: said beside its declaration, or else in one table by name.

A name means one thing throughout, so it is described once; `field_descriptions.toml` has a table of its own for a
schema that means another thing by it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

PLACES = ("path", "query")


@dataclass(frozen=True, slots=True)
class Described:
    """A field or parameter, by where it stands, and the entry of the table that describes it: None where none does."""

    place: str
    part: dict[str, Any]
    entry: tuple[str, ...] | None


def descriptions() -> dict[tuple[str, ...], str]:
    """The table: by ("fields", name), ("fields_of", schema, name), ("path", name) and ("query", name)."""
    table = tomllib.loads(files("fairlead.api").joinpath("field_descriptions.toml").read_text(encoding="utf-8"))
    found: dict[tuple[str, ...], str] = {
        (kind, name): text for kind in ("fields", *PLACES) for name, text in table[kind].items()
    }
    for schemas, own in table["fields_of"].items():
        found |= {("fields_of", schema, name): text for schema in schemas.split() for name, text in own.items()}
    return found


def describe_fields(document: dict[str, Any]) -> None:
    """Every field and parameter that says nothing of itself has the description of the table, as far as it has one."""
    table = descriptions()
    for each in described(document, table):
        if each.entry is not None:
            each.part["description"] = table[each.entry]


def described(document: Mapping[str, Any], table: Mapping[tuple[str, ...], str]) -> Iterator[Described]:
    """Every field and parameter of a document that the table was not put into yet."""
    for schema, content in document["components"]["schemas"].items():
        for name, part in content.get("properties", {}).items():
            entries = [("fields_of", schema, name), ("fields", name)]
            yield Described(f"{schema}.{name}", part, _entry(part, entries, table))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for part in operation.get("parameters", ()):
                entries = [(part["in"], part["name"])]
                yield Described(f"{method} {path} {part['name']}", part, _entry(part, entries, table))


def _entry(
    part: Mapping[str, Any], entries: list[tuple[str, ...]], table: Mapping[tuple[str, ...], str]
) -> tuple[str, ...] | None:
    if part.get("description"):
        return None
    return next((entry for entry in entries if entry in table), None)
