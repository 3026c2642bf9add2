"""A subscription's filter: which leads it wants. All rules must hold; no rules, every lead.

A filter that is malformed, or does not fit the form (any more), matches no lead: no mistake ever sells one.
The language is described in docs/reference/filters.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.document import DocumentProblem, as_list, as_object
from fairlead.core.filter_clauses import rule_clause
from fairlead.core.filter_predicates import Predicate, predicate
from fairlead.core.filter_rules import MALFORMED, Operator, Rule, parse_rules
from fairlead.core.form_field import FormSchema

__all__ = [
    "MALFORMED",
    "CompiledFilter",
    "DocumentProblem",
    "Operator",
    "Rule",
    "compile_filter",
    "new_filter",
    "rule_clause",
    "spelt_filter",
    "summarise_filter",
    "validate_filter",
]


MAX_FILTER_BYTES = 262_144
"""The largest filter that is taken: the longest list, of 10,000 names, fits with 22 letters each.

A filter is read, and its digest made, under the lock of its niche, so its size is how long others wait.
"""


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter ready to be asked. A malformed one has the single rule `MALFORMED`.

    For many filters keep a `FilterIndex` and not these: each rule here is several Python objects.
    """

    rules: tuple[Rule, ...]
    predicates: tuple[Predicate, ...]

    @property
    def is_valid(self) -> bool:
        """Whether the filter could be read; one that could not matches no lead."""
        return self.rules != (MALFORMED,)

    def accepts(self, attributes: Mapping[str, object]) -> bool:
        """Whether a lead with these attributes passes every rule. Never raises, whatever the values are.

        >>> compile_filter({"version": 1, "rules": []}, FormSchema()).accepts({"age": 41})
        True
        >>> compile_filter({"version": 2, "rules": []}, FormSchema()).accepts({"age": 41})
        False
        """
        for holds in self.predicates:  # noqa: SIM110 - all() with a generator takes twice the time
            if not holds(attributes):
                return False
        return True

    def first_mismatch(self, attributes: Mapping[str, object]) -> Rule | None:
        """The first rule, in the filter's order, that the attributes fail; None when they pass all of them.

        For a malformed filter that is `MALFORMED`. Never raises, whatever the values are.

        >>> compile_filter(None, FormSchema()).first_mismatch({}).operator
        'malformed'
        """
        for rule, holds in zip(self.rules, self.predicates, strict=True):
            if not holds(attributes):
                return rule
        return None


def new_filter(raw: object, schema: FormSchema) -> tuple[JsonObject, tuple[DocumentProblem, ...]]:
    """The filter as it is to be stored, and every problem that it has as one that is written now; () when it can be.

    Every verb that takes a filter from outside asks here. Beside what `validate_filter` finds, it is bounded in size.
    Those from before there was a bound go on: it is no part of what a filter means.

    >>> new_filter({"version": 1, "rules": []}, FormSchema())
    ({'version': 1, 'rules': []}, ())
    """
    spelt = cast("JsonObject", spelt_filter(raw, schema))
    problems = validate_filter(spelt, schema)
    if not problems and (size := len(canonical_json(spelt))) > MAX_FILTER_BYTES:
        words = f"a filter takes at most {MAX_FILTER_BYTES:,} bytes, written without spaces; this one takes {size:,}"
        problems = (DocumentProblem("rules", "filter_too_large", words),)
    return spelt, problems


def validate_filter(raw: object, schema: FormSchema) -> tuple[DocumentProblem, ...]:
    """Every problem that the filter has with this form; () when it can be stored.

    The codes are listed in docs/reference/filters.md.

    >>> raw = {"version": 1, "rules": [{"field_key": "age", "operator": "gte", "value": 18}]}
    >>> [(problem.path, problem.code) for problem in validate_filter(raw, FormSchema())]
    [('rules[0].field_key', 'unknown_field')]
    """
    return parse_rules(raw, schema)[1]


def compile_filter(raw: object, schema: FormSchema) -> CompiledFilter:
    """The filter, ready to be asked. Never raises: what `validate_filter` finds fault with matches no lead.

    >>> compile_filter({"version": 1}, FormSchema()).is_valid
    False
    """
    rules, problems = parse_rules(raw, schema)
    if problems:
        rules = (MALFORMED,)
    return CompiledFilter(rules, tuple(predicate(rule) for rule in rules))


def summarise_filter(raw: object, schema: FormSchema) -> str:
    """The filter in plain words, with the labels of the form's fields. Never raises.

    >>> summarise_filter({"version": 1, "rules": []}, FormSchema())
    'every lead'
    >>> summarise_filter({"version": 7}, FormSchema())
    'no lead, because the filter is not valid: version must be 1'
    """
    rules, problems = parse_rules(raw, schema)
    if problems:
        return f"no lead, because the filter is not valid: {problems[0].message}"
    return "; ".join(rule_clause(rule, schema) for rule in rules) or "every lead"


def spelt_filter(raw: object, schema: FormSchema) -> object:
    r"""The filter as it is stored: its texts composed (NFC), options in the form's own spelling. Nothing is checked.

    >>> from fairlead.core.form import parse_form_schema
    >>> city = {"key": "city", "type": "select", "options": ["K\u00f6ln"]}
    >>> form = parse_form_schema({"version": 1, "fields": [city]})
    >>> rule = {"field_key": "city", "operator": "eq", "value": "Ko\u0308ln"}
    >>> spelt_filter({"version": 1, "rules": [rule]}, form)["rules"][0]["value"] == "K\u00f6ln"
    True
    """
    document = as_object(raw)
    rules = None if document is None else as_list(document.get("rules"))
    if document is None or rules is None:
        return raw
    return {**document, "rules": [_spelt_rule(rule, schema) for rule in rules]}


def _spelt_rule(raw: object, schema: FormSchema) -> object:
    rule = as_object(raw)
    if rule is None or "value" not in rule:
        return raw
    key = rule.get("field_key")
    field = schema.field(key) if isinstance(key, str) else None
    if field is None:
        return raw
    value = rule["value"]
    items = as_list(value)
    if items is not None:
        return {**rule, "value": [field.spelt(item) if isinstance(item, str) else item for item in items]}
    return {**rule, "value": field.spelt(value)} if isinstance(value, str) else raw
