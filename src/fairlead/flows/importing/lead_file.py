"""A file of leads: its rows with the lines they stand on, and the file of those that were rejected.

Delimited text as spreadsheets write it: quoted cells may hold line breaks, a byte order mark is skipped. A
row that cannot be read costs that row and no other. Memory does not grow with the file.
"""

import codecs
import csv
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TextIO, cast

from fairlead.core.errors import BadInput

DELIMITERS = (",", ";", "\t", "|")
"""Those among which the header decides when none is given."""

UNDECODABLE = re.compile("[\udc00-\udcff]")
_HANDLER = "fairlead.keep_bytes"


def _keep_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Undecodable bytes as lone surrogates, and back: a rejected row is written with the bytes it came with.

    Python's own `surrogateescape` does this for bytes above 127 only, and some codecs refuse others too.
    """
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        character = error.object[error.start]
        is_byte = UNDECODABLE.match(character) and not error.encoding.startswith(("utf-16", "utf-32"))
        return (bytes([ord(character) & 0xFF]) if is_byte else "?"), error.start + 1
    raise error


codecs.register_error(_HANDLER, _keep_bytes)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the physical line that it begins on, its cells, and why it cannot be used, if it cannot."""

    line: int
    cells: Sequence[str]
    complaint: str | None = None


class LeadFile:
    """The rows of a file, after its header. A context manager; `BadInput` for what cannot be read at all."""

    def __init__(self, path: Path, delimiter: str | None, encoding: str) -> None:
        self.path = path
        self.encoding = encoding
        self._text = _open(path, encoding)
        self._lines = _Lines(self._text, path, encoding)
        try:
            self.delimiter = delimiter or _sniff(self._lines)
            self._rows = self._read()
            self.header = self._read_header()
        except BaseException:
            self._text.close()
            raise

    def __enter__(self) -> "LeadFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    @property
    def characters_read(self) -> int:
        """How much text has been taken from the file."""
        return self._lines.characters

    def share_read(self) -> float | None:
        """How much of the file has been read, 0 to 1; None for what has no size, as a pipe."""
        status = os.fstat(self._text.fileno())
        if not stat.S_ISREG(status.st_mode) or not status.st_size:
            return None
        return min(1.0, cast(BinaryIO, self._text.buffer).tell() / status.st_size)

    def _read_header(self) -> list[str]:
        row = next(self._rows, None)
        if row is None:
            raise BadInput([f"{self.path} is empty: its first row must name the columns"])
        if row.complaint is not None:
            raise BadInput([f"{self.path}: the header cannot be read: {row.complaint}"])
        return [name.strip() for name in row.cells]

    def _read(self) -> Iterator[Row]:
        # Strict: a quote that is not closed is found where the next one stands, not at the end of the file.
        reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        while True:
            self._lines.taken.clear()
            line = self._lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # Only the first line is given up: the next row may well begin on the second.
                self._lines.give_back(keep=1)
                raw = self._lines.taken[0].rstrip("\r\n")
                yield Row(line, [raw], "the quotes do not match: a quote within a quoted cell is written twice")
                continue
            if cells:
                yield Row(line, cells, self._lines.complaint())


class _Lines:
    """The physical lines of a file, countable and returnable; `taken` are those since it was last cleared."""

    def __init__(self, text: TextIO, path: Path, encoding: str) -> None:
        self._text = text
        self._path = path
        self._encoding = encoding
        self._returned: list[str] = []
        self.taken: list[str] = []
        self.number = 0
        self.characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._returned:
            line = self._returned.pop()
        else:
            try:
                line = next(self._text)
            except UnicodeError:
                raise BadInput([f"{self._path} cannot be read as {self._encoding}"]) from None
            except OSError as error:
                raise BadInput([f"cannot read {self._path}: {error.strerror}"]) from None
            if not self.characters:
                line = line.removeprefix("\ufeff")
            self.characters += len(line) or 1
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, keep: int) -> None:
        """The taken lines but the first `keep` will come again."""
        back = self.taken[keep:]
        del self.taken[keep:]
        self._returned.extend(reversed(back))
        self.number -= len(back)

    def complaint(self) -> str | None:
        """What is wrong with the characters of the lines taken."""
        for line in self.taken:
            if "\x00" in line:
                return "holds a NUL character"
            if not line.isascii() and (found := UNDECODABLE.search(line)):
                byte = ord(found[0]) & 0xFF
                return f"is not {self._encoding}: byte 0x{byte:02x} (perhaps --encoding latin-1)"
        return None


def _open(path: Path, encoding: str) -> io.TextIOWrapper:
    try:
        return path.open(encoding=encoding, errors=_HANDLER, newline="")
    except LookupError:
        raise BadInput([f"{encoding!r} is no text encoding that is known here"]) from None
    except OSError as error:
        raise BadInput([f"cannot read {path}: {error.strerror}"]) from None


def _sniff(lines: _Lines) -> str:
    """The delimiter that divides the header into the most cells."""
    widths: dict[str, int] = {}
    for delimiter in DELIMITERS:
        lines.taken.clear()
        try:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            widths[delimiter] = next((len(cells) for cells in reader if cells), 0)
        except csv.Error:
            widths[delimiter] = 0
        lines.give_back(keep=0)
    return max(widths, key=lambda delimiter: widths[delimiter])


class Rejects:
    """The rejected rows as a file of the same make: the columns as they came, then `line` and `reason`.

    The file is only created for the first of them. Rows that are put right can be imported from it.
    """

    def __init__(self, path: Path, source: LeadFile) -> None:
        self.path = path
        self.count = 0
        self._source = source
        self._file: TextIO | None = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        """The row is in the file. Surplus cells stay together in the last column."""
        width = len(self._source.header)
        cells = list(row.cells[:width])
        if len(row.cells) > width:
            cells[-1] = self._source.delimiter.join(row.cells[width - 1 :])
        cells += [""] * (width - len(cells))
        try:
            self._write(self._file or self._open(), [*cells, str(row.line), reason])
        except OSError as error:
            raise BadInput([f"cannot write the rejected rows to {self.path}: {error.strerror}"]) from None
        self.count += 1

    def _open(self) -> TextIO:
        file = self.path.open("w", encoding=self._source.encoding, errors=_HANDLER, newline="")
        self._file = file
        self._write(file, [*self._source.header, "line", "reason"])
        return file

    def _write(self, file: TextIO, cells: Sequence[str]) -> None:
        csv.writer(file, delimiter=self._source.delimiter).writerow(cells)
