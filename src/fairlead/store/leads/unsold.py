"""Unsold leads that are to be offered again: by their niche's policy, or since a limit or a schedule has opened."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class UnsoldLead:
    """A lead that is to be offered again, its row locked; how often it was offered again before."""

    lead_id: str
    reoffer_count: int


def niches_that_reoffer(conn: Connection) -> list[str]:
    """The active niches whose policy offers unsold leads again, by id. Locks nothing."""
    rows = conn.execute("select id::text from niches where is_active and reoffer_every_minutes is not null order by id")
    return [row[0] for row in rows.fetchall()]


def lock_unsold(conn: Connection, niche_id: str, limit: int) -> list[UnsoldLead]:
    """The niche's leads that are due to be offered again by its policy, oldest approval first, at most so many, locked.

    Those that another transaction holds are left for the next time: as nothing is waited for, the order in which they
    are locked cannot lead to a deadlock.
    """
    return all_rows(
        conn,
        UnsoldLead,
        """
        select l.id::text as lead_id, l.reoffer_count from leads l join niches n on n.id = l.niche_id
        where n.id = %(niche)s and n.is_active
          and l.status = 'approved' and not l.awaits_decision and l.last_outcome = 'no_eligible'
          and l.reoffer_count < n.reoffer_max_times
          and l.approved_at
              > coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(hours => n.reoffer_max_hours)
          and l.last_attempt_at
              <= coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(mins => n.reoffer_every_minutes)
        order by l.approved_at, l.id limit %(limit)s for no key update of l skip locked
        """,
        {"niche": niche_id, "limit": limit, "now": simulated_now(conn)},
    )


def lock_reopened(conn: Connection, limit: int) -> list[UnsoldLead]:
    """The leads that limits or schedules kept unsold, and the first of them has opened: at most so many, locked.

    The one first that opened first; those that another transaction holds are left for the next time. Leads of inactive
    niches go on waiting.
    """
    return all_rows(
        conn,
        UnsoldLead,
        """
        select l.id::text as lead_id, l.reoffer_count from leads l join niches n on n.id = l.niche_id
        where n.is_active and l.status = 'approved' and not l.awaits_decision
          and l.reopens_at <= coalesce(%s::timestamptz, clock_timestamp())
        order by l.reopens_at, l.id limit %s for no key update of l skip locked
        """,
        (simulated_now(conn), limit),
    )
