"""What an erasure would take away of leads, and what would stay: counted, and nothing personal in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LeadToErase:
    """A lead, what of it would go (numbers of things that there are), and what would stay.

    `buyer_names` are told to erase it, too. `notes` are those of reviewers and providers about it,
    `waiting_messages` those that would not be sent any more.
    """

    lead_id: str
    niche: str
    status: str
    created_at: datetime
    erased_at: datetime | None
    answers: int
    contact_fields: int
    consents: int
    links: int
    notes: int
    waiting_messages: int
    decisions: int
    paid_cents: int
    buyer_names: Sequence[str]


def leads_to_erase(conn: Connection, lead_ids: Sequence[str]) -> list[LeadToErase]:
    """Those of the leads that exist, by id; nothing is locked."""
    return all_rows(
        conn,
        LeadToErase,
        """
        select l.id::text as lead_id, n.slug as niche, l.status, l.created_at, l.erased_at,
               (select count(*) from jsonb_object_keys(l.attributes)) as answers,
               num_nonnulls(l.contact_name, l.contact_email, l.contact_phone, l.referrer, l.utm_source, l.utm_medium,
                            l.utm_campaign)::bigint as contact_fields,
               (select count(*) from lead_consents c where c.lead_id = l.id) as consents,
               (select count(*) from consumer_links c where c.lead_id = l.id)
               + (select count(*) from confirmation_tokens c where c.lead_id = l.id) as links,
               case when l.erased_at is null then (l.rejection_reason is not null)::integer + coalesce(a.notes, 0)
                    else 0 end as notes,
               (select count(*) from notifications m
                where m.state = 'queued' and (m.lead_id = l.id or m.assignment_id = any(a.ids))
                  and m.kind in ('lead_assigned', 'lead_withdrawn', 'lead_confirmation', 'lead_confirmed'))
               as waiting_messages,
               (select count(*) from niche_journal j where j.kind = 'decision' and j.payload ->> 'lead_id' = l.id::text)
               as decisions,
               coalesce(a.paid_cents, 0) as paid_cents, coalesce(a.names, '{}') as buyer_names
        from leads l join niches n on n.id = l.niche_id left join lateral (
            select array_agg(s.id) as ids, array_agg(p.name order by s.served_seq) as names,
                   sum(s.price_cents)::bigint as paid_cents,
                   sum(num_nonnulls(s.rejection_reason, s.bad_lead_note, s.bad_lead_evidence))::bigint as notes
            from assignments s join providers p on p.id = s.provider_id where s.lead_id = l.id) a on true
        where l.id = any(%s::uuid[]) order by l.id
        """,
        (list(lead_ids),),
    )


def files_to_drop(conn: Connection, kinds: Sequence[str], since: datetime) -> int:
    """How many finished files of these kinds may name a consumer who came at this time or later."""
    rows = conn.execute(
        "select count(*) from exports where kind = any(%s) and state = 'ready' and finished_at >= %s",
        (list(kinds), since),
    ).fetchall()
    return rows[0][0]
