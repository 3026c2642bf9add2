"""How the text of a file is encoded, as its first bytes say."""

import codecs

FIRST_BYTES = 4
"""So many of a file's first bytes hold its mark."""

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_by_mark(first_bytes: bytes) -> str | None:
    r"""The encoding whose byte order mark the text begins with, None where there is no mark.

    Text that is read in this encoding does not hold the mark, and text that is written in it begins with one.

    >>> encoding_by_mark(b"\xff\xfea\x00"), encoding_by_mark(b"\xef\xbb\xbfa"), encoding_by_mark(b"a,b,")
    ('utf-16', 'utf-8-sig', None)
    """
    return next((encoding for mark, encoding in _MARKS if first_bytes.startswith(mark)), None)


def decoded(content: bytes) -> str:
    r"""The text of a whole file: in the encoding of its mark, else in UTF-8. Raises `UnicodeDecodeError`.

    >>> decoded("ä".encode("utf-16")), decoded("\ufeffä".encode()), decoded("ä".encode())
    ('ä', 'ä', 'ä')
    """
    return content.decode(encoding_by_mark(content[:FIRST_BYTES]) or "utf-8")
