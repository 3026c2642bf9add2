"""Pictures are known by their bytes: three kinds, small ones, and nothing that only says that it is one."""

import struct
import zlib

import pytest

from fairlead.core.picture import MAX_BYTES, NoPicture, Picture, read_picture


def png(width: int = 3, height: int = 2) -> bytes:
    """A whole PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x1f\x5f\xbf" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
JPEG += b"\xff\xc0\x00\x11\x08\x00\x02\x00\x03\x03\x01\x22\0\x02\x11\1\x03\x11\1"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x02\x40\x00\x00" + b"\0" * 12
WEBP_X = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x02\0\0\x01\0\0"
WEBP_LOSSY = b"RIFF\x1a\0\0\0WEBPVP8 \x0a\0\0\0\x30\x01\x00\x9d\x01\x2a\x03\x00\x02\x00"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (png(), "image/png"),
        (JPEG, "image/jpeg"),
        (WEBP, "image/webp"),
        (WEBP_X, "image/webp"),
        (WEBP_LOSSY, "image/webp"),
    ],
)
def test_each_kind_says_its_size(content: bytes, media_type: str) -> None:
    assert read_picture(content) == Picture(media_type, 3, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a\x03\0\x02\0",
        b"<html>\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"<script>" * 5,
        b"\xff\xd8\xff<script>alert(1)</script>",
        b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 20,
        JPEG[:20],
    ],
)
def test_what_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(NoPicture, match="must be a PNG, JPEG or WebP picture"):
        read_picture(content)


def test_large_ones_are_refused() -> None:
    with pytest.raises(NoPicture, match="at most 200 kB"):
        read_picture(png() + b"\0" * MAX_BYTES)
    for width, height in ((2_001, 1), (1, 2_001), (0, 1), (2**31, 2**31)):
        head = png()[:16] + struct.pack(">II", width, height) + png()[24:]
        with pytest.raises(NoPicture, match="pixels a side"):
            read_picture(head)
