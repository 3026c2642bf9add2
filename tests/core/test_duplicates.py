"""A duplicate rule is read or refused whole; leads that agree in a group have one fingerprint, others never."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.duplicates import (
    CONTACT_FIELDS,
    MOST_FIELDS,
    MOST_GROUPS,
    DuplicateRule,
    DuplicateRuleError,
    fingerprints,
    parse_duplicate_rule,
)
from fairlead.core.entry.phone import phone_key
from fairlead.core.entry.text import comparable
from fairlead.core.form import parse_form_schema

SECRET, OTHER = bytes(range(32)), bytes(32)
FORM = parse_form_schema({"version": 1, "fields": [{"key": "zip", "type": "text"}, {"key": "age", "type": "number"}]})
RULE: Mapping[str, Any] = {
    "version": 1,
    "any_of": [["contact_email"], ["contact_phone", "attributes.zip"]],
    "duplicate_window_days": 90,
    "scope": "niche",
    "action": "refuse",
}
FIELDS = (*CONTACT_FIELDS, "attributes.zip", "attributes.age")
EMAIL = ("contact_email",)

groups = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True).map(lambda each: tuple(sorted(each)))
rules = st.builds(
    DuplicateRule,
    st.lists(groups, min_size=1, max_size=MOST_GROUPS, unique=True).map(tuple),
    st.none() | st.integers(1, 365),
    st.sampled_from(("niche", "marketplace")),
    st.sampled_from(("refuse", "flag")),
)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def email_of(text: str, secret: bytes = SECRET) -> bytes | None:
    return fingerprints([EMAIL], {"contact_email": text}, {}, secret).get(EMAIL)


# The rule ------------------------------------------------------------------------------------------------------------


@given(rules)
def test_what_is_written_down_is_read_as_the_same_rule(rule: DuplicateRule) -> None:
    assert parse_duplicate_rule(rule.to_json(), FORM) == rule


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"version": 2}, "version", "unknown_version"),
        ({"version": True}, "version", "unknown_version"),
        ({"fields": []}, "fields", "unknown_key"),
        ({"any_of": []}, "any_of", "not_a_list"),
        ({"any_of": "contact_email"}, "any_of", "not_a_list"),
        ({"any_of": [["contact_email"]] * (MOST_GROUPS + 1)}, "any_of", "not_a_list"),
        ({"any_of": [[]]}, "any_of[0]", "not_a_list"),
        ({"any_of": ["contact_email"]}, "any_of[0]", "not_a_list"),
        ({"any_of": [["contact_email"] * (MOST_FIELDS + 1)]}, "any_of[0]", "not_a_list"),
        ({"any_of": [["email"]]}, "any_of[0][0]", "unknown_field"),
        ({"any_of": [["attributes.street"]]}, "any_of[0][0]", "unknown_field"),
        ({"any_of": [[7]]}, "any_of[0][0]", "unknown_field"),
        ({"any_of": [["contact_email", "contact_email"]]}, "any_of[0][1]", "duplicate_field"),
        ({"duplicate_window_days": 0}, "duplicate_window_days", "out_of_range"),
        ({"duplicate_window_days": 366}, "duplicate_window_days", "out_of_range"),
        ({"duplicate_window_days": 1.0}, "duplicate_window_days", "out_of_range"),
        ({"duplicate_window_days": True}, "duplicate_window_days", "out_of_range"),
        ({"scope": "world"}, "scope", "unknown_option"),
        ({"scope": []}, "scope", "unknown_option"),
        ({"action": None}, "action", "unknown_option"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(change: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(DuplicateRuleError) as caught:
        parse_duplicate_rule({**RULE, **change}, FORM)
    assert (path, code) in [(problem.path, problem.code) for problem in caught.value.problems]


def test_every_key_is_needed_and_nothing_but_an_object_will_do() -> None:
    for key in RULE:
        with pytest.raises(DuplicateRuleError, match=key):
            parse_duplicate_rule({name: value for name, value in RULE.items() if name != key})
    with pytest.raises(DuplicateRuleError, match="JSON object"):
        parse_duplicate_rule([RULE])


def test_a_stored_rule_outlives_the_field_that_it_names() -> None:
    rule = parse_duplicate_rule({**RULE, "any_of": [["attributes.street"]]})
    assert fingerprints(rule.any_of, {}, {"zip": "1"}, SECRET) == {}


# Fingerprints --------------------------------------------------------------------------------------------------------


@given(texts)
def test_ways_of_writing_a_text_make_no_difference(text: str) -> None:
    once = comparable(text)
    assert comparable(once) == once
    for same in (
        f"  {text}\t",
        unicodedata.normalize("NFD", text),
        unicodedata.normalize("NFKC", text),
        text.casefold(),
    ):
        assert comparable(same) == once


@given(texts, texts)
def test_fingerprints_agree_exactly_where_the_comparables_do(one: str, two: str) -> None:
    same = comparable(one) == comparable(two)
    if comparable(one) and comparable(two):
        assert (email_of(one) == email_of(two)) == same
    assert (email_of(one) is None) == (comparable(one) == "")


@given(st.from_regex(r"[0-9]{5,15}", fullmatch=True), st.lists(st.sampled_from(" -()./"), max_size=5))
def test_punctuation_of_a_telephone_number_makes_no_difference(digits: str, signs: list[str]) -> None:
    written = digits
    for number, sign in enumerate(signs):
        written = written[: number * 2] + sign + written[number * 2 :]
    assert phone_key(written) == phone_key(digits)
    assert phone_key(f"+{digits.lstrip('0')}") == phone_key(f"00{digits.lstrip('0')}")


@given(st.permutations(FIELDS), texts.filter(lambda text: comparable(text) != ""))
def test_the_order_of_fields_and_answers_makes_no_difference(order: list[str], zip_code: str) -> None:
    contact: dict[str, str | None] = {"contact_email": "a@b.c", "contact_name": "Ann", "contact_phone": "+49 30 1"}
    attributes = {"zip": zip_code, "age": 41}
    group = tuple(sorted(order))
    one = fingerprints([group], contact, attributes, SECRET)
    two = fingerprints([group], dict(reversed(contact.items())), dict(reversed(attributes.items())), SECRET)
    assert one == two != {}
    assert fingerprints([group], contact, {**attributes, "age": 41.0}, SECRET) == one
    assert fingerprints([group], contact, {**attributes, "age": 42}, SECRET) != one


@given(groups, st.data())
def test_a_group_with_a_field_that_is_not_given_has_none(group: tuple[str, ...], data: st.DataObject) -> None:
    contact: dict[str, str | None] = {"contact_email": "a@b.c", "contact_name": "Ann", "contact_phone": "030"}
    attributes: dict[str, object] = {"zip": "1", "age": 41}
    assert list(fingerprints([group], contact, attributes, SECRET)) == [group]
    missing, empty = data.draw(st.sampled_from(group)), data.draw(st.sampled_from(("", "  ", None)))
    if missing.startswith("attributes."):
        attributes[missing.removeprefix("attributes.")] = empty
    else:
        contact[missing] = "n/a" if missing == "contact_phone" and empty == "" else empty
    assert fingerprints([group], contact, attributes, SECRET) == {}


def test_the_same_value_in_another_field_is_another_fingerprint() -> None:
    contact: dict[str, str | None] = {"contact_name": "ann", "contact_email": "ann"}
    made = fingerprints([EMAIL, ("contact_name",), ("contact_email", "contact_name")], contact, {}, SECRET)
    assert len({*made.values()}) == 3


def test_a_boolean_a_number_and_a_text_are_three_things_and_a_list_has_no_order() -> None:
    group = ("attributes.x",)
    made = [fingerprints([group], {}, {"x": value}, SECRET)[group] for value in (True, 1, "1", ["1"])]
    assert len({*made}) == 4
    assert fingerprints([group], {}, {"x": ["b", "A"]}, SECRET) == fingerprints([group], {}, {"x": ("a", "B")}, SECRET)


@given(texts.filter(lambda text: comparable(text) != ""))
def test_without_the_secret_the_same_is_not_made(text: str) -> None:
    assert email_of(text) != email_of(text, OTHER)
