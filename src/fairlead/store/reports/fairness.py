"""How even a niche's rotation was: where decisions began, and how its levels served their subscriptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, within
from fairlead.store.reports.waits import TURNS_AND_WAITS


@dataclass(frozen=True, slots=True)
class LevelFairness:
    """A level in a span of days.

    By R2 each level of a decision begins as often: `expected_starts` adds up one n-th for each decision with n levels
    that this was one of. `fewest_times` and `most_times` are of the subscriptions that were served at all;
    those that are active now and were not are counted beside. `longest_wait` is the longest run of the level's
    assignments that a subscription saw go to others between two of its own.
    """

    level_id: str
    level_name: str
    decisions: int
    starts: int
    expected_starts: float
    assignments: int
    served_subscriptions: int
    unserved_subscriptions: int
    fewest_times: int
    most_times: int
    longest_wait: int


def level_fairness(conn: Connection, niche_slug: str, days: Days) -> list[LevelFairness]:
    """The niche's levels, living or decided on in the span, in order. Two reads: decisions, and assignments."""
    starts = _by_level(conn, _STARTS, niche_slug, days)
    turns = _by_level(conn, _TURNS, niche_slug, days)
    rows = conn.execute(
        """
        select l.id::text, l.name,
               (select count(*) from subscriptions s
                where s.competition_level_id = l.id and s.is_active and s.deleted_at is null)
        from competition_levels l
        where l.niche_id = (select id from niches where slug = %s) and (l.deleted_at is null or l.id = any(%s::uuid[]))
        order by l.order_position, l.id
        """,
        (niche_slug, sorted({*starts, *turns})),
    ).fetchall()
    return [
        _level(level_id, name, active_count, starts.get(level_id, (0, 0, 0.0)), turns.get(level_id))
        for level_id, name, active_count in rows
    ]


def most_assigned_niche(conn: Connection, days: Days) -> tuple[str, str] | None:
    """Slug and name of the niche with the most assignments in the span; None without any."""
    row = conn.execute(_MOST_ASSIGNED, days.parameters()).fetchone()
    return None if row is None else (row[0], row[1])


def _level(
    level_id: str, name: str, active_count: int, starts: tuple[Any, ...], turns: tuple[Any, ...] | None
) -> LevelFairness:
    decisions, begun, expected = starts
    assignments, served, served_and_active, fewest, most, longest = turns or (0, 0, 0, 0, 0, 0)
    unserved = active_count - served_and_active
    return LevelFairness(
        level_id, name, decisions, begun, expected, assignments, served, unserved, fewest, most, longest
    )


def _by_level(conn: Connection, query: LiteralString, niche_slug: str, days: Days) -> Mapping[str, tuple[Any, ...]]:
    rows = conn.execute(query, days.parameters(niche=niche_slug)).fetchall()
    return {row[0]: row[1:] for row in rows}


_MOST_ASSIGNED: LiteralString = f"""
    select n.slug, n.name
    from (select niche_id, count(*) as count from assignments a
          where a.id between %(first_id)s and %(last_id)s and {within("a.assigned_at")} group by niche_id) sold
    join niches n on n.id = sold.niche_id order by sold.count desc, n.slug limit 1"""  # noqa: S608 - constants of our own

_STARTS: LiteralString = f"""
    select level.body ->> 'level_id', count(*), count(*) filter (where level.number = 1),
           sum(1.0 / jsonb_array_length(j.payload -> 'levels'))::float8
    from niche_journal j
    cross join lateral jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number)
    where j.niche_id = (select id from niches where slug = %(niche)s) and j.kind = 'decision'
      and {within("j.recorded_at")}
    group by 1"""  # noqa: S608 - constants of our own

_TURNS: LiteralString = f"""
    with {TURNS_AND_WAITS}, served as (
        select competition_level_id, subscription_id, count(*) as times, coalesce(max(wait), 0) as longest
        from waits group by competition_level_id, subscription_id
    )
    select v.competition_level_id::text, sum(v.times)::bigint, count(*),
           count(*) filter (where s.is_active and s.deleted_at is null), min(v.times), max(v.times), max(v.longest)
    from served v join subscriptions s on s.id = v.subscription_id
    group by v.competition_level_id"""  # noqa: S608 - constants of our own
