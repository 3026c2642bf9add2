"""How amounts, times and long texts are written in messages: plainly, and the same in every language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

# ISO 4217: the currencies whose minor unit is not a hundredth. No library that is here knows them.
_DIGITS_OF_CURRENCY = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


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


def local_time(moment: datetime, timezone: str) -> str:
    """A moment as the clocks show it in the time zone; in UTC, and saying so, where the zone is not known.

    Raises ValueError for a time that does not know its own zone.

    >>> local_time(datetime(2026, 3, 1, 13, 5, tzinfo=UTC), "Europe/Berlin")
    '2026-03-01 14:05 (Europe/Berlin)'
    """
    if moment.tzinfo is None:
        raise ValueError("a time needs its time zone")
    try:
        zone, name = ZoneInfo(timezone), timezone
    except (KeyError, ValueError, OSError):  # unknown; no name of a zone; a directory of zones
        zone, name = UTC, "UTC"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({name})"


def indented(text: str) -> str:
    """The text with its further lines set in by four spaces, so that none can pass for a line of the message.

    >>> indented("one\\ntwo")
    'one\\n    two'
    """
    return "\n    ".join(text.splitlines())
