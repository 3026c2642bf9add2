"""The values of a form's fields: from the cells of a CSV file, and as JSON attributes of a lead.

A message never repeats a lead's value: messages end in logs and reports, and the value is personal data.
"""

import re
from collections.abc import Mapping

from fairlead.core.document import DocumentProblem, as_list, shown, some_options
from fairlead.core.entry.text import composed, without_export_prefix
from fairlead.core.form_field import (
    MAX_NUMBER,
    Field,
    FieldType,
    FormSchema,
    Value,
    is_empty,
    number_complaint,
    text_complaint,
)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("yes", "true", "1", "y"), True),
    **dict.fromkeys(("no", "false", "0", "n"), False),
}


class ValueNotInForm(ValueError):
    """The text is no value of its field; the message says why, in words, without repeating the text."""


def convert_text(field: Field, text: str) -> Value | None:
    """The value that a CSV cell holds for this field; None for an empty cell. Raises `ValueNotInForm`.

    Spaces around the value are dropped, and so is the `p:` or `z:` of ad platforms' exports. Numbers have a decimal
    point and no thousands separator, and an integer stays one; booleans are yes/no, true/false, 1/0 or y/n in any case;
    `|` separates the options of a multi-select.

    >>> convert_text(Field("age", "Age", FieldType.NUMBER), " 41 ")
    41
    >>> convert_text(Field("age", "Age", FieldType.NUMBER), "4,5")
    Traceback (most recent call last):
    fairlead.core.form_values.ValueNotInForm: Age: write numbers with a decimal point and without any comma
    """
    cell = without_export_prefix(composed(text).strip())
    if not cell:
        return None
    if field.type is FieldType.NUMBER:
        return _convert_number(field, cell)
    if field.type is FieldType.BOOLEAN:
        if (answer := _BOOLEANS.get(cell.lower())) is None:
            raise ValueNotInForm(f"{field.label}: must be yes or no (or true/false, 1/0, y/n)")
        return answer
    value: Value = field.spelt(cell)
    if field.type is FieldType.MULTI_SELECT:
        parts = (field.spelt(part.strip()) for part in cell.split("|"))
        value = tuple(dict.fromkeys(part for part in parts if part))
        if not value:
            return None
    if (complaint := _complaint(field, value)) is not None:
        raise ValueNotInForm(f"{field.label}: {complaint[1]}")
    return value


def _convert_number(field: Field, cell: str) -> int | float:
    if "," in cell:
        raise ValueNotInForm(f"{field.label}: write numbers with a decimal point and without any comma")
    # The length comes first: Python refuses to read integers of thousands of digits.
    if len(cell) > 400 or not _NUMBER.fullmatch(cell):
        raise ValueNotInForm(f"{field.label}: must be a number such as 42, -3 or 0.5")
    value = int(cell) if _INTEGER.fullmatch(cell) else float(cell)
    if not abs(value) <= MAX_NUMBER:
        raise ValueNotInForm(f"{field.label}: must lie between -{MAX_NUMBER} and {MAX_NUMBER}")
    return value


def spelt_attributes(schema: FormSchema, attributes: Mapping[str, object]) -> dict[str, object]:
    r"""The answers as they are stored: their texts composed, options in the form's own spelling. Nothing is checked.

    >>> schema = FormSchema((Field("place", "Place", FieldType.TEXT),))
    >>> spelt_attributes(schema, {"place": "Ko\u0308ln"}) == {"place": "K\u00f6ln"}
    True
    """
    return {key: _spelt(schema.field(key), value) for key, value in attributes.items()}


def _spelt(field: Field | None, value: object) -> object:
    if isinstance(value, str):
        return composed(value) if field is None else field.spelt(value)
    items = as_list(value)
    return value if items is None else [_spelt(field, item) if isinstance(item, str) else item for item in items]


def check_attributes(schema: FormSchema, attributes: Mapping[str, object]) -> tuple[DocumentProblem, ...]:
    """What keeps these JSON attributes from being answers to this form, in the form's order; () if nothing.

    Each problem's path is the field's key. A missing or empty field is a problem only where it is required.
    Codes: `required`, `unknown_field`, `not_text`, `text_too_long`, `unstorable_text`, `not_a_number`,
    `number_out_of_range`, `not_a_boolean`, `not_a_list`, `unknown_option`, `duplicate_option`.

    >>> schema = FormSchema((Field("age", "Age", FieldType.NUMBER, required=True),))
    >>> check_attributes(schema, {"age": 41})
    ()
    >>> [problem.code for problem in check_attributes(schema, {"agee": 41})]
    ['required', 'unknown_field']
    """
    problems: list[DocumentProblem] = []
    for each in schema.fields:
        value = attributes.get(each.key)
        if is_empty(value):
            if each.required:
                problems.append(DocumentProblem(each.key, "required", f"{each.label} is required"))
        elif (complaint := _complaint(each, value)) is not None:
            problems.append(DocumentProblem(each.key, complaint[0], f"{each.label}: {complaint[1]}"))
    for key in attributes:
        if schema.field(key) is None:
            problems.append(DocumentProblem(key[:64], "unknown_field", f"the form has no field {shown(key)}"))
    return tuple(problems)


def _complaint(field: Field, value: object) -> tuple[str, str] | None:
    """None when `value`, which is not empty, is a value of the field, else the code and the words."""
    if field.type is FieldType.NUMBER:
        return number_complaint(value)
    if field.type is FieldType.BOOLEAN:
        return None if isinstance(value, bool) else ("not_a_boolean", "must be true or false")
    if field.type is FieldType.MULTI_SELECT:
        items = as_list(value)
        if items is None:
            return "not_a_list", "must be a list of options"
        if not all(isinstance(item, str) and field.has_option(item) for item in items):
            return "unknown_option", f"every item must be one of: {some_options(field.options)}"
        return None if len(set(items)) == len(items) else ("duplicate_option", "must name each option once")
    if field.type is FieldType.TEXT or not isinstance(value, str):
        return text_complaint(value)
    if not field.has_option(value):
        return "unknown_option", f"must be one of: {some_options(field.options)}"
    return None
