"""Characters that no text holds, and where they stand."""

import re
from collections.abc import Sequence

# NUL; the C1 controls, which are quotes, dashes and the euro sign in a wrong encoding; bytes that are no character.
_NO_TEXT = re.compile("[\x00\x80-\x9f\udc00-\udcff]")


def holds_no_text(text: str) -> bool:
    r"""Whether a character in it is none that text holds.

    >>> holds_no_text("Zoë"), holds_no_text("O\x92Brien")
    (False, True)
    """
    return "\x00" in text if text.isascii() else _NO_TEXT.search(text) is not None


def no_text_among(cells: Sequence[str], header: Sequence[str]) -> tuple[str, str, str] | None:
    r"""The first such character, where it stands, and the cell; None where there is none.

    >>> no_text_among(["41", "a\x00"], ["age", "city"])[1]
    "at character 2 of 'city'"
    """
    for number, cell in enumerate(cells):
        if (found := _NO_TEXT.search(cell)) is not None:
            name = header[number] if number < len(header) else ""
            column = f"{name!r}" if name else f"column {number + 1}"
            return found[0], f"at character {found.start() + 1:,} of {column}", cell
    return None


def no_text_complaint(character: str, where: str, advice: str) -> str:
    r"""What is wrong with a NUL or a control character.

    >>> no_text_complaint("\x92", "at character 2 of 'city'", "perhaps --encoding cp1252")
    "holds the control character U+0092 at character 2 of 'city' (perhaps --encoding cp1252)"
    """
    what = "a NUL character" if character == "\x00" else f"the control character U+{ord(character):04X}"
    return f"holds {what} {where}" + (f" ({advice})" if advice else "")
