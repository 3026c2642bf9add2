"""A filter's rules in plain words, for the people who wrote them."""

from collections.abc import Mapping, Sequence

from fairlead.core.clauses import Clause, linked
from fairlead.core.filters.conditions import Condition
from fairlead.core.filters.distances import Circle
from fairlead.core.filters.documents import Node
from fairlead.core.filters.predicates import operand_keys
from fairlead.core.filters.rules import MALFORMED, REFUSING, Operator, Rule
from fairlead.core.form_field import FieldType, FormSchema

_MAX_NAMED = 8

CLAUSES: Mapping[str, str] = {
    "every_lead": "every lead",
    "malformed": "no lead, because the filter is not valid",
    "invalid": "no lead, because the filter is not valid: {problem}",
    "all": "{left} and {right}",
    "any": "{left} or {right}",
    "not": "not {clause}",
    "given": "{field} is given",
    "not_given": "{field} is not given",
    "yes": "{field} is yes",
    "no": "{field} is no",
    "is": "{field} is {value}",
    "is_not": "{field} is not {value}",
    "includes": "{field} includes {value}",
    "excludes": "{field} excludes {value}",
    "contains": '{field} contains "{value}"',
    "not_contains": '{field} does not contain "{value}"',
    "starts_with": "{field} starts with {value}",
    "not_starts_with": "{field} does not start with {value}",
    "from_to": "{field} from {first} to {last}",
    "not_from_to": "{field} not from {first} to {last}",
    "between": "{field} between {first} and {last}",
    "not_between": "{field} not between {first} and {last}",
    "gte": "{field} at least {value}",
    "lte": "{field} at most {value}",
    "gt": "{field} above {value}",
    "lt": "{field} below {value}",
    "within_km": "{field} within {km} km of {centre}",
    "beyond_km": "{field} more than {km} km from {centre}",
    "last_of": "{named} or {last}",
    "more_of": "{named} or {count} more",
}
"""The English of each clause."""

IN_TURN = "{left}; {right}"
"""All of several clauses, in every language."""
_WITHIN = "({clause})"

_POSTCODE_CLAUSES = {
    Operator.POSTCODE_IN: "is",
    Operator.POSTCODE_NOT_IN: "is_not",
    Operator.POSTCODE_STARTS_WITH: "starts_with",
    Operator.POSTCODE_NOT_STARTS_WITH: "not_starts_with",
}
_NUMBER_CLAUSES = {
    Operator.EQ: "is",
    Operator.NEQ: "is_not",
    Operator.GTE: "gte",
    Operator.LTE: "lte",
    Operator.GT: "gt",
    Operator.LT: "lt",
}


def named_clause(name: str, **values: str | Clause) -> Clause:
    """The clause of that name in `CLAUSES`."""
    return Clause(CLAUSES[name], values)


def node_clause(node: Node, schema: FormSchema) -> Clause:
    """The rule or group as a clause; the members of a group stand in parentheses.

    >>> from fairlead.core.clauses import clause_text
    >>> from fairlead.core.filters.documents import Group
    >>> rich, old = Rule("income", "gt", 100, FieldType.NUMBER), Rule("age", "gte", 60, FieldType.NUMBER)
    >>> clause_text(node_clause(Group("not", (Group("any", (rich, old)),)), FormSchema()))
    'not (income above 100 or age at least 60)'
    """
    if isinstance(node, Rule):
        return rule_clause(node, schema)
    members = [node_clause(member, schema) for member in node.members]
    if node.kind != "not":
        return _within(linked(CLAUSES[node.kind], members))
    return named_clause("not", clause=members[0] if members[0].template == _WITHIN else _within(members[0]))


def condition_clause(condition: Condition, schema: FormSchema) -> Clause:
    """The rule, or the alternatives, as a clause.

    >>> from fairlead.core.clauses import clause_text
    >>> clause_text(condition_clause(Rule("age", "lt", 30, FieldType.NUMBER), FormSchema()))
    'age below 30'
    """
    if isinstance(condition, Rule):
        return rule_clause(condition, schema)
    alternatives = [
        linked(CLAUSES["all"], [condition_clause(each, schema) for each in own]) for own in condition.alternatives
    ]
    return _within(linked(CLAUSES["any"], alternatives))


def rule_clause(rule: Rule, schema: FormSchema) -> Clause:
    """The rule as a clause, with the label of its field where the form (still) has it.

    >>> from fairlead.core.clauses import clause_text
    >>> clause_text(rule_clause(Rule("age", "between", (30, 50), FieldType.NUMBER), FormSchema()))
    'age between 30 and 50'
    """
    if rule == MALFORMED:
        return named_clause("malformed")
    field = schema.field(rule.field_key)
    name, values = _name_and_values(rule)
    return named_clause(name, field=field.label if field is not None else rule.field_key, **values)


def _name_and_values(rule: Rule) -> tuple[str, Mapping[str, str | Clause]]:
    value, operator = rule.value, Operator(rule.operator)
    if isinstance(value, Circle):
        return operator, {"km": _plain(value.km), "centre": _centre(value)}
    if isinstance(value, bool):
        names = ("given", "not_given") if operator is Operator.EXISTS else ("yes", "no")
        return names[0 if value else 1], {}
    if rule.field_type is FieldType.NUMBER:
        if isinstance(value, tuple):
            return operator, {"first": _plain(value[0]), "last": _plain(value[1])}
        return _NUMBER_CLAUSES[operator], {"value": _plain(value)}
    if operator is Operator.NOT_CONTAINS or (operator is Operator.CONTAINS and rule.field_type is FieldType.TEXT):
        return operator, {"value": str(value)}
    names = operand_keys(rule)
    if operator in _POSTCODE_CLAUSES:
        return _POSTCODE_CLAUSES[operator], {"value": _either(names)}
    if operator in (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN):
        return "not_from_to" if operator in REFUSING else "from_to", {"first": names[0], "last": names[1]}
    if rule.field_type is FieldType.MULTI_SELECT:
        return "excludes" if operator is Operator.NOT_IN else "includes", {"value": _either(names)}
    if rule.field_type is FieldType.TEXT:
        names = tuple(f'"{name}"' for name in names)
    return "is_not" if operator in (Operator.NEQ, Operator.NOT_IN) else "is", {"value": _either(names)}


def _within(clause: Clause) -> Clause:
    return Clause(_WITHIN, {"clause": clause})


def _centre(circle: Circle) -> str:
    return circle.postcode or f"{_plain(circle.centre.latitude)}, {_plain(circle.centre.longitude)}"


def _plain(number: object) -> str:
    """A whole number has no decimal point, however it was written."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _either(names: Sequence[str]) -> str | Clause:
    if len(names) > _MAX_NAMED:
        return named_clause("more_of", named=", ".join(names[:_MAX_NAMED]), count=str(len(names) - _MAX_NAMED))
    return names[0] if len(names) == 1 else named_clause("last_of", named=", ".join(names[:-1]), last=names[-1])
