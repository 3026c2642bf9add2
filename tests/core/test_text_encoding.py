"""The encoding of a file's text, by its mark."""

import pytest

from fairlead.core.text_encoding import decoded, encoding_by_mark


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_in_the_unicode_encoding_its_mark_names(encoding: str) -> None:
    assert decoded("Müller, 東京\n".encode(encoding)) == "Müller, 東京\n"


def test_both_byte_orders_and_no_mark() -> None:
    assert decoded(b"\xfe\xff" + "ä".encode("utf-16-be")) == "ä"
    assert decoded(b"\x00\x00\xfe\xff" + "ä".encode("utf-32-be")) == "ä"
    assert encoding_by_mark(b"") is None
    assert encoding_by_mark(b"\xff") is None
    with pytest.raises(UnicodeDecodeError):
        decoded(b"\xe4")
