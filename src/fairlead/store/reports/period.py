"""The marketplace over a stretch of time, in a few figures: leads, sales, waits, and the slots that stayed open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.ids import ids_from
from fairlead.store.typed_rows import all_rows

NO_OTHER_SUBSCRIPTION = "no_other_subscription"
"""Why a slot stayed open at a level all of whose subscriptions received the lead."""

_CLOSEST_FIRST = (
    "insufficient_balance",
    "already_recipient",
    "filter_mismatch",
    "filter_invalid",
    "subscription_inactive",
    "provider_inactive",
)
"""Reasons, from the one that was closest to a sale."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A stretch of time. Leads are those that came in then, and sold is what they are now; sales are those made then.

    `assignment_seconds_p95` is from approval to assignment, for 95 of 100 of those leads; `approval_seconds_median` is
    from coming in to approval. None where there is nothing to tell.
    """

    received_count: int
    sold_count: int
    assignment_seconds_p95: float | None
    approval_seconds_median: float | None
    assignments: int
    assigned_leads: int
    gross_cents: int
    refunded_count: int
    refunded_cents: int

    @property
    def net_cents(self) -> int:
        """What was sold then less what was given back then."""
        return self.gross_cents - self.refunded_cents

    @property
    def sold_share(self) -> float | None:
        """Sold of those that came in; None when none did."""
        return self.sold_count / self.received_count if self.received_count else None

    @property
    def recipients_per_lead(self) -> float | None:
        """Providers that a lead which was sold went to; None when none was."""
        return self.assignments / self.assigned_leads if self.assigned_leads else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """An hour or a day: the leads that came in, those of them that are sold now, and the decisions that were made."""

    begins_at: datetime
    received_count: int
    sold_count: int
    decisions: int


@dataclass(frozen=True, slots=True)
class OpenSlots:
    """SlotCounts that stayed open for one reason, and how many subscriptions that reason kept away where any did."""

    reason: str
    slots: int
    refused_count: int


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """What decisions had to give, and what stayed open, the most frequent reason first.

    Each open slot counts for one reason: that of the subscription that was closest to taking it. Closest is who lacked
    only the money, then who has the lead from another level, whose filter did not want it, whose filter does not fit
    the form, who is switched off, whose provider is not active; where no subscription is left, there is none.
    """

    decisions: int
    offered: int
    open: int
    reasons: tuple[OpenSlots, ...]


def figures(conn: Connection, since: datetime, before: datetime) -> Figures:
    """The figures of that stretch. Three reads, each of the stretch alone."""
    span = _span(since, before)
    leads = conn.execute(_LEADS, span).fetchall()[0]
    sales = conn.execute(_SALES, span).fetchall()[0]
    refunds = conn.execute(_REFUNDS, span).fetchall()[0]
    return Figures(*leads, *sales, *refunds)


def buckets(conn: Connection, begins: Sequence[datetime], before: datetime) -> list[Bucket]:
    """One for each beginning, also where nothing happened; the last one ends at `before`."""
    found = all_rows(conn, Bucket, _BUCKETS, {"begins": list(begins), **_span(begins[0], before)})
    by_begin = {each.begins_at: each for each in found}
    return [by_begin.get(begin, Bucket(begin, 0, 0, 0)) for begin in begins]


def slots(conn: Connection, since: datetime, before: datetime) -> SlotCounts:
    """What the decisions of that stretch offered and left open. Reads them twice, and what each says."""
    span = _span(since, before)
    decisions, offered, still_open = conn.execute(_OFFERED, span).fetchall()[0]
    found = all_rows(conn, OpenSlots, _REASONS, {"closest": list(_CLOSEST_FIRST), **span})
    rest = still_open - sum(each.slots for each in found)
    if rest:
        found.append(OpenSlots(NO_OTHER_SUBSCRIPTION, rest, 0))
    reasons = sorted((each for each in found if each.slots), key=lambda each: (-each.slots, each.reason))
    return SlotCounts(decisions, offered, still_open, tuple(reasons))


def _span(since: datetime, before: datetime) -> dict[str, object]:
    # An id is made before its row's time, by a clock that may differ from the database's.
    around = timedelta(days=1)
    return {
        "since": since,
        "before": before,
        "first_id": ids_from(since - around),
        "last_id": ids_from(before + around),
    }


_LEADS: LiteralString = """
    select count(*), count(distributed_at),
           percentile_cont(0.95) within group (order by extract(epoch from distributed_at - approved_at)::float8),
           percentile_cont(0.5) within group (order by extract(epoch from approved_at - created_at)::float8)
    from leads where created_at >= %(since)s and created_at < %(before)s"""

_SALES: LiteralString = """
    select count(*), count(distinct lead_id), coalesce(sum(price_cents), 0)::bigint from assignments
    where id between %(first_id)s and %(last_id)s and assigned_at >= %(since)s and assigned_at < %(before)s"""

_REFUNDS: LiteralString = """
    select count(*), coalesce(sum(price_cents), 0)::bigint from assignments
    where refunded_at >= %(since)s and refunded_at < %(before)s"""

_BUCKETS: LiteralString = """
    select (%(begins)s::timestamptz[])[number] as begins_at, sum(received)::bigint as received_count,
           sum(sold)::bigint as sold_count, sum(decided)::bigint as decisions
    from (
        select width_bucket(created_at, %(begins)s::timestamptz[]) as number, count(*) as received,
               count(distributed_at) as sold, 0 as decided
        from leads where created_at >= %(since)s and created_at < %(before)s group by 1
        union all
        select width_bucket(recorded_at, %(begins)s::timestamptz[]), 0, 0, count(*)
        from niche_journal where kind = 'decision' and recorded_at >= %(since)s and recorded_at < %(before)s group by 1
    ) counted group by number"""

_LEVELS: LiteralString = """
    select j.niche_id, j.seq, level.number, level.body, (level.body ->> 'max_recipients')::bigint as offered,
           (level.body ->> 'max_recipients')::bigint - jsonb_array_length(level.body -> 'recipients') as open
    from niche_journal j cross join lateral jsonb_array_elements(j.payload -> 'levels')
         with ordinality as level (body, number)
    where j.kind = 'decision' and j.recorded_at >= %(since)s and j.recorded_at < %(before)s"""

_OFFERED: LiteralString = f"""
    select count(*) filter (where number = 1), coalesce(sum(offered), 0)::bigint, coalesce(sum(open), 0)::bigint
    from ({_LEVELS}) decided"""  # noqa: S608 - constants of our own

# Of the subscriptions that were refused at a level, the closest take its open slots one by one.
_REASONS: LiteralString = f"""
    with refused as (
        select niche_id, seq, number, open, refusal.reason, sum(refusal.count)::bigint as count
        from ({_LEVELS}) decided
        cross join lateral (
            select one ->> 'reason' as reason, 1 as count from jsonb_array_elements(body -> 'refused') as one
            union all
            select key, value::bigint from jsonb_each_text(body -> 'counts')) refusal
        where open > 0 group by niche_id, seq, number, open, refusal.reason
    ), ahead as (
        select reason, open, count,
               sum(count) over (partition by niche_id, seq, number
                                order by coalesce(array_position(%(closest)s::text[], reason), 99), reason) - count
               as before
        from refused
    )
    select reason, sum(greatest(0, least(open - before, count)))::bigint as slots, sum(count)::bigint as refused_count
    from ahead group by reason"""  # noqa: S608 - constants of our own
