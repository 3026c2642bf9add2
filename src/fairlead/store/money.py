"""Payments and the postings that they lead to. Whoever posts holds the lock of the provider's row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.core.ledger import EntryKind, Posting
from fairlead.store.audit import Actor, AuditEvent
from fairlead.store.configuration import Overtaken
from fairlead.store.connection import Connection


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
            payment_id, provider_id, gateway, external_id, Posting(seq, EntryKind.DEPOSIT, amount, balance_after)
        )
        for external_id, payment_id, provider_id, seq, amount, balance_after in rows
    }


def credit_payments(
    conn: Connection, payments: Sequence[CreditedPayment], currency: str, actor: Actor, now: datetime
) -> list[AuditEvent]:
    """The payments, their ledger entries and the balances after them are stored; returns what the audit log has to say.

    Needs the locks of the providers. Raises `Overtaken` when one of the external ids has just been credited elsewhere.
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
        raise Overtaken from None
    _post(conn, payments, actor, now)
    return [_event(payment, currency, actor) for payment in payments]


def _post(conn: Connection, payments: Sequence[CreditedPayment], actor: Actor, now: datetime) -> None:
    provider_ids = [payment.provider_id for payment in payments]
    seqs = [payment.posting.seq for payment in payments]
    balances = [payment.posting.balance_after_cents for payment in payments]
    conn.execute(
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, payment_id, actor,
                                    created_at)
        select provider_id, seq, 'deposit', amount_cents, balance_after_cents, payment_id, %s, %s
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[])
             as entry (provider_id, seq, amount_cents, balance_after_cents, payment_id)
        """,
        (
            actor.name,
            now,
            provider_ids,
            seqs,
            [payment.posting.amount_cents for payment in payments],
            balances,
            [payment.payment_id for payment in payments],
        ),
    )
    # A provider may have several payments here: the last of them says where it stands.
    conn.execute(
        """
        update providers set balance_cents = last.balance_cents, ledger_seq = last.seq,
                             low_balance_alerted_at = case when last.balance_cents < low_balance_threshold_cents
                                                           then low_balance_alerted_at end
        from (select distinct on (provider_id) provider_id, seq, balance_cents
              from unnest(%s::uuid[], %s::bigint[], %s::bigint[]) as entry (provider_id, seq, balance_cents)
              order by provider_id, seq desc) last
        where id = last.provider_id
        """,
        (provider_ids, seqs, balances),
    )


def _event(payment: CreditedPayment, currency: str, actor: Actor) -> AuditEvent:
    credited = {
        "provider_id": payment.provider_id,
        "gateway": payment.gateway,
        "amount_cents": payment.posting.amount_cents,
        "balance_after_cents": payment.posting.balance_after_cents,
        "currency": currency,
        "ledger_seq": payment.posting.seq,
    }
    return AuditEvent(actor, "deposit.credited", "payment", payment.payment_id, new=credited)
