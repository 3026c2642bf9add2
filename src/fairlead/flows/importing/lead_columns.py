"""From columns to leads: what fills which field, what a cell means, and when two rows are one lead."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.core.entry.contact import LEAD_DETAILS, CheckedDetails, checked_details
from fairlead.core.entry.text import composed
from fairlead.core.errors import BadInput
from fairlead.core.form import Field, FormSchema, ValueNotInForm, convert_text
from fairlead.store.ids import new_id, new_salt
from fairlead.store.leads.rows import NewLead

EXTERNAL_ID = "external_id"
REMEMBERED_CELLS = 2_000
REMEMBERED_CHARACTERS = 64

_NO_DETAILS = CheckedDetails({})
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class RowRejected(ValueError):
    """The row is no lead; the message says why without repeating what it holds."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What makes two rows the same lead: the cells at `parts` (name, position), and how they are compared.

    With `counts_occurrences` the n-th row with the same cells is the n-th such lead of the file.
    """

    name: str
    parts: tuple[tuple[str, int], ...]
    counts_occurrences: bool
    ignores_case: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (by position) fills which field of the form or detail of the lead."""

    width: int
    fields: tuple[tuple[int, Field], ...]
    details: tuple[tuple[int, str], ...]
    key_rule: KeyRule
    ignored: tuple[str, ...]
    headings: tuple[tuple[str, int], ...]
    """Every column as the file calls it, whatever it fills: canonical, in ascending order."""


def map_columns(
    header: Sequence[str], schema: FormSchema, mapping: Mapping[str, str], dedupe: Sequence[str]
) -> Columns:
    """What each column of the header fills: what `mapping` says, else the field or detail of the same name.

    Names are compared without regard to case. Raises `BadInput` with everything that is wrong: an unknown
    column or target, two columns for one target, no column for a required field.
    """
    problems: list[str] = []
    targets = _targets(header, schema, mapping, problems)
    positions: dict[str, int] = {}
    for position, target in enumerate(targets):
        if target is not None and positions.setdefault(target, position) != position:
            problems.append(f"two columns, {header[positions[target]]!r} and {header[position]!r}, are for {target!r}")
    if not positions and not problems:
        known = ", ".join(each.key for each in schema.fields)
        problems.append(f"no column has the name of a field ({known}): are delimiter and encoding right?")
    else:
        problems += [
            f"the form requires {each.key!r}, and no column is for it: name one with --map COLUMN={each.key}"
            for each in schema.fields
            if each.required and each.key not in positions
        ]
    rule = _key_rule(header, targets, positions, dedupe, problems)
    if problems:
        raise BadInput(problems)
    return Columns(
        width=len(header),
        fields=tuple((positions[each.key], each) for each in schema.fields if each.key in positions),
        details=tuple(
            (positions[name], name) for name in LEAD_DETAILS if name in positions and schema.field(name) is None
        ),
        key_rule=rule,
        ignored=tuple(name for position, name in enumerate(header) if targets[position] is None and name),
        headings=tuple(sorted((composed(name.strip()).casefold(), position) for position, name in enumerate(header))),
    )


def _targets(
    header: Sequence[str], schema: FormSchema, mapping: Mapping[str, str], problems: list[str]
) -> list[str | None]:
    names = {name.casefold(): name for name in (*LEAD_DETAILS, EXTERNAL_ID)}
    names |= {each.key.casefold(): each.key for each in reversed(schema.fields)}
    exact = {each.key for each in schema.fields}
    targets = [name if name in exact else names.get(name.casefold()) for name in header]
    for column, target in mapping.items():
        found = _positions_of(header, column)
        if not found:
            problems.append(f"--map {column}={target}: the file has no column {column!r}")
        elif len(found) > 1:
            problems.append(f"--map {column}={target}: the file has {len(found)} columns {column!r}")
        elif target not in exact and target.casefold() not in names:
            known = ", ".join([*(each.key for each in schema.fields), *LEAD_DETAILS, EXTERNAL_ID])
            problems.append(f"--map {column}={target}: there is no field {target!r}; there are {known}")
        else:
            targets[found[0]] = target if target in exact else names[target.casefold()]
    return targets


def _positions_of(header: Sequence[str], column: str) -> list[int]:
    exact = [position for position, name in enumerate(header) if name == column]
    wanted = column.casefold()
    return exact or [position for position, name in enumerate(header) if name.casefold() == wanted]


def _key_rule(
    header: Sequence[str],
    targets: Sequence[str | None],
    positions: Mapping[str, int],
    dedupe: Sequence[str],
    problems: list[str],
) -> KeyRule:
    parts: dict[str, int] = {}
    for column in dedupe:
        found = _positions_of(header, column)
        if len(found) != 1:
            problems.append(f"--dedupe {column}: the file has {len(found) or 'no'} column(s) of that name")
        else:
            # By what it fills: another file may have the same under another heading.
            parts[targets[found[0]] or f"column {column.casefold()}"] = found[0]
    if dedupe:
        return KeyRule("chosen columns", tuple(sorted(parts.items())), counts_occurrences=False, ignores_case=True)
    if EXTERNAL_ID in positions:
        only = ((EXTERNAL_ID, positions[EXTERNAL_ID]),)
        return KeyRule(EXTERNAL_ID, only, counts_occurrences=False, ignores_case=False)
    return KeyRule("whole row", tuple(sorted(positions.items())), counts_occurrences=True, ignores_case=False)


class RowReader:
    """One pass over a file's rows: remembers what short cells meant, and how often each row occurred.

    `region` is whose telephone numbers need no country. The occurrences take about 200 bytes per distinct row; with an
    external id or chosen columns there are none.
    """

    def __init__(self, columns: Columns, region: str | None = None) -> None:
        self.columns = columns
        self._region = region
        self._occurrences: dict[bytes, int] = {}
        self._row_occurrences: dict[bytes, int] = {}
        # What a cell adds to the JSON of a lead's attributes: `"age":41`, or nothing where it holds no value.
        self._fields: list[tuple[int, Field, dict[str, str]]] = [(*each, {}) for each in columns.fields]

    def lead(self, cells: Sequence[str]) -> NewLead:
        """The lead that these cells describe, with a new id. Raises `RowRejected` with every reason."""
        if len(cells) != self.columns.width:
            raise RowRejected(f"has {len(cells)} columns where the header has {self.columns.width}")
        problems: list[str] = []
        members: list[str] = []
        for position, each, known in self._fields:
            member = known.get(cells[position])
            if member is None:
                member = _member(each, cells[position], known, problems)
            if member:
                members.append(member)
        details = self._details(cells, problems) if self.columns.details else _NO_DETAILS
        if not problems and not members and not details.values:
            problems.append("holds nothing that is kept")
        if problems:
            raise RowRejected("; ".join(problems))
        lead = NewLead.of(new_id(), f"{{{','.join(members)}}}", new_salt(), details)
        return replace(lead, dedupe_key=self._key(cells), row_key=self._row_key(cells))

    def _details(self, cells: Sequence[str], problems: list[str]) -> CheckedDetails:
        details = checked_details({name: cells[position] for position, name in self.columns.details}, self._region)
        problems += [f"{problem.path}: {problem.message}" for problem in details.problems]
        return details

    def _key(self, cells: Sequence[str]) -> str:
        """SHA-256 of what identifies the row, in hexadecimal. NUL divides: no cell holds one."""
        rule = self.columns.key_rule
        words = [rule.name]
        for name, position in rule.parts:
            cell = cells[position].strip()
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
