"""The messages about a lead: to its consumer and to the providers that bought it. Nothing personal but names."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LeadMessage:
    """A message and how far it has come. The provider is None for one to the consumer."""

    notification_id: str
    kind: str
    channel: str
    provider_id: str | None
    provider_name: str | None
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    last_answer: str | None


def messages_of_lead(conn: Connection, lead_id: str, limit: int) -> list[LeadMessage]:
    """The messages about the lead in the order in which they were to be sent, at most so many."""
    return all_rows(
        conn,
        LeadMessage,
        """
        select n.id::text as notification_id, n.kind, n.channel, n.provider_id::text, p.name as provider_name, n.state,
               n.attempts, n.created_at, n.sent_at, n.last_answer
        from (select id from notifications where lead_id = %(lead)s
              union all
              select o.id from assignments a join notifications o on o.assignment_id = a.id
              where a.lead_id = %(lead)s) about
        join notifications n on n.id = about.id left join providers p on p.id = n.provider_id
        order by n.created_at, n.id limit %(limit)s
        """,
        {"lead": lead_id, "limit": limit},
    )
