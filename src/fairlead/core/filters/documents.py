"""A filter as a JSON document: reading its rules and groups, with every mistake named and located.

Version 1 is a list of rules that must all hold. Version 2 has more operators, and in the place of a rule a group:
`{"all": [...]}`, `{"any": [...]}` or `{"not": ...}`, nested to a bounded depth. Every filter of version 1 means the
same when it says version 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.core.document import DocumentProblem, as_list, as_object, object_problems, shown
from fairlead.core.filters.distances import Circle
from fairlead.core.filters.operands import parse_operand
from fairlead.core.filters.rules import MAX_RULES, OPERATORS_BY_VERSION, Operator, Rule
from fairlead.core.form_field import FormSchema

MAX_DEPTH = 5
"""Groups may be nested so deep."""
GROUP_KINDS = ("all", "any", "not")
_RULE_KEYS = dict.fromkeys(("field_key", "operator", "value")).keys()
_NAMES_BY_VERSION: Mapping[int, Mapping[str, Operator]] = {
    version: {operator.value: operator for operators in tables.values() for operator in operators}
    for version, tables in OPERATORS_BY_VERSION.items()
}


@dataclass(frozen=True, slots=True)
class Group:
    """Several members of which `all` or `any` must hold, or one that must `not`."""

    kind: str
    members: "tuple[Node, ...]"


Node = Rule | Group


def parse_filter(raw: object, schema: FormSchema) -> tuple[tuple[Node, ...], tuple[DocumentProblem, ...]]:
    """What must all hold and no problem, or nothing and every problem that the filter has.

    >>> parse_filter({"version": 1, "rules": []}, FormSchema())
    ((), ())
    """
    document = as_object(raw)
    if document is None:
        return (), (DocumentProblem("", "not_an_object", "a filter must be a JSON object"),)
    version = document.get("version")
    if type(version) is not int or version not in OPERATORS_BY_VERSION:
        return (), (DocumentProblem("version", "unknown_version", "version must be 1 or 2"),)
    problems = object_problems(document, "", ("version", "rules"))
    items = as_list(document.get("rules", []))
    if items is None:
        problems.append(DocumentProblem("rules", "not_a_list", "rules must be a list"))
    elif len(items) > MAX_RULES:
        problems.append(_too_many_rules())
    else:
        reader = _Reader(version, schema, problems)
        nodes = [reader.node(item, f"rules[{position}]", 0) for position, item in enumerate(items)]
        if reader.rule_count > MAX_RULES:
            problems.append(_too_many_rules())
        if not problems:
            return tuple(node for node in nodes if node is not None), ()
    return (), tuple(problems)


def _too_many_rules() -> DocumentProblem:
    return DocumentProblem("rules", "too_many_rules", f"a filter has at most {MAX_RULES} rules")


@dataclass(slots=True)
class _Reader:
    version: int
    schema: FormSchema
    problems: list[DocumentProblem]
    rule_count: int = 0

    def node(self, raw: object, path: str, depth: int, *, is_negated: bool = False) -> Node | None:
        """The rule or group, or None after at least one more entry in `problems`."""
        document = as_object(raw)
        kinds = [] if document is None or self.version == 1 else [each for each in GROUP_KINDS if each in document]
        if document is not None and kinds:
            return self._group(document, kinds[0], path, depth, is_negated)
        self.rule_count += 1
        if self.rule_count > MAX_RULES:
            return None  # what is beyond the bound costs nothing
        rule = parse_rule(raw, path, self.schema, self.problems, self.version)
        if rule is not None and is_negated and rule.operator == Operator.WITHIN_KM and _goes_by_table(rule):
            words = "a distance by a postcode table cannot be turned round: a postcode that it lacks is not far away"
            self._refuse(path, "table_turned_round", words)
            return None
        return rule

    def _group(
        self, document: Mapping[object, object], kind: str, path: str, depth: int, is_negated: bool
    ) -> Group | None:
        wrong = object_problems(document, path + ".", (kind,))
        self.problems += wrong
        if depth >= MAX_DEPTH:
            self._refuse(path, "too_deep", f"groups are nested at most {MAX_DEPTH} deep")
            return None
        if kind == "not":
            member = self.node(document[kind], f"{path}.not", depth + 1, is_negated=not is_negated)
            return None if member is None or wrong else Group(kind, (member,))
        items = as_list(document[kind])
        if items is None:
            self._refuse(f"{path}.{kind}", "not_a_list", f"{kind} must be a list of rules and groups")
        elif not items:
            self._refuse(f"{path}.{kind}", "empty_group", f"{kind} must have at least one rule or group")
        elif len(items) > MAX_RULES:
            self.problems.append(_too_many_rules())
        else:
            found = [
                self.node(item, f"{path}.{kind}[{position}]", depth + 1, is_negated=is_negated)
                for position, item in enumerate(items)
            ]
            members = tuple(each for each in found if each is not None)
            return Group(kind, members) if len(members) == len(items) and not wrong else None
        return None

    def _refuse(self, path: str, code: str, words: str) -> None:
        self.problems.append(DocumentProblem(path, code, words))


def _goes_by_table(rule: Rule) -> bool:
    return isinstance(rule.value, Circle) and rule.value.table is not None


def parse_rule(
    raw: object, path: str, schema: FormSchema, problems: list[DocumentProblem], version: int = 1
) -> Rule | None:
    """The rule as this version of the language reads it, or None after at least one more entry in `problems`."""
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
    operators = OPERATORS_BY_VERSION[version][field.type]
    operator = _NAMES_BY_VERSION[version].get(name) if isinstance(name, str) else None
    if operator is None:
        words = f"the operator must be one of {', '.join(operators)}, not {shown(name)}"
        problems.append(DocumentProblem(f"{path}.operator", "unknown_operator", words))
        return None
    if operator not in operators:
        words = f"a {field.type} field allows {', '.join(operators)}, not {operator}"
        problems.append(DocumentProblem(f"{path}.operator", "operator_not_allowed", words))
        return None
    value = parse_operand(field, operator, document["value"], f"{path}.value")
    if isinstance(value, DocumentProblem):
        problems.append(value)
        return None
    return Rule(field.key, operator, value, field.type)
