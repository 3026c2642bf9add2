"""The tax that an amount contains: exact, rounded half up, and never on top."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.money.receipts import contained_tax

LARGEST = 10**12


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [
        (11_900, 1_900, 1_900),
        (10_000, 1_900, 1_597),  # 1596.64
        (100, 700, 7),  # 6.54
        (106, 700, 7),  # 6.93
        (1, 10_000, 1),  # a half is rounded up
        (3, 10_000, 2),
        (100, 0, 0),
        (LARGEST, 10_000, LARGEST // 2),
        (5_000, None, 0),
    ],
)
def test_the_tax_in_an_amount(gross: int, rate: int | None, tax: int) -> None:
    assert contained_tax(gross, rate) == tax


@given(gross=st.integers(1, LARGEST), rate=st.integers(0, 10_000))
def test_it_is_the_nearest_cent_and_less_than_the_amount(gross: int, rate: int) -> None:
    exact = Fraction(gross * rate, 10_000 + rate)
    assert Fraction(-1, 2) < exact - contained_tax(gross, rate) < Fraction(1, 2) or exact % 1 == Fraction(1, 2)
    assert 0 <= contained_tax(gross, rate) <= gross
    if exact % 1 == Fraction(1, 2):
        assert contained_tax(gross, rate) == exact + Fraction(1, 2)
