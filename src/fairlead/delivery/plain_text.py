"""Text that came from a person or from another machine, made harmless for one line or for a screen."""

import unicodedata

# Joiners shape words in several scripts and hold emoji together; the rest of their category only deceives.
_ZERO_WIDTH_JOINERS = "\u200c\u200d"
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs")


def one_line(text: str) -> str:
    """The text as one line: breaks and runs of white space are one space, what cannot be seen is gone.

    Gone are control characters, lone surrogates, and what turns the direction of writing around.

    >>> one_line(" Bcc:\\r\\n eve\\u202e\\u2028 now\\x00 ")
    'Bcc: eve now'
    """
    return " ".join(_seen(" ".join(text.split())).split())


def for_a_screen(text: str) -> str:
    """The text with its line breaks and tabs, and without what could steer a terminal.

    >>> for_a_screen("one\\r\\n\\x1b[2Jtwo\\tthree")
    'one\\n[2Jtwo\\tthree'
    """
    return "\n".join("\t".join(_seen(cell) for cell in line.split("\t")) for line in text.splitlines())


def _seen(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        each for each in text if each in _ZERO_WIDTH_JOINERS or unicodedata.category(each) not in _UNSEEN_CATEGORIES
    )
