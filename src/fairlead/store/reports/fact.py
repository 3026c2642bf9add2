"""What a fact is: one query that counts the rows of some days, by day, niche and keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, LiteralString

from fairlead.store.reports.days import day_of

FactKind = Literal["leads", "assignments", "settled"]
"""Of which rows it tells what has become of them; `settled`: of what never changes after its day."""

OF_NICHE: LiteralString = "(%(niche)s::uuid is null or niche_id = %(niche)s::uuid)"


@dataclass(frozen=True, slots=True)
class ReportFact:
    """A count by `day`, `niche_id` and `keys`; `counts` are as many as `width`.

    `by_day` is the query for days that are told apart, `as_one` for a span of days as one; with `Days.parameters` and
    `niche` and `provider`, ids or null. Both give a row for each day, niche and keys.
    """

    name: str
    kind: FactKind
    width: int
    by_day: LiteralString
    as_one: LiteralString


def counted(
    name: str, kind: FactKind, width: int, query: Callable[[Callable[[LiteralString], LiteralString]], LiteralString]
) -> ReportFact:
    """The fact of this query, which is given how a column's day is written."""
    return ReportFact(name, kind, width, query(day_of), query(lambda _column: "%(day_from)s::date"))
