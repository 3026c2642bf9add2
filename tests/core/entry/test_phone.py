"""Telephone numbers: one key for all writings of a number, and refused what a spreadsheet has spoilt."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.phone import LONGEST_PHONE, REGIONS, canonical_phone, digits_of, phone_key
from fairlead.core.entry.refusal import EntryRefused

SAME = [
    (
        "49305550102",
        [
            ("+49 30 5550102", None),
            ("+49 (0)30 5550102", None),
            ("0049 30 5550102", None),
            ("0049 (0)30 / 5550102", None),
            ("49 (0)30 5550102", None),
            ("49 (0)30 5550102", "DE"),
            ("49305550102", None),
            ("030 5550102", "DE"),
            ("(030) 555-01 02", "DE"),
            ("0049 30 5550102", "US"),
            ("p:+49305550102", None),
            ("tel:+49-30-5550102", None),
            ("Tel. +49 30 5550102", None),
            ("+49 30 5550102 (privat)", None),
            ("\u202a+49 30 5550102\u202c", None),
            ("\uff0b\uff14\uff19\u3000\uff13\uff10\u3000\uff15\uff15\uff15\uff10\uff11\uff10\uff12", None),
            ("٠٣٠٥٥٥٠١٠٢", "DE"),
            ('="+49305550102"', None),
            ("'0305550102", "DE"),
            ("49305550102.0", None),
            ("+49 30 5550102; +49 151 12345678", None),
        ],
    ),
    ("14155552671", [("(415) 555-2671", "US"), ("+1 415 555 2671", None), ("1-415-555-2671", "US")]),
    ("18003569377", [("1-800-FLOWERS", "US"), ("+1 800 356 9377", None)]),
    ("3906123456", [("+39 06 123456", None), ("06 123456", "IT"), ("+39 (0)6 123456", None)]),
    ("442079460018", [("+44 (0)20 7946 0018", None), ("020 7946 0018", "GB"), ("011 44 20 7946 0018", "US")]),
    ("49301234567x5", [("+49 30 1234567 ext. 5", None), ("030 1234567 x5", "DE")]),
]


@pytest.mark.parametrize(
    ("text", "region", "key"), [(text, region, key) for key, writings in SAME for text, region in writings]
)
def test_every_writing_of_a_number_has_one_key(text: str, region: str | None, key: str) -> None:
    assert canonical_phone(text, region).key == phone_key(text, region) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [("030 5550102", "0305550102"), ("12345", "12345"), ("+999 123456", "999123456"), ("555-0100", "5550100")],
)
def test_what_the_library_cannot_place_is_compared_by_its_digits(text: str, key: str) -> None:
    assert canonical_phone(text).key == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4.91512E+11", "rounded"),
        ("4,91512E+11", "rounded"),
        ("4.91512e11", "rounded"),
        ("#NUM!", "error value"),
        ("########", "error value"),
        ("#N/A", "error value"),
        ("z:02134", "postal code"),
        ("n/a", "5 to 20 digits"),
        ("110", "5 to 20 digits"),
        ("1" * 21, "5 to 20 digits"),
        ("ann12345@example.com", "5 to 20 digits"),
        ("", "one line"),
        ("030\n5550102", "one line"),
        ("x" * 4_000, "one line"),
        ("1" * 101, "one line"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str, reason: str) -> None:
    for region in (None, "DE"):
        with pytest.raises(EntryRefused, match=reason) as refused:
            canonical_phone(text, region)
        assert text == "" or text not in refused.value.message


def test_the_number_is_kept_as_it_was_written_but_for_the_mark_of_an_export() -> None:
    assert canonical_phone(" p:+49 (0)30 5550102 ").written == "+49 (0)30 5550102"


regions = st.one_of(st.none(), st.sampled_from(sorted(REGIONS)))
phone_like = st.text(st.sampled_from("0123456789+ ()-/.xp:EzAb\u202a\u3000٣"), max_size=40)


@given(st.one_of(phone_like, st.text(max_size=150)), regions)
def test_what_is_taken_is_bounded_and_canonical(text: str, region: str | None) -> None:
    try:
        phone = canonical_phone(text, region)
    except EntryRefused:
        return
    assert 1 <= len(phone.written) <= LONGEST_PHONE
    assert 5 <= len(digits_of(phone.key)) <= 40
    assert canonical_phone(phone.written, region) == phone


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_national_and_international_writings_meet_in_every_region(region: str) -> None:
    number = phonenumbers.example_number(region)
    if number is None:
        pytest.skip("the library knows no example")
    keys = {
        canonical_phone(phonenumbers.format_number(number, form), region).key
        for form in (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
            phonenumbers.PhoneNumberFormat.RFC3966,
        )
    }
    assert len(keys) == 1
