"""What happened to a lead, in the order of time: from its creation to the last message about it. Nothing personal."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LeadEvent:
    """One thing that happened. What is None is not part of it.

    `count` and `of_count` are assignments of slots for a decision, messages sent of all for `messages` (about the
    sale), `messages.refunds` and `messages.erased`.
    """

    at: datetime
    kind: str
    actor: str | None = None
    provider_id: str | None = None
    provider_name: str | None = None
    assignment_id: str | None = None
    amount_cents: int | None = None
    outcome: str | None = None
    journal_seq: int | None = None
    count: int | None = None
    of_count: int | None = None
    channel: str | None = None


_OF_LEAD = """
    select a.created_at as at, a.action as kind, a.actor
    from audit_log a where a.entity = 'lead' and a.entity_id = %s
      and a.action in ('lead.created', 'lead.taken_in', 'lead.approved', 'lead.rejected', 'lead.marked_bad',
                       'lead.withdrawn', 'lead.erased', 'distribution.triggered', 'distribution.reoffered',
                       'distribution.failed')
"""
_OF_INTAKE = """
    select confirmed_at as at, 'lead.confirmed' as kind from lead_intakes
    where lead_id = %s and confirmed_at is not null
"""
_OF_DECISIONS = """
    select j.recorded_at as at, 'decision.recorded' as kind, j.payload ->> 'outcome' as outcome, j.seq as journal_seq,
           jsonb_array_length(jsonb_path_query_array(j.payload, '$.levels[*].recipients[*]')) as count,
           (select sum((level ->> 'max_recipients')::bigint) from jsonb_array_elements(j.payload -> 'levels') level)
               ::bigint as of_count,
           (select sum((r ->> 'price_cents')::bigint)
            from jsonb_path_query(j.payload, '$.levels[*].recipients[*]') r)::bigint as amount_cents
    from niche_journal j where j.kind = 'decision' and j.payload ->> 'lead_id' = %s
"""
_OF_ASSIGNMENTS = """
    select e.at, e.kind, a.provider_id::text, p.name as provider_name, a.id::text as assignment_id,
           case when e.kind = 'assignment.refunded' then a.price_cents end as amount_cents
    from assignments a join providers p on p.id = a.provider_id
    cross join lateral (values
        (a.viewed_at, 'assignment.viewed'),
        (case when a.status = 'accepted' then a.answered_at end, 'assignment.accepted'),
        (case when a.rejection_reason is not null then a.answered_at end, 'assignment.rejected'),
        (a.bad_lead_reported_at, 'bad_lead.reported'),
        (case when a.bad_lead_decision = 'rejected' then a.bad_lead_decided_at end, 'bad_lead.rejected'),
        (a.refunded_at, 'assignment.refunded')) as e (at, kind)
    where a.lead_id = %s and e.at is not null
"""
_OF_MESSAGES = """
    select coalesce(max(n.sent_at), max(n.created_at)) as at,
           case n.kind when 'lead_assigned' then 'messages' when 'lead_erased' then 'messages.erased'
                       else 'messages.refunds' end as kind, n.channel,
           count(*) filter (where n.state = 'sent') as count, count(*) as of_count
    from assignments a join notifications n on n.assignment_id = a.id
    where a.lead_id = %s and n.state <> 'skipped' and n.kind in ('lead_assigned', 'refund_issued', 'lead_erased')
    group by n.kind, n.channel
"""
_OF_ASKING = """
    select n.sent_at as at, 'lead.asked_to_confirm' as kind from notifications n
    where n.lead_id = %s and n.kind = 'lead_confirmation' and n.sent_at is not null
"""


def lead_timeline(conn: Connection, lead_id: str) -> list[LeadEvent]:
    """Everything that happened to the lead, the oldest first. Raises `Refused`: `lead_unknown`."""
    created = all_rows(
        conn, LeadEvent, "select created_at as at, 'lead.created' as kind from leads where id = %s", (lead_id,)
    )
    if not created:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    events = all_rows(conn, LeadEvent, _OF_LEAD, (lead_id,))
    if not any(each.kind in ("lead.created", "lead.taken_in") for each in events):
        events = [*created, *events]
    for query in (_OF_INTAKE, _OF_ASKING, _OF_DECISIONS, _OF_ASSIGNMENTS, _OF_MESSAGES):
        events += all_rows(conn, LeadEvent, query, (lead_id,))
    return sorted(events, key=lambda event: event.at)
