"""All that is held of a person: its leads with answers, contact and consents, who received them, what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import named_rows


def leads_of_person(conn: Connection, email_keys: Sequence[str], phone_keys: Sequence[str], limit: int) -> list[str]:
    """Leads with one of these canonical addresses or numbers, by id, the first so many; nothing is locked."""
    rows = conn.execute(
        """
        select id::text from leads where email_key = any(%s)
        union
        select id::text from leads where phone_key = any(%s)
        order by 1 limit %s
        """,
        (list(email_keys), list(phone_keys), limit),
    ).fetchall()
    return [row[0] for row in rows]


def held_of_leads(conn: Connection, lead_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Each of the leads with all that is held of it, by id. Of providers it has names and addresses, and no prices."""
    ids = list(lead_ids)
    leads = named_rows(
        conn,
        """
        select l.id::text as lead_id, n.slug as niche, n.name as niche_name, l.status, l.created_at, l.contact_name,
               l.contact_email, l.contact_phone, l.attributes as answers, l.utm_source, l.utm_medium, l.utm_campaign,
               l.referrer, l.rejection_reason, l.withdrawn_at, l.answers_erased_at, i.via, i.confirmed_at, i.language
        from leads l join niches n on n.id = l.niche_id left join lead_intakes i on i.lead_id = l.id
        where l.id = any(%s::uuid[]) order by l.id
        """,
        (ids,),
    )
    consents = named_rows(
        conn,
        """
        select lead_id::text, consent_text, consented_at, source_url, ip, user_agent, certificate_url, recorded_at
        from lead_consents where lead_id = any(%s::uuid[])
        """,
        (ids,),
    )
    received = named_rows(
        conn,
        """
        select a.lead_id::text, p.name, p.email, a.assigned_at as received_at, a.viewed_at,
               a.rejection_reason as said_when_rejecting, a.bad_lead_reported_at as reported_at, a.bad_lead_reason
               as reported_as, a.bad_lead_note as said_when_reporting, a.bad_lead_evidence as evidence_of_report
        from assignments a join providers p on p.id = a.provider_id
        where a.lead_id = any(%s::uuid[]) order by a.assigned_at, p.name
        """,
        (ids,),
    )
    messages = named_rows(
        conn,
        """
        select coalesce(n.lead_id, a.lead_id)::text as lead_id, n.kind, n.channel,
               coalesce(p.name, 'the consumer') as sent_to, n.state, n.created_at as queued_at, n.sent_at
        from notifications n
        left join assignments a on a.id = n.assignment_id left join providers p on p.id = n.provider_id
        where n.lead_id = any(%(ids)s::uuid[])
           or n.assignment_id = any(array(select id from assignments where lead_id = any(%(ids)s::uuid[])))
        order by n.created_at, n.id
        """,
        {"ids": ids},
    )
    return [
        {
            **lead,
            "consents": _of(lead, consents),
            "received_by": _of(lead, received),
            "messages": _of(lead, messages),
        }
        for lead in leads
    ]


def _of(lead: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    own = [row for row in rows if row["lead_id"] == lead["lead_id"]]
    return [{name: value for name, value in row.items() if name != "lead_id"} for row in own]
