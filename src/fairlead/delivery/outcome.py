"""What became of one attempt to deliver, whatever the channel."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_ANSWER_CHARACTERS = 500
MASK = "***"

# A quoted local part may hold spaces and brackets; every other address is one word.
_QUOTED_ADDRESS_OR_WORD = re.compile(r'"(?:[^"\\]++|\\.)*+"@[^\s<>"]*+|[^\s<>"]++')
_SIGNS_OF_AN_ADDRESS = ("@", "%40")


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it. `answer` is what it said, made safe by `safe_line`."""

    answer: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The other side did not take it, or there is no way to know whether it did.

    `answer` says why, made safe by `safe_line`. `is_permanent`: trying again cannot help. `is_gone`: the receiver
    asked never to be called again (HTTP 410). `retry_after_seconds`: how long the receiver asked to be left alone.
    """

    answer: str
    is_permanent: bool
    is_gone: bool = False
    retry_after_seconds: float | None = None


Delivery = Sent | NotSent


def safe_line(answer: str, personal: Iterable[str] = ()) -> str:
    """The answer as one line that may be stored and logged: at most 500 characters, all of them printable.

    Line breaks are spaces, other control and invisible characters are gone. Whatever looks like an email address is
    masked, for servers repeat the recipient; so is each text of `personal` where it stands as words of its own, in
    whatever case.

    >>> safe_line("550 5.1.1 <ann@example.com>:\\r\\nno such\\x00 user Ann", ["ann"])
    '550 5.1.1 <***>: no such user ***'
    """
    line = " ".join("".join(each for each in answer if each.isprintable() or each.isspace()).split())
    line = _QUOTED_ADDRESS_OR_WORD.sub(_masked_if_address, line)
    for text in sorted(personal, key=len, reverse=True):
        if words := text.strip():
            line = re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", MASK, line, flags=re.IGNORECASE)
    return line if len(line) <= MAX_ANSWER_CHARACTERS else line[: MAX_ANSWER_CHARACTERS - 1] + "…"


def _masked_if_address(word: re.Match[str]) -> str:
    return MASK if any(sign in word[0] for sign in _SIGNS_OF_AN_ADDRESS) else word[0]
