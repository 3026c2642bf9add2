"""Each refusal is told by one sentence of its reason, with the values that refused."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core import gates
from fairlead.core.filters.filter import compile_filter
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.form_field import Field, FieldType, FormSchema
from fairlead.core.messages import Names, english
from fairlead.core.model import INSUFFICIENT_FUNDS, PAUSED, Subscription, filter_text
from fairlead.core.refusals import (
    AlreadyRecipient,
    CapReached,
    ConflictGroup,
    FilterInvalid,
    InsufficientBalance,
    LeadFull,
    LevelFull,
    OutsideSchedule,
    PriceAboveLimit,
    ProviderInactive,
    Refusal,
    SubscriptionInactive,
)
from tests.core.filters import strategies
from tests.core.toy_gates import Nameless, OddDay

NAMES = Names({"g": "Gold"}, "EUR", {"p": "Anchor"})
FORM = FormSchema(
    (
        Field("region", "region", FieldType.SELECT, options=("north", "south", "east")),
        Field("cores", "Cores", FieldType.NUMBER),
        Field("extras", "Extras", FieldType.MULTI_SELECT, options=("backup", "panel", "ipv6")),
        Field("note", "Note", FieldType.TEXT),
        Field("owner", "Owner", FieldType.BOOLEAN),
    )
)
LEAD = {"region": "north", "cores": 2, "extras": ["backup", "panel"], "note": "my own words", "owner": True}


def mismatch(field_key: str, operator: str, value: object, lead: dict[str, object] = LEAD) -> FilterMismatch:
    """What a filter of this one rule says of the lead."""
    rules: dict[str, object] = {"rules": [{"field_key": field_key, "operator": operator, "value": value}], "version": 2}
    subscription = Subscription("s", "p", "g", True, None, filter_text(rules), True)
    refusal = gates.filter_refusal(subscription, FORM, lead)
    assert refusal is not None, "the lead does not fit"
    return refusal


DAY_ENDS = datetime(2026, 3, 1, 23, tzinfo=UTC)


def capped(cap: str, closes_at: datetime | None) -> CapReached:
    return CapReached(cap, "provider", 5, 5, None if closes_at is None else DAY_ENDS - timedelta(days=1), closes_at)


OUTSIDE: dict[str, object] = {"note": "10 115"}
CENTRE = {"point": [52.52, 13.405], "km": 25}


_TOLD: Sequence[tuple[Refusal, str, str]] = [
    (ProviderInactive("pending"), "provider_inactive.pending", "The provider was not approved yet."),
    (ProviderInactive("suspended"), "provider_inactive.suspended", "The provider was suspended."),
    (ProviderInactive("of a later release"), "provider_inactive.unknown", "The provider was not active."),
    (SubscriptionInactive(PAUSED), "subscription_inactive.paused", "The subscription was paused."),
    (
        SubscriptionInactive(INSUFFICIENT_FUNDS),
        "subscription_inactive.insufficient_funds",
        "The subscription was off, because funds did not suffice.",
    ),
    (SubscriptionInactive(None), "subscription_inactive.unknown", "The subscription was not active."),
    (
        PriceAboveLimit(900, 500),
        "price_above_limit",
        "This lead costs 9.00 EUR, and the provider pays at most 5.00 EUR.",
    ),
    (FilterInvalid(), "filter_invalid", "The filter does not fit the niche's form."),
    (
        OutsideSchedule(DAY_ENDS),
        "outside_schedule.closed",
        "Outside of the schedule, which opens at 2026-03-01 23:00 UTC.",
    ),
    (OutsideSchedule(None), "outside_schedule.unreadable", "The schedule cannot be read."),
    *(
        (
            capped(f"leads_per_{period}", DAY_ENDS),
            f"cap_reached.leads_per_{period}",
            f"Limit of 5 leads {each} reached, with 5; the next begins 2026-03-01 23:00 UTC.",
        )
        for period, each in (("hour", "an hour"), ("day", "a day"), ("week", "a week"), ("month", "a month"))
    ),
    (capped("leads_total", None), "cap_reached.leads_total", "Limit of 5 leads in total reached, with 5."),
    *(
        (
            capped(f"spend_cents_per_{period}", DAY_ENDS),
            f"cap_reached.spend_cents_per_{period}",
            f"Limit of 0.05 EUR a {period}: 0.05 EUR spent, and this lead would go beyond it; "
            "the next begins 2026-03-01 23:00 UTC.",
        )
        for period in ("day", "week", "month")
    ),
    (CapReached(None, "subscription", 0, 0, None, None), "cap_reached.unreadable", "The limits cannot be read."),
    (
        mismatch("region", "in", ["south", "east"]),
        "filter_mismatch.value",
        "Filter: `region` is `north`, they take `south`, `east`.",
    ),
    (mismatch("region", "eq", "south"), "filter_mismatch.value", "Filter: `region` is `north`, they take `south`."),
    (mismatch("owner", "eq", False), "filter_mismatch.value", "Filter: `Owner` is yes, they take no."),
    (mismatch("cores", "eq", 4), "filter_mismatch.value", "Filter: `Cores` is 2, they take 4."),
    (
        mismatch("region", "not_in", ["north", "east"]),
        "filter_mismatch.excluded",
        "Filter: `region` is `north`, which they do not take.",
    ),
    (mismatch("cores", "neq", 2), "filter_mismatch.excluded", "Filter: `Cores` is 2, which they do not take."),
    (mismatch("cores", "gte", 4), "filter_mismatch.at_least", "Filter: `Cores` is 2, they take 4 or more."),
    (mismatch("cores", "lte", 1.5), "filter_mismatch.at_most", "Filter: `Cores` is 2, they take 1.5 or less."),
    (mismatch("cores", "between", [4, 64]), "filter_mismatch.between", "Filter: `Cores` is 2, they take 4 to 64."),
    (
        mismatch("extras", "contains", "ipv6"),
        "filter_mismatch.items",
        "Filter: `Extras` has `backup`, `panel`, they take leads that have any of `ipv6`.",
    ),
    (
        mismatch("extras", "not_in", ["panel"]),
        "filter_mismatch.items_excluded",
        "Filter: `Extras` has `backup`, `panel`, they take leads that have none of `panel`.",
    ),
    (mismatch("note", "eq", "red"), "filter_mismatch.text", "Filter: `Note` is not `red`."),
    (
        mismatch("note", "neq", "my own words"),
        "filter_mismatch.text_excluded",
        "Filter: `Note` is `my own words`, which they do not take.",
    ),
    (mismatch("note", "contains", "red"), "filter_mismatch.text_part", "Filter: `Note` does not contain `red`."),
    (
        mismatch("cores", "exists", True, {}),
        "filter_mismatch.missing",
        "Filter: `Cores` is not answered, they ask for an answer.",
    ),
    (
        mismatch("cores", "exists", False),
        "filter_mismatch.present",
        "Filter: `Cores` is answered, they take leads without an answer.",
    ),
    (
        mismatch("cores", "gte", 4, {"cores": "many"}),
        "filter_mismatch.unreadable_value",
        "Filter: the answer to `Cores` does not fit the form.",
    ),
    (mismatch("cores", "gt", 2), "filter_mismatch.above", "Filter: `Cores` is 2, they take more than 2."),
    (mismatch("cores", "lt", 2), "filter_mismatch.below", "Filter: `Cores` is 2, they take less than 2."),
    (
        mismatch("cores", "not_between", [1, 3]),
        "filter_mismatch.not_between",
        "Filter: `Cores` is 2, they take none from 1 to 3.",
    ),
    (mismatch("note", "in", ["a", "b"]), "filter_mismatch.text_list", "Filter: `Note` is none of `a`, `b`."),
    (
        mismatch("note", "not_in", ["my own words"]),
        "filter_mismatch.text_list_excluded",
        "Filter: `Note` is one of `my own words`, which they do not take.",
    ),
    (
        mismatch("note", "not_contains", "own"),
        "filter_mismatch.text_part_excluded",
        "Filter: `Note` contains `own`, which they do not take.",
    ),
    (
        mismatch("note", "postcode_in", ["2"], OUTSIDE),
        "filter_mismatch.postcode",
        "Filter: `Note` is none of their postcodes.",
    ),
    (
        mismatch("note", "postcode_not_in", ["10115"], OUTSIDE),
        "filter_mismatch.postcode_excluded",
        "Filter: `Note` is a postcode that they do not take.",
    ),
    (
        mismatch("note", "postcode_starts_with", ["2"], OUTSIDE),
        "filter_mismatch.postcode_start",
        "Filter: `Note` does not start as their postcodes do, with `2`.",
    ),
    (
        mismatch("note", "postcode_not_starts_with", ["1"], OUTSIDE),
        "filter_mismatch.postcode_start_excluded",
        "Filter: `Note` starts with one of `1`, which they do not take.",
    ),
    (
        mismatch("note", "postcode_between", ["2", "3"], OUTSIDE),
        "filter_mismatch.postcode_range",
        "Filter: `Note` is no postcode from `2` to `3`.",
    ),
    (
        mismatch("note", "postcode_not_between", ["1", "3"], OUTSIDE),
        "filter_mismatch.postcode_range_excluded",
        "Filter: `Note` is from `1` to `3`, which they do not take.",
    ),
    (
        mismatch("note", "within_km", CENTRE, {"note": "0, 0"}),
        "filter_mismatch.too_far",
        "Filter: `Note` is not within 25 km of `52.52, 13.405`.",
    ),
    (
        mismatch("note", "beyond_km", CENTRE, {"note": "52.52, 13.4"}),
        "filter_mismatch.too_near",
        "Filter: `Note` is not more than 25 km from `52.52, 13.405`.",
    ),
    (
        mismatch("colour", "eq", "red"),
        "filter_mismatch.unreadable_filter",
        "Filter: it cannot be read, so it takes no lead.",
    ),
    (AlreadyRecipient("g"), "already_recipient", "The provider had this lead already, from level `Gold`."),
    (
        InsufficientBalance(1200, 1500),
        "insufficient_balance",
        "Available 12.00 EUR, this level costs 15.00 EUR.",
    ),
    (ConflictGroup("p"), "conflict_group", "The lead goes to another provider of the conflict group: `Anchor`."),
    (LeadFull("recipient_limit", 3, 3), "lead_full.recipient_limit", "Lead full: it has 3 of 3 recipients."),
    (LeadFull("exclusive_level_sold", 1), "lead_full.exclusive_level_sold", "Lead full: it was sold exclusively."),
    (
        LeadFull("exclusive_level_needs_none", 2),
        "lead_full.exclusive_level_needs_none",
        "Lead full: the level is exclusive, and it has a recipient already.",
    ),
    (LevelFull(4, 3), "level_full.in_turn", "Level full: 4 ahead in the order, it takes 3."),
    (
        LevelFull(4, 3, by_shares=True),
        "level_full.weighted",
        "Level full: by their shares 4 were due before it, it takes 3.",
    ),
]


OF_ALTERNATIVES: Sequence[tuple[Refusal, str, str]] = [
    (
        replace(refusal, alternatives=3),
        message_id.replace(".", ".first_of.", 1),
        sentence.replace("Filter:", "Filter, the first of 3 alternatives of which none holds:", 1),
    )
    for refusal, message_id, sentence in _TOLD
    if isinstance(refusal, FilterMismatch) and message_id != "filter_mismatch.unreadable_filter"
]
TOLD = [*_TOLD, *OF_ALTERNATIVES]


@pytest.mark.parametrize(("refusal", "message_id", "sentence"), TOLD, ids=[each[1] for each in TOLD])
def test_a_refusal_is_told_by_its_sentence(refusal: Refusal, message_id: str, sentence: str) -> None:
    message = refusal.message()
    assert (message.message_id, english(message, NAMES)) == (message_id, sentence)
    assert refusal.sentence(NAMES) == sentence
    places = {name for _, name, _, _ in Formatter().parse(message.template) if name is not None}
    assert places == {*message.values}, "the template has a place for each of the values"


def test_amounts_are_in_the_currency_of_the_marketplace() -> None:
    refusal = InsufficientBalance(1200, 1500)
    assert refusal.sentence(Names({}, "JPY")) == "Available 1,200 JPY, this level costs 1,500 JPY."


def faults(refusals: Sequence[type[Refusal]]) -> Iterator[str]:
    """What is wrong with the sentences of these reasons: there has to be one for each way in which each refuses."""
    for refusal in refusals:
        reason, sentences = refusal.reason, getattr(refusal, "sentences", {})
        if not sentences:
            yield f"{reason} has no sentence"
        if reason in sentences and len(sentences) > 1:
            yield f"{reason} has a second sentence"
        yield from (f"{each} is not of {reason}" for each in sentences if each.split(".")[0] != reason)
        wrong = [each for each, text in sentences.items() if not re.fullmatch(r"[A-Z][^.]+\.", text)]
        yield from (f"{each} is no sentence" for each in wrong)
    for reason, count in Counter(each.reason for each in refusals).items():
        if count > 1:
            yield f"{reason} is told by {count} classes"
    templates = Counter(text for each in refusals for text in getattr(each, "sentences", {}).values())
    yield from (f"{template!r} tells two things" for template, count in templates.items() if count > 1)


def test_every_reason_of_the_registry_has_one_sentence() -> None:
    refusals = gates.REGISTRY.refusals
    assert list(faults(refusals)) == []
    declared = {message_id for refusal in refusals for message_id in refusal.sentences}
    assert declared == {message_id for _, message_id, _ in TOLD}, "each of them is told above"


@dataclass(frozen=True, slots=True)
class Untold(Refusal):
    """A reason without a sentence."""

    reason: ClassVar[str] = "untold"
    summary: ClassVar[str] = "untold"


@dataclass(frozen=True, slots=True)
class Twofold(Refusal):
    """A reason with two sentences for one refusal."""

    reason: ClassVar[str] = "twofold"
    summary: ClassVar[str] = "twofold"
    sentences: ClassVar[dict[str, str]] = {"twofold": "It is so.", "twofold.also": "And so. Also."}


def test_a_reason_without_a_sentence_or_with_two_is_noticed() -> None:
    assert list(faults([OddDay, Nameless])) == []
    assert list(faults([OddDay, Untold])) == ["untold has no sentence"]
    assert list(faults([Twofold])) == ["twofold has a second sentence", "twofold.also is no sentence"]
    assert "odd_day is told by 2 classes" in list(faults([OddDay, OddDay]))


@settings(max_examples=3 * settings().max_examples)
@given(st.data())
def test_every_filter_that_refuses_a_lead_has_a_sentence(data: st.DataObject) -> None:
    schema = data.draw(strategies.schemas)
    raw = data.draw(strategies.any_filters(schema))
    lead = data.draw(strategies.leads(schema))
    rule = compile_filter(raw, schema).first_mismatch(lead)
    if rule is None:
        return
    refusal = FilterMismatch(rule, "a `label`\nof two lines", lead.get(rule.field_key))
    sentence = refusal.sentence(NAMES)
    assert re.fullmatch(r"Filter: [^\n]+\.", sentence)
    if rule.field_type is FieldType.TEXT:
        assert "value" not in refusal.message().values, "what a consumer wrote is not told"


def test_a_long_list_and_a_long_text_are_cut() -> None:
    options = tuple(f"o{n}" for n in range(20))
    schema = FormSchema((Field("f", "F" * 100, FieldType.SELECT, options=options),))
    rules: dict[str, object] = {"version": 1, "rules": [{"field_key": "f", "operator": "in", "value": options[1:]}]}
    subscription = Subscription("s", "p", "g", True, None, filter_text(rules), True)
    refusal = gates.filter_refusal(subscription, schema, {"f": "o0"})
    assert refusal is not None
    named = ", ".join(f"`o{n}`" for n in range(1, 9))
    assert refusal.sentence(NAMES) == f"Filter: `{'F' * 59}…` is `o0`, they take {named} and 11 more."
