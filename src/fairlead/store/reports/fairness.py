"""How even a niche's rotation was: where decisions began, and how its levels served their subscriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import LEVELS
from fairlead.store.reports.facts import SALES
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals
from fairlead.store.reports.waits import Turns, turns_of


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


def level_fairness(conn: Connection, covered: Cover) -> list[LevelFairness]:
    """The niche's levels, living or decided on in the days, in order."""
    starts: dict[str, list[tuple[int, int, int]]] = {}
    for (level_id, levels), (decisions, begun, _, _) in totals(conn, covered, LEVELS, ("keys[1]", "keys[2]")).items():
        starts.setdefault(level_id, []).append((int(levels), decisions, begun))
    turns = turns_of(conn, covered)
    served: dict[str, dict[str, Turns]] = {}
    for subscription_id, own in turns.subscriptions.items():
        served.setdefault(own.level_id, {})[subscription_id] = own
    rows = conn.execute(
        """
        select l.id::text, l.name,
               array(select s.id::text from subscriptions s
                     where s.competition_level_id = l.id and s.is_active and s.deleted_at is null)
        from competition_levels l
        where l.niche_id = %s and (l.deleted_at is null or l.id = any(%s::uuid[]))
        order by l.order_position, l.id
        """,
        (covered.niche_id, sorted({*starts, *served})),
    ).fetchall()
    return [
        _level(level_id, name, active_ids, starts.get(level_id, []), served.get(level_id, {}))
        for level_id, name, active_ids in rows
    ]


def most_assigned_niche(conn: Connection, covered: Cover) -> tuple[str, str] | None:
    """Slug and name of the niche with the most assignments in the days; None without any."""
    sold = {niche_id: counts[0] for (niche_id,), counts in totals(conn, covered, SALES, ("niche_id",)).items()}
    rows = conn.execute("select id, slug, name from niches where id = any(%s)", (list(sold),)).fetchall()
    found = sorted((-sold[niche_id], slug, name) for niche_id, slug, name in rows if sold[niche_id])
    return found[0][1:] if found else None


def _level(
    level_id: str,
    name: str,
    active_ids: Sequence[str],
    starts: Sequence[tuple[int, int, int]],
    served: Mapping[str, Turns],
) -> LevelFairness:
    times = [each.received for each in served.values()]
    return LevelFairness(
        level_id,
        name,
        decisions=sum(decisions for _, decisions, _ in starts),
        starts=sum(begun for _, _, begun in starts),
        expected_starts=float(sum(Fraction(decisions, levels) for levels, decisions, _ in starts)),
        assignments=sum(times),
        served_subscriptions=len(times),
        unserved_subscriptions=len({*active_ids} - served.keys()),
        fewest_times=min(times, default=0),
        most_times=max(times, default=0),
        longest_wait=max((each.longest_wait for each in served.values()), default=0),
    )
