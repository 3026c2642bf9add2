"""Reading and appending the niche journal. Appending is only ever done under the niche's row lock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from fairlead.core.canonical import JsonObject
from fairlead.core.journal import Entry, JournalEntryKind, SealedEntry, seal
from fairlead.store.connection import Connection
from fairlead.store.distribution.limit_counters import forget_local_time
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class LockedNiche:
    """A niche whose row this transaction holds: nothing in its journal can move until the transaction ends."""

    niche_id: str
    slug: str
    is_active: bool
    form_schema: Any
    next_start_order_position: int
    last_served_seq: int
    journal_seq: int
    journal_head: bytes
    max_recipients_per_lead: int | None


def lock_niches(conn: Connection, niche_ids: Sequence[str]) -> dict[str, LockedNiche]:
    """The rows of these niches, locked in ascending order of id, in a statement of their own.

    Whatever depends on them is read in later statements: one that locks and reads at once would decide on rows as
    they were before it waited.
    """
    rows = all_rows(
        conn,
        LockedNiche,
        """
        select id::text as niche_id, slug, is_active, form_schema,
               next_start_level_order_position as next_start_order_position, last_served_seq, journal_seq, journal_head,
               max_recipients_per_lead
        from niches where id = any(%s::uuid[]) order by id for no key update
        """,
        (list(niche_ids),),
    )
    return {niche.niche_id: niche for niche in rows}


def read_niche(conn: Connection, niche_id: str) -> LockedNiche | None:
    """The niche as a snapshot sees it; nothing is locked."""
    return one_row(
        conn,
        LockedNiche,
        """
        select id::text as niche_id, slug, is_active, form_schema,
               next_start_level_order_position as next_start_order_position, last_served_seq, journal_seq, journal_head,
               max_recipients_per_lead
        from niches where id = %s
        """,
        (niche_id,),
    )


def append_configuration(
    conn: Connection,
    niche: LockedNiche,
    contents: Sequence[tuple[JournalEntryKind, JsonObject]],
    recorded_at: datetime,
) -> None:
    """The contents are the niche's newest entries, and its head is theirs. Needs the niche's row lock.

    Raises `RowsMissed` where the niche's head is not the one that `niche` says.
    """
    if not contents:
        return
    sealed = seal(niche.niche_id, niche.journal_seq, niche.journal_head, contents, recorded_at)
    insert_entries(conn, sealed)
    forget_local_time(conn, niche.niche_id, contents)
    head = sealed[-1].entry
    change_rows(
        conn,
        "niches_head_follows",
        1,
        """
        update niches set journal_seq = %s, journal_head = %s
        where id = %s and journal_seq = %s and journal_head = %s
        """,
        (head.seq, head.hash, niche.niche_id, niche.journal_seq, niche.journal_head),
    )


def insert_entries(conn: Connection, sealed: Sequence[SealedEntry]) -> None:
    """The sealed entries are stored. Moving the head is the caller's.

    The arrays go in binary form: as text, every quote of every payload would have to be escaped.
    """
    entries = [item.entry for item in sealed]
    conn.execute(
        """
        insert into niche_journal (niche_id, seq, kind, payload, recorded_at, prev_hash, hash)
        select %s, seq, kind, payload, %s, prev_hash, hash
        from unnest(%b::bigint[], %b::text[], %b::jsonb[], %b::bytea[], %b::bytea[])
             as entry (seq, kind, payload, prev_hash, hash)
        """,
        (
            entries[0].niche_id,
            entries[0].recorded_at,
            [entry.seq for entry in entries],
            [entry.kind.value for entry in entries],
            [item.payload_text for item in sealed],
            [entry.prev_hash for entry in entries],
            [entry.hash for entry in entries],
        ),
    )


def entries_after(conn: Connection, niche_id: str, seq: int, up_to_seq: int = 2**63 - 1) -> list[Entry]:
    """The niche's entries after `seq` up to the other (included), in order, in one round trip: for a fold of a few."""
    return read_entries(
        conn,
        """
        select niche_id::text, seq, kind, payload, recorded_at, prev_hash, hash
        from niche_journal where niche_id = %s and seq > %s and seq <= %s order by seq
        """,
        (niche_id, seq, up_to_seq),
    )


def read_entries(conn: Connection, statement: LiteralString, parameters: Sequence[object]) -> list[Entry]:
    """The journal entries that the statement gives. Raises ValueError for one of no kind that is known."""
    return [replace(entry, kind=JournalEntryKind(entry.kind)) for entry in all_rows(conn, Entry, statement, parameters)]
