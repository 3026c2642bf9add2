"""What another server says may be stored and logged only after it was made safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.delivery.outcome import MASK, MAX_ANSWER_CHARACTERS, safe_line


@pytest.mark.parametrize(
    ("answer", "safe"),
    [
        ("250 2.0.0 Ok: queued as 4X1", "250 2.0.0 Ok: queued as 4X1"),
        ("550 <ann.b+tag@mail.example.com>: unknown", f"550 <{MASK}>: unknown"),
        ('550 <"ann b"@example.com> unknown', f"550 <{MASK}> unknown"),
        ('550 to:"ann \\" <b>"@example.com unknown', f"550 to:{MASK} unknown"),
        ("ann@example.com,bob@example.com", MASK),
        ("see https://mail.example.com/?to=ann%40example.com now", f"see {MASK} now"),
        ("rejected ann@[192.0.2.1]", f"rejected {MASK}"),
        ("user änn@exämple.com unknown", f"user {MASK} unknown"),
        ("a\u200bnn\u200b@example.com\x01 x", f"{MASK} x"),
        ("one\r\ntwo\u2028three\x85four\ttab", "one two three four tab"),
        ("\x1b[31mred\x00\udc80", "[31mred"),
        ("", ""),
    ],
)
def test_an_answer_is_one_line_without_addresses(answer: str, safe: str) -> None:
    assert safe_line(answer) == safe


def test_personal_words_are_masked_where_they_stand_alone() -> None:
    assert safe_line("550 Ann: no ann here, but an annex", ["ann"]) == f"550 {MASK}: no {MASK} here, but an annex"
    assert safe_line("user ann (Ann Example)", ["ann", "Ann Example"]) == f"user {MASK} ({MASK})"
    assert safe_line("a.b+c (unknown)", ["a.b+c", "", " "]) == f"{MASK} (unknown)"


def test_a_long_answer_is_cut_and_says_so() -> None:
    line = safe_line("x" * 100_000)
    assert len(line) == MAX_ANSWER_CHARACTERS
    assert line.endswith("x…")
    assert safe_line("y" * MAX_ANSWER_CHARACTERS) == "y" * MAX_ANSWER_CHARACTERS


@given(st.text(max_size=2_000))
def test_any_answer_is_one_printable_line_without_an_address(answer: str) -> None:
    line = safe_line(answer)
    assert line.isprintable()
    assert "@" not in line
    assert len(line) <= MAX_ANSWER_CHARACTERS
    assert line.encode("utf-8").decode("utf-8") == line
