"""Whose turn it is at each level of a niche, as the tables say it: no filter is read, so that it costs little."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from fairlead.core.model import Subscription
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows

NO_FILTER = "{}"


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A living subscription without its filter, and its provider's status."""

    subscription_id: str
    provider_id: str
    level_id: str
    is_active: bool
    deactivation_reason: str | None
    filter_is_valid: bool
    served_seq: int | None
    provider_status: str
    pass_value: int = 0
    weight: int = 1

    @property
    def subscription(self) -> Subscription:
        """The subscription as standing gates are asked about it; its filter is not there."""
        return Subscription(
            self.subscription_id,
            self.provider_id,
            self.level_id,
            self.is_active,
            self.deactivation_reason,
            NO_FILTER,
            self.filter_is_valid,
        )


def standing_rows(conn: Connection, niche_id: str) -> list[StandingRow]:
    """The niche's living subscriptions."""
    return all_rows(
        conn,
        StandingRow,
        """
        select s.id::text as subscription_id, s.provider_id::text, s.competition_level_id::text as level_id,
               s.is_active, s.deactivation_reason, s.filter_is_valid, s.served_seq, s.pass as pass_value,
               s.weight, p.status as provider_status
        from subscriptions s join providers p on p.id = s.provider_id
        where s.niche_id = %s and s.deleted_at is null
        """,
        (niche_id,),
    )


def leads_since_served(conn: Connection, niche_id: str, served_seqs: Sequence[int]) -> Mapping[int, int]:
    """By `served_seq`, how many leads were decided in the niche after the one that was received then."""
    entries = conn.execute(
        "select served_seq, journal_seq from assignments where niche_id = %s and served_seq = any(%s::bigint[])",
        (niche_id, list(served_seqs)),
    ).fetchall()
    after = sorted({seq + 1 for _, seq in entries})
    if not after:
        return {}
    counts = dict(
        conn.execute(
            """
            select width_bucket(seq, %s::bigint[]), count(*) from niche_journal
            where niche_id = %s and seq >= %s and kind = 'decision' group by 1
            """,
            (after, niche_id, after[0]),
        ).fetchall()
    )
    newest_first = accumulate(counts.get(bucket, 0) for bucket in range(len(after), 0, -1))
    since = dict(zip(reversed(after), newest_first, strict=True))
    return {served_seq: since[seq + 1] for served_seq, seq in entries}
