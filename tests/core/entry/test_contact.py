"""A lead's details: one check, one reason each, and what only serves statistics never refuses a lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.contact import LEAD_DETAILS, checked_details


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("contact_phone", "4.91512E+11", "is a number that a spreadsheet has rounded; its last digits are lost"),
        ("contact_phone", "#NUM!", "is an error value of a spreadsheet, and no telephone number"),
        ("contact_email", "not an address", "must be an email address such as ada@example.com"),
        ("contact_name", "#NAME?", "is an error value of a spreadsheet, and no name"),
        ("contact_name", "Ann\nBcc", "must be one line of 1 to 200 characters that can be shown"),
        ("contact_mail", "a@example.com", f"has no meaning here; there are {', '.join(LEAD_DETAILS)}"),
    ],
)
def test_each_detail_that_cannot_be_is_refused_with_one_reason(name: str, text: str, reason: str) -> None:
    checked = checked_details({name: text, "utm_source": "ad"}, "DE")
    assert [(problem.path, problem.message) for problem in checked.problems] == [(name, reason)]
    assert checked.values == {"utm_source": "ad"}


def test_details_are_stored_canonical_and_compared_by_their_keys() -> None:
    checked = checked_details(
        {
            "contact_name": " Jo\u0308rg ",
            "contact_email": "J@EXAMPLE.com ",
            "contact_phone": "030 5550102",
            "referrer": "",
        },
        "DE",
    )
    assert checked.values == {"contact_name": "Jörg", "contact_email": "J@example.com", "contact_phone": "030 5550102"}
    assert (checked.email_key, checked.phone_key) == ("j@example.com", "49305550102")


def test_what_only_serves_statistics_is_shortened() -> None:
    referrer = "https://example.com/" + "x" * 1_981
    checked = checked_details({"referrer": referrer, "utm_campaign": "c" * 240, "utm_source": "a\tb\x00"}, None)
    assert checked.problems == ()
    assert checked.values == {"referrer": referrer[:2_000], "utm_campaign": "c" * 200, "utm_source": "a b"}


@given(st.dictionaries(st.sampled_from(LEAD_DETAILS), st.text()))
def test_what_was_checked_is_taken_as_it_is(details: dict[str, str]) -> None:
    once = checked_details(details, "DE")
    assert checked_details(once.values, "DE").values == once.values
    assert {problem.path for problem in once.problems}.isdisjoint(once.values)
