"""How amounts are written for people, by every part that shows one."""

# ISO 4217: the currencies whose minor unit is not a hundredth. No library that is here knows them.
_DIGITS_OF_CURRENCY = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def decimal_text(cents: int, currency: str) -> str:
    """An amount as a decimal number, with as many places as the currency has and nothing else.

    >>> decimal_text(123450, "EUR"), decimal_text(-5, "EUR"), decimal_text(1234, "JPY")
    ('1234.50', '-0.05', '1234')
    """
    digits = _DIGITS_OF_CURRENCY.get(currency, 2)
    whole, fraction = divmod(abs(cents), 10**digits)
    return f"{'-' if cents < 0 else ''}{whole}" + (f".{fraction:0{digits}d}" if digits else "")


def money(cents: int, currency: str) -> str:
    """An amount in the currency's minor unit, with as many decimal places as the currency has.

    >>> money(123450, "EUR"), money(-5, "EUR"), money(1234, "JPY"), money(1234, "KWD")
    ('1,234.50 EUR', '-0.05 EUR', '1,234 JPY', '1.234 KWD')
    """
    digits = _DIGITS_OF_CURRENCY.get(currency, 2)
    whole, fraction = divmod(abs(cents), 10**digits)
    sign = "-" if cents < 0 else ""
    decimals = f".{fraction:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{decimals} {currency}"
