"""How many leads pass a filter, as a provider may know that has bought none of them.

What consumers wrote in their own words could be guessed from counts, letter by letter: from whether any lead has a
word, from one count less another, from where a rounded count jumps while other rules cut the leads ever more finely.
So no count here is ever of words and of anything else at once, and none is of fewer leads than `STEP`. A rule about
words is counted by itself, over a niche's newest leads, whatever else is asked, and rounded down to whole steps; its
opposite is told from the same number. What is told of a whole filter is reckoned from those numbers and from the count
of its other rules, as if they had nothing to do with each other: a sum that its reader could do as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from fairlead.core.filter_predicates import predicate
from fairlead.core.filter_rules import Operator, Rule
from fairlead.core.filters import CompiledFilter
from fairlead.core.form_field import FieldType

STEP = 10
"""Counts that have to do with words are told in whole steps of this, and below one not at all."""

Attributes = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MatchCount:
    """So many leads pass a filter. An estimate is in whole steps, and None where it is below one, none included."""

    count: int | None
    is_estimate: bool = False


@dataclass(frozen=True, slots=True)
class CountWithoutRule:
    """So many more leads would pass a filter without this rule of it."""

    rule: Rule
    more: MatchCount


def asks_for_words(compiled: CompiledFilter) -> bool:
    """Whether a rule is about a field that people fill in their own words."""
    return any(map(_is_about_words, compiled.rules))


def without_words(compiled: CompiledFilter) -> CompiledFilter:
    """The filter without its rules about words."""
    kept = tuple(rule for rule in compiled.rules if not _is_about_words(rule))
    return CompiledFilter(kept, tuple(map(predicate, kept)))


@dataclass(frozen=True, slots=True)
class WordShares:
    """How common rules about words are among a niche's newest leads: always the same leads, whatever is asked."""

    leads: Sequence[Attributes] = field(repr=False)

    def of(self, rule: Rule) -> Fraction:
        """The share of the leads that fit the rule about words, by counts in whole steps."""
        if rule.operator == Operator.EXISTS:
            given = self._counted(replace(rule, value=True))
            return given if rule.value else 1 - given
        if rule.operator == Operator.NEQ:
            # A field that is empty differs from nothing.
            given = self._counted(replace(rule, operator=Operator.EXISTS, value=True))
            return max(given - self._counted(replace(rule, operator=Operator.EQ)), Fraction(0))
        return self._counted(rule)

    def _counted(self, rule: Rule) -> Fraction:
        if not self.leads:
            return Fraction(0)
        holds = predicate(rule)
        return Fraction(sum(map(holds, self.leads)) // STEP * STEP, len(self.leads))


def match_count(compiled: CompiledFilter, leads: Sequence[Attributes], words: WordShares) -> MatchCount:
    """How many of these leads pass the filter."""
    count = sum(map(without_words(compiled).accepts, leads))
    if not asks_for_words(compiled):
        return MatchCount(count)
    return _estimate(count * _share(compiled.rules, words))


def counts_without_a_rule(
    compiled: CompiledFilter, leads: Sequence[Attributes], words: WordShares
) -> tuple[CountWithoutRule, ...]:
    """For each rule how many more of the leads would pass without it, most first.

    Rules that keep none out by themselves are left out, and in an estimate those that keep out less than a step.
    """
    others = without_words(compiled)
    kept_out: dict[Rule, int] = dict.fromkeys(others.rules, 0)
    for lead in leads:
        failed = [rule for rule, holds in zip(others.rules, others.predicates, strict=True) if not holds(lead)]
        if len(failed) == 1:
            kept_out[failed[0]] += 1
    share = _share(compiled.rules, words)
    is_estimate = asks_for_words(compiled)
    found = [
        CountWithoutRule(rule, _estimate(count * share) if is_estimate else MatchCount(count))
        for rule, count in kept_out.items()
    ]
    passed = sum(map(others.accepts, leads)) if is_estimate else 0
    for rule in filter(_is_about_words, compiled.rules):
        rest = tuple(each for each in compiled.rules if each is not rule)
        found.append(CountWithoutRule(rule, _estimate(passed * (_share(rest, words) - share))))
    return tuple(sorted((each for each in found if each.more.count), key=lambda each: -(each.more.count or 0)))


def _is_about_words(rule: Rule) -> bool:
    return rule.field_type is FieldType.TEXT


def _share(rules: Sequence[Rule], words: WordShares) -> Fraction:
    share = Fraction(1)
    for rule in filter(_is_about_words, rules):
        share *= words.of(rule)
    return share


def _estimate(count: Fraction) -> MatchCount:
    told = int(count) // STEP * STEP
    return MatchCount(told or None, is_estimate=True)
