"""The rules of a filter: what one asks of a field's value, and which type of field takes which operator."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from fairlead.core.filters.distances import Circle
from fairlead.core.form_field import FieldType, Value

MAX_RULES = 100
MAX_ITEMS = 10_000

Operand = Value | tuple[int | float, int | float] | Circle


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
    # Of version 2 alone:
    GT = "gt"
    LT = "lt"
    NOT_BETWEEN = "not_between"
    NOT_CONTAINS = "not_contains"
    POSTCODE_IN = "postcode_in"
    POSTCODE_NOT_IN = "postcode_not_in"
    POSTCODE_STARTS_WITH = "postcode_starts_with"
    POSTCODE_NOT_STARTS_WITH = "postcode_not_starts_with"
    POSTCODE_BETWEEN = "postcode_between"
    POSTCODE_NOT_BETWEEN = "postcode_not_between"
    WITHIN_KM = "within_km"
    BEYOND_KM = "beyond_km"


_O = Operator
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    FieldType.SELECT: (_O.EQ, _O.NEQ, _O.IN, _O.NOT_IN, _O.EXISTS),
    FieldType.MULTI_SELECT: (_O.IN, _O.NOT_IN, _O.CONTAINS, _O.EXISTS),
    FieldType.TEXT: (_O.EQ, _O.NEQ, _O.CONTAINS, _O.EXISTS),
    FieldType.NUMBER: (_O.EQ, _O.NEQ, _O.GTE, _O.LTE, _O.BETWEEN, _O.EXISTS),
    FieldType.BOOLEAN: (_O.EQ, _O.EXISTS),
    FieldType.RADIO: (_O.EQ, _O.NEQ, _O.EXISTS),
}
"""The operators that each type of field allows in version 1."""

OPERATORS_OF_VERSION_2: dict[FieldType, tuple[Operator, ...]] = {
    FieldType.SELECT: OPERATORS[FieldType.SELECT],
    FieldType.MULTI_SELECT: OPERATORS[FieldType.MULTI_SELECT],
    FieldType.TEXT: (
        *(_O.EQ, _O.NEQ, _O.IN, _O.NOT_IN, _O.CONTAINS, _O.NOT_CONTAINS),
        *(_O.POSTCODE_IN, _O.POSTCODE_NOT_IN, _O.POSTCODE_STARTS_WITH, _O.POSTCODE_NOT_STARTS_WITH),
        *(_O.POSTCODE_BETWEEN, _O.POSTCODE_NOT_BETWEEN, _O.WITHIN_KM, _O.BEYOND_KM, _O.EXISTS),
    ),
    FieldType.NUMBER: (_O.EQ, _O.NEQ, _O.GTE, _O.LTE, _O.GT, _O.LT, _O.BETWEEN, _O.NOT_BETWEEN, _O.EXISTS),
    FieldType.BOOLEAN: OPERATORS[FieldType.BOOLEAN],
    FieldType.RADIO: OPERATORS[FieldType.SELECT],
}
"""The operators that each type of field allows in version 2."""

OPERATORS_BY_VERSION: Mapping[int, Mapping[FieldType, tuple[Operator, ...]]] = {
    1: OPERATORS,
    2: OPERATORS_OF_VERSION_2,
}
_PAIRS = (
    (_O.EQ, _O.NEQ),
    (_O.IN, _O.NOT_IN),
    (_O.GTE, _O.LT),
    (_O.LTE, _O.GT),
    (_O.BETWEEN, _O.NOT_BETWEEN),
    (_O.CONTAINS, _O.NOT_CONTAINS),
    (_O.POSTCODE_IN, _O.POSTCODE_NOT_IN),
    (_O.POSTCODE_STARTS_WITH, _O.POSTCODE_NOT_STARTS_WITH),
    (_O.POSTCODE_BETWEEN, _O.POSTCODE_NOT_BETWEEN),
    (_O.WITHIN_KM, _O.BEYOND_KM),
)
_OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
REFUSING = frozenset(other for pair in _PAIRS for other in pair[1:] if other is not _O.LT and other is not _O.GT)
"""The operators that say which values are not wanted."""


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
        value: object = list(self.value) if isinstance(self.value, tuple) else self.value
        if isinstance(self.value, Circle):
            value = self.value.to_json()
        return {"field_key": self.field_key, "operator": self.operator, "value": value}


MALFORMED = Rule("", "malformed", "", None)
"""The rule that refuses every lead of a filter that cannot be read."""


def opposite(rule: Rule) -> Rule:
    """The rule that a given value fits exactly when it does not fit this one; a missing value fits neither.

    Only `exists` looks at what is missing: its opposite fits exactly the other leads.

    >>> str(opposite(Rule("age", "gte", 18, FieldType.NUMBER)).operator)
    'lt'
    >>> str(opposite(Rule("extras", "contains", "a", FieldType.MULTI_SELECT)).operator)
    'not_in'
    """
    if isinstance(rule.value, bool):
        return replace(rule, value=not rule.value)
    if rule.field_type is FieldType.MULTI_SELECT and rule.operator == Operator.CONTAINS:
        return replace(rule, operator=Operator.NOT_IN, value=(str(rule.value),))
    return replace(rule, operator=_OPPOSITES[Operator(rule.operator)])
