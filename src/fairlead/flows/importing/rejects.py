"""The file of rejected rows: written beside the import, and read again once they are put right."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from fairlead.core.errors import BadInput
from fairlead.flows.importing.lead_file import CELL_TOO_LONG, ROW_TOO_LONG, UNMATCHED_QUOTES, LeadFile, Row
from fairlead.flows.importing.text_lines import KEEP_BYTES

ADDED_COLUMNS = ("line", "reason")
"""What a file of rejected rows has behind the columns of the file that they came from."""

ROWS_IN_A_CELL = "a quoted cell holds lines that are rows of this file: a quote is missing, or one too many"
WRONG_WIDTH = "has {found:,} columns where the header has {wanted:,}"

_AS_IT_IS = " (put the row right; if it is right as it is, empty this cell)"
_WIDTH = re.compile(r"has ([\d,]+) columns where the header has ([\d,]+)")


def guessed_still(reason: str, cells: Sequence[str], delimiter: str) -> str | None:
    """Why a row that was rejected for this reason is so again; None where it is to be read as it stands.

    Which cell is which was a guess where a row was too short or too long or its quotes did not match. While the cells
    stand as they were written then, it still is one, and a guess is never sold: until they are changed, or the reason
    is emptied.

    >>> guessed_still("has 2 columns where the header has 3", ["41", "Oslo", ""], ",")[:53]
    'has 2 columns where the header has 3 (put the row rig'
    >>> guessed_still("has 2 columns where the header has 3", ["41", "Oslo", "x"], ",")
    >>> guessed_still("Age: must be a number such as 42, -3 or 0.5", ["41", "", ""], ",")
    """
    if (width := _WIDTH.match(reason)) is not None:
        found, wanted = (int(number.replace(",", "")) for number in width.groups())
        stands = not any(cells[found:]) if found < wanted else cells[-1].count(delimiter) >= found - wanted
    elif reason.startswith((UNMATCHED_QUOTES, CELL_TOO_LONG, ROW_TOO_LONG)):
        stands = not any(cells[1:])
    elif reason.startswith(ROWS_IN_A_CELL):
        stands = any("\n" in cell or "\r" in cell for cell in cells)
    else:
        return None
    return reason.removesuffix(_AS_IT_IS) + _AS_IT_IS if stands else None


class Rejects:
    """The rejected rows as a file of the same make: the `own` columns as they came, then `line` and `reason`.

    The file is only created for the first of them. Rows that are put right can be imported from it, as it is.
    """

    def __init__(self, path: Path, source: LeadFile, own: int) -> None:
        self.path = path
        self.count = 0
        self._source = source
        self._own = own
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
        try:
            self._write(self._file or self._open(), [*self._cells(row.cells), str(row.line), reason])
        except OSError as error:
            raise BadInput([f"cannot write the rejected rows to {self.path}: {error.strerror}"]) from None
        self.count += 1

    def _cells(self, given: Sequence[str]) -> list[str]:
        own, cells = self._own, list(given[: self._own])
        # What was added to a row is not the lead's own, and gives way to what is added now.
        if len(given) > own and len(given) != len(self._source.header):
            cells[-1] = self._source.delimiter.join(given[own - 1 :])
        return cells + [""] * (own - len(cells))

    def _open(self) -> TextIO:
        file = self.path.open("w", encoding=self._source.encoding, errors=KEEP_BYTES, newline="")
        self._file = file
        file.write(self._source.sep_line)
        self._write(file, [*self._source.header[: self._own], *ADDED_COLUMNS])
        return file

    def _write(self, file: TextIO, cells: Sequence[str]) -> None:
        csv.writer(file, delimiter=self._source.delimiter).writerow(cells)
