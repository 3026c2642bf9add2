"""The columns of exports: what their values are, and whose contact data they hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ExportColumnType = Literal["text", "integer", "number", "boolean", "time", "day", "json"]
"""`integer` holds 64 bits, amounts in cents among them; `time` is an instant in UTC; `json` a document."""

Contact = Literal["consumer", "provider"]
"""Whose name and address a column holds, or what may hold them; None: it holds no contact data."""

WITHHELD = "withheld"
"""What stands in a column of contact data in a file that is to hold none, where there was a value."""


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of a file. `expression` is what it is read by in SQL; "" where it is not."""

    name: str
    type: ExportColumnType = "text"
    contact: Contact | None = None
    expression: str = ""


def withheld(columns: Sequence[ExportColumn], contacts: frozenset[Contact]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What makes a row one without this contact data: `WITHHELD` stands where there was a value."""
    places = {place for place, column in enumerate(columns) if column.contact in contacts}
    if not places:
        return lambda row: row
    return lambda row: [WITHHELD if place in places and value is not None else value for place, value in enumerate(row)]
