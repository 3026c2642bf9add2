"""Months that are closed, and where each ledger ends a month.

A month is a stretch of every ledger, so its papers are a matter of `seq`, and time only says where a stretch ends:

- a closed month ends where its statements say, for ever: what is posted afterwards is of the month after it, also where
  a transaction was slow or the clock was set back, and its entry is dated into a month that is closed;
- any other month ends with the last entry that is dated before its end.

So the stretches of all months follow one another without a gap, whatever the clock did.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class ClosedMonthRow:
    """A month that is closed: by whose clocks it was a month, and from when to when it was.

    `last_receipt_number` is that of its last receipt or credit note, or of an earlier month's.
    """

    month: date
    timezone: str
    began_at: datetime
    ends_at: datetime
    closed_at: datetime
    last_receipt_number: int


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """Where ledgers end a month: where the statements of a closed month say, or, if that is later, by the dates.

    `dated_before` is None where what is on record says all.
    """

    on_record: date | None
    dated_before: datetime | None


# Of each provider: its last entry before the month, and the last of the month. Backwards along the ledger, since those
# that were made after the month are few when it is asked for first.
STRETCHES: LiteralString = """
    select p.id as provider_id, greatest(coalesce(sb.last_seq, 0), coalesce(b.seq, 0)) as before_seq,
           greatest(coalesce(sl.last_seq, 0), coalesce(l.seq, 0)) as last_seq
    from providers p
    left join statements sb on sb.provider_id = p.id and sb.month = %(before_on_record)s::date
    left join statements sl on sl.provider_id = p.id and sl.month = %(last_on_record)s::date
    left join lateral (
        select e.seq from ledger_entries e where e.provider_id = p.id and e.created_at < %(before_dated)s::timestamptz
        order by e.seq desc limit 1) b on true
    left join lateral (
        select e.seq from ledger_entries e where e.provider_id = p.id and e.created_at < %(last_dated)s::timestamptz
        order by e.seq desc limit 1) l on true
    where p.ledger_seq > 0"""


def stretch_values(before: MonthEnd, last: MonthEnd) -> dict[str, Any]:
    """The values of `STRETCHES` for the time between two ends of months."""
    return {
        "before_on_record": before.on_record,
        "before_dated": before.dated_before,
        "last_on_record": last.on_record,
        "last_dated": last.dated_before,
    }


_COLUMNS: LiteralString = "select month, timezone, began_at, ends_at, closed_at, last_receipt_number from closed_months"


def closed_month(conn: Connection, month: date) -> ClosedMonthRow | None:
    """The month as it was closed; None where it was not."""
    return one_row(conn, ClosedMonthRow, _COLUMNS + " where month = %s", (month,))


def last_closed_month(conn: Connection) -> ClosedMonthRow | None:
    """The latest month that is closed; None before the first."""
    return one_row(conn, ClosedMonthRow, _COLUMNS + " order by month desc limit 1")


def zone_of_receipt(conn: Connection, number: int) -> str | None:
    """The zone by whose clocks the month of that receipt or credit note was closed; None where it is not closed."""
    found = conn.execute(
        "select timezone from closed_months where last_receipt_number >= %s order by month limit 1", (number,)
    ).fetchone()
    return None if found is None else found[0]


def insert_closed_month(conn: Connection, row: ClosedMonthRow) -> bool:
    """The month is closed; False where another process closed it. One that is about to is waited for."""
    inserted = conn.execute(
        """
        insert into closed_months (month, timezone, began_at, ends_at, closed_at, last_receipt_number)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (month) do nothing
        """,
        (row.month, row.timezone, row.began_at, row.ends_at, row.closed_at, row.last_receipt_number),
    )
    return inserted.rowcount == 1


def last_receipt_number(conn: Connection, end: MonthEnd) -> int:
    """The number of the last receipt or credit note up to that end of a month; 0: there is none.

    As ledgers end it: where a closed month says, or with the last that is dated before, if that is later.
    """
    return conn.execute(
        """
        select greatest(
            coalesce((select last_receipt_number from closed_months where month = %s::date), 0),
            coalesce((select max(number) from receipts where issued_at < %s::timestamptz), 0))
        """,
        (end.on_record, end.dated_before),
    ).fetchall()[0][0]
