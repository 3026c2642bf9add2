"""One rule as a function of a lead's attributes: fast, and total whatever the attributes hold.

A value of the wrong type refuses, and so does a missing one; only `exists` looks at neither.
"""

from collections.abc import Callable, Mapping
from math import inf, nextafter
from typing import cast

from fairlead.core.filters.distances import Circle, place_of, squared_distance, squared_reach
from fairlead.core.filters.postcodes import postcode_key, postcode_number
from fairlead.core.filters.rules import REFUSING, Operator, Rule
from fairlead.core.form_field import MAX_NUMBER, FieldType, is_empty, is_number

Predicate = Callable[[Mapping[str, object]], bool]

POSTCODE_OPERATORS = frozenset(
    (
        *(Operator.POSTCODE_IN, Operator.POSTCODE_NOT_IN, Operator.POSTCODE_STARTS_WITH),
        *(Operator.POSTCODE_NOT_STARTS_WITH, Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN),
    )
)
"""Those that read the field's value as a postcode, beside distances by a table."""


def predicate(rule: Rule) -> Predicate:
    """The function that says whether a lead's attributes satisfy the rule. It never raises.

    >>> adult = predicate(Rule("age", "gte", 18, FieldType.NUMBER))
    >>> adult({"age": 18}), adult({"age": "18"}), adult({})
    (True, False, False)
    """
    key, operator, value = rule.field_key, rule.operator, rule.value
    if rule.field_type is None:
        return _never
    if operator == Operator.EXISTS:
        return _present(key) if value else _absent(key)
    if isinstance(value, Circle):
        return _at_a_distance(key, value, operator == Operator.WITHIN_KM)
    if rule.field_type is FieldType.NUMBER:
        if operator == Operator.NEQ:
            return _other_number(key, cast(float, value))
        if operator == Operator.NOT_BETWEEN:
            return _without(key, *cast("tuple[float, float]", value))
        return _within(key, *number_range(rule))
    if rule.field_type is FieldType.BOOLEAN:
        return _same_boolean(key, value is True)
    options = frozenset(operand_keys(rule))
    if rule.field_type is FieldType.MULTI_SELECT:
        return _no_item_of(key, options) if operator == Operator.NOT_IN else _some_item_of(key, options)
    if operator in POSTCODE_OPERATORS:
        return _postcode(rule)
    if operator == Operator.CONTAINS:
        return _containing(key, cast(str, value).casefold())
    if operator == Operator.NOT_CONTAINS:
        return _without_part(key, cast(str, value).casefold())
    if operator in (Operator.NEQ, Operator.NOT_IN):
        return _none_of(key, options)
    return _one_of(key, options)


def operand_keys(rule: Rule) -> tuple[str, ...]:
    """The texts that a rule on a select, multi-select, radio or text field names.

    >>> operand_keys(Rule("job", "eq", "nurse", FieldType.SELECT))
    ('nurse',)
    """
    return cast("tuple[str, ...]", rule.value if isinstance(rule.value, tuple) else (rule.value,))


def number_range(rule: Rule) -> tuple[float, float]:
    """The smallest and the largest number that satisfy an eq, gte, lte, gt, lt or between rule, both inclusive.

    >>> number_range(Rule("age", "between", (30, 50), FieldType.NUMBER))
    (30, 50)
    >>> number_range(Rule("age", "lt", 30, FieldType.NUMBER))[1] < 30
    True
    """
    if isinstance(rule.value, tuple):
        return cast("tuple[float, float]", rule.value)
    bound = cast(float, rule.value)
    if rule.operator == Operator.GT:
        return nextafter(bound, inf), MAX_NUMBER
    if rule.operator == Operator.LT:
        return -MAX_NUMBER, nextafter(bound, -inf)
    low = -MAX_NUMBER if rule.operator == Operator.LTE else bound
    return low, MAX_NUMBER if rule.operator == Operator.GTE else bound


def _never(attributes: Mapping[str, object]) -> bool:
    return False


def _present(key: str) -> Predicate:
    return lambda attributes: not is_empty(attributes.get(key))


def _absent(key: str) -> Predicate:
    return lambda attributes: is_empty(attributes.get(key))


def _within(key: str, low: float, high: float) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        # Both bounds lie within +-MAX_NUMBER, so this refuses NaN, the infinities and what no form can hold.
        return (type(value) is int or type(value) is float) and low <= value <= high

    return holds


def _other_number(key: str, unwanted: float) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return is_number(value) and value != unwanted

    return holds


def _same_boolean(key: str, wanted: bool) -> Predicate:
    return lambda attributes: attributes.get(key) is wanted


def _one_of(key: str, wanted: frozenset[str]) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return isinstance(value, str) and value in wanted

    return holds


def _none_of(key: str, unwanted: frozenset[str]) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return isinstance(value, str) and value != "" and value not in unwanted

    return holds


def _containing(key: str, needle: str) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return isinstance(value, str) and needle in value.casefold()

    return holds


def _some_item_of(key: str, wanted: frozenset[str]) -> Predicate:
    return lambda attributes: not wanted.isdisjoint(item_texts(attributes.get(key)))


def _no_item_of(key: str, unwanted: frozenset[str]) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        items = item_texts(attributes.get(key))
        return bool(items) and unwanted.isdisjoint(items)

    return holds


def _without(key: str, low: float, high: float) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return is_number(value) and not low <= cast(float, value) <= high

    return holds


def _without_part(key: str, needle: str) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        value = attributes.get(key)
        return isinstance(value, str) and value != "" and needle not in value.casefold()

    return holds


def _postcode(rule: Rule) -> Predicate:
    key, named, is_wanted = rule.field_key, operand_keys(rule), rule.operator not in REFUSING
    if rule.operator in (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN):
        low, high, length = int(named[0], 36), int(named[1], 36), len(named[0])

        def lies_between(attributes: Mapping[str, object]) -> bool:
            number = postcode_number(attributes.get(key), length)
            return number is not None and (low <= number <= high) == is_wanted

        return lies_between
    if rule.operator in (Operator.POSTCODE_IN, Operator.POSTCODE_NOT_IN):
        return _is_postcode_of(key, frozenset(named), is_wanted)

    def starts(attributes: Mapping[str, object]) -> bool:
        code = postcode_key(attributes.get(key))
        return code is not None and code.startswith(named) == is_wanted

    return starts


def _is_postcode_of(key: str, named: frozenset[str], is_wanted: bool) -> Predicate:
    def holds(attributes: Mapping[str, object]) -> bool:
        code = postcode_key(attributes.get(key))
        return code is not None and (code in named) == is_wanted

    return holds


def _at_a_distance(key: str, circle: Circle, is_within: bool) -> Predicate:
    if circle.table is not None:
        return _is_postcode_of(key, frozenset(circle.postcodes), is_within)
    centre, reach = circle.centre.vector, squared_reach(circle.km)

    def holds(attributes: Mapping[str, object]) -> bool:
        place = place_of(attributes.get(key))
        return place is not None and (squared_distance(place.vector, centre) <= reach) == is_within

    return holds


def item_texts(value: object) -> tuple[str, ...]:
    """The items of a multi-select's value; () when it is missing, or no list, or any item is no text.

    >>> item_texts(["a", "b"]), item_texts(["a", 1]), item_texts("a")
    (('a', 'b'), (), ())
    """
    if not isinstance(value, (list, tuple)):
        return ()
    items = cast("tuple[object, ...]", value)
    for item in items:
        if not isinstance(item, str):
            return ()
    return cast("tuple[str, ...]", tuple(items))
