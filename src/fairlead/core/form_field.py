"""The fields of a niche's form, and which values can be kept in them."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from fairlead.core.entry.text import composed, is_storable

MAX_NUMBER = 2**53 - 1
"""Every integer up to here is exact as a 64-bit float, so a comparison of two numbers is exact too."""
MAX_TEXT_CHARS = 10_000

Value = str | int | float | bool | tuple[str, ...]


class FieldType(StrEnum):
    """What a field of a form asks for."""

    SELECT = "select"
    MULTI_SELECT = "multi-select"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    RADIO = "radio"

    @property
    def has_options(self) -> bool:
        """Whether the values of such a field come from a list of options."""
        return self in (FieldType.SELECT, FieldType.MULTI_SELECT, FieldType.RADIO)


@dataclass(frozen=True, slots=True)
class Field:
    """A question of the form. `options` are the possible answers of a select, multi-select or radio field."""

    key: str
    label: str
    type: FieldType
    required: bool = False
    options: tuple[str, ...] = ()
    _known: frozenset[str] = field(init=False, repr=False, compare=False)
    _spellings: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", frozenset(self.options))
        object.__setattr__(self, "_spellings", {composed(each): each for each in self.options})

    def has_option(self, answer: str) -> bool:
        """Whether `answer` is one of the options; its cost does not grow with their number.

        >>> Field("job", "Job", FieldType.SELECT, options=("nurse", "teacher")).has_option("nurse")
        True
        """
        return answer in self._known

    def spelt(self, answer: str) -> str:
        r"""The answer as it is stored: composed (NFC), or in the form's own spelling where it is one of its options.

        Forms of long ago may have options that are not composed; rules and leads have to say the very same.

        >>> Field("city", "City", FieldType.SELECT, options=("Ko\u0308ln",)).spelt("K\u00f6ln") == "Ko\u0308ln"
        True
        """
        if answer in self._known:
            return answer
        text = composed(answer)
        return self._spellings.get(text, text)


@dataclass(frozen=True, slots=True)
class FormSchema:
    """The fields of a niche's form, in the order in which they are asked."""

    fields: tuple[Field, ...] = ()
    _by_key: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {each.key: each for each in self.fields})

    def __hash__(self) -> int:
        # That of the keys alone: a form is looked up by it for each filter that is read.
        return hash(tuple(self._by_key))

    def field(self, key: str) -> Field | None:
        """The field with this key, None when the form has none.

        >>> FormSchema((Field("age", "Age", FieldType.NUMBER),)).field("age").label
        'Age'
        """
        return self._by_key.get(key)

    def to_json(self) -> dict[str, object]:
        """The document that `parse_form_schema` reads back as an equal schema.

        >>> FormSchema((Field("age", "Age", FieldType.NUMBER),)).to_json()["fields"]
        [{'key': 'age', 'label': 'Age', 'type': 'number', 'required': False}]
        """
        return {"version": 1, "fields": [_field_to_json(each) for each in self.fields]}


def _field_to_json(each: Field) -> dict[str, object]:
    document: dict[str, object] = {
        "key": each.key,
        "label": each.label,
        "type": each.type.value,
        "required": each.required,
    }
    if each.type.has_options:
        document["options"] = list(each.options)
    return document


def is_empty(value: object) -> bool:
    """Whether a field with this value counts as missing: None, the empty text, the empty list.

    >>> [is_empty(value) for value in (None, "", [], (), 0, False, " ")]
    [True, True, True, True, False, False, False]
    """
    return value is None or (isinstance(value, (str, list, tuple)) and not value)


def is_number(value: object) -> bool:
    """Whether this is an int or a float, finite and within +-(2**53 - 1). A boolean is no number.

    >>> [is_number(value) for value in (1, -2.5, True, "1", float("nan"), 2**53)]
    [True, True, False, False, False, False]
    """
    return type(value) in (int, float) and -MAX_NUMBER <= cast(float, value) <= MAX_NUMBER


def number_complaint(value: object) -> tuple[str, str] | None:
    """None for a number that can be kept, else the stable code and the words for what is wrong with it.

    >>> number_complaint(3) is None
    True
    >>> number_complaint(True)
    ('not_a_number', 'must be a number')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not_a_number", "must be a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "not_a_number", "must be a finite number"
    if not is_number(value):
        return "number_out_of_range", f"must lie between -{MAX_NUMBER} and {MAX_NUMBER}"
    return None


def text_complaint(value: object) -> tuple[str, str] | None:
    r"""None for a text that can be kept, else the stable code and the words for what is wrong with it.

    >>> text_complaint("fine") is None
    True
    >>> text_complaint("a\x00b")
    ('unstorable_text', 'must not contain a NUL character or half of a surrogate pair')
    """
    if not isinstance(value, str):
        return "not_text", "must be text"
    if len(value) > MAX_TEXT_CHARS:
        return "text_too_long", f"must have at most {MAX_TEXT_CHARS:,} characters"
    if not is_storable(value):
        return "unstorable_text", "must not contain a NUL character or half of a surrogate pair"
    return None
