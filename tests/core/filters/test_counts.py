"""What a provider is told of filters that ask for what people typed tells of no lead what it says, whatever is asked
and compared.

The attacks are played here: each asks of two markets, of which one has a lead with the words that are looked for, and
sees nothing that tells the one from the other.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from fairlead.core.filters.conditions import Alternatives
from fairlead.core.filters.counts import (
    STEP,
    MatchCount,
    TypedShares,
    asks_for_typed,
    counts_without_a_rule,
    match_count,
    without_typed,
    without_words,
)
from fairlead.core.filters.filter import CompiledFilter, compile_filter
from fairlead.core.form import parse_form_schema

FORM = parse_form_schema(
    {
        "version": 1,
        "fields": [
            {"key": "wishes", "label": "Wishes", "type": "text"},
            {"key": "cores", "label": "Cores", "type": "number"},
            {"key": "region", "label": "Region", "type": "select", "options": ["north", "south"]},
            {"key": "pets", "label": "Pets", "type": "boolean"},
        ],
    }
)
LEADS = 137
CANARY = 61
"""Which lead has the words: the only one with so many cores."""

Lead = dict[str, Any]


def filter_of(*rules: tuple[str, str, object]) -> CompiledFilter:
    document = [{"field_key": key, "operator": operator, "value": value} for key, operator, value in rules]
    compiled = compile_filter({"version": 1, "rules": document}, FORM)
    assert compiled.is_valid
    return compiled


def market(*, canary: str) -> list[Lead]:
    """Every third lead wishes nothing, the others to be called soon, but for one."""
    leads: list[Lead] = []
    for number in range(LEADS):
        lead: Lead = {"cores": number, "region": "north" if number % 2 else "south", "pets": number >= 100}
        if number % 3:
            lead["wishes"] = "please call soon"
        leads.append(lead)
    leads[CANARY]["wishes"] = canary
    return leads


WORDS = [
    ("wishes", "eq", "call Cora Canary"),
    ("wishes", "neq", "call Cora Canary"),
    ("wishes", "contains", "canary"),
    ("wishes", "contains", "call"),
    ("wishes", "exists", True),
    ("wishes", "exists", False),
]
SLICES = [
    (),
    *((("cores", "gte", number),) for number in range(LEADS)),
    *((("cores", "lte", number),) for number in range(LEADS)),
    *((("cores", "between", [number, CANARY]),) for number in range(CANARY)),
    (("cores", "eq", CANARY),),
    (("cores", "neq", CANARY),),
    (("region", "eq", "north"),),
]


def questions() -> Iterator[CompiledFilter]:
    for slice_, word in product(SLICES, WORDS):
        yield filter_of(*slice_, word)
        yield filter_of(*slice_, word, ("region", "eq", "north"))
    for slice_ in SLICES:
        yield filter_of(*slice_, ("region", "eq", "north"))
        yield filter_of(*slice_, ("cores", "neq", CANARY), ("region", "eq", "north"))
    for one, other in product(WORDS, WORDS):
        if one != other:
            yield filter_of(one, other)


def answers(leads: list[Lead]) -> list[object]:
    """Everything that a provider can learn by asking all of it."""
    words = TypedShares(leads)
    return [
        (match_count(each, leads, words), [told.more for told in counts_without_a_rule(each, leads, words)])
        for each in questions()
    ]


@pytest.mark.slow
def test_no_question_and_no_difference_of_two_tells_whether_one_lead_has_the_words() -> None:
    assert answers(market(canary="call Cora Canary")) == answers(market(canary="please call soon"))


@pytest.mark.slow
def test_no_question_and_no_difference_of_two_tells_what_else_the_lead_with_a_number_says() -> None:
    """Two leads, each the only one with its number, have each other's region: no count tells which has which."""
    leads = market(canary="please call soon")
    swapped = [dict(lead) for lead in leads]
    assert leads[CANARY]["region"] != leads[CANARY + 1]["region"]
    swapped[CANARY]["region"], swapped[CANARY + 1]["region"] = leads[CANARY + 1]["region"], leads[CANARY]["region"]
    assert answers(swapped) == answers(leads)


def test_one_lead_less_in_what_is_asked_moves_no_count_by_its_words() -> None:
    """The leads without the one are asked of by number, and the difference is the same whatever the one wrote."""

    def told_by_difference(canary: str) -> list[object]:
        leads = market(canary=canary)
        words = TypedShares(leads)
        return [
            [match_count(filter_of(*each, word), leads, words) for each in ((), (("cores", "neq", CANARY),))]
            for word in WORDS
        ]

    assert told_by_difference("call Cora Canary") == told_by_difference("call me back")


def test_where_a_count_of_words_jumps_depends_on_nothing_else_that_is_asked() -> None:
    """A rounded count is not cut finely by other rules until one lead more makes it jump: words are counted alone."""
    leads = market(canary="please call soon")
    words = TypedShares(leads)
    share = words.of(filter_of(("wishes", "contains", "call")).rules)
    assert share == Fraction(90, LEADS)
    for slice_ in SLICES:
        asked = filter_of(*slice_)
        others = sum(map(without_typed(asked).accepts, leads)) * words.of(asked.rules)
        told = match_count(filter_of(*slice_, ("wishes", "contains", "call")), leads, words)
        assert told == MatchCount(int(others * share) // STEP * STEP or None, is_estimate=True)


def test_rules_about_one_number_are_counted_together() -> None:
    leads = market(canary="please call soon")
    typed = TypedShares(leads)
    both = filter_of(("cores", "gte", 20), ("cores", "lte", 59))
    assert typed.of(both.rules) == typed.of(filter_of(("cores", "between", [20, 59])).rules) == Fraction(40, LEADS)
    assert match_count(both, leads, typed) == MatchCount(40, is_estimate=True)
    north = filter_of(("cores", "gte", 20), ("cores", "lte", 59), ("region", "eq", "north"))
    assert match_count(north, leads, typed) == MatchCount(10, is_estimate=True), "68 of 137, 40 of 137"


def test_what_is_rare_counts_as_nothing_and_its_opposite_as_everything() -> None:
    leads = market(canary="call Cora Canary")
    words = TypedShares(leads)
    eq, neq, contains, _, given, missing = (words.of(filter_of(each).rules) for each in WORDS)
    assert (eq, contains) == (0, 0)
    assert neq == given == Fraction(90, LEADS)
    assert missing == 1 - given
    assert match_count(filter_of(WORDS[0]), leads, words) == MatchCount(None, is_estimate=True)


def test_choices_are_counted_exactly() -> None:
    leads = market(canary="call Cora Canary")
    north = filter_of(("region", "eq", "north"), ("pets", "eq", True))
    assert not asks_for_typed(north)
    assert match_count(north, leads, TypedShares(())) == MatchCount(18)
    told = counts_without_a_rule(north, leads, TypedShares(()))
    assert [(each.rule.field_key, each.more) for each in told if not isinstance(each.rule, Alternatives)] == [
        ("pets", MatchCount(50)),
        ("region", MatchCount(19)),
    ]


def test_a_filter_without_what_is_typed_has_its_other_rules() -> None:
    both = filter_of(("wishes", "contains", "x"), ("cores", "gte", 4), ("region", "eq", "north"))
    assert [each.field_key for each in without_words(both).rules] == ["cores", "region"]
    assert [each.field_key for each in without_typed(both).rules] == ["region"]
    assert without_typed(both).accepts({"region": "north"})


@pytest.mark.parametrize("leads", [[], [{"wishes": "call"}] * (STEP - 1)])
def test_of_few_leads_nothing_is_told_of_what_is_typed(leads: list[Lead]) -> None:
    words = TypedShares(leads)
    for each in (*WORDS, ("cores", "gte", 0)):
        assert match_count(filter_of(each), leads, words).count is None
