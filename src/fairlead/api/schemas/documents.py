"""The two documents that people write inside a request: a niche's form and a subscription's filter.

What they mean, and whether one fits the other, is for `core` to say. Here they have a shape and bounds, and what is
wrong with one is told by its place in the request.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, TypeAlias, cast

from pydantic import ConfigDict, Discriminator, Field, JsonValue, StrictBool, Tag

from fairlead.api.schemas.form_values import KEY_PATTERN, KEY_WORDS, RuleValue
from fairlead.api.schemas.values import LARGE_BODY_BYTES, RequestModel, Text, pattern_with_message
from fairlead.core.canonical import JsonObject
from fairlead.core.filters.documents import GROUP_KINDS
from fairlead.core.filters.rules import MAX_RULES, Operator
from fairlead.core.form import MAX_FIELDS, MAX_NAME_CHARS, MAX_OPTIONS
from fairlead.core.form_field import MAX_TEXT_CHARS, FieldType
from fairlead.flows.configuration.versions import InvalidDocument

FORM_EXAMPLE: dict[str, JsonValue] = {
    "version": 1,
    "fields": [
        {"key": "cores", "label": "Cores", "type": "number", "required": True},
        {"key": "region", "label": "Region", "type": "select", "required": False, "options": ["north", "south"]},
    ],
}
FILTER_EXAMPLE: dict[str, JsonValue] = {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 4}]}

StoredForm: TypeAlias = Annotated[dict[str, JsonValue], Field(examples=[FORM_EXAMPLE])]
"""A form as it is kept."""

StoredFilter: TypeAlias = Annotated[dict[str, JsonValue], Field(examples=[FILTER_EXAMPLE])]
"""A filter as it is kept."""

Key: TypeAlias = Annotated[str, Field(pattern=pattern_with_message(KEY_PATTERN, KEY_WORDS), examples=["cores"])]

_Words: TypeAlias = Annotated[Text, Field(max_length=MAX_TEXT_CHARS)]


class FormField(RequestModel):
    """A question of a form. `options` are for select, multi-select and radio; without a label the key serves."""

    key: Key
    label: Annotated[Text, Field(min_length=1, max_length=MAX_NAME_CHARS, examples=["Cores"])] | None = None
    type: FieldType
    required: StrictBool = False
    options: Annotated[list[_Words], Field(min_length=1, max_length=MAX_OPTIONS)] | None = None


class FormDocument(RequestModel):
    """A niche's form: docs/reference/filters.md says what each type of field takes."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    model_config = ConfigDict(json_schema_extra={"examples": [FORM_EXAMPLE]})

    version: Literal[1]
    fields_: Annotated[list[FormField], Field(alias="fields", max_length=MAX_FIELDS)]

    def as_json(self) -> JsonObject:
        """The document as it was sent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class FilterRule(RequestModel):
    """One condition on one field of the form."""

    field_key: Key
    operator: Operator
    value: RuleValue


class FilterGroup(RequestModel):
    """Of version 2: rules and groups of which `all` or `any` must hold, or one that must `not`: one of the three."""

    all: Annotated["list[FilterNode]", Field(min_length=1, max_length=MAX_RULES)] | None = Field(
        None, description="Rules and groups that must all hold."
    )
    any: Annotated["list[FilterNode]", Field(min_length=1, max_length=MAX_RULES)] | None = Field(
        None, description="Rules and groups of which at least one must hold."
    )
    not_: "FilterNode | None" = Field(None, alias="not", description="A rule or group that must not hold.")


def _kind_of_node(given: object) -> str:
    if isinstance(given, FilterGroup):
        return "a group"
    named = cast("dict[object, object]", given) if isinstance(given, dict) else {}
    return "a group" if any(kind in named for kind in GROUP_KINDS) else "a rule"


FilterNode: TypeAlias = Annotated[
    Annotated[FilterRule, Tag("a rule")] | Annotated[FilterGroup, Tag("a group")], Discriminator(_kind_of_node)
]
"""A rule or a group."""


class FilterDocument(RequestModel):
    """A subscription's filter: every rule and group must hold; none take every lead. Groups are of version 2."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    model_config = ConfigDict(json_schema_extra={"examples": [FILTER_EXAMPLE]})

    version: Literal[1, 2]
    rules: Annotated[list[FilterNode], Field(max_length=MAX_RULES)]

    def as_json(self) -> JsonObject:
        """The document as it was sent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def as_stored(document: JsonObject) -> dict[str, JsonValue]:
    """The document for an answer."""
    return cast("dict[str, JsonValue]", document)


@contextmanager
def document_in(member: str) -> Generator[None]:
    """What is wrong with a document that the block hands to a flow is told by its place in the body."""
    try:
        yield
    except InvalidDocument as invalid:
        details = [replace(each, path=f"{member}.{each.path}".rstrip(".")) for each in invalid.details]
        raise InvalidDocument(details) from None
