"""What kind of picture some bytes are, and how large it is: told by the bytes, never by a name or a header.

Kinds that cannot carry a script: no SVG.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_BYTES = 200_000
MAX_SIDE_PIXELS = 2_000

_JPEG_WITHOUT_SIZE = frozenset({0xC4, 0xC8, 0xCC})  # among the markers of frames: tables


class NoPicture(ValueError):
    """The bytes are no picture that will do; the message says why, after its place."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that browsers show, as it says of itself."""

    media_type: str
    width_pixels: int
    height_pixels: int


def read_picture(content: bytes) -> Picture:
    """The kind and size of a PNG, JPEG or WebP picture of at most 200 kB and 2,000 pixels a side.

    Raises `NoPicture`.
    """
    if len(content) > MAX_BYTES:
        raise NoPicture(f"must have at most {MAX_BYTES // 1000} kB")
    for media_type, size_of in _SIZE_OF.items():
        size = size_of(content)
        if size is not None:
            width, height = size
            if not (1 <= width <= MAX_SIDE_PIXELS and 1 <= height <= MAX_SIDE_PIXELS):
                raise NoPicture(f"must have 1 to {MAX_SIDE_PIXELS:,} pixels a side")
            return Picture(media_type, width, height)
    raise NoPicture("must be a PNG, JPEG or WebP picture")


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return None
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if content[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in _JPEG_WITHOUT_SIZE:
            return int.from_bytes(content[place + 7 : place + 9]), int.from_bytes(content[place + 5 : place + 7])
        place += 2 + max(length, 2)
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L" and content[20] == 0x2F:
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    return None


_SIZE_OF: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}
