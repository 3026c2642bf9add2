"""Postcodes as filters compare them: in upper case, without spaces, hyphens and points."""

import re

MAX_POSTCODE_CHARS = 10
"""The longest postcodes in use have ten letters and digits. Ten also make an exact number: 36**10 is below 2**53."""

_SEPARATORS = str.maketrans("", "", " -.\N{NO-BREAK SPACE}")
_POSTCODE = re.compile(r"[0-9A-Z]{1,10}", re.ASCII)


def postcode_key(value: object) -> str | None:
    """The postcode as it is compared; None for what is none: no text, empty, longer, or of other characters.

    >>> postcode_key("sw1a 1aa"), postcode_key("00-950"), postcode_key("???"), postcode_key(10115)
    ('SW1A1AA', '00950', None, None)
    """
    if not isinstance(value, str) or len(value) > 4 * MAX_POSTCODE_CHARS:
        return None
    key = value.translate(_SEPARATORS).upper()
    return key if _POSTCODE.fullmatch(key) else None


def postcode_number(value: object, length: int) -> int | None:
    """The first `length` characters of a postcode as a number, in their order; None where there are not so many.

    >>> postcode_number("10115", 2), postcode_number("10115", 6)
    (36, None)
    >>> postcode_number("9Z", 2) < postcode_number("A0", 2)
    True
    """
    key = postcode_key(value)
    return None if key is None or len(key) < length else int(key[:length], 36)
