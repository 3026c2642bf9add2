"""What a filter asks, without `not`: conditions that must all hold, each a rule or alternatives.

A `not` is carried to the rules: not all of several is any of their opposites, not any of them all their opposites, and
the opposite of a rule is a rule. So what is missing from a lead fits neither a rule nor its opposite, however deep.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fairlead.core.filters.documents import Node
from fairlead.core.filters.predicates import Predicate, predicate
from fairlead.core.filters.rules import Rule, opposite


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Conditions of which those of at least one alternative must all hold."""

    alternatives: "tuple[tuple[Condition, ...], ...]"


Condition = Rule | Alternatives


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The innermost rule that refused a lead.

    Of alternatives it is of the first; `alternatives` is then how many the outermost ones were, else 0.
    """

    rule: Rule
    alternatives: int = 0


def conditions_of(nodes: Sequence[Node]) -> tuple[Condition, ...]:
    """What these rules and groups ask, all of them, in their order.

    >>> from fairlead.core.filters.documents import Group
    >>> from fairlead.core.form_field import FieldType
    >>> adult = Rule("age", "gte", 18, FieldType.NUMBER)
    >>> str(conditions_of([Group("not", (adult,))])[0].operator)
    'lt'
    """
    return tuple(condition for node in nodes for condition in _conditions(node, is_negated=False))


def _conditions(node: Node, *, is_negated: bool) -> tuple[Condition, ...]:
    if isinstance(node, Rule):
        return (opposite(node) if is_negated else node,)
    if node.kind == "not":
        return _conditions(node.members[0], is_negated=not is_negated)
    members = [_conditions(member, is_negated=is_negated) for member in node.members]
    if (node.kind == "all") != is_negated:
        return tuple(condition for member in members for condition in member)
    return members[0] if len(members) == 1 else (Alternatives(tuple(members)),)


def factored(condition: Condition) -> tuple[Condition, ...]:
    """Conditions that together ask what this one does: what all of its alternatives ask stands before them.

    Alternatives of which one asks nothing else are then none any more.

    >>> from fairlead.core.form_field import FieldType
    >>> adult, young, old = (Rule("age", *each, FieldType.NUMBER) for each in (("gte", 18), ("lt", 40), ("gte", 40)))
    >>> factored(Alternatives(((adult, young), (old, adult)))) == (adult, Alternatives(((young,), (old,))))
    True
    >>> factored(Alternatives(((adult, young), (adult,)))) == (adult,)
    True
    """
    if isinstance(condition, Rule) or not condition.alternatives:
        return (condition,)
    first, *others = condition.alternatives
    common = tuple(each for each in first if all(each in other for other in others))
    if not common:
        return (condition,)
    rest = tuple(tuple(each for each in own if each not in common) for own in condition.alternatives)
    before = tuple(each for own in common for each in factored(own))
    return (*before, *factored(Alternatives(rest))) if all(rest) else before


def rules_in(conditions: Sequence[Condition]) -> Iterator[Rule]:
    """Every rule of the conditions, in their order.

    >>> list(rules_in([Alternatives(())]))
    []
    """
    for condition in conditions:
        if isinstance(condition, Rule):
            yield condition
        else:
            for alternative in condition.alternatives:
                yield from rules_in(alternative)


def condition_predicate(condition: Condition) -> Predicate:
    """The function that says whether a lead's attributes satisfy the condition. It never raises.

    >>> condition_predicate(Alternatives(((), ())))({})
    True
    """
    if isinstance(condition, Rule):
        return predicate(condition)
    branches = [tuple(map(condition_predicate, alternative)) for alternative in condition.alternatives]

    def holds(attributes: Mapping[str, object]) -> bool:
        return any(all(each(attributes) for each in branch) for branch in branches)

    return holds


def mismatch_of(condition: Condition, attributes: Mapping[str, object]) -> Mismatch:
    """The innermost rule of a condition that does not hold for these attributes.

    >>> from fairlead.core.form_field import FieldType
    >>> one, other = Rule("age", "lt", 3, FieldType.NUMBER), Rule("age", "gt", 5, FieldType.NUMBER)
    >>> found = mismatch_of(Alternatives(((one,), (other,))), {"age": 4})
    >>> found.rule is one, found.alternatives
    (True, 2)
    """
    if isinstance(condition, Rule):
        return Mismatch(condition)
    refused = next(each for each in condition.alternatives[0] if not condition_predicate(each)(attributes))
    return Mismatch(mismatch_of(refused, attributes).rule, len(condition.alternatives))


def keeping(conditions: Sequence[Condition], is_kept: Callable[[Rule], bool]) -> tuple[Condition, ...]:
    """Those of the conditions all of whose rules are kept."""
    return tuple(condition for condition in conditions if all(map(is_kept, rules_in([condition]))))
