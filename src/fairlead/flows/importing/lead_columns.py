"""Which column of a file fills what, and which columns tell its leads apart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.core.entry.contact import LEAD_DETAILS
from fairlead.core.entry.text import composed
from fairlead.core.errors import BadInput
from fairlead.core.form import Field, FormSchema
from fairlead.flows.importing.rejects import ADDED_COLUMNS

EXTERNAL_ID = "external_id"

_NUMBER = re.compile(r"#([1-9]\d{0,4})", re.ASCII)


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
    """Which column (by position) fills which field of the form or detail of the lead.

    The first `own` of the `width` columns are the leads' own: what is behind them was added to rejected rows.
    """

    width: int
    own: int
    fields: tuple[tuple[int, Field], ...]
    details: tuple[tuple[int, str], ...]
    key_rule: KeyRule
    ignored: tuple[str, ...]
    headings: tuple[tuple[str, int], ...]
    """Every column of the leads' own as the file calls it, whatever it fills: canonical, in ascending order."""


def map_columns(
    header: Sequence[str],
    schema: FormSchema,
    mapping: Mapping[str, str],
    dedupe: Sequence[str],
    ignore: Sequence[str] = (),
) -> Columns:
    """What each column of the header fills: what `mapping` says, else the field or detail of the same name.

    Names are compared without regard to case; `#3` is the third column, whatever its name. What is mapped wins over
    columns of the same name, and what is to be ignored fills nothing. Raises `BadInput` with everything that is wrong:
    an unknown column or target, two columns for one target, no column for a required field.
    """
    return _Mapper(header, schema).columns(mapping, dedupe, ignore)


class _Mapper:
    """One header on its way to a form."""

    def __init__(self, header: Sequence[str], schema: FormSchema) -> None:
        self._header = header
        self._schema = schema
        self._problems: list[str] = []
        self._exact = {each.key for each in schema.fields}
        self._names = {name.casefold(): name for name in (*LEAD_DETAILS, EXTERNAL_ID)}
        self._names |= {each.key.casefold(): each.key for each in reversed(schema.fields)}

    def columns(self, mapping: Mapping[str, str], dedupe: Sequence[str], ignore: Sequence[str]) -> Columns:
        left_out = self._positions("--ignore", ignore)
        mapped = self._mapped(mapping, left_out)
        keys = self._positions("--dedupe", dedupe, left_out)
        self._problems += [
            f"the column {self._header[position]!r} is mapped and ignored"
            for position in left_out
            if position in mapped
        ]
        own = self._own(mapped, keys, left_out)
        targets = self._targets(mapped, left_out, own)
        positions = self._by_target(targets)
        self._check_required(positions)
        rule = self._key_rule(targets, positions, keys)
        if self._problems:
            raise BadInput(self._problems)
        fields = self._schema.fields
        own_names = list(enumerate(self._header[:own]))
        return Columns(
            width=len(self._header),
            own=own,
            fields=tuple((positions[each.key], each) for each in fields if each.key in positions),
            details=tuple((positions[name], name) for name in LEAD_DETAILS if name in {*positions} - self._exact),
            key_rule=rule,
            ignored=tuple(
                name for position, name in own_names if name and targets[position] is None and position not in left_out
            ),
            headings=tuple(sorted((composed(name.strip()).casefold(), position) for position, name in own_names)),
        )

    def _own(self, mapped: Mapping[int, str], keys: Sequence[int], left_out: Sequence[int]) -> int:
        """How many columns are the leads' own: without `line` and `reason` at the end, unless they are asked for."""
        own = len(self._header) - len(ADDED_COLUMNS)
        if own < 1 or tuple(self._header[own:]) != ADDED_COLUMNS or any(each >= own for each in (*mapped, *keys)):
            return len(self._header)
        filled = {*mapped.values(), *(self._target(name) for name in self._header[:own])}
        for position, name in enumerate(ADDED_COLUMNS, start=own):
            if name in self._names and self._names[name] not in filled and position not in left_out:
                self._problems.append(
                    f"is the column {name!r} the file's own, or was it added to rejected rows? Say "
                    f"--map '#{position + 1}={name}' or --ignore '#{position + 1}'"
                )
        return own

    def _target(self, name: str) -> str | None:
        return name if name in self._exact else self._names.get(name.casefold())

    def _mapped(self, mapping: Mapping[str, str], left_out: Sequence[int]) -> dict[int, str]:
        """What the mapping says of each column that it names."""
        mapped: dict[int, str] = {}
        for column, wanted in mapping.items():
            option = f"--map {column}={wanted}"
            position, target = self._position(option, column, left_out), self._target(wanted)
            if target is None:
                known = ", ".join([*(each.key for each in self._schema.fields), *LEAD_DETAILS, EXTERNAL_ID])
                self._problems.append(f"{option}: there is no field {wanted!r}; there are {known}")
            elif position is not None and mapped.setdefault(position, target) != target:
                self._problems.append(f"{option}: the same column is mapped to {mapped[position]!r}")
        return mapped

    def _positions(self, option: str, columns: Sequence[str], left_out: Sequence[int] = ()) -> list[int]:
        found = [self._position(f"{option} {column}", column, left_out) for column in columns]
        return [position for position in found if position is not None]

    def _position(self, option: str, column: str, left_out: Sequence[int]) -> int | None:
        """Where the column is that an option names; what is wrong with the name is a problem.

        Of several columns of the name those count that are not left out.
        """
        found = [position for position, name in enumerate(self._header) if name == column]
        wanted = composed(column).casefold()
        found = found or [position for position, name in enumerate(self._header) if composed(name).casefold() == wanted]
        number = _NUMBER.fullmatch(column)
        if not found and number is not None and int(number[1]) <= len(self._header):
            found = [int(number[1]) - 1]
        found = [each for each in found if each not in left_out] or found
        if len(found) == 1:
            return found[0]
        if found:
            numbers = " or ".join(f"#{position + 1}" for position in found)
            self._problems.append(f"{option}: the file has {len(found)} columns {column!r}: say {numbers} instead")
        else:
            self._problems.append(f"{option}: the file has no column {column!r}")
        return None

    def _targets(self, mapped: Mapping[int, str], left_out: Sequence[int], own: int) -> list[str | None]:
        """What each column fills: what is mapped first, then by name what is not taken yet."""
        taken = set(mapped.values())
        targets: list[str | None] = []
        for position, name in enumerate(self._header):
            by_name = self._target(name) if position < own and position not in left_out else None
            targets.append(mapped.get(position) or (None if by_name in taken else by_name))
        return targets

    def _by_target(self, targets: Sequence[str | None]) -> dict[str, int]:
        positions: dict[str, int] = {}
        for position, target in enumerate(targets):
            if target is None or positions.setdefault(target, position) == position:
                continue
            first = positions[target]
            self._problems.append(
                f"two columns, {self._header[first]!r} and {self._header[position]!r}, are for {target!r}: leave one "
                f"out with --ignore '#{first + 1}' or --ignore '#{position + 1}'"
            )
        return positions

    def _check_required(self, positions: Mapping[str, int]) -> None:
        fields = self._schema.fields
        if not positions and not self._problems:
            known = ", ".join(each.key for each in fields)
            self._problems.append(f"no column has the name of a field ({known}): are delimiter and encoding right?")
            return
        self._problems += [
            f"the form requires {each.key!r}, and no column is for it: name one with --map COLUMN={each.key}"
            for each in fields
            if each.required and each.key not in positions
        ]

    def _key_rule(self, targets: Sequence[str | None], positions: Mapping[str, int], keys: Sequence[int]) -> KeyRule:
        if keys:
            # By what it fills: another file may have the same under another heading.
            parts = tuple(sorted((targets[each] or self._unmapped_name(each), each) for each in set(keys)))
            return KeyRule("chosen columns", parts, counts_occurrences=False, ignores_case=True)
        if EXTERNAL_ID in positions:
            only = ((EXTERNAL_ID, positions[EXTERNAL_ID]),)
            return KeyRule(EXTERNAL_ID, only, counts_occurrences=False, ignores_case=False)
        return KeyRule("whole row", tuple(sorted(positions.items())), counts_occurrences=True, ignores_case=False)

    def _unmapped_name(self, position: int) -> str:
        name = composed(self._header[position]).casefold()
        is_unique = [composed(each).casefold() for each in self._header].count(name) == 1
        return f"column {name}" if name and is_unique else f"column {name} #{position + 1}"
