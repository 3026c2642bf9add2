"""How many leads pass a filter, as a provider may know that has bought none of them.

What consumers typed, in words or numbers, could be guessed from counts: from whether any lead has a word, from one
count less another, from where a rounded count jumps while other rules cut the leads ever more finely. So no count here
is ever of what was typed into one field and of anything else at once, and none that has to do with it is of fewer leads
than `STEP`. A rule about it is counted by itself (of numbers, all rules about one field together), over a niche's
newest leads, whatever else is asked, and rounded down to whole steps; the opposite of a rule about words is told from
the same number. What is told of a whole filter is reckoned from those numbers and from the count of its other rules,
which ask for choices alone, as if they had nothing to do with each other: a sum that its reader could do as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from fairlead.core.filters.conditions import Alternatives, Condition, condition_predicate, keeping, rules_in
from fairlead.core.filters.filter import CompiledFilter
from fairlead.core.filters.rules import REFUSING, Operator, Rule, opposite
from fairlead.core.form_field import FieldType

STEP = 10
"""Counts that have to do with what was typed are told in whole steps of this, and below one not at all."""

Attributes = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MatchCount:
    """So many leads pass a filter. An estimate is in whole steps, and None where it is below one, none included."""

    count: int | None
    is_estimate: bool = False


@dataclass(frozen=True, slots=True)
class CountWithoutRule:
    """So many more leads would pass a filter without this rule, or these alternatives, of it."""

    rule: Condition
    more: MatchCount


def asks_for_words(compiled: CompiledFilter) -> bool:
    """Whether a rule is about a field that people fill in their own words."""
    return any(map(_is_about_words, compiled.rules))


def asks_for_typed(compiled: CompiledFilter) -> bool:
    """Whether a rule is about a field that people type into, words or numbers."""
    return any(map(_is_about_typed, compiled.rules))


def asks_for_numbers(compiled: CompiledFilter) -> bool:
    """Whether a rule is about a field that people type numbers into."""
    return any(rule.field_type is FieldType.NUMBER for rule in compiled.rules)


def in_steps(count: int) -> int:
    """What is told of a count that has to do with what was typed: whole steps of it.

    >>> in_steps(9), in_steps(37)
    (0, 30)
    """
    return count // STEP * STEP


def without_words(compiled: CompiledFilter) -> CompiledFilter:
    """The filter without its rules about words."""
    return _with(compiled, lambda rule: not _is_about_words(rule))


def without_typed(compiled: CompiledFilter) -> CompiledFilter:
    """The filter without its rules about words and numbers: those about choices."""
    return _with(compiled, lambda rule: not _is_about_typed(rule))


@dataclass(frozen=True, slots=True)
class TypedShares:
    """How common rules about words and numbers are among a niche's newest leads: always the same leads, whatever is
    asked."""

    leads: Sequence[Attributes] = field(repr=False)

    def of(self, conditions: Sequence[Condition]) -> Fraction:
        """The share of the leads that fit the conditions about what is typed, by counts in whole steps.

        The shares of each rule about words, and of all rules about one field of numbers, are multiplied. Of
        alternatives with such a rule every rule is counted by itself, also one about choices.
        """
        return self._of_all([each for each in conditions if _is_typed(each)])

    def _of_all(self, conditions: Sequence[Condition]) -> Fraction:
        share = Fraction(1)
        numbers: dict[str, list[Rule]] = {}
        for condition in conditions:
            if isinstance(condition, Alternatives):
                none = Fraction(1)
                for alternative in condition.alternatives:
                    none *= 1 - self._of_all(alternative)
                share *= 1 - none
            elif condition.field_type is FieldType.NUMBER:
                numbers.setdefault(condition.field_key, []).append(condition)
            else:
                share *= self._of_words(condition) if _is_about_words(condition) else self._counted(condition)
        for of_field in numbers.values():
            share *= self._counted(*of_field)
        return share

    def _of_words(self, rule: Rule) -> Fraction:
        if rule.operator == Operator.EXISTS:
            given = self._counted(replace(rule, value=True))
            return given if rule.value else 1 - given
        if rule.operator in REFUSING:
            # A field that is empty differs from nothing.
            given = self._counted(replace(rule, operator=Operator.EXISTS, value=True))
            return max(given - self._counted(opposite(rule)), Fraction(0))
        return self._counted(rule)

    def _counted(self, *rules: Rule) -> Fraction:
        if not self.leads:
            return Fraction(0)
        accepts = CompiledFilter(rules, tuple(map(condition_predicate, rules))).accepts
        return Fraction(in_steps(sum(map(accepts, self.leads))), len(self.leads))


def match_count(compiled: CompiledFilter, leads: Sequence[Attributes], typed: TypedShares) -> MatchCount:
    """How many of these leads pass the filter."""
    count = sum(map(without_typed(compiled).accepts, leads))
    if not asks_for_typed(compiled):
        return MatchCount(count)
    return _estimate(count * typed.of(compiled.conditions))


def counts_without_a_rule(
    compiled: CompiledFilter, leads: Sequence[Attributes], typed: TypedShares
) -> tuple[CountWithoutRule, ...]:
    """For each rule how many more of the leads would pass without it, most first.

    Rules that keep none out by themselves are left out, and in an estimate those that keep out less than a step.
    """
    others = without_typed(compiled)
    kept_out: dict[Condition, int] = dict.fromkeys(others.conditions, 0)
    for lead in leads:
        failed = [each for each, holds in zip(others.conditions, others.predicates, strict=True) if not holds(lead)]
        if len(failed) == 1:
            kept_out[failed[0]] += 1
    share = typed.of(compiled.conditions)
    is_estimate = asks_for_typed(compiled)
    found = [
        CountWithoutRule(rule, _estimate(count * share) if is_estimate else MatchCount(count))
        for rule, count in kept_out.items()
    ]
    passed = sum(map(others.accepts, leads)) if is_estimate else 0
    for condition in filter(_is_typed, compiled.conditions):
        rest = tuple(each for each in compiled.conditions if each is not condition)
        found.append(CountWithoutRule(condition, _estimate(passed * (typed.of(rest) - share))))
    return tuple(sorted((each for each in found if each.more.count), key=lambda each: -(each.more.count or 0)))


def _is_about_words(rule: Rule) -> bool:
    return rule.field_type is FieldType.TEXT


def _is_about_typed(rule: Rule) -> bool:
    return rule.field_type in (FieldType.TEXT, FieldType.NUMBER)


def _is_typed(condition: Condition) -> bool:
    return any(map(_is_about_typed, rules_in([condition])))


def _with(compiled: CompiledFilter, is_kept: Callable[[Rule], bool]) -> CompiledFilter:
    kept = keeping(compiled.conditions, is_kept)
    return CompiledFilter(kept, tuple(map(condition_predicate, kept)))


def _estimate(count: Fraction) -> MatchCount:
    return MatchCount(in_steps(int(count)) or None, is_estimate=True)
