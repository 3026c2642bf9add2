"""What the books are made of: every ledger's entries in order of time, and what stood before them.

A ledger's own order is that of `seq`, and a transaction that began earlier may have got its provider's lock later: by
less than an hour, which none lasts. So an entry is booked at the latest moment of the ledger so far: a month is then a
stretch of every ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows

_BOOKED = """
    from (select *, max(created_at) over (partition by provider_id order by seq) as booked_at
     from ledger_entries where created_at < %s::timestamptz + interval '1 hour') e
    left join assignments a on a.id = e.assignment_id left join niches n on n.id = a.niche_id
    left join payments p on p.id = e.payment_id"""


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """A ledger entry with what it is of, and when it is booked."""

    provider_id: str
    seq: int
    kind: str
    amount_cents: int
    balance_after_cents: int
    booked_at: datetime
    niche: str | None
    gateway: str | None
    assignment_id: str | None
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class EarlierSum:
    """What the entries before some moment add up to, by provider, kind, niche and gateway.

    `wallet_cents` is how much the wallet rose by them, as `core.books` divides them.
    """

    provider_id: str
    kind: str
    niche: str | None
    gateway: str | None
    amount_cents: int
    wallet_cents: int


def first_entry_at(conn: Connection) -> datetime | None:
    """When the first entry of all ledgers was made; None without any."""
    rows = conn.execute("select created_at from ledger_entries order by created_at limit 1").fetchall()
    return rows[0][0] if rows else None


def earlier_sums(conn: Connection, before: datetime) -> list[EarlierSum]:
    """What the entries before then add up to. The cost grows with their number."""
    return all_rows(
        conn,
        EarlierSum,
        f"""
        select e.provider_id::text, e.kind, n.slug as niche, p.gateway, sum(e.amount_cents)::bigint as amount_cents,
               sum(greatest(e.balance_after_cents, 0)
                   - greatest(e.balance_after_cents - e.amount_cents, 0))::bigint as wallet_cents
        {_BOOKED}
        where e.booked_at < %s group by 1, 2, 3, 4 order by 1, 2, 3, 4
        """,
        (before, before),
    )


def booked_entries(conn: Connection, since: datetime | None, before: datetime) -> Iterator[BookedEntry]:
    """The entries of that time, in its order, then by provider and `seq`; in flat memory."""
    with conn.cursor(name="books", row_factory=class_row(BookedEntry)) as cursor:
        cursor.execute(
            f"""
            select e.provider_id::text, e.seq, e.kind, e.amount_cents, e.balance_after_cents, e.booked_at,
                   n.slug as niche, p.gateway, e.assignment_id::text, e.payment_id::text
            {_BOOKED}
            where e.booked_at >= coalesce(%s::timestamptz, '-infinity') and e.booked_at < %s
            order by e.booked_at, e.provider_id, e.seq
            """,
            (before, since, before),
        )
        yield from cursor
