"""Facts of days that are over, added up beforehand; reports add up pieces, and read the rows of the other days.

A span (a day, a month) has its pieces or has none. A report covers its days with spans whose pieces hold, and with runs
of days that it asks the rows about: days that are not over, have not been made yet, or whose rows changed since. What
changes a row that is older than an hour leaves a mark (`changes`), and a span is made only hours after its end, so that
no change is missed however long its transaction took. Everything is read in one snapshot: a span that is made anew is
there with its pieces and without its marks, or as it was.
"""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days
from fairlead.store.reports.entitlement import forget_entitlement
from fairlead.store.reports.facts import FACTS
from fairlead.store.typed_rows import all_rows

CLOSED_AFTER = timedelta(hours=2)
"""After its end a span waits so long before it is made: by then each change of its rows leaves a mark."""

LONGEST_WRITE = timedelta(minutes=10)
"""No transaction that changes a row lasts longer: a mark that is older than a span by this was seen by it."""

Key = tuple[Any, ...]
Totals = dict[Key, list[int]]


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `day_from` on, before `day_before`, whose pieces are there; of `changed` kinds they hold no more."""

    day_from: date
    day_before: date
    changed: frozenset[str] = frozenset()
    made_at: datetime | None = None


@dataclass(frozen=True)
class Cover:
    """The days of a report, told by spans and, where none holds, by the rows. Made by `cover`.

    `more` are parameters of a last run that is no whole day, for a report that ends within one.
    """

    days: Days
    spans: Sequence[Span]
    more: Sequence[Mapping[str, object]] = ()
    niche_id: str | None = None
    provider_id: str | None = None
    _chosen: dict[tuple[str, bool], tuple[list[Span], list[Days]]] = field(
        default_factory=dict[tuple[str, bool], tuple[list[Span], list[Days]]]
    )
    known: dict[tuple[str, Key], Totals] = field(default_factory=dict[tuple[str, Key], Totals])
    """What was found of it, by fact and what is asked of that: many reports of a page ask for the same (`totals`)."""
    provider_names: dict[str, str] = field(default_factory=dict[str, str])
    """Those that reports of the days asked for so far (`names`)."""

    def asked(self, days: Days) -> dict[str, object]:
        """The parameters of a fact for a run of days."""
        return days.parameters(niche=self.niche_id, provider=self.provider_id, day_from=days.day_from)

    def chosen(self, kind: str, *, as_one: bool) -> tuple[list[Span], list[Days]]:
        """The spans that hold for that kind of fact, the longest first, and the runs of days beside them.

        Only for what is told as one, months may stand for their days.
        """
        if (kind, as_one) not in self._chosen:
            self._chosen[kind, as_one] = self._choose(kind, as_one=as_one)
        return self._chosen[kind, as_one]

    def _choose(self, kind: str, *, as_one: bool) -> tuple[list[Span], list[Days]]:
        one_day = timedelta(days=1)
        by_begin: dict[date, date] = {}
        for each in self.spans:
            if kind not in each.changed and (as_one or each.day_before - each.day_from == one_day):
                by_begin[each.day_from] = max(each.day_before, by_begin.get(each.day_from, each.day_before))
        spans, runs = list[Span](), list[Days]()
        day, begun = self.days.day_from, self.days.day_from
        while day < self.days.day_before:
            until = by_begin.get(day)
            if until is not None and until > self.days.day_before:
                until = day + one_day if day in self._days_made[kind] else None
            if until is None:
                day += one_day
                continue
            if begun < day:
                runs.append(replace(self.days, day_from=begun, day_before=day))
            spans.append(Span(day, until))
            day = begun = until
        if begun < day:
            runs.append(replace(self.days, day_from=begun, day_before=day))
        return spans, runs

    @cached_property
    def _days_made(self) -> Mapping[str, frozenset[date]]:
        one_day = timedelta(days=1)
        return {
            kind: frozenset(
                each.day_from
                for each in self.spans
                if kind not in each.changed and each.day_before - each.day_from == one_day
            )
            for kind in ("leads", "assignments", "settled")
        }


def cover(conn: Connection, days: Days, niche_id: str | None = None, *, until: datetime | None = None) -> Cover:
    """The days, told by what there is (of the niche); with `until`, the last of them only up to that moment."""
    whole, more = days, list[Mapping[str, object]]()
    if until is not None:
        last = replace(days, day_from=days.day_before - timedelta(days=1))
        whole = replace(days, day_before=last.day_from)
        more.append({**Cover(last, (), niche_id=niche_id).asked(last), "before": until})
    return Cover(whole, spans_within(conn, whole), more, niche_id)


def cover_one_provider(days: Days, provider_id: str, niche_id: str | None = None) -> Cover:
    """The days, told by that provider's rows alone, and so to the provider itself, too, which sees no others."""
    return Cover(days, (), niche_id=niche_id, provider_id=provider_id)


def spans_within(conn: Connection, days: Days) -> list[Span]:
    """The spans of the days' zone that lie within them, with what does not hold of each."""
    rows = conn.execute(
        """
        select s.day_from, s.day_before, array(
                   select distinct c.fact_kind from report_changes c
                   where c.at >= s.since and c.at < s.before and c.created_at >= s.made_at - %s), s.made_at
        from report_spans s
        where s.timezone = %s and s.day_from >= %s and s.day_before <= %s order by s.day_from, s.day_before
        """,
        (LONGEST_WRITE, days.timezone, days.day_from, days.day_before),
    ).fetchall()
    return [Span(day_from, day_before, frozenset(changed), made_at) for day_from, day_before, changed, made_at in rows]


def keep_zone(conn: Connection, timezone: str) -> None:
    """Reports were asked for in this zone today."""
    conn.execute(
        """
        insert into report_zones (timezone, asked_on) values (%s, current_date)
        on conflict (timezone) do update set
            asked_on = excluded.asked_on,
            first_asked_at = case when report_zones.asked_on > excluded.asked_on - 31
                then report_zones.first_asked_at else excluded.first_asked_at end
        where report_zones.asked_on <> excluded.asked_on
        """,
        (timezone,),
    )


def zones_asked(conn: Connection, first: Sequence[str]) -> list[str]:
    """The zones in which reports were asked for in the last month: these first, then in the order of their first use.

    So no zone that is new pushes out one that is used.
    """
    rows = conn.execute(
        """
        select timezone from report_zones where asked_on > current_date - 31
        order by array_position(%s::text[], timezone) nulls last, first_asked_at, timezone
        """,
        (list(first),),
    ).fetchall()
    return [row[0] for row in rows]


def made_spans(conn: Connection) -> list[Days]:
    """Every span that is there, by zone."""
    return all_rows(conn, Days, "select timezone, day_from, day_before from report_spans order by 1, 2, 3")


def first_day(conn: Connection) -> datetime | None:
    """When the first lead came in; None before it."""
    row = conn.execute("select min(created_at) from leads").fetchone()
    return None if row is None else row[0]


def make_span(conn: Connection, days: Days) -> int:
    """The span has every fact as the rows of this transaction's snapshot give it.

    Returns of how many pieces it consists. Needs a transaction that sees one snapshot.
    """
    forget_span(conn, days)
    values = days.parameters(
        niche=None, provider=None, day_from=days.day_from, timezone=days.timezone, until=days.day_before
    )
    count = 0
    for fact in FACTS.values():
        count += conn.execute(
            f"""
            insert into report_pieces (timezone, fact, day_from, day_before, niche_id, keys, counts)
            select %(timezone)s, %(fact)s, day, %(until)s, niche_id, keys, counts from ({fact.as_one}) piece
            order by niche_id, keys
            """,
            {**values, "fact": fact.name},
        ).rowcount
    conn.execute(
        """
        insert into report_spans (timezone, day_from, day_before, since, before, made_at)
        values (%(timezone)s, %(day_from)s, %(until)s, %(since)s, %(before)s, now())
        """,
        values,
    )
    return count


def forget_changes(conn: Connection) -> int:
    """Marks that every span was made after are gone; returns how many."""
    return conn.execute(
        """
        delete from report_changes c where c.created_at < statement_timestamp() - %(longest)s and not exists (
            select from report_spans s
            where c.at >= s.since and c.at < s.before and c.created_at >= s.made_at - %(longest)s)
        """,
        {"longest": LONGEST_WRITE},
    ).rowcount


def forget_other_zones(conn: Connection, timezones: Sequence[str]) -> None:
    """Spans of other zones than these are gone, and what is counted of entitlement in them."""
    forget_entitlement(conn, timezones)
    conn.execute("delete from report_pieces where timezone <> all(%s)", (list(timezones),))
    conn.execute("delete from report_spans where timezone <> all(%s)", (list(timezones),))


def forget_span(conn: Connection, days: Days) -> None:
    """The span is not there."""
    for table in ("report_pieces", "report_spans"):
        conn.execute(
            f"delete from {table} where timezone = %s and day_from = %s and day_before = %s".encode(),
            (days.timezone, days.day_from, days.day_before),
        )


def forget_spans(conn: Connection) -> None:
    """No span is there: rows may be written into the past, and what was changed needs no mark."""
    conn.execute("delete from report_changes")
    conn.execute("delete from report_pieces")
    conn.execute("delete from report_spans")


def span_differences(conn: Connection, days: Days) -> list[str]:
    """Where the span's pieces are not what the rows give, in words; nothing of kinds that are marked as changed."""
    spans = {each.day_before: each for each in spans_within(conn, days) if each.day_from == days.day_from}
    span = spans[days.day_before]
    values = days.parameters(
        niche=None, provider=None, day_from=days.day_from, timezone=days.timezone, until=days.day_before
    )
    found: list[str] = []
    for fact in FACTS.values():
        if fact.kind in span.changed:
            continue
        rows = conn.execute(
            f"""
            select coalesce(r.niche_id, p.niche_id)::text, coalesce(r.keys, p.keys), p.counts, r.counts
            from ({fact.as_one}) r
            full join (select niche_id, keys, counts from report_pieces
                       where timezone = %(timezone)s and fact = %(fact)s and day_from = %(day_from)s::date
                         and day_before = %(until)s::date) p on p.niche_id = r.niche_id and p.keys = r.keys
            where p.counts is distinct from r.counts limit 3
            """,
            {**values, "fact": fact.name},
        ).fetchall()
        found += [
            f"{fact.name} from {days.day_from} to before {days.day_before} ({days.timezone}), niche {niche}, {keys}: "
            f"kept {kept}, the rows give {given}"
            for niche, keys, kept, given in rows
        ]
    return found
