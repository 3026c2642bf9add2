"""The states that one subscription was in: the journal's entries about it, and who asked for which."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import JsonObject
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class PastState:
    """A state of a subscription: the journal's payload with its filter, and, where a person asked for it, who and why.

    `seq` is its number, which the journal's is not for all readers.
    """

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
    """The subscription's newest states before that `seq`, the newest first; at most so many. Locks nothing.

    Without a provider they are numbered as in the niche's journal. With one, only where the subscription is its own,
    and from 1 without gaps: the journal's numbers would tell it how much happens in the niche.
    """
    return all_rows(
        conn,
        PastState,
        """
        select state.number as seq, state.recorded_at,
               (state.payload - 'filter_sha256') || jsonb_build_object('filter_rules', f.payload -> 'filter_rules')
                   as payload,
               a.action, a.actor, a.actor_role, a.memo
        from (select s.id, j.niche_id, j.seq, j.recorded_at, j.payload,
                     max(j.seq) filter (where j.payload ? 'filter_rules') over (order by j.seq) as filter_seq,
                     case when %(provider)s::uuid is null then j.seq
                          else row_number() over (order by j.seq) end as number
              from subscriptions s
              join niche_journal j on j.kind = 'subscription' and j.payload ->> 'subscription_id' = s.id::text
                                  and j.niche_id = s.niche_id
              where s.id = %(id)s and s.provider_id = coalesce(%(provider)s::uuid, s.provider_id)) state
        join niche_journal f on f.niche_id = state.niche_id and f.seq = state.filter_seq
        left join audit_log a on a.entity = 'subscription' and a.entity_id = state.id::text
                             and a.new ->> 'journal_seq' = state.seq::text
        where state.number < coalesce(%(before)s, state.number + 1)
        order by state.number desc limit %(limit)s
        """,
        {"id": subscription_id, "provider": of_provider_id, "before": before_seq, "limit": limit},
    )
