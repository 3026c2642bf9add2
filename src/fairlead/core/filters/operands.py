"""The value of a filter's rule: reading what a field and an operator take, with every mistake named and located."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from fairlead.core.document import DocumentProblem, as_list, as_object, object_problems, shown, some_options
from fairlead.core.filters.distances import MAX_KM, Circle, Place, is_on_globe
from fairlead.core.filters.postcodes import MAX_POSTCODE_CHARS, postcode_key
from fairlead.core.filters.rules import MAX_ITEMS, Operand, Operator
from fairlead.core.form_field import Field, FieldType, number_complaint, text_complaint

_POSTCODE_LISTS = (
    *(Operator.POSTCODE_IN, Operator.POSTCODE_NOT_IN),
    *(Operator.POSTCODE_STARTS_WITH, Operator.POSTCODE_NOT_STARTS_WITH),
)
_POSTCODE_RANGES = (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN)
_NOT_POSTCODE = (
    f"a postcode has 1 to {MAX_POSTCODE_CHARS} letters and digits, and spaces, hyphens or points between them"
)
MAX_TABLE_NAME_CHARS = 50

Part = TypeVar("Part")


def parse_operand(field: Field, operator: Operator, raw: object, path: str) -> Operand | DocumentProblem:
    """The value that a rule with this operator on this field compares with, or what is wrong with it."""
    if operator is Operator.EXISTS or field.type is FieldType.BOOLEAN:
        if isinstance(raw, bool):
            return raw
        return DocumentProblem(path, "not_a_boolean", "the value must be true or false")
    if operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        return _parse_range(raw, path)
    if operator in (Operator.IN, Operator.NOT_IN):
        return _parse_list(raw, path, lambda item, where: _parse_text(field, item, where))
    if operator in _POSTCODE_LISTS:
        return _parse_list(raw, path, parse_postcode)
    if operator in _POSTCODE_RANGES:
        return _parse_postcode_range(raw, path)
    if operator in (Operator.WITHIN_KM, Operator.BEYOND_KM):
        return _parse_circle(operator, raw, path)
    if field.type is FieldType.NUMBER:
        return _parse_number(raw, path)
    return _parse_text(field, raw, path)


def _parse_number(raw: object, path: str) -> int | float | DocumentProblem:
    complaint = number_complaint(raw)
    if complaint is None and isinstance(raw, (int, float)):
        return raw
    code, words = complaint or ("not_a_number", "must be a number")
    return DocumentProblem(path, code, f"the value {words}")


def _parse_pair(
    raw: object, path: str, read: Callable[[object, str], Part | DocumentProblem], misshapen: DocumentProblem
) -> tuple[Part, Part] | DocumentProblem:
    items = as_list(raw)
    if items is None or len(items) != 2:
        return misshapen
    first, second = read(items[0], f"{path}[0]"), read(items[1], f"{path}[1]")
    if isinstance(first, DocumentProblem):
        return first
    if isinstance(second, DocumentProblem):
        return second
    return first, second


def _parse_range(raw: object, path: str) -> tuple[int | float, int | float] | DocumentProblem:
    misshapen = DocumentProblem(path, "not_a_range", "the value must be a list of two numbers, [min, max]")
    pair = _parse_pair(raw, path, _parse_number, misshapen)
    if isinstance(pair, DocumentProblem):
        return pair
    low, high = pair
    if low > high:
        return DocumentProblem(path, "min_above_max", f"the minimum {low} is above the maximum {high}")
    return low, high


def _parse_list(
    raw: object, path: str, read: Callable[[object, str], str | DocumentProblem]
) -> tuple[str, ...] | DocumentProblem:
    items = as_list(raw)
    if items is None:
        return DocumentProblem(path, "not_a_list", "the value must be a list of options")
    if not items:
        return DocumentProblem(path, "empty_list", "the list must name at least one option")
    if len(items) > MAX_ITEMS:
        return DocumentProblem(path, "too_many_items", f"the list must have at most {MAX_ITEMS:,} items")
    known: dict[str, None] = {}
    for position, item in enumerate(items):
        text = read(item, f"{path}[{position}]")
        if isinstance(text, DocumentProblem):
            return text
        known[text] = None
    return tuple(known)


def parse_postcode(raw: object, path: str) -> str | DocumentProblem:
    """The postcode as it is compared, or what is wrong with it."""
    key = postcode_key(raw)
    return (
        DocumentProblem(path, "not_a_postcode", f"{shown(raw)} is no postcode: {_NOT_POSTCODE}") if key is None else key
    )


def _parse_postcode_range(raw: object, path: str) -> tuple[str, ...] | DocumentProblem:
    misshapen = DocumentProblem(path, "not_a_range", "the value must be a list of two postcodes, [first, last]")
    pair = _parse_pair(raw, path, parse_postcode, misshapen)
    if isinstance(pair, DocumentProblem):
        return pair
    first, last = pair
    if len(first) != len(last):
        return DocumentProblem(path, "unequal_postcodes", f"{first} and {last} must have the same number of characters")
    if first > last:
        return DocumentProblem(path, "min_above_max", f"the first postcode {first} comes after the last {last}")
    return first, last


def _parse_circle(operator: Operator, raw: object, path: str) -> Circle | DocumentProblem:
    document = as_object(raw)
    if document is None:
        words = 'the value must be an object such as {"point": [52.52, 13.405], "km": 25}'
        return DocumentProblem(path, "not_an_object", words)
    by_table = "table" in document
    required = ("point", "km", *(("table", "version", "postcodes") if by_table else ()))
    if wrong := object_problems(document, path + ".", required, ("postcode",) if by_table else ()):
        return wrong[0]
    if by_table and operator is Operator.BEYOND_KM:
        words = "a distance by a postcode table cannot be turned round: a postcode that it lacks is not far away"
        return DocumentProblem(path, "table_turned_round", words)
    centre, km = parse_point(document["point"], f"{path}.point"), parse_km(document["km"], f"{path}.km")
    if isinstance(centre, DocumentProblem):
        return centre
    if isinstance(km, DocumentProblem):
        return km
    circle = Circle(centre, km)
    return _by_table(circle, document, path) if by_table else circle


def _by_table(circle: Circle, document: Mapping[object, object], path: str) -> Circle | DocumentProblem:
    name, version, postcode = document["table"], document["version"], document.get("postcode")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_TABLE_NAME_CHARS:
        words = f"the name of a table has 1 to {MAX_TABLE_NAME_CHARS} characters"
        return DocumentProblem(f"{path}.table", "unknown_table", words)
    if type(version) is not int or version < 1:
        return DocumentProblem(f"{path}.version", "unknown_table", "the version of a table is a number from 1 on")
    if postcode is not None:
        postcode = parse_postcode(postcode, f"{path}.postcode")
        if isinstance(postcode, DocumentProblem):
            return postcode
    postcodes = _parse_list(document["postcodes"], f"{path}.postcodes", parse_postcode)
    if isinstance(postcodes, DocumentProblem):
        return postcodes
    return replace(circle, table=name, version=version, postcode=postcode, postcodes=postcodes)


def parse_point(raw: object, path: str) -> Place | DocumentProblem:
    """The place that a list of latitude and longitude is, or what is wrong with it."""
    misshapen = DocumentProblem(path, "not_a_point", "the point must be a list of two numbers, [latitude, longitude]")
    pair = _parse_pair(raw, path, _parse_number, misshapen)
    if isinstance(pair, DocumentProblem):
        return pair
    latitude, longitude = pair
    if not is_on_globe(latitude, longitude):
        words = "a latitude lies between -90 and 90, a longitude between -180 and 180"
        return DocumentProblem(path, "not_a_point", words)
    return Place(latitude, longitude)


def parse_km(raw: object, path: str) -> int | float | DocumentProblem:
    """The kilometres, or what is wrong with them."""
    km = _parse_number(raw, path)
    if isinstance(km, DocumentProblem) or 0 < km <= MAX_KM:
        return km
    return DocumentProblem(path, "bad_distance", f"the distance must be above 0 and at most {MAX_KM:,} km")


def _parse_text(field: Field, raw: object, path: str) -> str | DocumentProblem:
    if field.type is not FieldType.TEXT:
        if isinstance(raw, str) and field.has_option(raw):
            return raw
        return _option_problem(field, raw, path)
    complaint = text_complaint(raw)
    if complaint is not None or not isinstance(raw, str):
        code, words = complaint or ("not_text", "must be text")
        return DocumentProblem(path, code, f"the value {words}")
    if not raw:
        return DocumentProblem(path, "empty_text", "the value must not be empty; to ask for a missing field use exists")
    return raw


def _option_problem(field: Field, raw: object, path: str) -> DocumentProblem:
    if not isinstance(raw, str):
        return DocumentProblem(path, "not_text", "the value must be text, one of the options")
    words = f"{shown(raw)} is not an option of {field.label}: {some_options(field.options)}"
    return DocumentProblem(path, "unknown_option", words)
