"""The states that one subscription was in: the journal's entries about it, and who asked for which."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import JsonObject
from fairlead.store.connection import Connection


@dataclass(frozen=True, slots=True)
class PastState:
    """A state of a subscription: the journal's payload, and, where a person asked for it by a verb, who and why."""

    seq: int
    recorded_at: datetime
    payload: JsonObject
    action: str | None
    actor: str | None
    actor_role: str | None
    memo: str | None


def past_states(
    conn: Connection, subscription_id: str, of_provider_id: str | None, before_seq: int | None, limit: int
) -> list[PastState]:
    """The subscription's newest states before that `seq` of its niche's journal, the newest first; at most so many.

    None for a provider of any; with one, only where the subscription is its own. Locks nothing.
    """
    rows = conn.execute(
        """
        select j.seq, j.recorded_at, j.payload, a.action, a.actor, a.actor_role, a.memo
        from subscriptions s
        join niche_journal j on j.kind = 'subscription' and j.payload ->> 'subscription_id' = s.id::text
                            and j.niche_id = s.niche_id
        left join audit_log a on a.entity = 'subscription' and a.entity_id = s.id::text
                             and a.new ->> 'journal_seq' = j.seq::text
        where s.id = %(id)s and s.provider_id = coalesce(%(provider)s::uuid, s.provider_id)
          and j.seq < coalesce(%(before)s, j.seq + 1)
        order by j.seq desc limit %(limit)s
        """,
        {"id": subscription_id, "provider": of_provider_id, "before": before_seq, "limit": limit},
    ).fetchall()
    return [PastState(*row) for row in rows]
