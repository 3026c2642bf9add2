"""The rules of a filter as a JSON document: reading them, with every mistake named and located."""

from dataclasses import dataclass
from enum import StrEnum

from fairlead.core.document import (
    DocumentProblem,
    as_list,
    as_object,
    object_problems,
    shown,
    some_options,
    version_problem,
)
from fairlead.core.form_field import Field, FieldType, FormSchema, Value, number_complaint, text_complaint

MAX_RULES = 100
MAX_ITEMS = 10_000

Operand = Value | tuple[int | float, int | float]


class Operator(StrEnum):
    """What a rule asks of a field's value."""

    EQ = "eq"
    NEQ = "neq"
    IN = "in"
    NOT_IN = "not_in"
    GTE = "gte"
    LTE = "lte"
    BETWEEN = "between"
    CONTAINS = "contains"
    EXISTS = "exists"


_O = Operator
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    FieldType.SELECT: (_O.EQ, _O.NEQ, _O.IN, _O.NOT_IN, _O.EXISTS),
    FieldType.MULTI_SELECT: (_O.IN, _O.NOT_IN, _O.CONTAINS, _O.EXISTS),
    FieldType.TEXT: (_O.EQ, _O.NEQ, _O.CONTAINS, _O.EXISTS),
    FieldType.NUMBER: (_O.EQ, _O.NEQ, _O.GTE, _O.LTE, _O.BETWEEN, _O.EXISTS),
    FieldType.BOOLEAN: (_O.EQ, _O.EXISTS),
    FieldType.RADIO: (_O.EQ, _O.NEQ, _O.EXISTS),
}
"""The operators that each type of field allows."""
_BY_NAME = {operator.value: operator for operator in Operator}
_RULE_KEYS = dict.fromkeys(("field_key", "operator", "value")).keys()


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on one field, known to be well formed; lists of options are tuples without repetitions.

    The one exception is `MALFORMED`, which stands for a filter that cannot be read and has no field type.
    """

    field_key: str
    operator: str
    value: Operand
    field_type: FieldType | None

    def to_json(self) -> dict[str, object]:
        """The rule as a JSON object: `field_key`, `operator`, `value`.

        >>> Rule("job", "in", ("nurse",), FieldType.SELECT).to_json()
        {'field_key': 'job', 'operator': 'in', 'value': ['nurse']}
        """
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"field_key": self.field_key, "operator": self.operator, "value": value}


MALFORMED = Rule("", "malformed", "", None)
"""The rule that refuses every lead of a filter that cannot be read."""


def parse_rules(raw: object, schema: FormSchema) -> tuple[tuple[Rule, ...], tuple[DocumentProblem, ...]]:
    """The rules of a filter and no problem, or no rules and every problem that the filter has.

    >>> parse_rules({"version": 1, "rules": []}, FormSchema())
    ((), ())
    """
    document = as_object(raw)
    if document is None:
        return (), (DocumentProblem("", "not_an_object", "a filter must be a JSON object"),)
    if (wrong_version := version_problem(document)) is not None:
        return (), (wrong_version,)
    problems = object_problems(document, "", ("version", "rules"))
    items = as_list(document.get("rules", []))
    if items is None:
        problems.append(DocumentProblem("rules", "not_a_list", "rules must be a list"))
    elif len(items) > MAX_RULES:
        problems.append(DocumentProblem("rules", "too_many_rules", f"a filter has at most {MAX_RULES} rules"))
    else:
        rules = [_parse_rule(item, f"rules[{position}]", schema, problems) for position, item in enumerate(items)]
        if not problems:
            return tuple(rule for rule in rules if rule is not None), ()
    return (), tuple(problems)


def _parse_rule(raw: object, path: str, schema: FormSchema, problems: list[DocumentProblem]) -> Rule | None:
    """The rule, or None after at least one more entry in `problems`."""
    document = as_object(raw)
    if document is None:
        problems.append(DocumentProblem(path, "not_an_object", "a rule must be a JSON object"))
        return None
    # The comparison first: a roster reads every filter of its niche, and nearly all of them are right.
    if document.keys() != _RULE_KEYS and (
        wrong_keys := object_problems(document, path + ".", ("field_key", "operator", "value"))
    ):
        problems += wrong_keys
        return None
    key, name = document["field_key"], document["operator"]
    field = schema.field(key) if isinstance(key, str) else None
    if field is None:
        words = f"the form has no field {shown(key)}"
        problems.append(DocumentProblem(f"{path}.field_key", "unknown_field", words))
        return None
    operator = _BY_NAME.get(name) if isinstance(name, str) else None
    if operator is None:
        words = f"the operator must be one of {', '.join(OPERATORS[field.type])}, not {shown(name)}"
        problems.append(DocumentProblem(f"{path}.operator", "unknown_operator", words))
        return None
    if operator not in OPERATORS[field.type]:
        words = f"a {field.type} field allows {', '.join(OPERATORS[field.type])}, not {operator}"
        problems.append(DocumentProblem(f"{path}.operator", "operator_not_allowed", words))
        return None
    value = _parse_operand(field, operator, document["value"], f"{path}.value")
    if isinstance(value, DocumentProblem):
        problems.append(value)
        return None
    return Rule(field.key, operator, value, field.type)


def _parse_operand(field: Field, operator: Operator, raw: object, path: str) -> Operand | DocumentProblem:
    if operator is Operator.EXISTS or field.type is FieldType.BOOLEAN:
        if isinstance(raw, bool):
            return raw
        return DocumentProblem(path, "not_a_boolean", "the value must be true or false")
    if operator is Operator.BETWEEN:
        return _parse_range(raw, path)
    if operator in (Operator.IN, Operator.NOT_IN):
        return _parse_list(field, raw, path)
    if field.type is FieldType.NUMBER:
        return _parse_number(raw, path)
    return _parse_text(field, raw, path)


def _parse_number(raw: object, path: str) -> int | float | DocumentProblem:
    complaint = number_complaint(raw)
    if complaint is None and isinstance(raw, (int, float)):
        return raw
    code, words = complaint or ("not_a_number", "must be a number")
    return DocumentProblem(path, code, f"the value {words}")


def _parse_range(raw: object, path: str) -> tuple[int | float, int | float] | DocumentProblem:
    items = as_list(raw)
    if items is None or len(items) != 2:
        return DocumentProblem(path, "not_a_range", "the value must be a list of two numbers, [min, max]")
    low, high = _parse_number(items[0], f"{path}[0]"), _parse_number(items[1], f"{path}[1]")
    if isinstance(low, DocumentProblem):
        return low
    if isinstance(high, DocumentProblem):
        return high
    if low > high:
        return DocumentProblem(path, "min_above_max", f"the minimum {low} is above the maximum {high}")
    return low, high


def _parse_list(field: Field, raw: object, path: str) -> tuple[str, ...] | DocumentProblem:
    items = as_list(raw)
    if items is None:
        return DocumentProblem(path, "not_a_list", "the value must be a list of options")
    if not items:
        return DocumentProblem(path, "empty_list", "the list must name at least one option")
    if len(items) > MAX_ITEMS:
        return DocumentProblem(path, "too_many_items", f"the list must have at most {MAX_ITEMS:,} items")
    options: dict[str, None] = {}
    for position, item in enumerate(items):
        if not isinstance(item, str) or not field.has_option(item):
            return _option_problem(field, item, f"{path}[{position}]")
        options[item] = None
    return tuple(options)


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
