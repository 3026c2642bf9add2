"""Leads as operators list them: filtered, in either order of time, every page at one cost, and counted to a bound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias, get_args
from uuid import UUID

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of

Place: TypeAlias = tuple[datetime, str]
"""When a lead came in, and its id."""

LeadOutcome = Literal["sold", "partial", "unsold", "failed", "rejected"]
LEAD_OUTCOMES: tuple[LeadOutcome, ...] = get_args(LeadOutcome)
"""What became of a lead: sold, also where a slot stayed open; sold with such a slot; decided without a recipient; its
distribution given up; rejected."""

STATUS_OF_OUTCOME: dict[str, tuple[str, str | None]] = {
    "sold": ("distributed", None),
    "partial": ("distributed", "partial"),
    "unsold": ("approved", "no_eligible"),
    "failed": ("approved", "failed"),
    "rejected": ("rejected", None),
}
"""By outcome: the status, which an index answers, and the last attempt, which is looked at lead by lead."""

COUNTED_LEADS, LOOKED_AT_TO_COUNT = 10_000, 2_000
"""Counting stops here: at so many entries of an index, and at fewer where each lead has to be looked at."""

RECENT_LEADS, MOST_SOURCES = 2_000, 100


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads are wanted; None: all. `created_from` is included, `created_before` is not.

    `source` is a whole `utm_source`, `id_prefix` the beginning of an id, in hexadecimal.
    """

    niche_slug: str | None = None
    status: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    id_prefix: str | None = None
    source: str | None = None
    outcome: LeadOutcome | None = None


@dataclass(frozen=True, slots=True)
class ListedLead:
    """A lead as a list shows it. Of what is personal it has the name alone."""

    lead_id: str
    niche: str
    niche_name: str
    status: str
    contact_name: str | None = field(repr=False)
    utm_source: str | None
    awaits_decision: bool
    distribution_attempts: int
    last_outcome: str | None
    created_at: datetime
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeadCount:
    """How many leads there are: exactly `count`, or more where `is_more`; None where finding out would cost much."""

    count: int | None
    is_more: bool = False


LISTED: LiteralString = """
    a.id::text as lead_id, n.slug as niche, n.name as niche_name, a.status, a.contact_name, a.utm_source,
    a.awaits_decision, a.distribution_attempts, a.last_outcome, a.created_at, a.approved_at"""
"""What lists show of a lead `a` in a niche `n`."""

WITH_NICHE: LiteralString = "join niches n on n.id = a.niche_id"

_READ: LiteralString = """
    a.id, a.niche_id, a.status, a.contact_name, a.utm_source, a.awaits_decision, a.distribution_attempts,
    a.last_outcome, a.created_at, a.approved_at"""


def lead_page(
    conn: Connection, wanted: LeadFilter, after: Place | None, limit: int, *, oldest_first: bool = False
) -> KeysetPage[ListedLead, Place]:
    """The next leads, the newest or the oldest first, after the one that was seen last.

    An index answers niche, status and span of time, or source and span of time; the rest of the filter is looked at
    lead by lead, of so many at most for one page (`store/keyset.py`).
    """
    return _query(wanted, after, oldest_first=oldest_first).page(conn, items_of(ListedLead), LISTED, WITH_NICHE, limit)


def lead_count(conn: Connection, wanted: LeadFilter) -> LeadCount:
    """How many leads the filter lets through, if that can be told from the newest of what an index gives."""
    query = _query(wanted, None, oldest_first=False)
    is_by_index = not query.row_filter.texts
    most = COUNTED_LEADS if is_by_index else LOOKED_AT_TO_COUNT
    count, looked_at = query.count(conn, most + 1)
    if looked_at <= most:
        return LeadCount(count)
    return LeadCount(most, is_more=True) if is_by_index else LeadCount(None)


def recent_sources(conn: Connection) -> Sequence[str]:
    """The sources of the newest 2,000 leads, the most frequent first, at most 100."""
    rows = conn.execute(
        """
        select utm_source from (select utm_source from leads order by created_at desc, id desc limit %s) recent
        where utm_source is not null group by 1 order by count(*) desc, 1 limit %s
        """,
        (RECENT_LEADS, MOST_SOURCES),
    ).fetchall()
    return [row[0] for row in rows]


def most_cents_of_leads(conn: Connection) -> dict[str, int]:
    """By niche (slug): what a lead brings if every slot of every active level is sold, in cents."""
    rows = conn.execute(
        """
        select n.slug, sum(c.price_cents * c.max_recipients)::bigint
        from competition_levels c join niches n on n.id = c.niche_id
        where c.is_active and c.deleted_at is null group by 1
        """
    ).fetchall()
    return dict(rows)


def id_range(prefix: str) -> tuple[UUID, UUID]:
    """The first and the last id that begin with these hexadecimal digits; hyphens count for nothing."""
    digits = prefix.replace("-", "")
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _query(wanted: LeadFilter, after: Place | None, *, oldest_first: bool) -> KeysetQuery:
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add_given("a.created_at >= %s", wanted.created_from)
    index_filter.add_given("a.created_at < %s", wanted.created_before)
    if after is not None and oldest_first:
        index_filter.add("(a.created_at, a.id) > (%s, %s::uuid)", *after)
    elif after is not None:
        index_filter.add("(a.created_at, a.id) < (%s, %s::uuid)", *after)
    if wanted.id_prefix is not None:
        index_filter.add("a.id between %s and %s", *id_range(wanted.id_prefix))
    index_filter.add_given("a.utm_source = %s", wanted.source)
    status, last_outcome = (None, None) if wanted.outcome is None else STATUS_OF_OUTCOME[wanted.outcome]
    # A source has an index of its own, which has neither niche nor status.
    rest = index_filter if wanted.source is None else row_filter
    rest.add_given("a.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    rest.add_given("a.status = %s", wanted.status)
    rest.add_given("a.status = %s", status)
    row_filter.add_given("a.last_outcome = %s", last_outcome)
    order = "a.created_at, a.id" if oldest_first else "a.created_at desc, a.id desc"
    return KeysetQuery("leads", order, "a.created_at, a.id::text", index_filter, row_filter, columns=_READ)
