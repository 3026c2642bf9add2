"""Payments that gateways announced: each of them once, credited to its provider's ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.core.ledger import LedgerEntryKind, Posting
from fairlead.core.money.receipts import Receipt
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.rows import ConcurrentChange
from fairlead.store.connection import Connection
from fairlead.store.money.ledger import LedgerEntry


@dataclass(frozen=True, slots=True)
class CreditedPayment:
    """A payment that was credited, and its place in the provider's ledger (amounts in cents)."""

    payment_id: str
    provider_id: str
    gateway: str
    external_id: str
    posting: Posting


def credited_payments(conn: Connection, gateway: str, external_ids: Sequence[str]) -> dict[str, CreditedPayment]:
    """By external id, those payments of the gateway that were credited."""
    rows = conn.execute(
        """
        select p.external_id, p.id::text, p.provider_id::text, e.seq, e.amount_cents, e.balance_after_cents
        from payments p join ledger_entries e on e.payment_id = p.id and e.kind = 'deposit'
        where p.gateway = %s and p.external_id = any(%s)
        """,
        (gateway, list(external_ids)),
    ).fetchall()
    return {
        external_id: CreditedPayment(
            payment_id, provider_id, gateway, external_id, Posting(seq, LedgerEntryKind.DEPOSIT, amount, balance_after)
        )
        for external_id, payment_id, provider_id, seq, amount, balance_after in rows
    }


def insert_payments(
    conn: Connection, payments: Sequence[CreditedPayment], currency: str, now: datetime
) -> list[LedgerEntry]:
    """The payments are stored; returns the ledger entries that credit them, for the same transaction to post.

    Raises `ConcurrentChange` when one of the external ids has just been credited elsewhere.
    """
    if not payments:
        return []
    ids = [payment.payment_id for payment in payments]
    provider_ids = [payment.provider_id for payment in payments]
    amounts = [payment.posting.amount_cents for payment in payments]
    try:
        conn.execute(
            """
            insert into payments (id, provider_id, gateway, external_id, amount_cents, currency, status, created_at)
            select payment.*, %s, 'succeeded', %s
            from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[]) as payment
            """,
            (
                currency,
                now,
                ids,
                provider_ids,
                [payment.gateway for payment in payments],
                [payment.external_id for payment in payments],
                amounts,
            ),
        )
    except errors.UniqueViolation:
        raise ConcurrentChange from None
    return [LedgerEntry(each.provider_id, each.posting, payment_id=each.payment_id) for each in payments]


def credited_event(payment: CreditedPayment, receipt: Receipt, actor: Actor) -> AuditEvent:
    """What the audit log has to say of the payment, and of its receipt: the number, and the hash of what it says."""
    credited = {
        "provider_id": payment.provider_id,
        "gateway": payment.gateway,
        "external_id": payment.external_id,
        "amount_cents": payment.posting.amount_cents,
        "balance_after_cents": payment.posting.balance_after_cents,
        "currency": receipt.currency,
        "ledger_seq": payment.posting.seq,
        "receipt_number": receipt.number,
        "receipt_sha256": receipt.digest().hex(),
    }
    return AuditEvent(actor, "deposit.credited", "payment", payment.payment_id, new=credited)
