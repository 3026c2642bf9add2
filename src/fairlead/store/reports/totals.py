"""Reports add up facts over the days that they are about, from the pieces that hold and from the rows of the others."""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, LiteralString, cast

from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.reports.fact import ReportFact
from fairlead.store.reports.pieces import Cover, Key, Span, Totals

By = tuple[LiteralString, ...]

MONTH: LiteralString = "date_trunc('month', day)::date"
"""For `totals`: by the first day of the month, whose piece stands for its days where it lies within these."""
_OF_NICHES: By = ("niche_id", "keys")
_OF_ALL: By = ("keys",)
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
    by_day = "day" in by or MONTH in by
    finest = _OF_NICHES if "niche_id" in by or (fact.name, _OF_NICHES) in covered.known else _OF_ALL
    if not by_day and by != finest:
        _add_grouped(found, totals(conn, covered, fact, finest), finest, by, covered.days.day_from)
        return found
    spans, runs = covered.chosen(fact.kind, as_one="day" not in by)
    if spans:
        _add_rows(found, conn, _summed(_STORED, by, fact), by, _of_spans(covered, fact, spans))
    for run in runs:
        if not by_day or run.day_before - run.day_from == timedelta(days=1):
            _add_grouped(found, _as_one(conn, covered, fact, covered.asked(run)), _OF_NICHES, by, run.day_from)
        else:
            _add_rows(found, conn, _summed(fact.by_day, by, fact), by, covered.asked(run))
    for part in covered.more:
        _add_grouped(found, _as_one(conn, covered, fact, part), _OF_NICHES, by, cast("date", part["day_from"]))
    return found


def _as_one(conn: Connection, covered: Cover, fact: ReportFact, asked: Mapping[str, object]) -> Totals:
    """Some days (mostly today) from their rows: by niche and keys, however a report groups them."""
    what = (fact.name, (asked["since"], asked["before"]))
    if what not in covered.known:
        rows = conn.execute(f"select niche_id, keys, counts from ({fact.as_one}) asked", asked).fetchall()
        covered.known[what] = {(niche_id, tuple(keys)): counts for niche_id, keys, counts in rows}
    return covered.known[what]


def _add_grouped(found: Totals, finer: Totals, finer_by: By, by: By, day: date) -> None:
    """Counts by keys, and maybe niche, are added by these, where all of them are of that day."""
    if by == finer_by:
        places = list[Key](finer)
    else:
        keys = [each[-1] for each in finer]
        columns = [_column(each, day, finer, keys) for each in by]
        places = list(zip(*columns, strict=True)) if columns else [()] * len(keys)
    for place, counts in zip(places, finer.values(), strict=True):
        _add(found, place, counts)


def _column(name: LiteralString, day: date, finer: Totals, keys: Sequence[Any]) -> Sequence[Any]:
    if name == "niche_id":
        return [each[0] for each in finer]
    if name == "keys":
        return keys
    if name in _KEYS:
        number = _KEYS[name]
        return [each[number] for each in keys]
    return [day if name == "day" else day.replace(day=1)] * len(keys)


def _summed(query: LiteralString, by: By, fact: ReportFact) -> LiteralString:
    sums: LiteralString = ", ".join(_SUMS[: fact.width])
    grouped: LiteralString = ", ".join(by)
    return f"select {grouped}, {sums} from ({query}) piece group by {grouped}"


def _add_rows(
    found: Totals, conn: Connection, statement: LiteralString, by: By, parameters: Mapping[str, object]
) -> None:
    width, at = len(by), by.index("keys") if "keys" in by else None
    # Not prepared: that would be planned for spans of which nothing is known.
    for row in conn.execute(statement, parameters, prepare=False).fetchall():
        place = row[:width]
        if at is not None:
            place = (*place[:at], tuple(place[at]), *place[at + 1 :])
        _add(found, place, row[width:])


def _add(found: Totals, place: Key, counts: Sequence[int]) -> None:
    own = found.get(place)
    found[place] = list(counts) if own is None else [one + other for one, other in zip(own, counts, strict=True)]


_DIGITS: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
_NUMBERS: tuple[LiteralString, ...] = (*(tens + ones for tens in _DIGITS for ones in _DIGITS), "100")
_SUMS: tuple[LiteralString, ...] = tuple(f"sum(counts[{number}])::bigint" for number in _NUMBERS[1:])


_STORED: LiteralString = """
    select p.day_from as day, p.niche_id, p.keys, p.counts from report_pieces p
    join unnest(%(froms)s::date[], %(befores)s::date[]) as s (day_from, day_before)
      on p.day_from = s.day_from and p.day_before >= s.day_before and p.day_before <= s.day_before
    where p.timezone = %(timezone)s and p.fact = %(fact)s
      and (%(niche)s::uuid is null or p.niche_id = %(niche)s::uuid)"""
"""Neither less nor more instead of equal: the planner does not know that a span's first day says its last, and would
expect four pieces of a span that has a thousand, and sort all of them instead of looking each up.
"""


def _of_spans(covered: Cover, fact: ReportFact, spans: Sequence[Span]) -> dict[str, object]:
    return {
        "timezone": covered.days.timezone,
        "fact": fact.name,
        "niche": covered.niche_id,
        "froms": array_text(each.day_from for each in spans),
        "befores": array_text(each.day_before for each in spans),
    }


_STORED_IN_ORDER: LiteralString = f"select day, keys, counts from ({_STORED}) piece"


def pieces_in_order(
    conn: Connection, covered: Cover, fact: ReportFact
) -> Iterator[Sequence[tuple[Sequence[str], Sequence[int]]]]:
    """Keys and counts of each span and run, in the order of their days: of a fact that follows upon itself."""
    spans, runs = covered.chosen(fact.kind, as_one=True)
    stored: dict[date, list[tuple[Sequence[str], Sequence[int]]]] = {each.day_from: [] for each in spans}
    if spans:
        asked = _of_spans(covered, fact, spans)
        for day, keys, counts in conn.execute(_STORED_IN_ORDER, asked, prepare=False).fetchall():
            stored[day].append((keys, counts))
    live = {each.day_from: each for each in runs}
    for day in sorted({*stored, *live}):
        if day in stored:
            yield stored[day]
        else:
            found = _as_one(conn, covered, fact, covered.asked(live[day]))
            yield [(keys, counts) for (_, keys), counts in found.items()]
