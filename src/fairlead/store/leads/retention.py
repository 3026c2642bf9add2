"""For how long a niche keeps personal data, and which leads are past that. Days count from when a lead came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from fairlead.core.retention import RetentionPolicy, RetentionRule
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import named_rows, one_row, part_of

_DUE: Mapping[RetentionRule, tuple[LiteralString, ...]] = {
    "answers": ("status in ('distributed', 'bad') and answers_erased_at is null",),
    "contact": ("status in ('distributed', 'bad') and contact_erased_at is null",),
    "rejected": ("status = 'rejected' and erased_at is null",),
    "unsold": ("status = 'pending_confirmation'", "status = 'pending_approval'", "status = 'approved'"),
}
"""By rule, the leads that it is about and that it has not been applied to.

Each part has an index of such leads alone, by age: none is read that it was applied to, or that is not due yet.
"""

_COLUMNS: LiteralString = "answers_days, contact_days, rejected_days, unsold_days, deliveries_days"


@dataclass(frozen=True, slots=True)
class RetainingNiche:
    """A niche that keeps personal data for a while. Of deliveries, leads before that time have been seen to."""

    niche_id: str
    slug: str
    policy: RetentionPolicy
    deliveries_before: datetime | None


def policy_of(conn: Connection, niche_id: str) -> RetentionPolicy:
    """The niche's policy, which without a row keeps everything; nothing is locked."""
    found = one_row(
        conn,
        RetentionPolicy,
        f"select {_COLUMNS} from retention_policies where niche_id = %s",  # noqa: S608 - constants of our own
        (niche_id,),  # noqa: RUF100, S608
    )
    return found or RetentionPolicy()


def policies(conn: Connection) -> list[RetainingNiche]:
    """Every niche that does not keep everything, by slug; nothing is locked."""
    rows = named_rows(
        conn,
        f"""
        select n.id::text as niche_id, n.slug, p.deliveries_before, {_COLUMNS}
        from retention_policies p join niches n on n.id = p.niche_id
        where num_nonnulls({_COLUMNS}) > 0 order by n.slug
        """,  # noqa: S608 - constants of our own
    )
    return [part_of(RetainingNiche, row | {"policy": part_of(RetentionPolicy, row)}) for row in rows]


def write_policy(conn: Connection, niche_id: str, policy: RetentionPolicy, now: datetime) -> None:
    """The niche keeps personal data for so long. Needs the niche's lock."""
    days = (policy.answers_days, policy.contact_days, policy.rejected_days, policy.unsold_days, policy.deliveries_days)
    conn.execute(
        f"""
        insert into retention_policies (niche_id, {_COLUMNS}, changed_at) values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (niche_id) do update
        set answers_days = excluded.answers_days, contact_days = excluded.contact_days,
            rejected_days = excluded.rejected_days, unsold_days = excluded.unsold_days,
            deliveries_days = excluded.deliveries_days, deliveries_before = null, changed_at = excluded.changed_at
        """,  # noqa: S608 - constants of our own
        (niche_id, *days, now),
    )


def due_leads(
    conn: Connection,
    niche_id: str,
    rule: RetentionRule,
    before: datetime,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[datetime, str]]:
    """When they came in and ids of the niche's next leads that the rule is due for, the oldest first.

    After the one that was seen last; nothing is locked. Reads `limit` leads of each part of the rule at most.
    """
    at, lead_id = after or (None, "00000000-0000-0000-0000-000000000000")
    values: dict[str, Any] = {"niche": niche_id, "before": before, "at": at, "lead": lead_id, "limit": limit}
    parts = " union all ".join(
        f"""
        (select created_at, id from leads
         where niche_id = %(niche)s and created_at < %(before)s and {part}
           and (created_at, id) > (coalesce(%(at)s::timestamptz, '-infinity'), %(lead)s::uuid)
         order by created_at, id limit %(limit)s)"""  # noqa: S608 - constants of our own
        for part in _DUE[rule]
    )
    due = f"({parts}) due"
    query = f"select created_at, id::text from {due} order by created_at, due.id limit %(limit)s"  # noqa: S608
    return conn.execute(query, values).fetchall()


def still_due(conn: Connection, lead_ids: Sequence[str], rule: RetentionRule) -> list[str]:
    """Those of the leads, which are locked, that the rule is due for, by id."""
    rows = conn.execute(
        f"select id::text from leads where id = any(%s::uuid[]) and ({' or '.join(_DUE[rule])}) order by id",  # noqa: S608
        (list(lead_ids),),  # noqa: RUF100, S608
    ).fetchall()
    return [row[0] for row in rows]


def count_due(conn: Connection, niche_id: str, rule: RetentionRule, before: datetime) -> int:
    """How many of the niche's leads the rule is due for at that time; reads those alone. Nothing is locked."""
    parts = " + ".join(
        f"(select count(*) from leads where niche_id = %(niche)s and created_at < %(before)s and {part})"  # noqa: S608
        for part in _DUE[rule]
    )
    return conn.execute(f"select {parts}", {"niche": niche_id, "before": before}).fetchall()[0][0]


def next_of_deliveries(
    conn: Connection, niche_id: str, before: datetime, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, str]]:
    """When they came in and ids of the niche's next leads whose deliveries' answers are to go, the oldest first.

    After the one that was seen last; nothing is locked.
    """
    at, lead_id = after or (None, "00000000-0000-0000-0000-000000000000")
    return conn.execute(
        """
        select created_at, id::text from leads
        where niche_id = %s and created_at < %s
          and created_at >= coalesce(
              (select deliveries_before from retention_policies where niche_id = %s), '-infinity')
          and (created_at, id) > (coalesce(%s::timestamptz, '-infinity'), %s::uuid)
        order by created_at, leads.id limit %s
        """,
        (niche_id, before, niche_id, at, lead_id, limit),
    ).fetchall()


def deliveries_seen_to(conn: Connection, niche_id: str, before: datetime) -> None:
    """Of the deliveries of leads that came in before that nothing is to go any more."""
    conn.execute("update retention_policies set deliveries_before = %s where niche_id = %s", (before, niche_id))
