"""Sequencing: the entries of the niche journals and of the audit log get ids of one order, the same for all who watch.

Each journal has its own order, and so has the audit log; each is that of the commits. Here they are merged, by the
process that wants to read: ids follow one another without gaps, and whatever was merged later committed later.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fairlead.store.connection import Connection
from fairlead.store.leads.rows import clock

MOST_BEHIND_ENTRIES = 100_000
"""More than this, if unwatched, is passed over: a watcher is told of a gap instead of kept waiting."""

_LOCKED_HEAD = "select id, audit_seq from live_head for no key update"
_FREE_HEAD = "select id, audit_seq from live_head for no key update skip locked"


@dataclass(frozen=True, slots=True)
class LiveHead:
    """The feed: its newest id, and the id after which every entry is still there."""

    entry_id: int
    floor_id: int
    resume_secret: bytes = field(repr=False)


def live_head(conn: Connection) -> LiveHead:
    """Where the feed stands; nothing is locked."""
    return LiveHead(*conn.execute("select id, floor_id, resume_secret from live_head").fetchall()[0])


def is_behind(conn: Connection) -> bool:
    """Whether there is anything that has no id yet. One row per niche is read, nothing is locked."""
    rows = conn.execute(
        """
        select h.audit_seq is null or a.seq > h.audit_seq
               or exists (select from niches n left join live_cursors c on c.niche_id = n.id
                          where n.journal_seq > coalesce(c.seq, 0))
        from live_head h, audit_head a
        """
    ).fetchall()
    return rows[0][0]


def sequence_entries(
    conn: Connection, audit_actions: frozenset[str], kept: timedelta, most: int, *, is_waiting: bool = False
) -> bool:
    """The oldest `most` of what has no id yet have one; returns whether there may be more.

    Of the audit log only those actions count. The first time ever, and whenever more than `MOST_BEHIND_ENTRIES` have
    none, everything so far is passed over, and so is what was recorded longer ago than `kept`: the floor says so. Locks
    the feed's head; where another process holds it, nothing is done, since that one does it, or, with `is_waiting`,
    that one is waited for. No other row is locked.
    """
    # In a statement of its own: what the next ones see was committed no earlier than what the last holder saw.
    head = conn.execute(_LOCKED_HEAD if is_waiting else _FREE_HEAD).fetchone()
    if head is None:
        return False
    entry_id, audit_seq = head
    now = clock(conn)
    if audit_seq is None or _count_behind(conn, audit_seq) > MOST_BEHIND_ENTRIES:
        _pass_over(conn, entry_id + 1)
        return False
    return _merge(conn, audit_actions, now - kept, now, most) == most


def forget_entries(conn: Connection, before: datetime, most: int) -> tuple[int, int | None]:
    """The oldest entries, up to `most`, of those that got their id before then are gone; how many, and the last id.

    Only what they say of the order is forgotten: the journals and the audit log keep everything. Locks the head.
    """
    conn.execute("select from live_head for no key update")
    rows = conn.execute(
        """
        with oldest as (select id, sequenced_at from live_entries order by id limit %(most)s)
        select count(*), max(id) from oldest
        where id < (select coalesce(min(id), 9223372036854775807) from oldest where sequenced_at >= %(before)s)
        """,
        {"most": most, "before": before},
    ).fetchall()
    count, last_id = rows[0]
    if count:
        conn.execute("delete from live_entries where id <= %s", (last_id,))
        conn.execute("update live_head set floor_id = greatest(floor_id, %s)", (last_id,))
    return count, last_id


def _count_behind(conn: Connection, audit_seq: int) -> int:
    rows = conn.execute(
        """
        select (select coalesce(sum(n.journal_seq - coalesce(c.seq, 0)), 0)::bigint
                from niches n left join live_cursors c on c.niche_id = n.id)
               + (select seq - %s from audit_head)
        """,
        (audit_seq,),
    ).fetchall()
    return rows[0][0]


def _pass_over(conn: Connection, gap_id: int) -> None:
    """The gap has an id of its own, so that no watcher who stands before it goes on as if nothing had been left out."""
    conn.execute(
        """
        insert into live_cursors (niche_id, seq) select id, journal_seq from niches
        on conflict (niche_id) do update set seq = excluded.seq
        """
    )
    conn.execute(
        "update live_head set id = %s, floor_id = %s, audit_seq = (select seq from audit_head)", (gap_id, gap_id)
    )


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What has no id yet: of a niche's journal, or with None of the audit log; `at` never falls within one of them."""

    niche_id: str | None
    seq: int
    kind: str
    at: datetime


def _merge(conn: Connection, audit_actions: frozenset[str], cutoff: datetime, now: datetime, most: int) -> int:
    """Read, then written, statement by statement: no other process moves the head or what it stands for meanwhile."""
    taken = _oldest_fresh(conn, most)
    wanted = [each for each in taken if each.niche_id is not None or each.kind in audit_actions]
    shown = [each for each in wanted if each.at >= cutoff]
    is_gap = len(shown) < len(wanted)
    rows = conn.execute(
        """
        update live_head set id = id + %(gap)s + %(shown)s,
                             floor_id = case when %(gap)s = 1 then id + 1 else floor_id end,
                             audit_seq = coalesce(%(audit_seq)s::bigint, audit_seq)
        returning id - %(shown)s
        """,
        {
            "gap": int(is_gap),
            "shown": len(shown),
            "audit_seq": max((each.seq for each in taken if each.niche_id is None), default=None),
        },
    ).fetchall()
    first_id = rows[0][0] + 1
    conn.execute(
        """
        insert into live_entries (id, niche_id, seq, kind, sequenced_at)
        select id, niche_id, seq, kind, %s
        from unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::text[]) as entry (id, niche_id, seq, kind)
        """,
        (
            now,
            list(range(first_id, first_id + len(shown))),
            [each.niche_id for each in shown],
            [each.seq for each in shown],
            [each.kind for each in shown],
        ),
    )
    cursors: dict[str, int] = {}
    for each in taken:
        if each.niche_id is not None:
            cursors[each.niche_id] = max(each.seq, cursors.get(each.niche_id, 0))
    conn.execute(
        """
        insert into live_cursors (niche_id, seq) select * from unnest(%s::uuid[], %s::bigint[])
        on conflict (niche_id) do update set seq = excluded.seq
        """,
        (list(cursors), list(cursors.values())),
    )
    return len(taken)


def _oldest_fresh(conn: Connection, most: int) -> list[_Fresh]:
    """Within a journal its own order holds also where the clock was set back: hence the greatest time so far."""
    rows = conn.execute(
        """
        with fresh as (
            select n.id as niche_id, j.seq, j.kind, j.recorded_at
            from niches n left join live_cursors c on c.niche_id = n.id
            cross join lateral (select seq, kind, recorded_at from niche_journal
                                where niche_id = n.id and seq > coalesce(c.seq, 0) order by seq limit %(most)s) j
            where n.journal_seq > coalesce(c.seq, 0)
            union all
            (select null::uuid, seq, action, created_at from audit_log
             where seq > (select audit_seq from live_head) order by seq limit %(most)s)
        )
        select niche_id::text, seq, kind, max(recorded_at) over (partition by niche_id order by seq) as at
        from fresh order by at, niche_id, seq limit %(most)s
        """,
        {"most": most},
    ).fetchall()
    return [_Fresh(*row) for row in rows]
