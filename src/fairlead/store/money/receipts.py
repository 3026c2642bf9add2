"""Receipts and credit notes: one series of numbers, each drawn in the transaction that stores its paper."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row

from fairlead.core.canonical import canonical_json
from fairlead.core.money.receipts import Parties, Receipt, ReceiptKind, parties_of
from fairlead.store.arrays import array_text, quoted_array_text
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.typed_rows import one_row

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt or credit note as it is stored. `corrected_by` is the credit note that took it back, if one did."""

    number: int
    kind: ReceiptKind
    provider_id: str
    payment_id: str
    corrects_number: int | None
    issued_at: datetime
    currency: str
    gross_cents: int
    tax_rate_basis_points: int | None
    tax_cents: int
    parties_document: Mapping[str, Any]
    sha256: bytes
    corrected_by: int | None

    @property
    def receipt(self) -> Receipt:
        """What it says."""
        values = {each.name: getattr(self, each.name) for each in fields(Receipt) if each.name != "parties"}
        return Receipt(**values, parties=self.parties)

    @property
    def parties(self) -> Parties:
        """Who issued it, and to whom, as they were then."""
        return parties_of(dict(self.parties_document))

    @property
    def net_cents(self) -> int:
        """What is left without the tax."""
        return self.receipt.net_cents


_COLUMNS: LiteralString = """
    a.number, a.kind, a.provider_id::text, a.payment_id::text, a.corrects_number, a.issued_at, a.currency,
    a.gross_cents, a.tax_rate_basis_points, a.tax_cents, a.parties as parties_document, a.sha256,
    c.number as corrected_by"""
_CORRECTED: LiteralString = "left join receipts c on c.corrects_number = a.number"


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
            [each.sha256() for each in receipts],
        ),
    )
    conn.execute("update receipt_head set last_number = %s", (receipts[-1].number,))


def receipt_row(conn: Connection, number: int, provider_id: str | None) -> ReceiptRow | None:
    """The paper of that number, of that provider or (None) of any; None where there is none."""
    return one_row(
        conn,
        ReceiptRow,
        f"""
        select {_COLUMNS} from receipts a {_CORRECTED}
        where a.number = %s and a.provider_id = coalesce(%s::uuid, a.provider_id)
        """,  # noqa: S608 - constants of our own
        (number, provider_id),
    )


def receipt_of_payment(conn: Connection, gateway: str, charge_reference: str) -> ReceiptRow | None:
    """The receipt of the deposit that this charge of the gateway was credited as; None where it was not."""
    return one_row(
        conn,
        ReceiptRow,
        f"""
        select {_COLUMNS} from payments p join receipts a on a.payment_id = p.id and a.kind = 'receipt' {_CORRECTED}
        where p.gateway = %s and p.external_id = %s
        """,  # noqa: S608 - as above
        (gateway, charge_reference),
    )


def receipts_page(
    conn: Connection, provider_id: str | None, before_number: int | None, limit: int
) -> KeysetPage[ReceiptRow, int]:
    """The papers before that number, of that provider or (None) of all, the newest first."""
    index_filter = Conditions()
    index_filter.add_given("a.provider_id = %s", provider_id)
    index_filter.add_given("a.number < %s", before_number)
    query = KeysetQuery("receipts", "a.number desc", "a.number", index_filter, Conditions())
    return query.page(conn, items_of(ReceiptRow), _COLUMNS, _CORRECTED, limit)


def all_receipts(conn: Connection) -> Generator[ReceiptRow]:
    """Every paper, by number, in flat memory."""
    with conn.cursor(name="receipts", row_factory=class_row(ReceiptRow)) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(f"select {_COLUMNS} from receipts a {_CORRECTED} order by a.number")  # noqa: S608 - as above
        yield from cursor
