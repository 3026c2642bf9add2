"""What an Excel workbook would unpack to, found out before it is unpacked: how much text, how far out its cells lie.

The library that reads workbooks keeps a sheet as a whole, from its first cell to its last: a small file could ask for
more memory than there is. So whatever it would read is measured here first, one piece at a time.
"""

import copy
import re
import struct
import sys
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

MOST_BYTES = 500_000_000
"""Of everything in a workbook together, unpacked; also of the texts of a sheet, those counted anew that it repeats."""

MOST_CELLS = 10_000_000
"""Of the rectangle that holds all cells of a sheet that are not empty."""

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

DAMAGED = "is a damaged Excel workbook"

_PIECE_BYTES = 1 << 18
_PLACE: Final = re.compile(r"([A-Za-z]{1,3})([1-9]\d{0,6})", re.ASCII)
# What `zipfile` raises for archives that it cannot read.
NO_ARCHIVE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


class WorkbookRefused(Exception):
    """The workbook is damaged, or too large; the message goes on behind its name."""


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook lists it: its member's path in the archive, and whether it is shown."""

    name: str
    member: str
    is_shown: bool


@dataclass(slots=True)
class SheetMeasures:
    """What a sheet holds: how many cells that are not empty, in which rows and columns, counted from 1."""

    cells: int = 0
    first_row: int = LAST_ROW
    last_row: int = 0
    first_column: int = LAST_COLUMN
    last_column: int = 0
    text: int = 0
    errors: dict[int, list[tuple[int, str]]] = field(default_factory=dict[int, list[tuple[int, str]]])
    """By row: the columns with error values, and those."""


class Parts:
    """The members of a workbook's archive, none of which unpacks to more than is taken."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            name = _plain(info.filename)
            if name in self._members:
                raise WorkbookRefused(f"{DAMAGED}: it has two members {info.filename!r}")
            self._members[name] = info
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise WorkbookRefused(f"{DAMAGED}: {info.filename} is packed as no workbook is")
        # What it says of itself first: an honest bomb costs nothing.
        self._check_size(info.file_size for info in archive.infolist())
        self._check_size(len(piece) for info in archive.infolist() for piece in self._pieces(info))

    def _check_size(self, sizes: Iterable[int]) -> None:
        unpacked = 0
        for size in sizes:
            unpacked += size
            if unpacked > MOST_BYTES:
                limit = MOST_BYTES // 1_000_000
                raise WorkbookRefused(f"unpacks to more than {limit} MB: save the sheet as CSV (UTF-8)")

    def __contains__(self, member: str) -> bool:
        return _plain(member) in self._members

    def parse(self, member: str, parser: expat.XMLParserType) -> None:
        """The member has been parsed. Raises `WorkbookRefused` where it is missing or no XML without a DOCTYPE."""

        def refuse(*_: object) -> None:
            raise WorkbookRefused(f"{DAMAGED}: {member} has a DOCTYPE")

        parser.StartDoctypeDeclHandler = refuse
        info = self._members.get(_plain(member))
        if info is None:
            raise WorkbookRefused(f"{DAMAGED}: {member} is missing")
        try:
            for piece in self._pieces(info):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise WorkbookRefused(f"{DAMAGED}: {member} is no XML ({expat.ErrorString(error.code)})") from None

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        # Up to where the packed data end, whatever their size is said to be: other programs read on as well.
        whole = copy.copy(info)
        whole.file_size = sys.maxsize
        with self._archive.open(whole) as member:
            while piece := member.read(_PIECE_BYTES):
                yield piece


def _plain(member: str) -> str:
    return member.replace("\\", "/").casefold()


def _parser(start: Callable[[str, dict[str, str]], None]) -> expat.XMLParserType:
    # Whatever encoding the text says it has, the library reads UTF-8.
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.buffer_text = True
    return parser


def _local(name: str) -> str:
    return name[name.find(":") + 1 :]


def listed_sheets(parts: Parts) -> list[SheetEntry]:
    """The workbook's sheets of cells, in its order. Raises `WorkbookRefused`."""
    if "_rels/.rels" not in parts:
        raise WorkbookRefused(f"{DAMAGED}: _rels/.rels is missing")
    targets: dict[str, str] = {}
    entries: list[SheetEntry] = []

    def relation(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            target = attributes.get("Target", "").replace("\\", "/")
            member = target[1:] if target.startswith("/") else target if target.startswith("xl/") else f"xl/{target}"
            targets[attributes.get("Id", "")] = member

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            relations = [value for key, value in attributes.items() if ":" in key and _local(key) == "id"]
            if relations and relations[0] in targets:
                is_shown = attributes.get("state", "visible") == "visible"
                entries.append(SheetEntry(attributes.get("name", ""), targets[relations[0]], is_shown))

    parts.parse("xl/_rels/workbook.xml.rels", _parser(relation))
    parts.parse("xl/workbook.xml", _parser(sheet))
    return entries


def text_lengths(parts: Parts, member: str = "xl/sharedStrings.xml") -> "array[int]":
    """How many characters each of the texts has that the sheets share. Raises `WorkbookRefused`."""
    lengths = array("I")
    if member not in parts:
        return lengths

    def start(name: str, _: dict[str, str]) -> None:
        if _local(name) == "si":
            lengths.append(0)
            if len(lengths) > MOST_CELLS:
                raise WorkbookRefused(f"has more than {MOST_CELLS:,} texts: save the sheet as CSV (UTF-8)")

    def text(characters: str) -> None:
        if lengths:
            lengths[-1] += len(characters)

    parser = _parser(start)
    parser.CharacterDataHandler = text
    parts.parse(member, parser)
    return lengths


class _SheetScan:
    """Follows the cells of a sheet: where each is, also where it does not say so."""

    def __init__(self, sheet: SheetEntry, lengths: "array[int]") -> None:
        self.measures = SheetMeasures()
        self._sheet = sheet
        self._lengths = lengths
        self._row, self._column = 0, 0
        self._type = ""
        self._is_empty = True
        self._text: list[str] = []
        self.parser = _parser(self._start)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._text:
            self.finish_cell()
        local = name if ":" not in name else _local(name)
        if local == "c":
            self._begin_cell(attributes)
        elif local == "row":
            self._row, self._column = self._number(attributes.get("r"), self._row + 1), 0
        elif local in ("v", "is") and self._is_empty:
            self._fill_cell()

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        place = attributes.get("r")
        if place is not None:
            found = _PLACE.fullmatch(place)
            if found is None:
                raise WorkbookRefused(f"{DAMAGED}: sheet {self._sheet.name!r} has a cell at no place")
            self._row, self._column = self._number(found[2], 0), _column_number(found[1])
        self._type = attributes.get("t", "")
        self._is_empty = True

    def _fill_cell(self) -> None:
        """The cell that began is not empty: what it says counts, once."""
        self._is_empty = False
        of, row, column = self.measures, self._row, self._column
        of.cells += 1
        of.first_row, of.last_row = min(of.first_row, row), max(of.last_row, row)
        of.first_column, of.last_column = min(of.first_column, column), max(of.last_column, column)
        area = (of.last_row - of.first_row + 1) * (of.last_column - of.first_column + 1)
        if max(area, of.cells) > MOST_CELLS or row > LAST_ROW or column > LAST_COLUMN:
            raise WorkbookRefused(
                f"has a cell at {column_letters(column)}{row} of sheet {self._sheet.name!r}, which is too far out: "
                f"clear what is there, or save the sheet as CSV (a sheet may have {MOST_CELLS:,} cells)"
            )
        self.parser.CharacterDataHandler = self._text.append if self._type in ("s", "e") else None

    def finish_cell(self) -> None:
        """The text of the cell is there: the number of a shared text, or an error value."""
        self.parser.CharacterDataHandler = None
        text = "".join(self._text).strip()
        self._text.clear()
        if self._type == "e" and text:
            self.measures.errors.setdefault(self._row, []).append((self._column, text))
        elif text.isdecimal() and len(text) < 10 and int(text) < len(self._lengths):
            self.measures.text += self._lengths[int(text)]
            if self.measures.text > MOST_BYTES:
                raise WorkbookRefused(f"repeats texts to more than {MOST_BYTES // 1_000_000} MB: save the sheet as CSV")

    def _number(self, text: str | None, otherwise: int) -> int:
        if text is None:
            return otherwise
        if not text.isdecimal() or len(text) > 7:
            raise WorkbookRefused(f"{DAMAGED}: sheet {self._sheet.name!r} has a row without a number")
        return int(text)


def measured(parts: Parts, sheet: SheetEntry) -> SheetMeasures:
    """What the sheet holds. Raises `WorkbookRefused` where that is more than is kept in memory."""
    scan = _SheetScan(sheet, text_lengths(parts))
    parts.parse(sheet.member, scan.parser)
    scan.finish_cell()
    return scan.measures


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """The name of a column, counted from 1.

    >>> column_letters(1), column_letters(27), column_letters(16_384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        letters = chr(65 + letter) + letters
    return letters
