"""What the books are made of: the entries of every ledger in a month, and what stood before them.

A month is the stretch of a ledger that its statement has (`store/money/closed_months.py`), so books and statements of a
month always add up to the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row

from fairlead.store.connection import Connection
from fairlead.store.money.closed_months import STRETCHES
from fairlead.store.typed_rows import all_rows

_OF: LiteralString = """
    left join assignments a on a.id = e.assignment_id left join niches n on n.id = a.niche_id
    left join payments p on p.id = e.payment_id
    left join receipts r on r.payment_id = e.payment_id and r.kind = 'receipt'"""


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """A ledger entry with what it is of, and when it was made."""

    provider_id: str
    seq: int
    kind: str
    amount_cents: int
    balance_after_cents: int
    created_at: datetime
    niche: str | None
    gateway: str | None
    assignment_id: str | None
    payment_id: str | None
    receipt_number: int | None
    tax_cents: int


@dataclass(frozen=True, slots=True)
class BookedCreditNote:
    """A credit note that takes tax back, and when it was issued."""

    number: int
    corrects_number: int
    issued_at: datetime
    tax_cents: int


@dataclass(frozen=True, slots=True)
class EarlierSum:
    """What the entries before some moment add up to, by provider, kind, niche and gateway.

    `wallet_cents` is how much the wallet rose by them, as `core/money/books` divides them, `tax_cents` the tax in
    deposits.
    """

    provider_id: str
    kind: str
    niche: str | None
    gateway: str | None
    amount_cents: int
    wallet_cents: int
    tax_cents: int


def first_entry_at(conn: Connection) -> datetime | None:
    """When the first entry of all ledgers was made; None without any."""
    rows = conn.execute("select created_at from ledger_entries order by created_at limit 1").fetchall()
    return rows[0][0] if rows else None


def earlier_sums(conn: Connection, ends: Mapping[str, Any]) -> list[EarlierSum]:
    """What the entries before the month add up to. The cost grows with their number.

    `ends` are the month's two (`closed_months.stretch_values`).
    """
    return all_rows(
        conn,
        EarlierSum,
        f"""
        with stretch as materialized ({STRETCHES})
        select e.provider_id::text, e.kind, n.slug as niche, p.gateway, sum(e.amount_cents)::bigint as amount_cents,
               sum(greatest(e.balance_after_cents, 0)
                   - greatest(e.balance_after_cents - e.amount_cents, 0))::bigint as wallet_cents,
               coalesce(sum(r.tax_cents), 0)::bigint as tax_cents
        from stretch s join ledger_entries e on e.provider_id = s.provider_id and e.seq <= s.before_seq {_OF}
        group by 1, 2, 3, 4 order by 1, 2, 3, 4
        """,  # noqa: S608 - constants of our own
        ends,
    )


def booked_entries(conn: Connection, ends: Mapping[str, Any]) -> Iterator[BookedEntry]:
    """The entries of the month, in order of time, then by provider and `seq`; in flat memory."""
    with conn.cursor(name="books", row_factory=class_row(BookedEntry)) as cursor:
        cursor.execute(
            f"""
            with stretch as materialized ({STRETCHES})
            select e.provider_id::text, e.seq, e.kind, e.amount_cents, e.balance_after_cents, e.created_at,
                   n.slug as niche, p.gateway, e.assignment_id::text, e.payment_id::text, r.number as receipt_number,
                   coalesce(r.tax_cents, 0) as tax_cents
            from stretch s
            join ledger_entries e on e.provider_id = s.provider_id and e.seq > s.before_seq and e.seq <= s.last_seq
            {_OF}
            order by e.created_at, e.provider_id, e.seq
            """,  # noqa: S608 - as above
            ends,
        )
        yield from cursor


def booked_credit_notes(conn: Connection, after_number: int, last_number: int) -> list[BookedCreditNote]:
    """The credit notes with these numbers that take tax back, by number."""
    return all_rows(
        conn,
        BookedCreditNote,
        """
        select number, corrects_number, issued_at, tax_cents from receipts
        where kind = 'credit_note' and tax_cents > 0 and number > %s and number <= %s order by number
        """,
        (after_number, last_number),
    )


def earlier_tax_taken_back(conn: Connection, last_number: int) -> int:
    """How much tax the credit notes up to that number take back."""
    return conn.execute(
        """
        select coalesce(sum(tax_cents), 0)::bigint from receipts where kind = 'credit_note' and number <= %s
        """,
        (last_number,),
    ).fetchall()[0][0]
