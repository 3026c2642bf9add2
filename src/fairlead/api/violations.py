"""What is wrong with the input, one entry a mistake, told by its place in what was sent and in plain words.

Pydantic tells a place by the names of its own schema too (`function-after[...]`, branches of a union), repeats one
mistake for each branch, and gives a regular expression for a reason: none of that means anything to a client.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import Field

from fairlead.api.schemas.values import ResponseModel, message_of_pattern

MOST_VIOLATIONS = 100

Place = Literal["body", "query", "path", "header", "cookie"]

_WORDS_OF_CODE = {
    "dict_type": "Input should be an object",
    "list_type": "Input should be an array",
    "model_attributes_type": "Input should be an object",
    "model_type": "Input should be an object",
    "extra_forbidden": "There is no such member",
    "missing": "It is required",
    "json_invalid": "Input should be JSON",
}
"""Instead of Pydantic's own words, which speak of Python."""

_PREFIX = re.compile(r"^(Value|Assertion) error, ")


class Violation(ResponseModel):
    """One thing that is wrong with what was sent."""

    location: Place = Field(description="Which part of the request.")
    pointer: str = Field(description="Where in it: a JSON Pointer (RFC 6901); empty stands for all of it.")
    code: str = Field(description="What is wrong, for programs: a code that never changes its meaning.")
    detail: str = Field(description="What is wrong, for people.")


def violations_of_parameters(errors: Iterable[Any]) -> list[Violation]:
    """One for each parameter or header that is wrong, by its name."""
    found: dict[tuple[str, str], Violation] = {}
    for error in errors:
        place, *steps = error["loc"]
        # Behind the name there is at most the place in a list of values; whatever else is Pydantic's.
        pointer = pointer_to(each for number, each in enumerate(steps) if number == 0 or isinstance(each, int))
        found.setdefault((place, pointer), _violation(place, pointer, error))
    return list(found.values())[:MOST_VIOLATIONS]


def violations_of_body(errors: Sequence[Mapping[str, Any]], body: object) -> list[Violation]:
    """One for each place in the body that is wrong; a member that is missing is told by the place where it should be.

    >>> violations_of_body([{"loc": ("a", "function-after[f(), str]", 0, "int"), "type": "t", "msg": "no"}],
    ...                    {"a": ["x"]})[0].pointer
    '/a/0'
    """
    found: dict[str, Violation] = {}
    for error in errors[:MOST_VIOLATIONS]:
        pointer = pointer_to(_steps_in(body, error["loc"], is_missing=error["type"] == "missing"))
        found.setdefault(pointer, _violation("body", pointer, error))
    return list(found.values())


def _steps_in(body: object, location: Sequence[str | int], *, is_missing: bool) -> Iterable[str | int]:
    here = body
    for number, step in enumerate(location):
        if isinstance(here, dict) and step in here:
            here = cast("dict[object, object]", here)[step]
        elif isinstance(here, list) and isinstance(step, int) and step < len(cast("list[object]", here)):
            here = cast("list[object]", here)[step]
        elif not (is_missing and number == len(location) - 1):
            continue
        yield step


def _violation(place: str, pointer: str, error: Mapping[str, Any]) -> Violation:
    return Violation(location=cast("Place", place), pointer=pointer, code=error["type"], detail=_words(error))


def _words(error: Mapping[str, Any]) -> str:
    if error["type"] == "string_pattern_mismatch":
        return message_of_pattern(error["ctx"]["pattern"])
    return as_written(_WORDS_OF_CODE.get(error["type"]) or _PREFIX.sub("", str(error["msg"])))


def pointer_to(steps: Iterable[object]) -> str:
    """The JSON Pointer of these steps. A name that the client made up is cut short and made writable.

    >>> pointer_to(["a/b", 0])
    '/a~1b/0'
    """
    return "".join("/" + as_written(str(each)[:100]).replace("~", "~0").replace("/", "~1") for each in steps)


def as_written(text: str) -> str:
    """The text without halves of surrogate pairs, which no answer can hold."""
    return text.encode("utf-8", "replace").decode()
