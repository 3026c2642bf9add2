"""Text that people type, on one line or several: one writing for canonically equal texts, and nothing that is not seen.

Refused are control characters, what ends a line within one, what turns the direction of writing around, and what
PostgreSQL cannot keep: none can be seen, and each could make a line of a ledger look like another one. Every space that
Unicode knows, joiners (which shape words in several scripts and hold emoji together) and soft hyphens are text.
"""

import re
import unicodedata

from fairlead.core.entry.refusal import EntryRefused

LONGEST_NAME = 200
MAX_INDEXED_BYTES = 2_600
"""What an index over text takes (PostgreSQL's limit is 2,704 bytes), with room for a column beside it."""

_UNSEEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"

LINE_PATTERN = rf"^[^\s{_UNSEEN}]([^\t\n\r{_UNSEEN}]*[^\s{_UNSEEN}])?$"
"""One line with no spaces around it, as it is stored. For schemas; the length comes beside it."""

WORDS_PATTERN = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*$"
"""What a person wrote on one line or several. For schemas; the length comes beside it."""

_LINE, _WORDS = re.compile(LINE_PATTERN), re.compile(WORDS_PATTERN)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_HIDDEN = re.compile(rf"[{_UNSEEN}]")
_ESCAPED = re.compile(rf"[\t\n\r\ud800-\udfff{_UNSEEN}]")
# What a spreadsheet puts where a formula failed.
_ERROR_VALUE = re.compile(
    r"#(NUM|REF|VALUE|SPILL|CALC|NULL|BLOCKED|FIELD|BUSY)!|#DIV/0!|#NAME\?|#N/A|#+", re.IGNORECASE
)
# Only before what can be a telephone number or a postal code: any text may begin with a letter and a colon.
_EXPORT_PREFIX = re.compile(
    r"p:\s?(?=[+(\d][\d()+./ x-]{3,40}$)|z:\s?(?=[A-Z -]{0,8}\d)(?=[\dA-Z -]{2,12}$)", re.IGNORECASE
)


def is_storable(text: str) -> bool:
    r"""Whether PostgreSQL can store this text: no NUL and no lone surrogate.

    >>> is_storable("café"), is_storable("a\x00b"), is_storable("\ud800")
    (True, False, False)
    """
    return _UNSTORABLE.search(text) is None


def composed(text: str) -> str:
    r"""The text in Unicode's composed normal form (NFC): canonically equal texts are equal.

    >>> composed("Ko\u0308ln") == "K\u00f6ln"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def canonical_line(text: str, longest: int = LONGEST_NAME, *, shortest: int = 1) -> str:
    r"""The text composed and without the spaces around it, on one line.

    Raises `EntryRefused` unless it has `shortest` to `longest` characters, one of which can be seen.

    >>> canonical_line("  Jo\u0308rg M\u00fcller\u3000"), canonical_line("\u5c71\u7530\u3000\u592a\u90ce")
    ('Jörg Müller', '山田\u3000太郎')
    >>> canonical_line("a\nb")
    Traceback (most recent call last):
    fairlead.core.entry.refusal.EntryRefused: must be one line of 1 to 200 characters that can be shown
    """
    # The length comes first: what is composed and searched is short. Composing never makes a text three times as long.
    line = composed(text[: 3 * longest + 2]).strip() if len(text) <= 3 * longest else ""
    if not shortest <= len(line) <= longest or not _LINE.fullmatch(line) or not _has_substance(line):
        raise EntryRefused(
            "not_one_line", f"must be one line of {shortest:,} to {longest:,} characters that can be shown"
        )
    return line


def canonical_words(text: str, longest: int) -> str:
    r"""The text composed, its lines ended by `\n` alone and without spaces at their ends, nothing around it.

    Raises `EntryRefused` unless it has 1 to `longest` characters, one of which can be seen.

    >>> canonical_words(" no answer \r\ncalled twice ", 100)
    'no answer\ncalled twice'
    """
    words = ""
    if len(text) <= 3 * longest and not _HIDDEN.search(text):
        words = "\n".join(line.rstrip() for line in composed(text).strip().splitlines())
    if not 1 <= len(words) <= longest or not _WORDS.fullmatch(words) or not _has_substance(words):
        raise EntryRefused("not_words", f"must be 1 to {longest:,} characters that can be shown")
    return words


def shortened_line(text: str, longest: int) -> str:
    r"""As much of the text as fits, composed and on one line: what cannot be shown is a space, several are one.

    For what only serves statistics: nothing is refused, and what is left may be empty.

    >>> shortened_line(" spring\tsale\x00 2026 ", 11)
    'spring sale'
    """
    shown = composed(_UNSTORABLE.sub(" ", _HIDDEN.sub(" ", text[: 3 * longest])))
    return " ".join(shown.split())[:longest].rstrip()


def escaped_line(text: str) -> str:
    r"""The text on one line, for a terminal or a log: what cannot be shown is written as an escape.

    >>> print(escaped_line("no niche 'a\x9bb\n'"))
    no niche 'a\x9bb\n'
    """
    return _ESCAPED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def is_error_value(text: str) -> bool:
    """Whether this is what a spreadsheet shows where a formula failed or a column was too narrow.

    >>> is_error_value("#NUM!"), is_error_value("#N/A"), is_error_value("###"), is_error_value("#1 Plumbing")
    (True, True, True, False)
    """
    return _ERROR_VALUE.fullmatch(text.strip()) is not None


def without_export_prefix(text: str) -> str:
    """The text without the mark that exports of ad platforms set before telephone numbers and postal codes.

    >>> without_export_prefix("p:+49305550102"), without_export_prefix("z:02134"), without_export_prefix("p: x")
    ('+49305550102', '02134', 'p: x')
    """
    found = _EXPORT_PREFIX.match(text)
    return text if found is None else text[found.end() :]


def comparable(text: str) -> str:
    """The text as it is compared: NFKC, without regard to case, one space where there are several, none around it.

    >>> comparable("  Straße\\u00a0 \\uff2e\\uff2f. 1 ")
    'strasse no. 1'
    """
    # Unicode's definition D146 (compatibility caseless matching): folding may undo the normal form, and the reverse.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    folded = unicodedata.normalize("NFKC", folded.casefold())
    return " ".join(folded.split())


def _has_substance(text: str) -> bool:
    """Whether anything is left when joiners, fillers and lone surrogates are taken away."""
    return is_storable(text) and any(unicodedata.category(each) not in ("Cf", "Cc", "Zs", "Zl", "Zp") for each in text)
