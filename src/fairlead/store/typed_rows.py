"""Rows as values: each column goes to the field of its name, whatever the order in which a statement lists them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from operator import itemgetter
from typing import Any, LiteralString, TypeVar

from psycopg import Cursor

from fairlead.store.connection import Connection

Value = TypeVar("Value")
Parameters = Sequence[Any] | Mapping[str, Any]


def all_rows(conn: Connection, kind: type[Value], statement: LiteralString, parameters: Parameters = ()) -> list[Value]:
    """Every row that the statement gives, as a value of that dataclass."""
    cursor = conn.execute(statement, parameters)
    make = _maker(kind, cursor)
    return [make(row) for row in cursor.fetchall()]


def named_rows(conn: Connection, statement: LiteralString, parameters: Parameters = ()) -> list[dict[str, Any]]:
    """Every row that the statement gives, by the names of its columns: for what is made of several values."""
    cursor = conn.execute(statement, parameters)
    names = column_names(cursor)
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def part_of(kind: type[Value], row: Mapping[str, Any]) -> Value:
    """The value of that dataclass that is a part of the row: each field is the column of its name.

    >>> from dataclasses import make_dataclass
    >>> part_of(make_dataclass("Niche", ["slug", "name"]), {"level": "gold", "name": "Hosting", "slug": "hosting"})
    Niche(slug='hosting', name='Hosting')
    """
    return kind(**{name: row[name] for name in _field_names(kind)})


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def column_names(cursor: Cursor[tuple[Any, ...]]) -> tuple[str, ...]:
    """The names of the columns that the statement gives."""
    return tuple(column.name for column in cursor.description or ())


def one_row(conn: Connection, kind: type[Value], statement: LiteralString, parameters: Parameters = ()) -> Value | None:
    """The first row that the statement gives, as a value of that dataclass; None when it gives none."""
    cursor = conn.execute(statement, parameters)
    row = cursor.fetchone()
    return None if row is None else _maker(kind, cursor)(row)


def _maker(kind: type[Value], cursor: Cursor[tuple[Any, ...]]) -> Callable[[tuple[Any, ...]], Value]:
    """How a row of the cursor becomes a value. Names are looked at once per statement, not once per row."""
    return maker_of(kind, column_names(cursor))


@cache
def maker_of(kind: type[Any], names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """How a row with columns of these names becomes a value of that dataclass.

    Raises `TypeError` for a column that is no field, is there twice, or is missing although its field has no default.

    >>> from dataclasses import make_dataclass
    >>> Niche = make_dataclass("Niche", ["slug", "name", ("is_active", bool, True)])
    >>> maker_of(Niche, ("name", "slug"))(("Hosting", "hosting"))
    Niche(slug='hosting', name='Hosting', is_active=True)
    >>> maker_of(Niche, ("slug", "names"))
    Traceback (most recent call last):
        ...
    TypeError: Niche has no field 'names', and needs 'name'
    """
    known = [field.name for field in fields(kind)]
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    wrong = [f"has no field {name!r}" for name in names if name not in known]
    wrong += [f"is given {name!r} twice" for name in known if names.count(name) > 1]
    wrong += [f"needs {name!r}" for name in needed if name not in names]
    if wrong:
        raise TypeError(f"{kind.__name__} {', and '.join(wrong)}")
    places = [names.index(name) for name in known if name in names]
    if [known.index(names[place]) for place in places] != [*range(len(places))]:
        # A field with a default is left out in the middle: only names can say which.
        return lambda row: kind(**dict(zip(names, row, strict=True)))
    if places == [*range(len(names))]:
        return lambda row: kind(*row)
    in_order = itemgetter(*places)
    return lambda row: kind(*in_order(row))
