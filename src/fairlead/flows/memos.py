"""Why a person did something, in their own words."""

import re

from fairlead.core.entry.text import is_storable
from fairlead.core.errors import BadInput

SHORTEST_MEMO = 10
LONGEST_MEMO = 1000

# Control characters, what ends a line, and what turns the direction of writing around: none can be seen, and each could
# make a line of a ledger look like another one.
_UNSEEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"

MEMO_PATTERN = rf"^[^\s{_UNSEEN}][^\t\n\r{_UNSEEN}]*[^\s{_UNSEEN}]$"
"""A memo, as it is stored. For schemas; the length comes beside it."""

WORDS_PATTERN = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*$"
"""What a person wrote on one line or several. For schemas; the length comes beside it."""

LINE_PATTERN = rf"^[^\s{_UNSEEN}]([^\t\n\r{_UNSEEN}]*[^\s{_UNSEEN}])?$"
"""One line with no spaces around it, as names and short reasons are. For schemas; the length comes beside it."""

_MEMO, _WORDS = re.compile(MEMO_PATTERN), re.compile(WORDS_PATTERN)


def checked_memo(memo: str, longest: int = LONGEST_MEMO) -> str:
    """The memo without the spaces around it. Raises `BadInput` unless it is one line of 10 to `longest` characters.

    It goes into ledgers and the audit log, which nobody can change afterwards.

    >>> checked_memo("  the number is not in use ")
    'the number is not in use'
    """
    stripped = memo.strip()
    if not SHORTEST_MEMO <= len(stripped) <= longest or not _MEMO.fullmatch(stripped) or not is_storable(stripped):
        raise BadInput([f"memo: must be one line of {SHORTEST_MEMO} to {longest} characters"])
    return stripped


def checked_words(text: str, name: str, longest: int) -> str:
    r"""What a provider wrote, without the spaces around it; it may have several lines.

    Raises `BadInput`, naming the field, unless it has 1 to `longest` characters that can be shown.

    >>> checked_words(" nobody answers \r\ncalled twice ", "note", 100)
    'nobody answers\ncalled twice'
    """
    words = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not 1 <= len(words) <= longest or not _WORDS.fullmatch(words) or not is_storable(words):
        raise BadInput([f"{name}: must be 1 to {longest} characters that can be shown"])
    return words
