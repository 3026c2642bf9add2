"""What became of leads: to how many providers each was sold and for how much, and what stood between it and a sale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LeadSale:
    """What a lead brought (cents): to how many providers it was assigned, and what is left of what they paid."""

    lead_id: str
    assignment_count: int
    refunded_count: int
    net_cents: int


@dataclass(frozen=True, slots=True)
class LastDecision:
    """A lead's newest decision: how many slots it offered, and every reason for which a provider was refused."""

    lead_id: str
    slot_count: int
    reasons: Sequence[str]


def sales_of(conn: Connection, lead_ids: Sequence[str]) -> Mapping[str, LeadSale]:
    """What those of the leads brought that were sold, by id."""
    found = all_rows(
        conn,
        LeadSale,
        """
        select lead_id::text, count(*) as assignment_count,
               count(*) filter (where status = 'refunded') as refunded_count,
               coalesce(sum(price_cents) filter (where status <> 'refunded'), 0)::bigint as net_cents
        from assignments where lead_id = any(%s::uuid[]) group by 1
        """,
        (list(lead_ids),),
    )
    return {each.lead_id: each for each in found}


def last_decisions_of(conn: Connection, lead_ids: Sequence[str]) -> Mapping[str, LastDecision]:
    """The newest decisions of those of the leads that were decided, by the lead's id."""
    found = all_rows(
        conn,
        LastDecision,
        """
        select distinct on (j.payload ->> 'lead_id') j.payload ->> 'lead_id' as lead_id,
               (select coalesce(sum((level ->> 'max_recipients')::bigint), 0)
                from jsonb_array_elements(j.payload -> 'levels') level)::bigint as slot_count,
               array(select jsonb_object_keys(level -> 'counts') from jsonb_array_elements(j.payload -> 'levels') level
                     union
                     select refused ->> 'reason' from jsonb_path_query(j.payload, '$.levels[*].refused[*]') refused)
                   as reasons
        from niche_journal j where j.kind = 'decision' and j.payload ->> 'lead_id' = any(%s::text[])
        order by 1, j.seq desc
        """,
        (list(lead_ids),),
    )
    return {each.lead_id: each for each in found}
