"""A filter's rules in plain words, for the people who wrote them."""

from collections.abc import Sequence

from fairlead.core.filter_predicates import operand_keys
from fairlead.core.filter_rules import MALFORMED, Operator, Rule
from fairlead.core.form_field import FieldType, FormSchema

_MAX_NAMED = 8


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
    value = rule.value
    if isinstance(value, bool):
        if rule.operator == Operator.EXISTS:
            return "is given" if value else "is not given"
        return "is yes" if value else "is no"
    if rule.field_type is FieldType.NUMBER:
        return _number_clause(rule)
    if rule.operator == Operator.CONTAINS and rule.field_type is FieldType.TEXT:
        return f'contains "{value}"'
    names = operand_keys(rule)
    if rule.field_type is FieldType.MULTI_SELECT:
        return f"{'excludes' if rule.operator == Operator.NOT_IN else 'includes'} {_either(names)}"
    if rule.field_type is FieldType.TEXT:
        names = tuple(f'"{name}"' for name in names)
    return f"{'is not' if rule.operator in (Operator.NEQ, Operator.NOT_IN) else 'is'} {_either(names)}"


def _number_clause(rule: Rule) -> str:
    if isinstance(rule.value, tuple):
        return "between " + " and ".join(_plain(bound) for bound in rule.value)
    words = {Operator.EQ: "is", Operator.NEQ: "is not", Operator.GTE: "at least", Operator.LTE: "at most"}
    return f"{words[Operator(rule.operator)]} {_plain(rule.value)}"


def _plain(number: object) -> str:
    """A whole number has no decimal point, however it was written."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _either(names: Sequence[str]) -> str:
    if len(names) > _MAX_NAMED:
        return f"{', '.join(names[:_MAX_NAMED])} or {len(names) - _MAX_NAMED} more"
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"
