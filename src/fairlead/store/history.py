"""Reading the past for those who judge it: the journal with the leads that its decisions were about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.journal import Entry, EntryKind
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche

STREAMED_ROWS = 500


@dataclass(frozen=True, slots=True)
class PastEntry:
    """An entry, and, for a decision, what its lead said and the salt of its commitment."""

    entry: Entry
    attributes: Mapping[str, object] | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class PastDecision:
    """Where a decision of a lead is recorded."""

    niche_id: str
    seq: int


def niches_of(conn: Connection, slug: str | None) -> list[LockedNiche]:
    """The niches (or the one with this slug) as a snapshot sees them, by slug; nothing is locked."""
    rows = conn.execute(
        """
        select id::text, slug, is_active, form_schema, next_start_level_order_position, last_served_seq,
               journal_seq, journal_head
        from niches where slug = coalesce(%s, slug) order by slug
        """,
        (slug,),
    ).fetchall()
    return [LockedNiche(*row) for row in rows]


def past_entries(
    conn: Connection, niche_id: str, *, from_seq: int = 1, up_to_seq: int | None = None
) -> Iterator[PastEntry]:
    """The niche's journal from one `seq` to another (both included; by default all of it), streamed in flat memory."""
    with conn.cursor(name="past") as cursor:
        cursor.itersize = STREAMED_ROWS
        cursor.execute(
            """
            select j.niche_id::text, j.seq, j.kind, j.payload, j.recorded_at, j.prev_hash, j.hash,
                   l.attributes, l.attributes_salt
            from niche_journal j
            left join leads l on j.kind = 'decision' and l.id = (j.payload ->> 'lead_id')::uuid
            where j.niche_id = %s and j.seq >= %s and j.seq <= coalesce(%s, j.seq) order by j.seq
            """,
            (niche_id, from_seq, up_to_seq),
        )
        for niche, seq, kind, payload, recorded_at, prev_hash, own_hash, attributes, salt in cursor:
            yield PastEntry(
                Entry(niche, seq, EntryKind(kind), payload, recorded_at, prev_hash, own_hash),
                attributes,
                salt,
            )


def decisions_of(conn: Connection, lead_id: str) -> list[PastDecision]:
    """Where every decision of the lead is recorded, oldest first."""
    rows = conn.execute(
        """
        select niche_id::text, seq from niche_journal
        where kind = 'decision' and payload ->> 'lead_id' = %s order by seq
        """,
        (lead_id,),
    ).fetchall()
    return [PastDecision(*row) for row in rows]


def newest_start(conn: Connection, lead_id: str) -> int | None:
    """The position at which the lead's newest decision started; None when it has none, or no level was active."""
    row = conn.execute(
        """
        select (payload ->> 'start_order_position')::integer from niche_journal
        where kind = 'decision' and payload ->> 'lead_id' = %s order by seq desc limit 1
        """,
        (lead_id,),
    ).fetchone()
    return None if row is None else row[0]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored audit entry: what its hash covers, and the hashes."""

    content: dict[str, object]
    created_at: datetime
    prev_hash: bytes
    hash: bytes


def audit_rows(conn: Connection) -> Iterator[AuditRow]:
    """The audit log in order, streamed."""
    names = "seq actor actor_role action entity entity_id old new memo ip request_id".split()
    with conn.cursor(name="audit") as cursor:
        cursor.itersize = STREAMED_ROWS
        cursor.execute(
            """
            select seq, actor, actor_role, action, entity, entity_id, old, new, memo, ip, request_id, created_at,
                   prev_hash, hash
            from audit_log order by seq
            """
        )
        for *values, created_at, prev_hash, own_hash in cursor:
            yield AuditRow(dict(zip(names, values, strict=True)), created_at, prev_hash, own_hash)


def audit_head(conn: Connection) -> tuple[int, bytes]:
    """The audit log's head: its last `seq` and hash."""
    row = conn.execute("select seq, hash from audit_head").fetchone()
    assert row is not None, "the migration wrote the head"
    return row[0], row[1]
