"""Receipts of deposits, the credit notes that take one back, and reading both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.core.money.receipts import Receipt, contained_tax
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_memo
from fairlead.flows.money.months import marketplace_zone
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.keyset import KeysetPage
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.billing_details import parties_now
from fairlead.store.money.closed_months import zone_of_receipt
from fairlead.store.money.payments import CreditedPayment
from fairlead.store.money.receipts import (
    ReceiptFilter,
    ReceiptRow,
    insert_receipts,
    lock_receipt_head,
    receipt_row,
    receipts_page,
)


@dataclass(frozen=True, slots=True)
class CreditNoteIssued:
    """The number of a credit note that was issued."""

    number: int


def issue_receipts(
    conn: Connection, payments: Sequence[CreditedPayment], currency: str, now: datetime
) -> dict[str, Receipt]:
    """Each of the payments, credited in this transaction, has its receipt, with the next numbers; by payment id.

    They say of marketplace and provider what is true now, for ever. Needs the locks of the providers; locks the head of
    the numbers until the transaction ends: nothing but the audit log is locked after it.
    """
    if not payments:
        return {}
    market = marketplace_row(conn)
    parties = parties_now(conn, market, sorted({each.provider_id for each in payments}))
    last_number, rate = lock_receipt_head(conn), market.tax_rate_basis_points
    issued = [
        Receipt(
            number,
            "receipt",
            each.provider_id,
            each.payment_id,
            None,
            now,
            currency,
            each.posting.amount_cents,
            rate,
            contained_tax(each.posting.amount_cents, rate),
            parties[each.provider_id],
        )
        for number, each in enumerate(payments, start=last_number + 1)
    ]
    insert_receipts(conn, issued)
    return {each.payment_id: each for each in issued}


def issue_credit_note(
    database: Database, number: int, memo: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> ReceiptRow:
    """The receipt of that number is taken back, whole and once, by a credit note, which has the next number.

    No balance moves: an operator debits that by hand. Audited, with step-up; locks the head of the numbers. Raises
    `BadInput`, and `Refused`: `receipt_unknown`, `receipt_corrected`, or `receipt_not_correctable` for a credit note.
    """
    memo = checked_memo(memo)

    def work(conn: Connection) -> CreditNoteIssued:
        row = receipt_row(conn, number, None)
        if row is None:
            raise _unknown(number)
        if row.kind == "credit_note":
            raise Refused("receipt_not_correctable", f"number {number} is a credit note itself")
        now = clock(conn)
        event = take_receipt_back(conn, row, actor, now, memo)
        if event is None:
            raise Refused("receipt_corrected", f"receipt {number} was taken back before")
        append_audit(conn, [event], now)
        return CreditNoteIssued(int(event.entity_id))

    done = database.run(lambda conn: run_idempotent(conn, idempotency_key, CreditNoteIssued, lambda: work(conn)))
    return read_receipt(database, done.number)


def take_receipt_back(
    conn: Connection, row: ReceiptRow, actor: Actor, now: datetime, memo: str | None = None
) -> AuditEvent | None:
    """The receipt has its credit note; None, and nothing is changed, where it has one already.

    Locks the head of the numbers. Returns what the audit log has to say of it.
    """
    last_number = lock_receipt_head(conn)
    current = receipt_row(conn, row.number, None)
    if current is None or current.corrected_by is not None:
        return None
    note = replace(row.receipt, number=last_number + 1, kind="credit_note", corrects_number=row.number, issued_at=now)
    insert_receipts(conn, [note])
    said = {
        "corrects_number": row.number,
        "provider_id": note.provider_id,
        "gross_cents": note.gross_cents,
        "sha256": note.digest().hex(),
    }
    return AuditEvent(actor, "credit_note.issued", "receipt", str(note.number), new=said, memo=memo)


def read_receipt(database: Database, number: int, provider_id: str | None = None) -> ReceiptRow:
    """The paper of that number, of that provider or (None) of any. Raises `Refused`: `receipt_unknown`."""
    checked = None if provider_id is None else checked_id(provider_id, "provider")
    row = database.read(lambda conn: receipt_row(conn, number, checked))
    if row is None:
        raise _unknown(number)
    return row


def receipt_zone(database: Database, number: int) -> str:
    """The time zone by whose clocks that paper is dated: its month's, as statements and books are."""
    return database.read(lambda conn: zone_of_receipt(conn, number) or marketplace_zone(conn))


def list_receipts(
    database: Database, wanted: ReceiptFilter, before_number: int | None, limit: int
) -> KeysetPage[ReceiptRow, int]:
    """The papers that are wanted before that number, the newest first. Raises `BadInput`."""
    checked = None if wanted.provider_id is None else checked_id(wanted.provider_id, "provider")
    return database.read(lambda conn: receipts_page(conn, replace(wanted, provider_id=checked), before_number, limit))


def _unknown(number: int) -> Refused:
    return Refused("receipt_unknown", f"there is no receipt {number}")
