"""The lines of a text file: counted, returnable, and never more of them in memory than a row may have."""

import codecs
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fairlead.core.errors import BadInput
from fairlead.core.text_encoding import FIRST_BYTES, encoding_by_mark
from fairlead.flows.importing.lead_file import LONGEST_ROW

KEEP_BYTES = "fairlead.keep_bytes"
"""The error handler by which undecodable bytes are read and written back."""

_UNDECODABLE = re.compile("[\udc00-\udcff]")


def _keep_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Undecodable bytes as lone surrogates, and back: a rejected row is written with the bytes it came with.

    Python's own `surrogateescape` does this for bytes above 127 only, and some codecs refuse others too.
    """
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        character = error.object[error.start]
        is_byte = _UNDECODABLE.match(character) and not error.encoding.startswith(("utf-16", "utf-32"))
        return (bytes([ord(character) & 0xFF]) if is_byte else "?"), error.start + 1
    raise error


codecs.register_error(KEEP_BYTES, _keep_bytes)


class RowTooLong(Exception):
    """The lines taken have `LONGEST_ROW` characters or more."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file reading has come to."""

    position: int
    returned: tuple[str, ...]
    number: int
    characters: int


class FileLines:
    """An iterator over the lines of a file; `taken` are those since `take_anew`, `number` is that of the last one.

    Of a line of more than `LONGEST_ROW` characters only the first part is taken. Raises `BadInput` for a file that
    cannot be read, and `RowTooLong` with the lines taken so far in `taken`.
    """

    def __init__(self, file: BinaryIO, path: Path, encoding: str | None) -> None:
        self._path = path
        self._bytes = file
        self._text, self.encoding = _as_text(file, encoding)
        self._size = os.fstat(file.fileno()).st_size
        self._returned: list[str] = []
        self._room = LONGEST_ROW
        self._ended = True
        self.taken: list[str] = []
        self.number = 0
        self.characters = 0

    def close(self) -> None:
        """The file is closed."""
        self._text.close()

    def share_read(self) -> float | None:
        """How much of the file has been read, 0 to 1; None for a file that is empty."""
        return min(1.0, self._bytes.tell() / self._size) if self._size else None

    def __iter__(self) -> "FileLines":
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else self._read()
        self.number += 1
        self.taken.append(line)
        self._room -= len(line)
        if self._room <= 0:
            raise RowTooLong
        return line

    def _read(self) -> str:
        try:
            line = self._text.readline(LONGEST_ROW)
        except UnicodeError:
            raise BadInput([f"{self._path} cannot be read as {self.encoding}"]) from None
        except OSError as error:
            raise BadInput([f"cannot read {self._path}: {error.strerror}"]) from None
        if not line:
            raise StopIteration
        if not self.characters:
            line = line.removeprefix("\ufeff")
        self.characters += len(line) or 1
        return line

    def take_anew(self) -> None:
        """A row begins: no line has been taken."""
        self.taken.clear()
        self._room = LONGEST_ROW

    def give_back(self, keep: int) -> None:
        """The taken lines but the first `keep` will come again."""
        back = self.taken[keep:]
        del self.taken[keep:]
        self._room += sum(map(len, back))
        self.number -= len(back)
        self._returned.extend(reversed(back))

    def look_ahead(self) -> _Place:
        """What comes behind the lines taken is read by `piece`; the place is where to go `back` to."""
        self._ended = _is_whole(self.taken[-1])
        return _Place(self._text.tell(), tuple(self._returned), self.number, self.characters)

    def piece(self) -> str:
        """The next line, or as much of it as is kept at once; it does not count as taken."""
        line = self._returned.pop() if self._returned else self._read()
        self.number += self._ended
        self._ended = _is_whole(line)
        return line

    def back(self, place: _Place) -> None:
        """What was read since `look_ahead` will come again."""
        self._text.seek(place.position)
        self._returned = list(place.returned)
        self.number, self.characters = place.number, place.characters

    def skip_line(self) -> None:
        """The rest of the last line taken has been passed over, where it came in part."""
        self._ended = _is_whole(self.taken[-1])
        while not self._ended:
            try:
                self.piece()
            except StopIteration:
                return


def _is_whole(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _as_text(file: BinaryIO, said: str | None) -> tuple[io.TextIOWrapper, str]:
    """The file as text, and in which encoding: what its byte order mark says, else what was said, else UTF-8."""
    mark = encoding_by_mark(file.read(FIRST_BYTES))
    try:
        chosen = said or mark or "utf-8"
        # No other text begins with the mark of UTF-16; that of UTF-8 is passed over where the text is said to be none.
        if mark is not None and (mark != "utf-8-sig" or codecs.lookup(chosen).name == "utf-8"):
            chosen = mark
        file.seek(len(codecs.BOM_UTF8) if mark == "utf-8-sig" and chosen != mark else 0)
        return io.TextIOWrapper(file, encoding=chosen, errors=KEEP_BYTES, newline=""), chosen
    except LookupError:
        raise BadInput([f"{said!r} is no text encoding that is known here"]) from None
