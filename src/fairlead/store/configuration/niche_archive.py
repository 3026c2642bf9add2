"""Niches that are over: marked as such, and what would come to a halt with one."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class WhatAnArchiveStops:
    """What of a niche goes on now: whether it takes in leads (with `is_public` from anyone), how many leads of it wait
    (for a confirmation, for approval, to be distributed, to be offered again), and who subscribes."""

    is_active: bool
    is_public: bool
    unconfirmed_count: int
    pending_count: int
    waiting_count: int
    unsold_count: int
    subscription_count: int
    provider_count: int


def what_an_archive_stops(conn: Connection, niche_id: str) -> WhatAnArchiveStops | None:
    """What of the niche goes on; None when there is none. Locks nothing."""
    return one_row(
        conn,
        WhatAnArchiveStops,
        """
        select n.is_active, n.intake_is_public as is_public,
               (select count(*) from leads l where l.niche_id = n.id and l.status = 'pending_confirmation')
                   as unconfirmed_count,
               (select count(*) from leads l where l.niche_id = n.id and l.status = 'pending_approval')
                   as pending_count,
               (select count(*) from leads l where l.niche_id = n.id and l.awaits_decision) as waiting_count,
               (select count(*) from leads l
                where l.niche_id = n.id and l.status = 'approved' and not l.awaits_decision) as unsold_count,
               (select count(*) from subscriptions s where s.niche_id = n.id and s.deleted_at is null)
                   as subscription_count,
               (select count(distinct s.provider_id) from subscriptions s
                where s.niche_id = n.id and s.deleted_at is null) as provider_count
        from niches n where n.id = %s
        """,
        (niche_id,),
    )


def set_archived(conn: Connection, niche_id: str, *, is_archived: bool) -> None:
    """The niche is archived, or it is not any more. Needs its lock."""
    statement = "update niches set is_archived = %s where id = %s"
    change_rows(conn, "niches_archived_are_there", 1, statement, (is_archived, niche_id))
