"""A filter's rules in plain words, for the people who wrote them."""

from collections.abc import Sequence

from fairlead.core.distances import Circle
from fairlead.core.filter_conditions import Condition
from fairlead.core.filter_documents import Node
from fairlead.core.filter_predicates import operand_keys
from fairlead.core.filter_rules import MALFORMED, REFUSING, Operator, Rule
from fairlead.core.form_field import FieldType, FormSchema

_MAX_NAMED = 8


_LINKS = {"all": " and ", "any": " or "}
_POSTCODE_VERBS = {
    Operator.POSTCODE_IN: "is",
    Operator.POSTCODE_NOT_IN: "is not",
    Operator.POSTCODE_STARTS_WITH: "starts with",
    Operator.POSTCODE_NOT_STARTS_WITH: "does not start with",
}


def node_clause(node: Node, schema: FormSchema) -> str:
    """The rule or group as a clause; the members of a group stand in parentheses.

    >>> from fairlead.core.filter_documents import Group
    >>> rich, old = Rule("income", "gt", 100, FieldType.NUMBER), Rule("age", "gte", 60, FieldType.NUMBER)
    >>> node_clause(Group("not", (Group("any", (rich, old)),)), FormSchema())
    'not (income above 100 or age at least 60)'
    """
    if isinstance(node, Rule):
        return rule_clause(node, schema)
    if node.kind == "not":
        words = node_clause(node.members[0], schema)
        return f"not {words}" if words.startswith("(") else f"not ({words})"
    return f"({_LINKS[node.kind].join(node_clause(member, schema) for member in node.members)})"


def condition_clause(condition: Condition, schema: FormSchema) -> str:
    """The rule, or the alternatives, as a clause.

    >>> condition_clause(Rule("age", "lt", 30, FieldType.NUMBER), FormSchema())
    'age below 30'
    """
    if isinstance(condition, Rule):
        return rule_clause(condition, schema)
    alternatives = [" and ".join(condition_clause(each, schema) for each in own) for own in condition.alternatives]
    return f"({' or '.join(alternatives)})"


def rule_clause(rule: Rule, schema: FormSchema) -> str:
    """The rule as a clause, with the label of its field where the form (still) has it.

    >>> rule_clause(Rule("age", "between", (30, 50), FieldType.NUMBER), FormSchema())
    'age between 30 and 50'
    """
    if rule == MALFORMED:
        return "no lead, because the filter is not valid"
    field = schema.field(rule.field_key)
    return f"{field.label if field is not None else rule.field_key} {_verb_and_operand(rule)}"


def _verb_and_operand(rule: Rule) -> str:
    value, operator = rule.value, Operator(rule.operator)
    if isinstance(value, Circle):
        return _distance_clause(value, operator)
    if isinstance(value, bool):
        if rule.operator == Operator.EXISTS:
            return "is given" if value else "is not given"
        return "is yes" if value else "is no"
    if rule.field_type is FieldType.NUMBER:
        return _number_clause(rule)
    if rule.operator == Operator.CONTAINS and rule.field_type is FieldType.TEXT:
        return f'contains "{value}"'
    if operator is Operator.NOT_CONTAINS:
        return f'does not contain "{value}"'
    names = operand_keys(rule)
    if operator in _POSTCODE_VERBS:
        return f"{_POSTCODE_VERBS[operator]} {_either(names)}"
    if operator in (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN):
        return f"{'not ' if operator in REFUSING else ''}from {names[0]} to {names[1]}"
    if rule.field_type is FieldType.MULTI_SELECT:
        return f"{'excludes' if rule.operator == Operator.NOT_IN else 'includes'} {_either(names)}"
    if rule.field_type is FieldType.TEXT:
        names = tuple(f'"{name}"' for name in names)
    return f"{'is not' if rule.operator in (Operator.NEQ, Operator.NOT_IN) else 'is'} {_either(names)}"


def _number_clause(rule: Rule) -> str:
    if isinstance(rule.value, tuple):
        words = "not between " if rule.operator == Operator.NOT_BETWEEN else "between "
        return words + " and ".join(_plain(bound) for bound in rule.value)
    words = {
        Operator.EQ: "is",
        Operator.NEQ: "is not",
        Operator.GTE: "at least",
        Operator.LTE: "at most",
        Operator.GT: "above",
        Operator.LT: "below",
    }
    return f"{words[Operator(rule.operator)]} {_plain(rule.value)}"


def _distance_clause(circle: Circle, operator: Operator) -> str:
    centre = circle.postcode or f"{_plain(circle.centre.latitude)}, {_plain(circle.centre.longitude)}"
    verb = "within" if operator is Operator.WITHIN_KM else "more than"
    return f"{verb} {_plain(circle.km)} km {'of' if verb == 'within' else 'from'} {centre}"


def _plain(number: object) -> str:
    """A whole number has no decimal point, however it was written."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _either(names: Sequence[str]) -> str:
    if len(names) > _MAX_NAMED:
        return f"{', '.join(names[:_MAX_NAMED])} or {len(names) - _MAX_NAMED} more"
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"
