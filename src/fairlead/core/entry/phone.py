"""Telephone numbers: what is stored, and by what two of them are the same."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line, is_error_value, without_export_prefix

LONGEST_PHONE = 100
FEWEST_DIGITS, MOST_DIGITS = 5, 20
REGIONS: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Countries and territories whose numbers can be told from a national writing, such as `DE`."""

_DAMAGED = ("spreadsheet_error", "spreadsheet_rounded")
# 4.91512E+11: what a spreadsheet makes of a long number. Its last digits are gone.
_ROUNDED = re.compile(r"[+-]?\d([.,]\d*)?E\+?\d{1,3}", re.IGNORECASE)
# 4915112345678.0: a number that was a fraction on its way. Nothing is lost but the zero or plus that it began with.
_FRACTION = re.compile(r"(\d{5,20})\.0+")
# ="0305550102" and '0305550102: how text is kept text in a spreadsheet.
_KEPT_TEXT = re.compile(r'="([^"]*)"|\'(.*)')
_COUNTRY_BEFORE_TRUNK_ZERO = re.compile(r"[1-9]\d{0,2}\s*\(0\)")
_LETTER = re.compile(r"[^\W\d_]")
_SCHEME = re.compile(r"tel:", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:;ext=|ext\.?|extn\.?|extension|x|#|~)\s*:?\s*(\d{1,9})#?\s*$", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"[;/,|&]| or | oder ")
# Fewer digits than this beside letters are a number that is spelt, such as 1-800-FLOWERS.
_DIGITS_OF_A_NUMBER_WITH_WORDS = 7


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number: as it was `written`, without what an export put before it, and the `key` that is compared.

    The key is the number's E.164 form without the plus, with its extension behind an `x`; or the digits as they were
    written, where no country is known for them.
    """

    written: str
    key: str


def canonical_phone(text: str, region: str | None = None) -> Phone:
    """The telephone number that the text is; `region` is whose numbers are written without a country, such as `DE`.

    National and international writings of one number have one key, if `region` says where the national one is from.
    What the library cannot place, though it has 5 to 20 digits, is taken too and compared by its digits: a national
    number without a region, a range that is not known yet. Raises `EntryRefused` for anything else, and for numbers
    that a spreadsheet has damaged: those are wrong, and different ones have become the same.

    >>> canonical_phone("+49 (0)30 5550102").key == canonical_phone("030/5550102", "DE").key == "49305550102"
    True
    >>> canonical_phone("p:+49305550102"), canonical_phone("030 5550102").key
    (Phone(written='+49305550102', key='49305550102'), '0305550102')
    >>> canonical_phone("4.91512E+11")
    Traceback (most recent call last):
    fairlead.core.entry.refusal.EntryRefused: is a number that a spreadsheet has rounded; its last digits are lost
    """
    plain = "".join(each for each in text[: 3 * LONGEST_PHONE] if unicodedata.category(each) != "Cf").strip()
    if (kept := _KEPT_TEXT.fullmatch(plain)) is not None:
        plain = (kept[1] or kept[2] or "").strip()
    if plain[:2] in ("z:", "Z:"):
        raise EntryRefused("not_a_phone", "is marked as a postal code, and no telephone number")
    plain = without_export_prefix(plain)
    if is_error_value(plain):
        raise EntryRefused("spreadsheet_error", "is an error value of a spreadsheet, and no telephone number")
    if _ROUNDED.fullmatch(plain):
        raise EntryRefused(
            "spreadsheet_rounded", "is a number that a spreadsheet has rounded; its last digits are lost"
        )
    try:
        written = canonical_line(_FRACTION.sub(r"\1", plain) if _FRACTION.fullmatch(plain) else plain, LONGEST_PHONE)
    except EntryRefused:
        raise EntryRefused("not_a_phone", f"must be one line of at most {LONGEST_PHONE} characters") from None
    key = _key(written, region)
    if key is None:
        raise EntryRefused("not_a_phone", f"must be a telephone number of {FEWEST_DIGITS} to {MOST_DIGITS} digits")
    return Phone(written, key)


def phone_key(text: str, region: str | None = None) -> str:
    """By what the number is compared: `Phone.key`, or the digits where it is none, as in rows of long ago.

    Empty without any, and where a spreadsheet has damaged it: those of different people would be equal.

    >>> phone_key("+49 (30) 12-34 56"), phone_key("n/a")
    ('4930123456', '')
    """
    try:
        return canonical_phone(text, region).key
    except EntryRefused as refused:
        return "" if refused.code in _DAMAGED else digits_of(text).removeprefix("00")


def phone_search_keys(text: str, regions: Sequence[str]) -> tuple[str, ...]:
    """The keys under which leads with this number may be stored, where these are the regions in use.

    Also those of numbers that came before their region was known: national writings, and ones with a trunk zero.

    >>> phone_search_keys("+49 30 5550102", ["DE"])
    ('49305550102', '0305550102', '490305550102')
    >>> phone_search_keys("030/5550102", ["DE"])
    ('0305550102', '49305550102', '490305550102')
    """
    keys: dict[str, None] = {}
    for region in (None, *regions):
        try:
            keys[canonical_phone(text, region).key] = None
        except EntryRefused:
            keys[digits_of(text).removeprefix("00")] = None
        number = _placed(unicodedata.normalize("NFKC", text.strip()), region)
        if number is not None:
            national = digits_of(phonenumbers.national_significant_number(number))
            prefix = phonenumbers.ndd_prefix_for_region(phonenumbers.region_code_for_number(number) or "", True)
            keys[f"{number.country_code}{national}"] = None
            if prefix and prefix.isdecimal():
                keys[f"{prefix}{national}"] = None
                keys[f"{number.country_code}{prefix}{national}"] = None
    return tuple(key for key in keys if key)


def digits_of(text: str) -> str:
    r"""The decimal digits of the text, of whatever script.

    >>> digits_of("(030) \uff14\uff12")
    '03042'
    """
    return "".join(str(unicodedata.decimal(each)) for each in text if each.isdecimal())


def _key(written: str, region: str | None) -> str | None:
    """The key of the number, of the first one where there are several; None where it is no number."""
    spelt = unicodedata.normalize("NFKC", written)
    if "@" in spelt:
        return None
    several = _BETWEEN_NUMBERS.split(spelt)
    if len(several) > 1 and all(map(_stands_alone, several)):
        spelt = several[0].strip()
    spelt = _SCHEME.sub("", spelt, count=1) if _SCHEME.match(spelt) else spelt
    found = _EXTENSION.search(spelt)
    base = spelt[: found.start()] if found is not None else spelt
    if len(digits_of(base)) >= _DIGITS_OF_A_NUMBER_WITH_WORDS:
        # The library would read the letters of "+49 30 5550102 (office)" as further digits.
        base = _LETTER.sub("", base)
    digits = digits_of(base)
    number = _placed(base.strip(), region)
    # Three digits are possible numbers of many countries; a few small ones do have numbers of four.
    if number is not None and len(digits) < FEWEST_DIGITS and not phonenumbers.is_valid_number(number):
        number = None
    if number is not None:
        key = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    elif FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        key = digits.removeprefix("00")
    else:
        return None
    if found is not None:
        key = f"{key}x{digits_of(found[1])}"
    return key if len(digits_of(key)) >= FEWEST_DIGITS else None


def _stands_alone(text: str) -> bool:
    """Whether this is a whole number, and no later part of the one before."""
    begins_anew = text.lstrip().startswith(("+", "0", "("))
    return begins_anew and len(digits_of(text)) >= _DIGITS_OF_A_NUMBER_WITH_WORDS


def _placed(text: str, region: str | None) -> PhoneNumber | None:
    """The number with its country, None where none can be told."""
    if text.startswith("00"):
        return _parsed(text, region) or _parsed(f"+{text[2:]}", None)
    if _COUNTRY_BEFORE_TRUNK_ZERO.match(text):
        return _parsed(f"+{text}", None) or _parsed(text, region)
    return _parsed(text, region)


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
