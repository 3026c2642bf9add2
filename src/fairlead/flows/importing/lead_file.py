"""What every kind of lead file gives: its rows, each with the line it stands on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LONGEST_CELL = 131_072
LONGEST_ROW = 1_000_000
"""In characters. What is longer rejects its row, and is not kept in memory."""

CELL_TOO_LONG = f"a cell is too long: it may have {LONGEST_CELL:,} characters"
ROW_TOO_LONG = f"the row is too long: it may have {LONGEST_ROW:,} characters"
UNMATCHED_QUOTES = "the quotes do not match: a quote within a quoted cell is written twice"


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the line that it begins on, its cells, and why it cannot be used, if it cannot.

    `lines` is how many lines it takes; in a workbook each row is a line.
    """

    line: int
    cells: Sequence[str]
    complaint: str | None = None
    lines: int = 1

    def is_empty(self, own_columns: int) -> bool:
        """Whether the leads' own columns hold nothing but spaces."""
        cells = self.cells
        if cells and cells[0].strip():
            return False
        return self.complaint is None and not any(map(str.strip, cells[:own_columns]))


class LeadFile(Protocol):
    """The rows of an open file, after its header.

    `encoding`, `delimiter` and `sep_line` (a first line that names the delimiter, as it came) say how a file of the
    same make is written.
    """

    path: Path
    header: list[str]
    encoding: str
    delimiter: str
    sep_line: str

    def __iter__(self) -> Iterator[Row]: ...

    @property
    def characters_read(self) -> int:
        """How much text has been taken from the file."""
        ...

    def share_read(self) -> float | None:
        """How much of the file has been read, 0 to 1; None for a file without a size."""
        ...

    def close(self) -> None:
        """The file is closed."""
        ...
