"""All that was done, for a file: the events of `audit.pages`, the oldest first, of one snapshot and in flat memory."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from heapq import merge
from typing import Any, LiteralString

from fairlead.store.audit.pages import EVENT_COLUMNS, LOG_COLUMNS, AuditPosition, AuditRecord, record_of
from fairlead.store.audit.sources import (
    AuditFilter,
    add_event_filter,
    add_journal_range,
    log_conditions,
    looked_for_kinds,
)
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions

STREAMED_ROWS = 500

_Placed = tuple[AuditPosition, AuditRecord]


def audit_stream(conn: Connection, wanted: AuditFilter) -> Iterator[AuditRecord]:
    """Every event that is wanted, the oldest first. Needs a snapshot, which it reads by one cursor for each source."""
    with ExitStack() as open_cursors:
        streams = [
            open_cursors.enter_context(closing(_stream(conn, name, query, values)))
            for name, query, values in _queries(wanted)
        ]
        for _, record in merge(*streams, key=lambda placed: placed[0]):
            yield record


def _stream(conn: Connection, name: str, query: LiteralString, values: list[Any]) -> Generator[_Placed]:
    with conn.cursor(name=name) as cursor:
        cursor.itersize = STREAMED_ROWS
        cursor.execute(query, values)
        yield from map(record_of, cursor)


def _queries(wanted: AuditFilter) -> Iterator[tuple[str, LiteralString, list[Any]]]:
    if (log := log_conditions(wanted)) is not None:
        yield (
            "audit_of_log",
            f"select {LOG_COLUMNS} from audit_log a where {log.text} order by a.created_at, a.seq",  # noqa: S608
            log.values,
        )
    for kind in looked_for_kinds(wanted):
        entries, events = Conditions(), Conditions()
        add_journal_range(entries, wanted, kind)
        add_event_filter(events, wanted)
        yield (
            f"audit_of_{kind}",
            f"""
            select {EVENT_COLUMNS}
            from (select a.recorded_at, a.niche_id, a.seq from niche_journal a where {entries.text}
                  order by a.recorded_at, a.niche_id, a.seq) a
            cross join lateral (select * from audit_events e where e.source = 'niche_journal'
                                and e.niche_id = a.niche_id and e.seq = a.seq and {events.text} order by e.part) e
            order by a.recorded_at, a.niche_id, a.seq, e.part
            """,  # noqa: S608 - constants of our own
            [*entries.values, *events.values],
        )
