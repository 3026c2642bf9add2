"""Reading the feed: what each entry is about, all of it for operators, and for providers only what is theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LiveEntry:
    """An entry of the feed. `payload` is a journal entry's; the rest below it is of the audit entry's subject.

    `error` is what a failed run or a dead letter ended with, and nothing personal.
    """

    entry_id: int
    kind: str
    seq: int
    at: datetime
    niche_slug: str | None
    payload: Mapping[str, Any] | None
    entity_id: str | None
    lead_id: str | None
    assignment_id: str | None
    provider_id: str | None
    price_cents: int | None
    new: Mapping[str, Any] | None
    error: str | None


def live_entries(conn: Connection, after_id: int, up_to_id: int) -> list[LiveEntry]:
    """The entries after one id up to another, in order: everything that an operator may see of them."""
    return all_rows(
        conn,
        LiveEntry,
        """
        select e.id as entry_id, e.kind, e.seq, coalesce(j.recorded_at, a.created_at) as at, n.slug as niche_slug,
               j.payload, a.entity_id,
               coalesce(s.lead_id, l.id)::text as lead_id, s.id::text as assignment_id, s.provider_id::text,
               s.price_cents, a.new,
               case when e.kind = 'distribution.failed' then a.memo end as error
        from live_entries e
        left join niche_journal j on j.niche_id = e.niche_id and j.seq = e.seq
        left join audit_log a on e.niche_id is null and a.seq = e.seq
        left join leads l on l.id = case when a.entity = 'lead' then a.entity_id::uuid end
        left join assignments s on s.id = case when a.entity = 'assignment' then a.entity_id::uuid end
        left join niches n on n.id = coalesce(e.niche_id, l.niche_id, s.niche_id)
        where e.id > %s and e.id <= %s order by e.id
        """,
        (after_id, up_to_id),
    )


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """What an entry says of one provider's own: an assignment of it, or a subscription (`payload`)."""

    provider_id: str
    entry_id: int
    kind: str
    at: datetime
    niche_slug: str
    assignment_id: str | None
    lead_id: str | None
    subscription_id: str | None
    level_name: str | None
    price_cents: int | None
    payload: Mapping[str, Any] | None


def own_entries(conn: Connection, provider_ids: Sequence[str], after_id: int, up_to_id: int) -> list[OwnEntry]:
    """What the entries after one id up to another say of these providers' own, by entry; one each at most.

    Whose an assignment is, its row says. Of a decision that assigned nothing to them, nothing is read.
    """
    return all_rows(
        conn,
        OwnEntry,
        """
        with entry as (select * from live_entries where id > %(after)s and id <= %(up_to)s),
        assigned as (
            select e.id, e.kind, (recipient ->> 'assignment_id')::uuid as assignment_id
            from entry e join niche_journal j on j.niche_id = e.niche_id and j.seq = e.seq,
                 jsonb_array_elements(j.payload -> 'levels') level,
                 jsonb_array_elements(level -> 'recipients') recipient
            where e.kind = 'decision' and recipient ->> 'provider_id' = any(%(providers)s)
        ), audited as (
            select e.id, e.kind, a.entity_id::uuid as assignment_id, a.created_at
            from entry e join audit_log a on a.seq = e.seq
            where e.niche_id is null and a.entity = 'assignment' and e.kind = any(%(actions)s)
        ), about as (
            select id, kind, assignment_id, null::timestamptz as at from assigned
            union all select id, kind, assignment_id, created_at from audited
        )
        select s.provider_id::text, o.id as entry_id, o.kind, coalesce(o.at, s.assigned_at) as at,
               n.slug as niche_slug, s.id::text as assignment_id, s.lead_id::text, s.subscription_id::text,
               l.name as level_name, s.price_cents, null as payload
        from about o join assignments s on s.id = o.assignment_id and s.provider_id = any(%(providers)s::uuid[])
        join competition_levels l on l.id = s.competition_level_id join niches n on n.id = s.niche_id
        union all
        select s.provider_id::text, e.id, e.kind, j.recorded_at, n.slug, null, null, s.id::text, l.name, null, j.payload
        from entry e join niche_journal j on j.niche_id = e.niche_id and j.seq = e.seq
        join subscriptions s on s.provider_id = any(%(providers)s::uuid[])
             and s.id = case when e.kind = 'subscription' then (j.payload ->> 'subscription_id')::uuid end
        join competition_levels l on l.id = s.competition_level_id join niches n on n.id = s.niche_id
        order by 2
        """,
        {"after": after_id, "up_to": up_to_id, "providers": list(provider_ids), "actions": list(OWN_ACTIONS)},
    )


OWN_ACTIONS = ("assignment.refunded", "bad_lead.accepted", "bad_lead.rejected")
"""What is done to an assignment by others than its provider."""
