"""Where what subscriptions could have had is kept, and up to which entry of each journal it is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fairlead.core.entitlement import EntitlementPiece
from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days
from fairlead.store.typed_rows import all_rows

SpanOfDays = tuple[date, date]
"""The first day, and the day after the last one."""


@dataclass(frozen=True, slots=True)
class EntitlementProgress:
    """Up to which entry a niche's decisions are counted in a zone, and when that entry was recorded."""

    niche_id: str
    timezone: str
    up_to_seq: int
    up_to: datetime | None


@dataclass(frozen=True, slots=True)
class EntitledSubscription:
    """A subscription of a niche, living or not, at a living level or not, and whose it is."""

    subscription_id: str
    level_id: str
    level_name: str
    provider_id: str
    provider_name: str
    is_active: bool
    is_living: bool


def entitlement_progress(conn: Connection, niche_id: str) -> Mapping[str, EntitlementProgress]:
    """By zone."""
    found = all_rows(
        conn,
        EntitlementProgress,
        "select niche_id::text, timezone, up_to_seq, up_to from entitlement_progress where niche_id = %s",
        (niche_id,),
    )
    return {each.timezone: each for each in found}


def keep_progress(conn: Connection, progress: EntitlementProgress, before_seq: int) -> bool:
    """It is so far, and was at `before_seq` until now; False, with nothing changed, where another has counted since."""
    values = (progress.niche_id, progress.timezone, progress.up_to_seq, progress.up_to)
    written = conn.execute(
        """
        insert into entitlement_progress (niche_id, timezone, up_to_seq, up_to) values (%s, %s, %s, %s)
        on conflict (niche_id, timezone) do update set up_to_seq = excluded.up_to_seq, up_to = excluded.up_to
        where entitlement_progress.up_to_seq = %s
        """,
        (*values, before_seq),
    )
    return written.rowcount == 1


def add_to_piece(conn: Connection, niche_id: str, timezone: str, span: SpanOfDays, piece: EntitlementPiece) -> None:
    """The span's piece has this one after what it held."""
    key = (niche_id, timezone, *span)
    before = kept_piece(conn, niche_id, timezone, span)
    whole = piece if before is None else before.followed_by(piece)
    conn.execute(
        """
        insert into entitlement_pieces (niche_id, timezone, day_from, day_before, counts) values (%s, %s, %s, %s, %s)
        on conflict (niche_id, timezone, day_from, day_before) do update set counts = excluded.counts
        """,
        (*key, whole.packed()),
    )


def entitlement_pieces(conn: Connection, niche_id: str, days: Days) -> list[EntitlementPiece]:
    """What is counted of the niche in these days, in order: whole months where they lie within, else days."""
    spans = _spans_of(days)
    rows = conn.execute(
        """
        select p.counts from entitlement_pieces p
        join unnest(%s::date[], %s::date[]) as s (day_from, day_before)
          on p.day_from = s.day_from and p.day_before = s.day_before
        where p.niche_id = %s and p.timezone = %s order by p.day_from
        """,
        ([first for first, _ in spans], [before for _, before in spans], niche_id, days.timezone),
    ).fetchall()
    return [EntitlementPiece.unpacked(counts) for (counts,) in rows]


def kept_piece(conn: Connection, niche_id: str, timezone: str, span: SpanOfDays) -> EntitlementPiece | None:
    """What is counted in that span."""
    row = conn.execute(
        """
        select counts from entitlement_pieces
        where niche_id = %s and timezone = %s and day_from = %s and day_before = %s
        """,
        (niche_id, timezone, *span),
    ).fetchone()
    return None if row is None else EntitlementPiece.unpacked(row[0])


def kept_spans(conn: Connection, niche_id: str) -> int:
    """How many pieces of the niche there are."""
    row = conn.execute("select count(*) from entitlement_pieces where niche_id = %s", (niche_id,)).fetchone()
    return 0 if row is None else row[0]


def entitled_subscriptions(conn: Connection, niche_id: str) -> list[EntitledSubscription]:
    """Every subscription that the niche has or had, in the order of its levels, then by provider."""
    return all_rows(
        conn,
        EntitledSubscription,
        """
        select s.id::text as subscription_id, l.id::text as level_id, l.name as level_name, p.id::text as provider_id,
               p.name as provider_name, s.is_active, s.deleted_at is null as is_living
        from competition_levels l join subscriptions s on s.competition_level_id = l.id
        join providers p on p.id = s.provider_id
        where l.niche_id = %s order by l.deleted_at is not null, l.order_position, l.id, p.name, s.id
        """,
        (niche_id,),
    )


def decisions_since(conn: Connection, niche_id: str, seq: int, at_most: int) -> int:
    """How many decisions the niche's journal has after that entry; no more than `at_most` are counted."""
    row = conn.execute(
        """
        select count(*) from (
            select from niche_journal where niche_id = %s and seq > %s and kind = 'decision' limit %s) newer
        """,
        (niche_id, seq, at_most),
    ).fetchone()
    return 0 if row is None else row[0]


def forget_entitlement(conn: Connection, timezones: Sequence[str]) -> None:
    """Of other zones than these nothing is counted."""
    conn.execute("delete from entitlement_pieces where timezone <> all(%s)", (list(timezones),))
    conn.execute("delete from entitlement_progress where timezone <> all(%s)", (list(timezones),))


def month_of(day: date) -> SpanOfDays:
    """The month that the day lies in.

    >>> [str(each) for each in month_of(date(2026, 12, 24))]
    ['2026-12-01', '2027-01-01']
    """
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _spans_of(days: Days) -> list[SpanOfDays]:
    spans: list[SpanOfDays] = []
    day = days.day_from
    while day < days.day_before:
        first, before = month_of(day)
        span = (first, before) if first == day and before <= days.day_before else (day, day + timedelta(days=1))
        spans.append(span)
        day = span[1]
    return spans
