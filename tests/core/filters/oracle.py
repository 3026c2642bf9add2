"""A second, literal reading of the filter language, to hold the fast ones against.

It reads the JSON as it stands, rule by rule, sharing no code with the package but the schema's fields.
"""

import math
from collections.abc import Mapping

from fairlead.core.form import Field, FormSchema

ALLOWED = {
    "select": {"eq", "neq", "in", "not_in", "exists"},
    "multi-select": {"in", "not_in", "contains", "exists"},
    "text": {"eq", "neq", "contains", "exists"},
    "number": {"eq", "neq", "gte", "lte", "between", "exists"},
    "boolean": {"eq", "exists"},
    "radio": {"eq", "neq", "exists"},
}
LARGEST = 9007199254740991


def oracle_index_of_mismatch(raw: object, schema: FormSchema, lead: Mapping[str, object]) -> int | None:
    """The position of the first rule that fails, -1 for a malformed filter, None when the filter accepts."""
    if not oracle_is_well_formed(raw, schema):
        return -1
    assert isinstance(raw, dict)
    for position, rule in enumerate(raw["rules"]):
        field = schema.field(rule["field_key"])
        assert field is not None
        if not _holds(str(field.type), rule["operator"], rule["value"], lead.get(field.key)):
            return position
    return None


def oracle_is_well_formed(raw: object, schema: FormSchema) -> bool:
    if not isinstance(raw, dict) or set(raw) != {"version", "rules"}:
        return False
    if isinstance(raw["version"], bool) or not isinstance(raw["version"], int) or raw["version"] != 1:
        return False
    if not isinstance(raw["rules"], (list, tuple)) or len(raw["rules"]) > 100:
        return False
    return all(_rule_is_well_formed(rule, schema) for rule in raw["rules"])


def _rule_is_well_formed(rule: object, schema: FormSchema) -> bool:
    if not isinstance(rule, dict) or set(rule) != {"field_key", "operator", "value"}:
        return False
    keys = [field.key for field in schema.fields]
    if not isinstance(rule["field_key"], str) or rule["field_key"] not in keys:
        return False
    field = schema.fields[keys.index(rule["field_key"])]
    if not isinstance(rule["operator"], str) or rule["operator"] not in ALLOWED[str(field.type)]:
        return False
    return _operand_is_well_formed(field, rule["operator"], rule["value"])


def _operand_is_well_formed(field: Field, operator: str, operand: object) -> bool:
    if operator == "exists" or field.type == "boolean":
        return operand is True or operand is False
    if operator == "between":
        if not isinstance(operand, (list, tuple)) or len(operand) != 2:
            return False
        return all(_is_good_number(bound) for bound in operand) and operand[0] <= operand[1]
    if field.type == "number":
        return _is_good_number(operand)
    if operator in ("in", "not_in"):
        if not isinstance(operand, (list, tuple)) or not 1 <= len(operand) <= 10_000:
            return False
        return all(isinstance(item, str) and item in field.options for item in operand)
    if not isinstance(operand, str):
        return False
    if field.type == "text":
        is_clean = "\x00" not in operand and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in operand)
        return 1 <= len(operand) <= 10_000 and is_clean
    return operand in field.options


def _is_good_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (isinstance(value, int) or math.isfinite(value)) and abs(value) <= LARGEST


def _is_missing(value: object) -> bool:
    return value is None or value == "" or value == [] or value == ()


def _holds(kind: str, operator: str, operand: object, value: object) -> bool:
    if operator == "exists":
        return _is_missing(value) is not operand
    if _is_missing(value):
        return False
    if kind == "boolean":
        return isinstance(value, bool) and value == operand
    if kind == "number":
        if not _is_good_number(value):
            return False
        cases = {
            "eq": lambda: value == operand,
            "neq": lambda: value != operand,
            "gte": lambda: value >= operand,  # type: ignore[operator]
            "lte": lambda: value <= operand,  # type: ignore[operator]
            "between": lambda: operand[0] <= value <= operand[1],  # type: ignore[index]
        }
        return cases[operator]()
    if kind == "multi-select":
        if not isinstance(value, (list, tuple)) or any(not isinstance(item, str) for item in value):
            return False
        wanted = operand if isinstance(operand, (list, tuple)) else [operand]
        hits = [item for item in value if item in wanted]
        return not hits if operator == "not_in" else bool(hits)
    if not isinstance(value, str):
        return False
    if operator == "contains":
        return str(operand).casefold() in value.casefold()
    wanted = operand if isinstance(operand, (list, tuple)) else [operand]
    return (value in wanted) == (operator in ("eq", "in"))
