"""A second, literal reading of the filter language's version 2, to hold the fast ones against.

It reads the JSON as it stands, with three answers: yes, no, and unanswered (None) where the lead has no value that the
rule could look at. `not` turns yes and no round; of `all` and `any` the unanswered decides only where the others do
not. A filter takes a lead whose answer is yes. It shares no code with the package but the schema's fields.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from fairlead.core.form import FormSchema
from tests.core.filters.oracle import _is_good_number, _is_missing

EARTH_KM = 6371.0088


def takes(raw: Mapping[str, Any], schema: FormSchema, lead: Mapping[str, object]) -> bool:
    return _all([_answer(each, schema, lead) for each in raw["rules"]]) is True


def _answer(node: Mapping[str, Any], schema: FormSchema, lead: Mapping[str, object]) -> bool | None:
    if "all" in node:
        return _all([_answer(each, schema, lead) for each in node["all"]])
    if "any" in node:
        others = [_turned(_answer(each, schema, lead)) for each in node["any"]]
        return _turned(_all(others))
    if "not" in node:
        return _turned(_answer(node["not"], schema, lead))
    field = schema.field(node["field_key"])
    assert field is not None
    return _rule(str(field.type), node["operator"], node["value"], lead.get(field.key))


def _turned(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _rule(kind: str, operator: str, operand: Any, value: Any) -> bool | None:
    if operator == "exists":
        return _is_missing(value) is not operand
    if _is_missing(value):
        return None
    for positive, negative in (
        ("eq", "neq"),
        ("in", "not_in"),
        ("between", "not_between"),
        ("contains", "not_contains"),
        ("postcode_in", "postcode_not_in"),
        ("postcode_starts_with", "postcode_not_starts_with"),
        ("postcode_between", "postcode_not_between"),
        ("within_km", "beyond_km"),
    ):
        if operator == negative:
            return _turned(_rule(kind, positive, operand, value))
    if kind == "boolean":
        return value == operand if isinstance(value, bool) else None
    if kind == "number":
        if not _is_good_number(value):
            return None
        if operator == "between":
            return operand[0] <= value <= operand[1]
        return {
            "eq": value == operand,
            "gte": value >= operand,
            "lte": value <= operand,
            "gt": value > operand,
            "lt": value < operand,
        }[operator]
    if kind == "multi-select":
        if not isinstance(value, (list, tuple)) or any(not isinstance(item, str) for item in value):
            return None
        return any(item in (operand if isinstance(operand, list) else [operand]) for item in value)
    return _text(operator, operand, value) if isinstance(value, str) else None


def _text(operator: str, operand: Any, value: str) -> bool | None:
    if operator == "contains":
        return operand.casefold() in value.casefold()
    if operator == "within_km" and "table" not in operand:
        place = _place(value)
        return None if place is None else _km(place, operand["point"]) <= operand["km"]
    if operator.startswith("postcode") or operator == "within_km":
        code = _code(value)
        if code is None:
            return None
        if operator == "within_km":
            return code in operand["postcodes"]
        named = [_code(item) for item in operand]
        if operator == "postcode_in":
            return code in named
        if operator == "postcode_starts_with":
            return any(each is not None and code.startswith(each) for each in named)
        first, last = named
        assert first is not None
        assert last is not None
        return None if len(code) < len(first) else first <= code[: len(first)] <= last
    return value in (operand if isinstance(operand, list) else [operand])


def _code(value: Any) -> str | None:
    bare = "".join(letter for letter in str(value) if letter not in " -.\xa0").upper()
    is_plain = 1 <= len(bare) <= 10 and all(letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" for letter in bare)
    return bare if is_plain and len(str(value)) <= 40 else None


def _place(value: str) -> tuple[float, float] | None:
    parts = re.split("[,;]", value)
    if len(parts) != 2 or not all(re.fullmatch(r"\s*[+-]?[0-9]{1,3}(\.[0-9]{1,15})?\s*", part) for part in parts):
        return None
    latitude, longitude = map(float, parts)
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _km(one: tuple[float, float], other: list[float]) -> float:
    """The great circle by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, place)) for place in (one, other))
    chord = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
