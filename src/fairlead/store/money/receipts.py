"""Receipts and credit notes: one series of numbers, each drawn in the transaction that stores its paper."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Cursor

from fairlead.core.canonical import canonical_json
from fairlead.core.money.receipts import PaidBy, Receipt, parties_of
from fairlead.store.arrays import array_text, quoted_array_text
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery
from fairlead.store.typed_rows import column_names, part_of

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class StoredReceipt(Receipt):
    """A receipt or credit note as its own row has it; `parties_document` is what `parties` was read from."""

    parties_document: Mapping[str, Any]
    sha256: bytes

    @property
    def receipt(self) -> Receipt:
        """What it says, alone."""
        return Receipt(**{each.name: getattr(self, each.name) for each in fields(Receipt)})


@dataclass(frozen=True, slots=True)
class ReceiptRow(StoredReceipt):
    """A receipt or credit note with what other rows say of it.

    `corrected_by` is the credit note that took it back, if one did. `gateway` is where the deposit that it is about was
    made, and `paid_by` how; no paper says so itself, so that neither is under its hash.
    """

    corrected_by: int | None
    gateway: str
    paid_by: PaidBy


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """Which papers are wanted; None: all. `issued_from` is included, `issued_before` is not."""

    provider_id: str | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None


PAID_BY: LiteralString = """
    case when q.method_reference is not null then 'auto_top_up' when q.id is not null then 'checkout'
         when starts_with(e.actor, 'key:') then 'recorded_by_key' else 'recorded_by_operator' end"""
"""How the payment `p` was made, as the request that it answers and its ledger entry have it."""

MADE_BY: LiteralString = """
    join ledger_entries e on e.payment_id = p.id and e.kind = 'deposit'
    left join payment_requests q on q.payment_id = p.id"""
"""What `PAID_BY` reads of the payment `p`."""

_OWN_COLUMNS: LiteralString = """
    a.number, a.kind, a.provider_id::text, a.payment_id::text, a.corrects_number, a.issued_at, a.currency,
    a.gross_cents, a.tax_rate_basis_points, a.tax_cents, a.parties as parties_document, a.sha256"""
_COLUMNS: LiteralString = f"{_OWN_COLUMNS}, c.number as corrected_by, p.gateway, {PAID_BY} as paid_by"
_JOINS: LiteralString = f"""
    left join receipts c on c.corrects_number = a.number
    join payments p on p.id = a.payment_id {MADE_BY}"""


def _papers(names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], ReceiptRow]:
    """How a row with columns of these names becomes a paper."""
    return lambda values: part_of(ReceiptRow, _read(names, values))


def _read(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    row = dict(zip(names, values, strict=True))
    return row | {"parties": parties_of(row["parties_document"])}


def lock_receipt_head(conn: Connection) -> int:
    """The number of the last paper, which stays the last until the transaction ends, but for its own.

    Taken after every other lock but the audit log's head, so that the two are held for the same few statements.
    """
    return conn.execute("select last_number from receipt_head for no key update").fetchall()[0][0]


def insert_receipts(conn: Connection, receipts: Sequence[Receipt]) -> None:
    """The papers are issued. Their numbers follow the head, which is locked, and is the last of them now."""
    conn.execute(
        """
        insert into receipts (number, kind, provider_id, payment_id, corrects_number, issued_at, currency, gross_cents,
                              tax_rate_basis_points, tax_cents, parties, sha256)
        select * from unnest(%s::bigint[], %s::text[], %s::uuid[], %s::uuid[], %s::bigint[], %s::timestamptz[],
                             %s::text[], %s::bigint[], %s::integer[], %s::bigint[], %s::jsonb[], %s::bytea[])
        """,
        (
            array_text([each.number for each in receipts]),
            array_text([each.kind for each in receipts]),
            array_text([each.provider_id for each in receipts]),
            array_text([each.payment_id for each in receipts]),
            [each.corrects_number for each in receipts],
            [each.issued_at for each in receipts],
            array_text([each.currency for each in receipts]),
            array_text([each.gross_cents for each in receipts]),
            [each.tax_rate_basis_points for each in receipts],
            array_text([each.tax_cents for each in receipts]),
            quoted_array_text([canonical_json(each.parties.document()).decode() for each in receipts]),
            [each.digest() for each in receipts],
        ),
    )
    conn.execute("update receipt_head set last_number = %s", (receipts[-1].number,))


def receipt_row(conn: Connection, number: int, provider_id: str | None) -> ReceiptRow | None:
    """The paper of that number, of that provider or (None) of any; None where there is none."""
    return _first(
        conn.execute(
            f"""
            select {_COLUMNS} from receipts a {_JOINS}
            where a.number = %s and a.provider_id = coalesce(%s::uuid, a.provider_id)
            """,  # noqa: S608 - constants of our own
            (number, provider_id),
        )
    )


def receipt_of_payment(conn: Connection, gateway: str, charge_reference: str) -> ReceiptRow | None:
    """The receipt of the deposit that this charge of the gateway was credited as; None where it was not."""
    return _first(
        conn.execute(
            f"""
            select {_COLUMNS} from receipts a {_JOINS}
            where p.gateway = %s and p.external_id = %s and a.kind = 'receipt'
            """,  # noqa: S608 - as above
            (gateway, charge_reference),
        )
    )


def receipts_page(
    conn: Connection, wanted: ReceiptFilter, before_number: int | None, limit: int
) -> KeysetPage[ReceiptRow, int]:
    """The papers that are wanted before that number, the newest first."""
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add_given("a.provider_id = %s", wanted.provider_id)
    if wanted.issued_from is not None or wanted.issued_before is not None:
        first, last = _numbers_of(conn, wanted)
        if first is None:
            return KeysetPage((), None)
        index_filter.add("a.number between %s and %s", first, last)
    index_filter.add_given("a.number < %s", before_number)
    # Numbers are drawn a moment after the time was read, so that their order is nearly that of time, and no more.
    row_filter.add_given("a.issued_at >= %s", wanted.issued_from)
    row_filter.add_given("a.issued_at < %s", wanted.issued_before)
    query = KeysetQuery("receipts", "a.number desc", "a.number", index_filter, row_filter)
    return query.page(conn, _papers, _COLUMNS, _JOINS, limit)


def _numbers_of(conn: Connection, wanted: ReceiptFilter) -> tuple[int | None, int | None]:
    """The lowest and the highest number of the papers of that time, whosever they are; None where there are none."""
    [(first, last)] = conn.execute(
        # Added to nothing, so that the planner does not look for the extremes along the numbers, past all other times.
        """
        select min(number + 0), max(number + 0) from receipts
        where issued_at >= coalesce(%s, '-infinity'::timestamptz) and issued_at < coalesce(%s, 'infinity'::timestamptz)
        """,
        (wanted.issued_from, wanted.issued_before),
    ).fetchall()
    return first, last


def all_receipts(conn: Connection) -> Generator[StoredReceipt]:
    """Every paper, by number, in flat memory: also one whose deposit is gone, for it is what proofs read."""
    with conn.cursor(name="receipts") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(f"select {_OWN_COLUMNS} from receipts a order by a.number")  # noqa: S608 - as above
        names = column_names(cursor)
        for values in cursor:
            yield part_of(StoredReceipt, _read(names, values))


def _first(cursor: Cursor[tuple[Any, ...]]) -> ReceiptRow | None:
    row = cursor.fetchone()
    return None if row is None else _papers(column_names(cursor))(row)
