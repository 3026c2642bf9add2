"""Amounts as fields for them hold them."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision


@dataclass(frozen=True, slots=True)
class EnteredAmount:
    """An amount as a field for it holds it, with a point whatever the language; "" for none."""

    text: str
    digits: int


def entered_amount(cents: int | None, currency: str) -> EnteredAmount:
    """The amount with the decimals of its currency.

    >>> entered_amount(1550, "EUR").text, entered_amount(1550, "JPY").text, entered_amount(None, "EUR").text
    ('15.50', '1550', '')
    """
    digits = get_currency_precision(currency)
    return EnteredAmount("" if cents is None else str(Decimal(cents).scaleb(-digits)), digits)


def entered_percent(basis_points: int | None) -> str:
    """A rate in hundredths of a percent as a field for percents holds it; "" for none.

    >>> entered_percent(1900), entered_percent(550), entered_percent(None)
    ('19.00', '5.50', '')
    """
    return "" if basis_points is None else str(Decimal(basis_points).scaleb(-2))
