"""Statements of closed months as rows, and the entries that the statement of any month has."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from psycopg.rows import class_row

from fairlead.core.canonical import canonical_json
from fairlead.core.money.receipts import Parties, parties_of
from fairlead.store.arrays import array_text, quoted_array_text
from fairlead.store.connection import Connection
from fairlead.store.money.closed_months import STRETCHES
from fairlead.store.typed_rows import all_rows, one_row

ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement of a closed month. `totals` has, by kind of entry, how many there are and their sum."""

    provider_id: str
    month: date
    first_seq: int
    last_seq: int
    opening_cents: int
    closing_cents: int
    totals: Mapping[str, list[int]]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class StatementLineRow:
    """An entry of a provider's month; or, with `seq` None, that there is none.

    `balance_before_cents` is what the ledger held before the month.
    """

    provider_id: str
    month: date
    first_seq: int
    last_seq: int
    balance_before_cents: int
    seq: int | None
    kind: str | None
    amount_cents: int | None
    balance_after_cents: int | None
    created_at: datetime | None
    niche: str | None
    assignment_id: str | None
    payment_id: str | None


_LINES: LiteralString = """
    select s.provider_id::text, s.month, s.first_seq, s.last_seq,
           coalesce(o.balance_after_cents, 0) as balance_before_cents, e.seq, e.kind, e.amount_cents,
           e.balance_after_cents, e.created_at, n.slug as niche, e.assignment_id::text, e.payment_id::text
    from span s
    left join ledger_entries o on o.provider_id = s.provider_id and o.seq = s.first_seq - 1
    left join ledger_entries e on e.provider_id = s.provider_id and e.seq between s.first_seq and s.last_seq
    left join assignments a on a.id = e.assignment_id left join niches n on n.id = a.niche_id
    order by s.provider_id, s.month, e.seq"""


def month_lines(
    conn: Connection, month: date, ends: Mapping[str, Any], provider_id: str | None = None
) -> Generator[StatementLineRow]:
    """The month between two ends (`closed_months.stretch_values`), by provider and `seq`; of one provider, or of all.

    Whose ledger begins after the month has no row. One read, in flat memory, as of one moment.
    """
    only: LiteralString = "" if provider_id is None else " and p.id = %(provider_id)s"
    stretch = f"with stretch as materialized ({STRETCHES}{only})"
    query = f"""
    {stretch}, span as materialized (
        select provider_id, %(month)s::date as month, before_seq + 1 as first_seq, last_seq
        from stretch where last_seq > 0)
    {_LINES}"""  # noqa: S608 - constants of our own
    return _lines(conn, query, {**ends, "month": month, "provider_id": provider_id})


def recorded_lines(
    conn: Connection, provider_id: str | None = None, month: date | None = None
) -> Generator[StatementLineRow]:
    """The entries that the statements of closed months have, all or one, by provider, month and `seq`."""
    only: LiteralString = "" if provider_id is None else " where provider_id = %(provider_id)s and month = %(month)s"
    query = f"with span as (select provider_id, month, first_seq, last_seq from statements{only}) {_LINES}"  # noqa: S608 - as above
    return _lines(conn, query, {"provider_id": provider_id, "month": month})


def _lines(conn: Connection, query: LiteralString, values: Mapping[str, Any]) -> Generator[StatementLineRow]:
    with conn.cursor(name="statement_lines", row_factory=class_row(StatementLineRow)) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(query, values)
        yield from cursor


_COLUMNS: LiteralString = """
    select provider_id::text, month, first_seq, last_seq, opening_cents, closing_cents, totals, sha256
    from statements"""


def stored_statement(conn: Connection, provider_id: str, month: date) -> StatementRow | None:
    """The provider's statement of that month; None where the month is not closed yet, or has none."""
    return one_row(conn, StatementRow, _COLUMNS + " where provider_id = %s and month = %s", (provider_id, month))


def stored_statements(conn: Connection, provider_id: str, limit: int) -> list[StatementRow]:
    """The provider's newest statements, the newest first."""
    return all_rows(
        conn, StatementRow, _COLUMNS + " where provider_id = %s order by month desc limit %s", (provider_id, limit)
    )


def parties_of_statement(conn: Connection, provider_id: str, month: date) -> Parties:
    """Whom the statement, which is there, names: as they were when its month was closed."""
    rows = conn.execute(
        "select parties from statements where provider_id = %s and month = %s", (provider_id, month)
    ).fetchall()
    return parties_of(rows[0][0])


def all_statements(conn: Connection) -> Generator[StatementRow]:
    """Every statement, by provider and month, in flat memory."""
    with conn.cursor(name="statements", row_factory=class_row(StatementRow)) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_COLUMNS + " order by provider_id, month")
        yield from cursor


def insert_statements(conn: Connection, rows: Sequence[StatementRow], parties: Mapping[str, Parties]) -> None:
    """The statements are there, and name the parties, which are by provider id."""
    conn.execute(
        """
        insert into statements (provider_id, month, first_seq, last_seq, opening_cents, closing_cents, totals, sha256,
                                parties)
        select * from unnest(%s::uuid[], %s::date[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                             %s::jsonb[], %s::bytea[], %s::jsonb[])
        """,
        (
            array_text([row.provider_id for row in rows]),
            [row.month for row in rows],
            array_text([row.first_seq for row in rows]),
            array_text([row.last_seq for row in rows]),
            array_text([row.opening_cents for row in rows]),
            array_text([row.closing_cents for row in rows]),
            quoted_array_text([canonical_json(dict(row.totals)).decode() for row in rows]),
            [row.sha256 for row in rows],
            quoted_array_text([canonical_json(parties[row.provider_id].document()).decode() for row in rows]),
        ),
    )


def digest_of_month(conn: Connection, month: date) -> tuple[int, str]:
    """How many statements the month has, and one SHA-256 of all of them, in hexadecimal: what the audit log seals.

    The same expression stands in `store/invariants/of_papers.py`, which compares the two.
    """
    rows = conn.execute(f"select * from ({DIGESTS}) d where month = %s", (month,)).fetchall()  # noqa: S608 - as above
    return (rows[0][1], rows[0][2]) if rows else (0, "")


DIGESTS: LiteralString = """
    select month, count(*) as statement_count,
           encode(sha256(convert_to(string_agg(provider_id || ' ' || encode(sha256, 'hex') || ' ' || parties, ' '
                                               order by provider_id), 'UTF8')), 'hex') as sha256
    from statements group by month"""
"""Of every closed month: how many statements, and the SHA-256 of theirs and of whom they name."""
