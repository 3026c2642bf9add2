"""Why a person did something, in their own words."""

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import LINE_PATTERN, WORDS_PATTERN, canonical_line, canonical_words
from fairlead.core.errors import BadInput

__all__ = [
    "LINE_PATTERN",
    "LONGEST_MEMO",
    "MEMO_PATTERN",
    "SHORTEST_MEMO",
    "WORDS_PATTERN",
    "checked_line",
    "checked_memo",
    "checked_words",
]

SHORTEST_MEMO = 10
LONGEST_MEMO = 1000
MEMO_PATTERN = LINE_PATTERN
"""A memo, as it is stored. For schemas; the length comes beside it."""


def checked_memo(memo: str, longest: int = LONGEST_MEMO) -> str:
    """The memo without the spaces around it. Raises `BadInput` unless it is one line of 10 to `longest` characters.

    It goes into ledgers and the audit log, which cannot be changed afterwards.

    >>> checked_memo("  the number is not in use ")
    'the number is not in use'
    """
    return checked_line(memo, "memo", longest, shortest=SHORTEST_MEMO)


def checked_line(text: str, name: str, longest: int, *, shortest: int = 1) -> str:
    """The text as `canonical_line` makes it. Raises `BadInput`, naming the field, where that refuses it."""
    try:
        return canonical_line(text, longest, shortest=shortest)
    except EntryRefused as refused:
        raise BadInput([f"{name}: {refused.message}"]) from None


def checked_words(text: str, name: str, longest: int) -> str:
    r"""What a provider wrote, without the spaces around it; it may have several lines.

    Raises `BadInput`, naming the field, unless it has 1 to `longest` characters that can be shown.

    >>> checked_words(" no answer \r\ncalled twice ", "note", 100)
    'no answer\ncalled twice'
    """
    try:
        return canonical_words(text, longest)
    except EntryRefused as refused:
        raise BadInput([f"{name}: {refused.message}"]) from None
