"""What was done, page by page, as the view `audit_events` has it: the audit log and the niches' journals in one order.

By time; at one time the log comes after the journals, and a decision unfolds into what it says in the order in which it
came to it. The view is never sorted: each of its sources is walked by an index of its own, and that is merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from fairlead.core.errors import BadInput
from fairlead.store.audit.sources import (
    AuditFilter,
    add_event_filter,
    add_journal_range,
    log_walks_of,
    looked_for_kinds,
)
from fairlead.store.connection import Connection
from fairlead.store.keyset import SCANNED_ROWS, Conditions, KeysetPage, KeysetQuery
from fairlead.store.lookups import checked_id

MOST_PARTS = 9_000_000_000_000_000
"""The `part` of what a decision unfolds into last."""


class AuditPosition(NamedTuple):
    """Where an event stands in the order of all; `log_or_journal` is 1 or 0."""

    at: datetime
    log_or_journal: int
    niche_id: str
    seq: int
    part: int


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that was done, and nothing personal. `event_id` never changes, and is a position to go on after."""

    event_id: str
    source: str
    niche_id: str | None
    seq: int
    actor: str
    actor_role: str
    action: str
    entity: str
    entity_id: str
    old: Any
    new: Any
    memo: str | None
    created_at: datetime
    request_id: str | None


EVENT_COLUMNS: LiteralString = """
    e.created_at, e.source, e.niche_id::text, e.seq, e.part, e.actor, e.actor_role, e.action, e.entity, e.entity_id,
    e.old, e.new, e.memo, e.request_id"""

LOG_COLUMNS: LiteralString = """
    a.created_at, 'audit_log', null::text, a.seq, 0, a.actor, a.actor_role, a.action, a.entity, a.entity_id, a.old,
    a.new, a.memo, a.request_id"""
"""The same, of the log alone."""

UNFOLDED_ENTRIES = 2_000
"""For one page: so many entries are unfolded and looked through for what only their parts say."""


def audit_page(conn: Connection, wanted: AuditFilter, after: str | None, limit: int) -> KeysetPage[AuditRecord, str]:
    """The next events, the newest first, after the one with this `event_id` or the position that the last page gave.

    Raises `BadInput` for an `after` that is none.
    """
    position = None if after is None else _position(conn, after)
    found: list[tuple[AuditPosition, AuditRecord]] = []
    edges: list[AuditPosition] = []
    for keyset in _log_walks(conn, wanted, position):
        rows, edge = keyset.rows(conn, LOG_COLUMNS, "", limit)
        found += map(record_of, rows)
        edges += [] if edge is None else [AuditPosition(edge[0], 1, "", edge[1], 0)]
    entries: list[tuple[datetime, str, int]] = []
    for keyset in _journal_walks(wanted, position):
        rows, edge = keyset.rows(conn, "null", "", limit)
        entries += [(row[1], row[2], row[3]) for row in rows]
        # Below every part of its entry.
        edges += [] if edge is None else [AuditPosition(edge[0], 0, edge[1], edge[2], -1)]
    found += _events_of(conn, sorted(entries, reverse=True)[: limit + 1], wanted)
    return _merged(found, max(edges, default=None), position, limit)


def _merged(
    found: Sequence[tuple[AuditPosition, AuditRecord]],
    horizon: AuditPosition | None,
    after: AuditPosition | None,
    limit: int,
) -> KeysetPage[AuditRecord, str]:
    """The newest events of those found. Beyond the horizon some source was not looked at: that is for later pages."""
    shown = sorted(
        (
            (position, record)
            for position, record in found
            if (horizon is None or position >= horizon) and (after is None or position < after)
        ),
        key=lambda each: each[0],
        reverse=True,
    )
    items = tuple(record for _, record in shown[:limit])
    if len(shown) > limit:
        return KeysetPage(items, items[-1].event_id)
    return KeysetPage(items, None if horizon is None else _text(horizon))


def _log_walks(conn: Connection, wanted: AuditFilter, after: AuditPosition | None) -> list[KeysetQuery]:
    keysets: list[KeysetQuery] = []
    for index_filter, row_filter in log_walks_of(conn, wanted):
        if after is not None and after.log_or_journal == 1:
            index_filter.add("(a.created_at, a.seq) < (%s, %s)", after.at, after.seq)
        elif after is not None:
            index_filter.add("a.created_at < %s", after.at)
        keysets.append(
            KeysetQuery("audit_log", "a.created_at desc, a.seq desc", "a.created_at, a.seq", index_filter, row_filter)
        )
    return keysets


def _journal_walks(wanted: AuditFilter, after: AuditPosition | None) -> list[KeysetQuery]:
    keysets: list[KeysetQuery] = []
    for kind in looked_for_kinds(wanted):
        index_filter, row_filter = Conditions(), Conditions()
        add_journal_range(index_filter, wanted, kind)
        if after is not None and after.log_or_journal == 1:
            index_filter.add("a.recorded_at <= %s", after.at)
        elif after is not None:
            # Of the entry itself there may be parts that were not seen; not those below the first.
            seen: LiteralString = "<=" if after.part > 0 else "<"
            index_filter.add(
                f"(a.recorded_at, a.niche_id, a.seq) {seen} (%s, %s::uuid, %s)", after.at, after.niche_id, after.seq
            )
        looked_at_entries = SCANNED_ROWS
        if wanted.action_prefix is not None or wanted.entity is not None:
            looked_at_entries = UNFOLDED_ENTRIES
            events = Conditions()
            add_event_filter(events, wanted)
            # A subquery that gives a value: one to be joined could be joined with all of the view.
            row_filter.add(
                f"""
                coalesce((select true from audit_events e where e.source = 'niche_journal' and e.niche_id = a.niche_id
                          and e.seq = a.seq and {events.text} limit 1), false)
                """,  # noqa: S608 - constants of our own
                *events.values,
            )
        order: LiteralString = "a.recorded_at desc, a.niche_id desc, a.seq desc"
        position: LiteralString = "a.recorded_at, a.niche_id::text, a.seq"
        keysets.append(KeysetQuery("niche_journal", order, position, index_filter, row_filter, looked_at_entries))
    return keysets


def _events_of(
    conn: Connection, entries: Sequence[tuple[datetime, str, int]], wanted: AuditFilter
) -> list[tuple[AuditPosition, AuditRecord]]:
    events = Conditions()
    add_event_filter(events, wanted)
    rows = conn.execute(
        # Offset 0 keeps the view from being joined as a whole: it is asked for one entry after the other.
        f"""
        select {EVENT_COLUMNS}
        from unnest(%s::uuid[], %s::bigint[]) as entry (niche_id, seq)
        cross join lateral (select * from audit_events e where e.source = 'niche_journal'
                            and e.niche_id = entry.niche_id and e.seq = entry.seq and {events.text} offset 0) e
        """,  # noqa: S608 - constants of our own
        ([niche_id for _, niche_id, _ in entries], [seq for _, _, seq in entries], *events.values),
    ).fetchall()
    return [record_of(row) for row in rows]


def record_of(row: Sequence[Any]) -> tuple[AuditPosition, AuditRecord]:
    """The event that `EVENT_COLUMNS` hold, and where it stands."""
    created_at, source, niche_id, seq, part, actor, role, action, entity, entity_id, old, new, memo, request_id = row[
        :14
    ]
    position = AuditPosition(created_at, int(source == "audit_log"), niche_id or "", seq, part)
    record = AuditRecord(
        _text(position),
        source,
        niche_id,
        seq,
        actor,
        role,
        action,
        entity,
        entity_id,
        old,
        new,
        memo,
        created_at,
        request_id,
    )
    return position, record


def _text(position: AuditPosition) -> str:
    """The position without its time, which its row says.

    >>> from datetime import UTC
    >>> _text(AuditPosition(datetime(2026, 1, 1, tzinfo=UTC), 1, "", 12, 0))
    'log:12'
    """
    return (
        f"log:{position.seq}"
        if position.log_or_journal
        else f"journal:{position.niche_id}:{position.seq}:{position.part}"
    )


def _position(conn: Connection, text: str) -> AuditPosition:
    try:
        return _position_in_log(conn, text) if text.startswith("log:") else _position_in_journal(conn, text)
    except (ValueError, BadInput):
        raise BadInput([f"cursor: {text[:100]!r} is no position in the audit events"]) from None


def _position_in_log(conn: Connection, text: str) -> AuditPosition:
    seq = int(text.removeprefix("log:"))
    [(at,)] = conn.execute("select created_at from audit_log where seq = %s", (seq,)).fetchall()
    return AuditPosition(at, 1, "", seq, 0)


def _position_in_journal(conn: Connection, text: str) -> AuditPosition:
    name, niche_id, seq, part = text.split(":")
    if name != "journal" or not -1 <= int(part) <= MOST_PARTS:
        raise ValueError
    [(at,)] = conn.execute(
        "select recorded_at from niche_journal where niche_id = %s and seq = %s",
        (checked_id(niche_id, "niche"), int(seq)),
    ).fetchall()
    return AuditPosition(at, 0, checked_id(niche_id, "niche"), int(seq), int(part))
