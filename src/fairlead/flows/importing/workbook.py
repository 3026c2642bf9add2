"""Lead files that are Excel workbooks (.xlsx, .xlsm): one sheet, its first row that holds anything is the header.

The library that reads them comes with the extra `xlsx`. Cells become the text that a CSV file of the sheet would
hold.
"""

import datetime
import importlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fairlead.core.entry.text import comparable
from fairlead.core.errors import BadInput
from fairlead.flows.importing.cell_text import holds_no_text, no_text_among, no_text_complaint
from fairlead.flows.importing.lead_file import CELL_TOO_LONG, LONGEST_CELL, Row
from fairlead.flows.importing.workbook_parts import (
    DAMAGED,
    NO_ARCHIVE,
    Parts,
    SheetEntry,
    SheetMeasures,
    WorkbookRefused,
    listed_sheets,
    measured,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta

MOST_DIGITS = 15
"""As many as a spreadsheet keeps of a number; what stands behind them is noise."""


def open_workbook(file: BinaryIO, path: Path, sheet: str | None, delimiter: str | None) -> "Workbook":
    """The sheet of that name, the first one that is shown where there is no name, with its header read.

    `delimiter` is for the rejected rows. Raises `BadInput`, in one line, for a workbook that is damaged, too large or
    empty, has no such sheet, or cannot be read since the extra is not installed.
    """
    try:
        calamine = importlib.import_module("python_calamine")
    except ImportError:
        advice = "install it with pip install 'fairlead[xlsx]', or save the sheet as CSV (UTF-8)"
        raise BadInput([f"{path} is an Excel workbook, which is read by the extra xlsx: {advice}"]) from None
    try:
        with zipfile.ZipFile(file) as archive:
            parts = Parts(archive)
            chosen = _chosen(listed_sheets(parts), sheet)
            measures = measured(parts, chosen)
        file.seek(0)
        read = calamine.load_workbook(file).get_sheet_by_name(chosen.name)
    except WorkbookRefused as refused:
        raise BadInput([f"{path} {refused}"]) from None
    except NO_ARCHIVE:
        raise BadInput([f"{path} {DAMAGED}: it cannot be unpacked"]) from None
    except calamine.CalamineError as error:
        raise BadInput([f"{path} is an Excel workbook that cannot be read: {_one_line(error)}"]) from None
    return Workbook(file, path, read, measures, delimiter or ",")


def _chosen(sheets: Sequence[SheetEntry], name: str | None) -> SheetEntry:
    if name is None:
        found = [each for each in sheets if each.is_shown]
    else:
        found = [each for each in sheets if each.name == name]
        found = found or [each for each in sheets if comparable(each.name) == comparable(name)]
    if not found:
        what = "sheet of cells that is shown" if name is None else f"sheet {name!r}"
        raise WorkbookRefused(f"has no {what}; its sheets are {', '.join(each.name for each in sheets) or 'none'}")
    return found[0]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


class Workbook:
    """A `LeadFile` of a sheet. The line of a row is its number in the sheet."""

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        sheet: "CalamineSheet",
        measures: SheetMeasures,
        delimiter: str,
    ) -> None:
        self.path = path
        self.delimiter = delimiter
        # Every text of a workbook can be written in it, and spreadsheets know it by its mark.
        self.encoding = "utf-8-sig"
        self.sep_line = ""
        self.header: list[str] = []
        self._file = file
        self._errors = measures.errors
        self._first_column = 1 + (sheet.start or (0, 0))[1]
        self._height = sheet.total_height
        self._line = 0
        self._characters = 0
        self._rows = self._read(sheet)
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    @property
    def characters_read(self) -> int:
        """How much text the rows so far hold."""
        return self._characters

    def share_read(self) -> float | None:
        """How many of the sheet's rows have been read, 0 to 1."""
        return min(1.0, self._line / self._height) if self._height else None

    def close(self) -> None:
        """The file is closed."""
        self._file.close()

    def _read_header(self) -> list[str]:
        row = next((row for row in self._rows if not row.is_empty(len(row.cells))), None)
        if row is None:
            raise BadInput([f"{self.path} is empty: the first row of the sheet must name the columns"])
        if row.complaint is not None:
            raise BadInput([f"{self.path}: the header cannot be read: {row.complaint}"])
        return [name.strip() for name in row.cells]

    def _read(self, sheet: "CalamineSheet") -> Iterator[Row]:
        for line, values in enumerate(sheet.iter_rows(), start=1):
            self._line = line
            cells = [_as_text(value) for value in values]
            for column, text in self._errors.get(line, ()):
                cells[column - self._first_column] = text
            # A sheet is as wide as its widest row: what is empty behind the header was never written.
            while len(cells) > len(self.header) and not cells[-1].strip():
                cells.pop()
            self._characters += sum(map(len, cells))
            yield Row(line, cells, self._complaint(cells))

    def _complaint(self, cells: Sequence[str]) -> str | None:
        if any(len(cell) > LONGEST_CELL for cell in cells):
            return CELL_TOO_LONG
        if any(map(holds_no_text, cells)) and (found := no_text_among(cells, self.header)) is not None:
            return no_text_complaint(found[0], found[1], "")
        return None


def _as_text(value: Value) -> str:
    """The cell as a CSV file would hold it: numbers without exponent as far as they are exact, dates by ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number_as_text(value)
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time():
            return value.date().isoformat()
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return value.isoformat()


def _number_as_text(value: int | float) -> str:
    if (isinstance(value, int) or value.is_integer()) and abs(value) < 10**MOST_DIGITS:
        return str(int(value))
    return f"{value:.{MOST_DIGITS}g}"
