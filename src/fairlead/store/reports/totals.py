"""Reports add up facts over the days that they are about, from the pieces that hold and from the rows of the others."""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, LiteralString, cast

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days
from fairlead.store.reports.facts import ReportFact
from fairlead.store.reports.pieces import Cover, Span, Totals

By = tuple[LiteralString, ...]

MONTH: LiteralString = "date_trunc('month', day)::date"
"""For `totals`: by the first day of the month, whose piece stands for its days where it lies within these."""
_FINEST: By = ("niche_id", "keys")
_KEYS: Mapping[str, int] = {"keys[1]": 0, "keys[2]": 1}


def totals(conn: Connection, covered: Cover, fact: ReportFact, by: By = ()) -> Totals:
    """The fact's counts over the days, added up by these: `day` or `MONTH`, `niche_id`, `keys[1]` and so on.

    What was asked of these days before is not asked again. Not to be changed by who gets it.
    """
    if (fact.name, by) not in covered.known:
        covered.known[fact.name, by] = _totals(conn, covered, fact, by)
    return covered.known[fact.name, by]


def _totals(conn: Connection, covered: Cover, fact: ReportFact, by: By) -> Totals:
    found: Totals = {}
    if not ("day" in by or MONTH in by) and by != _FINEST:
        _add_grouped(found, totals(conn, covered, fact, _FINEST), by, covered.days.day_from)
        return found
    spans, runs = covered.chosen(fact.kind, as_one="day" not in by)
    if spans:
        _add_asked(found, conn, _STORED, by, fact, _of_spans(covered, fact, spans))
    for run in runs:
        if run.day_before - run.day_from == timedelta(days=1):
            _add_grouped(found, _of_day(conn, covered, fact, run), by, run.day_from)
        else:
            query = fact.as_one if by == _FINEST else fact.by_day
            _add_asked(found, conn, query, by, fact, covered.asked(run))
    for parameters in covered.more:
        _add_asked(found, conn, fact.by_day, by, fact, parameters)
    return found


def _of_day(conn: Connection, covered: Cover, fact: ReportFact, day: Days) -> Totals:
    """A day from its rows, which is mostly today: by niche and keys, however its report groups them."""
    what = (fact.name, (day.day_from,))
    if what not in covered.known:
        found: Totals = {}
        _add_asked(found, conn, fact.as_one, _FINEST, fact, covered.asked(day))
        covered.known[what] = found
    return covered.known[what]


def _add_grouped(found: Totals, finest: Totals, by: By, day: date) -> None:
    """Counts by niche and keys are added by these, where all of them are of that day."""
    for (niche_id, keys), counts in finest.items():
        values: dict[str, Any] = {"niche_id": niche_id, "keys": keys, "day": day, MONTH: day.replace(day=1)}
        _add(found, tuple(values[each] if each in values else keys[_KEYS[each]] for each in by), counts)


def _add_asked(
    found: Totals,
    conn: Connection,
    query: LiteralString,
    by: By,
    fact: ReportFact,
    parameters: Mapping[str, object],
) -> None:
    sums: LiteralString = ", ".join(_SUMS[: fact.width])
    grouped: LiteralString = ", ".join(by)
    statement: LiteralString = f"select {grouped}, {sums} from ({query}) piece group by {grouped}"
    for row in conn.execute(statement, parameters):
        key = tuple(_hashable(each) for each in row[: len(by)])
        _add(found, key, row[len(by) :])


def _hashable(value: Any) -> Any:
    return tuple(cast("list[str]", value)) if isinstance(value, list) else value


def _add(found: Totals, key: tuple[Any, ...], counts: Sequence[int]) -> None:
    own = found.setdefault(key, [0] * len(counts))
    for number, count in enumerate(counts):
        own[number] += count


_SUMS: tuple[LiteralString, ...] = (
    "sum(counts[1])::bigint",
    "sum(counts[2])::bigint",
    "sum(counts[3])::bigint",
    "sum(counts[4])::bigint",
    "sum(counts[5])::bigint",
    "sum(counts[6])::bigint",
    "sum(counts[7])::bigint",
    "sum(counts[8])::bigint",
    "sum(counts[9])::bigint",
)


_STORED: LiteralString = """
    select p.day_from as day, p.niche_id, p.keys, p.counts from report_pieces p
    join unnest(%(froms)s::date[], %(befores)s::date[]) as s (day_from, day_before)
      on p.day_from = s.day_from and p.day_before = s.day_before
    where p.timezone = %(timezone)s and p.fact = %(fact)s
      and (%(niche)s::uuid is null or p.niche_id = %(niche)s::uuid)"""


def _of_spans(covered: Cover, fact: ReportFact, spans: Sequence[Span]) -> dict[str, object]:
    return {
        "timezone": covered.days.timezone,
        "fact": fact.name,
        "niche": covered.niche_id,
        "froms": [each.day_from for each in spans],
        "befores": [each.day_before for each in spans],
    }


_STORED_IN_ORDER: LiteralString = f"select day, keys, counts from ({_STORED}) piece"


def pieces_in_order(
    conn: Connection, covered: Cover, fact: ReportFact
) -> Iterator[Sequence[tuple[Sequence[str], Sequence[int]]]]:
    """Keys and counts of each span and run, in the order of their days: of a fact that follows upon itself."""
    spans, runs = covered.chosen(fact.kind, as_one=True)
    stored: dict[date, list[tuple[Sequence[str], Sequence[int]]]] = {each.day_from: [] for each in spans}
    if spans:
        for day, keys, counts in conn.execute(_STORED_IN_ORDER, _of_spans(covered, fact, spans)):
            stored[day].append((keys, counts))
    live = {each.day_from: each for each in runs}
    for day in sorted({*stored, *live}):
        if day in stored:
            yield stored[day]
        else:
            asked = covered.asked(live[day])
            yield conn.execute(f"select keys, counts from ({fact.as_one}) piece", asked).fetchall()
