"""Lead files of delimited text, as spreadsheets and exports write it.

Quoted cells may hold line breaks; a byte order mark and a first line `sep=;` say how the text is to be read. A row that
cannot be read costs that row and no other. Memory does not grow with the file, nor with a row.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from fairlead.core.errors import BadInput
from fairlead.flows.importing.cell_text import holds_no_text, no_text_among, no_text_complaint
from fairlead.flows.importing.lead_file import CELL_TOO_LONG, LONGEST_CELL, ROW_TOO_LONG, UNMATCHED_QUOTES, Row
from fairlead.flows.importing.row_scan import RowScan
from fairlead.flows.importing.text_lines import FileLines, RowTooLong

DELIMITERS = (",", ";", "\t", "|")
"""Those among which the header decides when none is given."""

_SEP_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
# Bytes that are no character in Windows-1252, though Python reads the others.
_NOT_IN_CP1252 = re.compile("[\udc81\udc8d\udc8f\udc90\udc9d]")
_DEFAULTS = ("utf-8", "utf-8-sig", "ascii")
# Their control characters are letters and signs in Windows-1252, which has the same letters otherwise.
_ISO_8859 = ("iso8859-1", "iso8859-15")

csv.field_size_limit(LONGEST_CELL)


def is_delimiter(character: str) -> bool:
    """Whether cells can be divided by this.

    >>> is_delimiter(";"), is_delimiter(";;"), is_delimiter('"')
    (True, False, False)
    """
    return len(character) == 1 and character not in '"\r\n\0 '


class DelimitedFile:
    """A `LeadFile` of text. Raises `BadInput` for what cannot be read at all; the caller closes `file`."""

    def __init__(self, file: BinaryIO, path: Path, delimiter: str | None, encoding: str | None) -> None:
        self.path = path
        self._lines = FileLines(file, path, encoding)
        self.encoding = self._lines.encoding
        self.header: list[str] = []
        first, said = self._read_sep_line()
        self.delimiter = delimiter or said or _sniff(self._lines)
        # A file of the same make must not say another delimiter than it has.
        self.sep_line = first if said == self.delimiter else ""
        self._rows = self._read()
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    @property
    def characters_read(self) -> int:
        """How much text has been taken from the file."""
        return self._lines.characters

    def share_read(self) -> float | None:
        """How much of the file has been read, 0 to 1; None for a file that is empty."""
        return self._lines.share_read()

    def close(self) -> None:
        """The file is closed."""
        self._lines.close()

    def _read_sep_line(self) -> tuple[str, str | None]:
        """A first line that says the delimiter, as Excel understands it, and what it says."""
        try:
            first = next(self._lines)
        except (StopIteration, RowTooLong):
            first = ""
        found = _SEP_LINE.fullmatch(first)
        if found is None:
            self._lines.give_back(keep=0)
            return "", None
        if not is_delimiter(found[1]):
            raise BadInput([f"{self.path}: its first line, `sep=`, names no character that can divide cells"])
        return first, found[1]

    def _read_header(self) -> list[str]:
        row = next((row for row in self._rows if not row.is_empty(len(row.cells))), None)
        if row is None:
            raise BadInput([f"{self.path} is empty: its first row must name the columns"])
        if row.complaint is not None:
            raise BadInput([f"{self.path}: the header cannot be read: {row.complaint}"])
        return [name.strip() for name in row.cells]

    def _read(self) -> Iterator[Row]:
        lines = self._lines
        # Strict: a quote that is not closed is found where the next one stands, not at the end of the file.
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.take_anew()
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, RowTooLong):
                yield self._unreadable(line)
            else:
                complaint = self._complaint(cells) if any(map(holds_no_text, lines.taken)) else None
                yield Row(line, cells, complaint, len(lines.taken))

    def _unreadable(self, line: int) -> Row:
        """The row in which reading has ended: the whole of it where it has an end, else its first line."""
        lines = self._lines
        raw = lines.taken[0].rstrip("\r\n")[:LONGEST_CELL]
        scan = RowScan(self.delimiter)
        for piece in lines.taken:
            scan.feed(piece)
        if scan.goes_on:
            ahead = lines.look_ahead()
            while scan.goes_on:
                try:
                    scan.feed(lines.piece())
                except StopIteration:
                    scan.finish()
            if scan.state == "malformed":
                lines.back(ahead)
        if scan.state == "malformed":
            # The next row may well begin on the second line.
            lines.give_back(keep=1)
            lines.skip_line()
            return Row(line, [raw], UNMATCHED_QUOTES)
        reason = CELL_TOO_LONG if scan.longest_cell > LONGEST_CELL else ROW_TOO_LONG
        where = f" (lines {line:,} to {lines.number:,})" if lines.number > line else ""
        return Row(line, [raw], reason + where, lines.number - line + 1)

    def _complaint(self, cells: Sequence[str]) -> str | None:
        """What is no text in the cells, where it stands, and which encoding may be the right one."""
        found = no_text_among(cells, self.header)
        if found is None:
            return None
        character, where, cell = found
        codec = codecs.lookup(self.encoding).name
        if character >= "\udc00":
            perhaps = codec in _DEFAULTS and not _NOT_IN_CP1252.search(cell)
            advice = " (perhaps --encoding cp1252)" if perhaps else ""
            return f"is not {codec.removesuffix('-sig')}: byte 0x{ord(character) & 0xFF:02x} {where}{advice}"
        if character == "\x00":
            is_every_second = cell.count("\x00") * 3 > len(cell)
            return no_text_complaint(character, where, "perhaps --encoding utf-16-le" if is_every_second else "")
        is_latin = codec in _ISO_8859
        advice = "perhaps --encoding cp1252" if is_latin else "perhaps it was read in a wrong encoding before"
        return no_text_complaint(character, where, advice)


def _sniff(lines: FileLines) -> str:
    """The delimiter that divides the header into the most cells."""
    widths: dict[str, int] = {}
    for delimiter in DELIMITERS:
        lines.take_anew()
        try:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            widths[delimiter] = next((len(cells) for cells in reader if cells), 0)
        except (csv.Error, RowTooLong):
            widths[delimiter] = 0
        lines.give_back(keep=0)
    return max(widths, key=lambda delimiter: widths[delimiter])
