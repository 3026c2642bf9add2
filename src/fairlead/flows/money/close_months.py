"""Closing the months that are over: the statement of every provider is on record, and the audit log seals them."""

from contextlib import closing
from datetime import date

from fairlead.core.canonical import timestamp_text
from fairlead.flows.chunks import ChunkDone, RunTime, in_chunks
from fairlead.flows.money.months import Month, next_to_close
from fairlead.flows.money.statement_file import statement_files
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.billing_details import parties_now
from fairlead.store.money.books import first_entry_at
from fairlead.store.money.closed_months import (
    ClosedMonthRow,
    insert_closed_month,
    last_receipt_number,
    stretch_values,
)
from fairlead.store.money.statements import StatementRow, digest_of_month, insert_statements, month_lines

ROWS_AT_ONCE = 1000


def close_months(database: Database, run_time: RunTime | None = None) -> int:
    """Every month that is over has the statement of each provider whose ledger had begun; returns how many were made.

    A month is closed in one transaction and once, by whichever process comes first; a second one waits and makes
    nothing. It blocks no movement of money, however long it takes: what is posted meanwhile is of the next month, the
    statements' keys are no lock that a change of a provider waits for, and the audit log's head comes last. Of 1,000
    providers with 300 entries each it took 9 s, of which it held that head for 8 ms. Raises `Unavailable`.
    """
    return in_chunks(lambda _: database.run(_close_next), run_time)


def _close_next(conn: Connection) -> ChunkDone[date]:
    """The next month is closed, if one is due."""
    first_at = first_entry_at(conn)
    if first_at is None:
        return ChunkDone(0, None)
    month, now = next_to_close(conn, first_at), clock(conn)
    if not month.is_due(now):
        return ChunkDone(0, None)
    last_number = last_receipt_number(conn, month.end)
    row = ClosedMonthRow(month.first_day, month.zone, month.began_at, month.ends_at, now, last_number)
    if not insert_closed_month(conn, row):
        return ChunkDone(0, month.first_day)
    count = _make_statements(conn, month)
    statement_count, sha256 = digest_of_month(conn, month.first_day)
    sealed = {
        "timezone": month.zone,
        "began_at": timestamp_text(month.began_at),
        "ends_at": timestamp_text(month.ends_at),
        "closed_at": timestamp_text(now),
        "last_receipt_number": last_number,
        "statement_count": statement_count,
        "sha256": sha256,
    }
    append_audit(conn, [AuditEvent(SYSTEM, "month.closed", "month", month.name, new=sealed)], now)
    return ChunkDone(count, month.first_day)


def _make_statements(conn: Connection, month: Month) -> int:
    made: list[StatementRow] = []
    with closing(month_lines(conn, month.first_day, stretch_values(month.begin, month.end))) as lines:
        made = [file.row() for file in statement_files(lines, marketplace_currency(conn))]
    market = marketplace_row(conn)
    for start in range(0, len(made), ROWS_AT_ONCE):
        some = made[start : start + ROWS_AT_ONCE]
        insert_statements(conn, some, parties_now(conn, market, [row.provider_id for row in some]))
    return len(made)
