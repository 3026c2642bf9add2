"""Reading the past for those who judge it: the journal with the leads that its decisions were about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairlead.core.journal import Entry, JournalEntryKind
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche, read_entries
from fairlead.store.typed_rows import all_rows

STREAMED_ROWS = 500


@dataclass(frozen=True, slots=True)
class PastEntry:
    """An entry, and, for a decision, what its lead said and the salt of its commitment; or that both were erased."""

    entry: Entry
    attributes: Mapping[str, object] | None
    salt: bytes | None
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class PastDecision:
    """Where a decision of a lead is recorded."""

    niche_id: str
    seq: int


def niches_of(conn: Connection, slug: str | None) -> list[LockedNiche]:
    """The niches (or the one with this slug) as a snapshot sees them, by slug; nothing is locked."""
    return all_rows(
        conn,
        LockedNiche,
        """
        select id::text as niche_id, slug, is_active, form_schema,
               next_start_level_order_position as next_start_order_position, last_served_seq,
               journal_seq, journal_head,
               max_recipients_per_lead
        from niches where slug = coalesce(%s, slug) order by slug
        """,
        (slug,),
    )


def past_entries(
    conn: Connection, niche_id: str, *, from_seq: int = 1, up_to_seq: int | None = None
) -> Iterator[PastEntry]:
    """The niche's journal from one `seq` to another (both included; by default all of it), streamed in flat memory."""
    # By pages of the key, and each page's leads by their ids: no plan can sort or hash the whole journal for it.
    while entries := read_entries(
        conn,
        """
        select niche_id::text, seq, kind, payload, recorded_at, prev_hash, hash from niche_journal
        where niche_id = %s and seq >= %s and seq <= coalesce(%s, seq) order by seq limit %s
        """,
        (niche_id, from_seq, up_to_seq, STREAMED_ROWS),
    ):
        leads = _leads_of(conn, entries)
        for entry in entries:
            yield PastEntry(entry, *leads.get(str(_lead_id(entry)), (None, None, False)))
        if len(entries) < STREAMED_ROWS:
            break
        from_seq = entries[-1].seq + 1


def _lead_id(entry: Entry) -> object:
    return entry.payload.get("lead_id") if entry.kind is JournalEntryKind.DECISION else None


def _is_id(value: object) -> bool:
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False


def _leads_of(
    conn: Connection, entries: Sequence[Entry]
) -> dict[str, tuple[Mapping[str, object] | None, bytes | None, bool]]:
    """Attributes and salt of the leads that the entries decided, by id; what is no id has no lead.

    Of one whose answers were erased there is neither, and the third is true.
    """
    lead_ids = [str(lead_id) for entry in entries if _is_id(lead_id := _lead_id(entry))]
    if not lead_ids:
        return {}
    rows = conn.execute(
        """
        select id::text, case when answers_erased_at is null then attributes end, attributes_salt,
               answers_erased_at is not null
        from leads where id = any(%s::uuid[])
        """,
        (lead_ids,),
    ).fetchall()
    return {lead_id: tuple(found) for lead_id, *found in rows}


def decisions_of(conn: Connection, lead_id: str) -> list[PastDecision]:
    """Where every decision of the lead is recorded, oldest first."""
    return all_rows(
        conn,
        PastDecision,
        """
        select niche_id::text, seq from niche_journal
        where kind = 'decision' and payload ->> 'lead_id' = %s order by seq
        """,
        (lead_id,),
    )


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
    """The audit log in order, by pages."""
    names = "seq actor actor_role action entity entity_id old new memo ip request_id".split()
    last_seq = -(2**63)  # also a row whose number was tampered with is read
    while page := conn.execute(
        """
        select seq, actor, actor_role, action, entity, entity_id, old, new, memo, ip, request_id, created_at,
               prev_hash, hash
        from audit_log where seq > %s order by seq limit %s
        """,
        (last_seq, STREAMED_ROWS),
    ).fetchall():
        for *values, created_at, prev_hash, own_hash in page:
            yield AuditRow(dict(zip(names, values, strict=True)), created_at, prev_hash, own_hash)
        if len(page) < STREAMED_ROWS:
            break
        last_seq = page[-1][0]


def audit_head(conn: Connection) -> tuple[int, bytes]:
    """The audit log's head: its last `seq` and hash. The migration wrote it: without it, the log ends in no head."""
    row = conn.execute("select seq, hash from audit_head").fetchone()
    return (0, b"") if row is None else (row[0], row[1])
