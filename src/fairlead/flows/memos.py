"""Why a person did something, in their own words."""

from fairlead.core.errors import BadInput

SHORTEST_MEMO = 10
LONGEST_MEMO = 1000


def checked_memo(memo: str, longest: int = LONGEST_MEMO) -> str:
    """The memo without the spaces around it. Raises `BadInput` unless it is one line of 10 to `longest` characters.

    It goes into ledgers and the audit log, which nobody can change afterwards.

    >>> checked_memo("  the number is not in use ")
    'the number is not in use'
    """
    stripped = memo.strip()
    if not SHORTEST_MEMO <= len(stripped) <= longest or not stripped.isprintable():
        raise BadInput([f"memo: must be one line of {SHORTEST_MEMO} to {longest} characters"])
    return stripped


def checked_words(text: str, name: str, longest: int) -> str:
    """What a provider wrote, without the spaces around it; it may have several lines.

    Raises `BadInput`, naming the field, unless it has 1 to `longest` characters that can be shown.
    """
    lines = [line.rstrip() for line in text.strip().splitlines()]
    words = "\n".join(lines)
    if not 1 <= len(words) <= longest or not all(line.replace("\t", " ").isprintable() for line in lines):
        raise BadInput([f"{name}: must be 1 to {longest} characters that can be shown"])
    return words
