"""The marketplace over a stretch of time, in a few figures: leads, sales, waits, and the slots that stayed open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import DECISIONS, LEVELS, OPEN_SLOTS
from fairlead.store.reports.fact import ReportFact
from fairlead.store.reports.facts import LEADS, REFUNDS, SALES, SOLD, TIMES
from fairlead.store.reports.pieces import Cover, Key, Totals
from fairlead.store.reports.totals import totals
from fairlead.store.typed_rows import all_rows

NO_OTHER_SUBSCRIPTION = "no_other_subscription"
"""Why a slot stayed open at a level all of whose subscriptions received the lead."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A stretch of time. Leads are those that came in then, and sold is what they are now; sales are those made then.

    `assignment_seconds_p50` and `assignment_seconds_p95` are from approval to assignment, for 50 and 95 of 100 of those
    leads; `approval_seconds_median` is from coming in to approval. To two significant digits; None where there is
    nothing to tell.
    """

    received_count: int
    sold_count: int
    assignment_seconds_p50: float | None
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


def figures(conn: Connection, covered: Cover) -> Figures:
    """The figures of those days."""
    received, _, sold, *_ = _one(totals(conn, covered, LEADS), LEADS)
    assignments, gross, *_ = _one(totals(conn, covered, SALES), SALES)
    [assigned] = _one(totals(conn, covered, SOLD), SOLD)
    refunded, refunded_cents = _one(totals(conn, covered, REFUNDS), REFUNDS)
    times = totals(conn, covered, TIMES, ("keys[1]", "keys[2]"))
    return Figures(
        received,
        sold,
        seconds_at(times, "assignment", 50),
        seconds_at(times, "assignment", 95),
        seconds_at(times, "approval", 50),
        assignments,
        assigned,
        gross,
        refunded,
        refunded_cents,
    )


def seconds_at(times: Mapping[Key, Sequence[int]], step: str, percent: int) -> float | None:
    """Within how many seconds so many of 100 leads went through that step; None without any.

    `times` has, by step and by a unit in milliseconds, how many leads took 0, 1, 2 ... of that unit.

    >>> seconds_at({("approval", "1"): [0, 0, 9], ("approval", "100"): [0, 1]}, "approval", 50)
    0.002
    """
    counted = sorted(
        (number * int(unit), count)
        for (which, unit), counts in times.items()
        if which == step
        for number, count in enumerate(counts)
        if count
    )
    wanted, seen = sum(count for _, count in counted) * percent, 0
    for milliseconds, count in counted:
        seen += count
        if seen * 100 >= wanted:
            return milliseconds / 1000
    return None


def hours(conn: Connection, begins: Sequence[datetime], before: datetime, niche_id: str | None = None) -> list[Bucket]:
    """One for each hour's beginning (of the niche), also where nothing happened; the last one ends at `before`."""
    values = {"begins": list(begins), "since": begins[0], "before": before, "niche": niche_id}
    by_begin = {each.begins_at: each for each in all_rows(conn, Bucket, _BUCKETS, values)}
    return [by_begin.get(begin, Bucket(begin, 0, 0, 0)) for begin in begins]


def days_of(conn: Connection, covered: Cover, begins: Sequence[tuple[date, datetime]]) -> list[Bucket]:
    """One for each day, also where nothing happened."""
    leads = totals(conn, covered, LEADS, ("day",))
    decided = totals(conn, covered, DECISIONS, ("day",))
    nothing = [0] * LEADS.width
    return [
        Bucket(
            begin,
            leads.get((day,), nothing)[0],
            leads.get((day,), nothing)[2],
            decided.get((day,), [0])[0],
        )
        for day, begin in begins
    ]


def slots(conn: Connection, covered: Cover) -> SlotCounts:
    """What the decisions of those days offered and left open."""
    _, decisions, offered, filled = _one(totals(conn, covered, LEVELS), LEVELS)
    by_reason = totals(conn, covered, OPEN_SLOTS, ("keys[1]",))
    found = [OpenSlots(reason, own, refused) for (reason,), (own, refused) in by_reason.items() if own]
    rest = offered - filled - sum(each.slots for each in found)
    if rest:
        found.append(OpenSlots(NO_OTHER_SUBSCRIPTION, rest, 0))
    reasons = sorted(found, key=lambda each: (-each.slots, each.reason))
    return SlotCounts(decisions, offered, offered - filled, tuple(reasons))


def _one(found: Totals, fact: ReportFact) -> list[int]:
    return found.get((), [0] * fact.width)


_BUCKETS: LiteralString = """
    select (%(begins)s::timestamptz[])[number] as begins_at, sum(received)::bigint as received_count,
           sum(sold)::bigint as sold_count, sum(decided)::bigint as decisions
    from (
        select width_bucket(created_at, %(begins)s::timestamptz[]) as number, count(*) as received,
               count(distributed_at) as sold, 0 as decided
        from leads where created_at >= %(since)s and created_at < %(before)s
          and (%(niche)s::uuid is null or niche_id = %(niche)s::uuid) group by 1
        union all
        select width_bucket(recorded_at, %(begins)s::timestamptz[]), 0, 0, count(*)
        from niche_journal where kind = 'decision' and recorded_at >= %(since)s and recorded_at < %(before)s
          and (%(niche)s::uuid is null or niche_id = %(niche)s::uuid) group by 1
    ) counted group by number"""
