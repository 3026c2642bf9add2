"""A subscription's filter: which leads it wants. All that it lists must hold; an empty list, every lead.

A filter that is malformed, or does not fit the form (any more), matches no lead: no mistake ever sells one.
The language is described in docs/reference/filters.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.clauses import Clause, clause_text, linked
from fairlead.core.document import DocumentProblem
from fairlead.core.filters.clauses import IN_TURN, condition_clause, named_clause, node_clause, rule_clause
from fairlead.core.filters.conditions import (
    Condition,
    Mismatch,
    condition_predicate,
    conditions_of,
    mismatch_of,
    rules_in,
)
from fairlead.core.filters.documents import parse_filter
from fairlead.core.filters.predicates import Predicate
from fairlead.core.filters.rules import MALFORMED, Operator, Rule
from fairlead.core.filters.spelling import NO_TABLES, PostcodeTables, spelt_filter
from fairlead.core.form_field import FormSchema

__all__ = [
    "MALFORMED",
    "CompiledFilter",
    "DocumentProblem",
    "Operator",
    "Rule",
    "compile_filter",
    "compile_text",
    "condition_clause",
    "filter_clause",
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
    """A filter ready to be asked: conditions that must all hold. A malformed one has the single rule `MALFORMED`.

    For many filters keep a `FilterIndex` and not these: each rule here is several Python objects.
    """

    conditions: tuple[Condition, ...]
    predicates: tuple[Predicate, ...]

    @property
    def is_valid(self) -> bool:
        """Whether the filter could be read; one that could not matches no lead."""
        return self.conditions != (MALFORMED,)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that it asks, also those of alternatives, in its order."""
        return tuple(rules_in(self.conditions))

    def accepts(self, attributes: Mapping[str, object]) -> bool:
        """Whether a lead with these attributes passes every rule. Never raises, whatever the values are.

        >>> compile_filter({"version": 1, "rules": []}, FormSchema()).accepts({"age": 41})
        True
        >>> compile_filter({"version": 3, "rules": []}, FormSchema()).accepts({"age": 41})
        False
        """
        for holds in self.predicates:  # noqa: SIM110 - all() with a generator takes twice the time
            if not holds(attributes):
                return False
        return True

    def first_mismatch(self, attributes: Mapping[str, object]) -> Rule | None:
        """The innermost rule that refuses the attributes; None when they pass all of the filter.

        That is of the first condition, in the filter's order, that they fail; where that is alternatives, of the first
        of those; where a `not` refuses, the opposite of what it names. For a malformed filter it is `MALFORMED`. Never
        raises, whatever the values are.

        >>> compile_filter(None, FormSchema()).first_mismatch({}).operator
        'malformed'
        """
        mismatch = self.mismatch(attributes)
        return None if mismatch is None else mismatch.rule

    def mismatch(self, attributes: Mapping[str, object]) -> Mismatch | None:
        """`first_mismatch`, and of how many alternatives it is the first.

        >>> compile_filter({"version": 1, "rules": []}, FormSchema()).mismatch({}) is None
        True
        """
        for condition, holds in zip(self.conditions, self.predicates, strict=True):
            if not holds(attributes):
                return mismatch_of(condition, attributes)
        return None


def new_filter(
    raw: object, schema: FormSchema, tables: PostcodeTables = NO_TABLES
) -> tuple[JsonObject, tuple[DocumentProblem, ...]]:
    """The filter as it is to be stored, and every problem that it has as one that is written now; () when it can be.

    Every verb that takes a filter from outside asks here. Beside what `validate_filter` finds, it is bounded in size.
    Those from before there was a bound go on: it is no part of what a filter means. Distances by a postcode table
    are looked up in `tables`, and written down with the postcodes that they came to.

    >>> new_filter({"version": 1, "rules": []}, FormSchema())
    ({'version': 1, 'rules': []}, ())
    """
    document, unknown = spelt_filter(raw, schema, tables)
    spelt = cast("JsonObject", document)
    problems = unknown or validate_filter(spelt, schema)
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
    return parse_filter(raw, schema)[1]


def compile_filter(raw: object, schema: FormSchema) -> CompiledFilter:
    """The filter, ready to be asked. Never raises: what `validate_filter` finds fault with matches no lead.

    >>> compile_filter({"version": 1}, FormSchema()).is_valid
    False
    """
    nodes, problems = parse_filter(raw, schema)
    conditions = (MALFORMED,) if problems else conditions_of(nodes)
    return CompiledFilter(conditions, tuple(map(condition_predicate, conditions)))


@lru_cache(maxsize=64)
def compile_text(text: str, schema: FormSchema) -> CompiledFilter:
    """`compile_filter` for the text of a filter; those that were asked for last are kept.

    So thousands of subscriptions with one long list read it once, and share it.

    >>> compile_text('{"rules":[],"version":1}', FormSchema()).accepts({})
    True
    """
    return compile_filter(json.loads(text), schema)


def summarise_filter(raw: object, schema: FormSchema) -> str:
    """The filter in plain words, with the labels of the form's fields. Never raises.

    >>> summarise_filter({"version": 1, "rules": []}, FormSchema())
    'every lead'
    >>> summarise_filter({"version": 7}, FormSchema())
    'no lead, because the filter is not valid: version must be 1 or 2'
    """
    return clause_text(filter_clause(raw, schema))


def filter_clause(raw: object, schema: FormSchema) -> Clause:
    """The same in parts, for other languages; what is wrong with a filter stays English. Never raises.

    >>> filter_clause({"version": 1, "rules": []}, FormSchema())
    Clause(template='every lead', values={})
    """
    nodes, problems = parse_filter(raw, schema)
    if problems:
        return named_clause("invalid", problem=problems[0].message)
    return linked(IN_TURN, [node_clause(node, schema) for node in nodes]) if nodes else named_clause("every_lead")
