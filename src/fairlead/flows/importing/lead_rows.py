"""From rows to leads: what a cell means, and when two rows are one lead."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from fairlead.core.entry.contact import CheckedDetails, checked_details
from fairlead.core.entry.text import composed
from fairlead.core.form import Field, ValueNotInForm, convert_text
from fairlead.flows.importing.lead_columns import Columns
from fairlead.flows.importing.lead_file import Row
from fairlead.flows.importing.rejects import ROWS_IN_A_CELL, WRONG_WIDTH, guessed_still
from fairlead.store.ids import new_salt
from fairlead.store.leads.rows import NewLead

REMEMBERED_CELLS = 2_000
REMEMBERED_CHARACTERS = 64

_NO_DETAILS = CheckedDetails({})
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class RowRejected(ValueError):
    """The row is no lead; the message says why without repeating what it holds."""


class RowReader:
    """One pass over a file's rows: remembers what short cells meant, and how often each row occurred.

    `region` is whose telephone numbers need no country; `delimiter` is what divides the file's cells. The occurrences
    take about 200 bytes per distinct row; with an external id or chosen columns there are none.
    """

    def __init__(
        self, columns: Columns, new_id: Callable[[], str], region: str | None = None, delimiter: str = ","
    ) -> None:
        self.columns = columns
        self._new_id = new_id
        self._region = region
        self._delimiter = delimiter
        self._occurrences: dict[bytes, int] = {}
        self._row_occurrences: dict[bytes, int] = {}
        # What a cell adds to the JSON of a lead's attributes: `"age":41`, or nothing where it holds no value.
        self._fields: list[tuple[int, Field, dict[str, str]]] = [(*each, {}) for each in columns.fields]

    def lead(self, row: Row) -> NewLead:
        """The lead that the row describes, with a new id. Raises `RowRejected` with every reason."""
        if row.complaint is not None:
            raise RowRejected(row.complaint)
        self._check_shape(row)
        cells = row.cells
        attributes, details, problems = self._values(cells)
        if not problems and not attributes and not details.values:
            problems.append("holds nothing that is kept")
        if problems:
            raise RowRejected("; ".join(problems))
        lead = NewLead.of(self._new_id(), f"{{{','.join(attributes)}}}", new_salt(), details)
        return replace(lead, dedupe_key=self._key(cells), row_key=self._row_key(cells))

    def _check_shape(self, row: Row) -> None:
        """It is certain which cell is which. Rows of a file of rejects may lack the two columns that were added."""
        cells, own, width = row.cells, self.columns.own, self.columns.width
        if len(cells) != width and len(cells) != own:
            raise RowRejected(WRONG_WIDTH.format(found=len(cells), wanted=width))
        reason = cells[-1].strip() if own < len(cells) else ""
        if reason and (again := guessed_still(reason, cells[:own], self._delimiter)) is not None:
            raise RowRejected(again)
        # In a file of rejects an emptied reason says that the row is right as it is.
        if row.lines > 1 and (reason or own == width) and self._holds_rows(cells):
            raise RowRejected(ROWS_IN_A_CELL)

    def _holds_rows(self, cells: Sequence[str]) -> bool:
        """Whether the lines of a cell are rows, joined by a quote too many: one of them would be a lead of its own."""
        return any(not problems and (values or details.values) for values, details, problems in self._joined(cells))

    def _joined(self, cells: Sequence[str]) -> list[tuple[list[str], CheckedDetails, list[str]]]:
        width, divider = len(cells), self._delimiter
        for position, cell in enumerate(cells):
            first, *rest = _LINE_BREAK.split(cell)
            if not rest or width == 1:
                continue
            # A quote that opens in one row and one in the same column of a later row leave the width right.
            *between, last = rest
            widths = [line.count(divider) + 1 for line in between]
            ends = first.count(divider) == width - position - 1 and last.count(divider) == position
            if ends and all(each == width for each in widths):
                rows = [*(line.split(divider) for line in between), [*last.split(divider), *cells[position + 1 :]]]
                return [self._values(row) for row in rows]
        return []

    def _values(self, cells: Sequence[str]) -> tuple[list[str], CheckedDetails, list[str]]:
        """The members of the attributes' JSON, the details, and everything that is wrong with them."""
        problems: list[str] = []
        members: list[str] = []
        for position, each, known in self._fields:
            member = known.get(cells[position])
            if member is None:
                member = _member(each, cells[position], known, problems)
            if member:
                members.append(member)
        details = self._details(cells, problems) if self.columns.details else _NO_DETAILS
        return members, details, problems

    def _details(self, cells: Sequence[str], problems: list[str]) -> CheckedDetails:
        details = checked_details({name: cells[position] for position, name in self.columns.details}, self._region)
        problems += [f"{problem.path}: {problem.message}" for problem in details.problems]
        return details

    def _key(self, cells: Sequence[str]) -> str:
        """SHA-256 of what identifies the row, in hexadecimal. NUL divides: no cell holds one."""
        rule = self.columns.key_rule
        words = [rule.name]
        for name, position in rule.parts:
            cell = composed(cells[position]).strip()
            if cell:
                words += (name, cell.casefold() if rule.ignores_case else cell)
        if len(words) == 1:
            raise RowRejected(
                f"its {', '.join(name for name, _ in rule.parts)} is empty, by which leads are told apart"
            )
        if rule.counts_occurrences:
            return _numbered(words, self._occurrences).hex()
        return hashlib.sha256("\0".join(words).encode()).hexdigest()

    def _row_key(self, cells: Sequence[str]) -> bytes:
        """SHA-256 of all cells under the file's own headings: equal whatever form or mapping the row is read by.

        Where an external id or chosen columns tell leads apart, rows that are the same are one lead, the first.
        """
        words: list[str] = []
        for heading, position in self.columns.headings:
            cell = composed(cells[position]).strip()
            if cell:
                words += (heading, cell)
        return _numbered(words, self._row_occurrences if self.columns.key_rule.counts_occurrences else {})


def _numbered(words: Sequence[str], occurrences: dict[bytes, int]) -> bytes:
    """SHA-256 of the words and of how often they occurred by now, which is counted."""
    digest = hashlib.sha256("\0".join(words).encode())
    row = digest.digest()[:16]
    number = occurrences[row] = occurrences.get(row, 0) + 1
    digest.update(b"\0%d" % number)
    return digest.digest()


def _member(each: Field, cell: str, known: dict[str, str], problems: list[str]) -> str:
    try:
        value = convert_text(each, cell)
    except ValueNotInForm as error:
        problems.append(str(error))
        return ""
    if value is None:
        if each.required:
            problems.append(f"{each.label} is required")
            return ""
        member = ""
    else:
        member = _encode({each.key: value})[1:-1]
    if len(cell) <= REMEMBERED_CHARACTERS and len(known) < REMEMBERED_CELLS:
        known[cell] = member
    return member
