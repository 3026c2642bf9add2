"""Text that people type: one writing for equal texts, bounded, and nothing that cannot be seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import (
    LONGEST_NAME,
    MAX_INDEXED_BYTES,
    canonical_line,
    canonical_words,
    is_error_value,
    shortened_line,
    without_export_prefix,
)

NAMES = [
    "山田\u3000太郎",
    "Jean\u00a0Dupont",
    "علی\u200cرض\u0627",
    "👩\u200d🚀 Ada",
    "Ann\u00adMarie",
    "👨\u200d👩\u200d👧\u200d👦",
    "क्\u200dष",
    "O\u202fBrien",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_taken_as_it_is(name: str) -> None:
    assert canonical_line(name) == name
    assert canonical_words(name, LONGEST_NAME) == name


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\tb",
        "a\x00b",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\u2066b",
        "\ud800",
        "",
        " \u3000",
        "\u200d",
        "\u00ad \u200c",
        "x" * 201,
        " " * 10_000 + "x",
    ],
)
def test_what_cannot_be_seen_or_is_too_long_is_no_line(text: str) -> None:
    with pytest.raises(EntryRefused, match="must be one line of 1 to 200 characters"):
        canonical_line(text)


def test_spaces_of_every_kind_around_a_text_are_dropped() -> None:
    assert canonical_line("\u3000 \tJo\u0308rg\u00a0\n") == "J\u00f6rg"
    assert canonical_words(" one \r\n\r\n two\u2003\n", 20) == "one\n\n two"


anything = st.text(max_size=250)


@given(anything)
def test_canonical_text_stays_as_it_is_and_has_one_form(text: str) -> None:
    for canonical in (canonical_line, lambda text: canonical_words(text, 200)):
        try:
            once = canonical(text)
        except EntryRefused:
            continue
        assert canonical(once) == once == unicodedata.normalize("NFC", once)
        assert canonical(unicodedata.normalize("NFD", text)) == once
        assert 1 <= len(once) <= 200
        assert len(once.encode()) <= MAX_INDEXED_BYTES


@given(st.text(max_size=700), st.integers(1, 50))
def test_shortening_never_refuses(text: str, longest: int) -> None:
    short = shortened_line(text, longest)
    assert len(short) <= longest
    assert short == shortened_line(short, longest)
    assert short == short.strip()
    assert not any(each in short for each in "\n\t\x00\u202e\u2028")


@pytest.mark.parametrize("cell", ["#NUM!", "#n/a", "#REF!", "#NAME?", "#DIV/0!", " #VALUE! ", "########"])
def test_error_values_of_spreadsheets_are_told(cell: str) -> None:
    assert is_error_value(cell)


@pytest.mark.parametrize("cell", ["#1 Plumbing", "NUM", "# 12", "Apt #4"])
def test_other_text_is_no_error_value(cell: str) -> None:
    assert not is_error_value(cell)


@pytest.mark.parametrize(
    ("cell", "value"), [("z:02134", "02134"), ("z:SW1A 1AA", "SW1A 1AA"), ("zip: 1", "zip: 1"), ("z:", "z:")]
)
def test_the_mark_of_an_export_is_dropped(cell: str, value: str) -> None:
    assert without_export_prefix(cell) == value
