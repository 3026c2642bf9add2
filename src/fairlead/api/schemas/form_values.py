"""Values as a form's fields take them, in the answers of a lead and in the rules of a filter.

Each is one type with one check, not a union of five: what does not fit is one mistake, and costs one look. Whether a
value fits its field is for the flows to say.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, LiteralString, TypeAlias, cast

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from fairlead.api.schemas.values import TEXT_PATTERN
from fairlead.core.filters.distances import MAX_KM
from fairlead.core.filters.operands import MAX_TABLE_NAME_CHARS
from fairlead.core.filters.rules import MAX_ITEMS
from fairlead.core.form import MAX_FIELDS, MAX_OPTIONS
from fairlead.core.form_field import MAX_NUMBER, MAX_TEXT_CHARS, number_complaint, text_complaint

KEY_PATTERN = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
_KEY = re.compile(KEY_PATTERN)

MOST_ITEMS_TOGETHER = MAX_OPTIONS
"""In all the lists of one lead's answers."""

CIRCLE_MEMBERS = ("point", "km", "table", "version", "postcode", "postcodes")
"""Of a distance, as a rule's value."""

MOST_MISTAKES = 20
"""So many are told of one lead's answers."""

Step: TypeAlias = str | int
Mistake: TypeAlias = tuple[tuple[Step, ...], PydanticCustomError]


def _mistake_of_scalar(value: object) -> PydanticCustomError | None:
    """What is wrong with a text or number, if anything is."""
    if isinstance(value, str):
        complaint = text_complaint(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        complaint = number_complaint(value)
    else:
        complaint = ("not_a_value", "must be a text or a number")
    return None if complaint is None else _error(*complaint)


def _error(code: str, words: str) -> PydanticCustomError:
    # Braces would be a place for a value to Pydantic.
    return PydanticCustomError(cast("LiteralString", code), "{words}", {"words": words})


def _mistakes_of(value: object, at: tuple[Step, ...], most_items: int, *, of_texts: bool) -> Iterator[Mistake]:
    """What is wrong with a value that may be a list too; of a list the first item that does not fit."""
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, list):
        if isinstance(value, dict):
            yield at, _error("not_a_value", "must be a text, a number, true, false or a list")
        elif (mistake := _mistake_of_scalar(value)) is not None:
            yield at, mistake
        return
    items = cast("list[object]", value)
    if len(items) > most_items:
        yield at, _error("too_long", f"must have at most {most_items} items")
        return
    for number, item in enumerate(items):
        mistake = _mistake_of_scalar(item)
        if mistake is None and of_texts and not isinstance(item, str):
            mistake = _error("not_text", "must be text")
        if mistake is not None:
            yield (*at, number), mistake
            return


def _refuse(title: str, given: object, mistakes: list[Mistake]) -> None:
    if mistakes:
        raise ValidationError.from_exception_data(
            title, [InitErrorDetails(type=error, loc=at, input=given) for at, error in mistakes]
        )


def _rule_value(given: Any) -> Any:
    if given is None:
        raise _error("not_a_value", "must be a text, a number, true, false or a list")
    if not isinstance(given, dict):
        _refuse("value", given, list(_mistakes_of(given, (), MAX_ITEMS, of_texts=False)))
        return given
    circle = cast("dict[str, object]", given)
    mistakes: list[Mistake] = []
    for name, member in circle.items():
        if name not in CIRCLE_MEMBERS:
            raise _error("not_a_value", f"an object has only the members {', '.join(CIRCLE_MEMBERS)}")
        mistakes += _mistakes_of(member, (name,), MAX_ITEMS, of_texts=False)
    _refuse("value", circle, mistakes)
    return circle


def _attributes(given: Any) -> Any:
    if not isinstance(given, dict):
        raise _error("dict_type", "must be an object")
    answers = cast("dict[str, object]", given)
    if len(answers) > MAX_FIELDS:
        raise _error("too_long", f"must have at most {MAX_FIELDS} members")
    if sum(len(cast("list[object]", each)) for each in answers.values() if isinstance(each, list)) > (
        MOST_ITEMS_TOGETHER
    ):
        raise _error("too_long", f"must have at most {MOST_ITEMS_TOGETHER} items in all lists together")
    mistakes: list[Mistake] = []
    for key, value in answers.items():
        if len(mistakes) >= MOST_MISTAKES:
            break
        if _KEY.fullmatch(key) is None:
            mistakes.append(((key,), _error("key_malformed", KEY_WORDS)))
        else:
            mistakes += _mistakes_of(value, (key,), MAX_OPTIONS, of_texts=True)
    _refuse("attributes", answers, mistakes)
    return answers


KEY_WORDS = "must begin with a letter or _ and have at most 64 letters, digits, _, . and -"

_TEXT = {"type": "string", "maxLength": MAX_TEXT_CHARS, "pattern": TEXT_PATTERN}
_NUMBER = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
_TRUTH = {"type": "boolean"}
_POSTCODE = {"type": "string", "maxLength": 40, "pattern": TEXT_PATTERN}
_CIRCLE = {
    "type": "object",
    "description": "A distance: at most `km` from `point` (latitude, longitude), or from `postcode` in `table`.",
    "properties": {
        "point": {"type": "array", "minItems": 2, "maxItems": 2, "items": _NUMBER},
        "km": {"type": "number", "minimum": 0, "exclusiveMinimum": 0, "maximum": MAX_KM},
        "table": {"type": "string", "minLength": 1, "maxLength": MAX_TABLE_NAME_CHARS, "pattern": TEXT_PATTERN},
        "version": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        "postcode": _POSTCODE,
        "postcodes": {"type": "array", "maxItems": MAX_ITEMS, "items": _POSTCODE},
    },
    "required": ["km"],
    "additionalProperties": False,
}


def _as_it_is(value: Any) -> Any:
    return value


RuleValue: TypeAlias = Annotated[
    Any,
    PlainValidator(_rule_value),
    PlainSerializer(_as_it_is),
    WithJsonSchema(
        {
            "anyOf": [
                _TEXT,
                _NUMBER,
                _TRUTH,
                {"type": "array", "maxItems": MAX_ITEMS, "items": {"anyOf": [_TEXT, _NUMBER]}},
                _CIRCLE,
            ],
            "examples": [4],
        }
    ),
]
"""What a rule compares with."""

Attributes: TypeAlias = Annotated[
    dict[str, Any],
    PlainValidator(_attributes),
    PlainSerializer(_as_it_is),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MAX_FIELDS,
            "propertyNames": {"pattern": KEY_PATTERN},
            "additionalProperties": {
                "anyOf": [
                    _TEXT,
                    _NUMBER,
                    _TRUTH,
                    {"type": "array", "maxItems": MAX_OPTIONS, "items": _TEXT},
                    {"type": "null"},
                ]
            },
            "examples": [{"cores": 8, "region": "north"}],
        }
    ),
    Field(
        description=f"Answers to the niche's form, by the keys of its fields; at most {MOST_ITEMS_TOGETHER:,} items "
        "in all lists together."
    ),
]
"""Answers to the niche's form, by the keys of its fields. Whether they fit the form is the flow's to say."""
