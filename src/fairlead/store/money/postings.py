"""Payments, and the one way into the ledgers beside a purchase. Whoever posts holds the lock of the provider's row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.core.ledger import EntryKind, Posting
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.rows import Overtaken
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue


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
    entries = [LedgerEntry(each.provider_id, each.posting, payment_id=each.payment_id) for each in payments]
    post_entries(conn, entries, actor, now)
    return [_event(payment, currency, actor) for payment in payments]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A posting to be stored: whose it is, what it is of, and why somebody made it."""

    provider_id: str
    posting: Posting
    assignment_id: str | None = None
    payment_id: str | None = None
    memo: str | None = None


def post_entries(conn: Connection, entries: Sequence[LedgerEntry], actor: Actor, now: datetime) -> None:
    """The entries are in the ledgers, the balances are those after them, and who fell below its threshold is told.

    A fall is told once, until the balance is above the threshold again. Needs the locks of the providers; of one
    provider the entries follow one another.
    """
    if not entries:
        return
    postings = [entry.posting for entry in entries]
    conn.execute(
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id,
                                    payment_id, actor, memo, created_at)
        select provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, payment_id, %s, memo, %s
        from unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[],
                    %s::text[])
             as entry (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, payment_id, memo)
        """,
        (
            actor.name,
            now,
            [entry.provider_id for entry in entries],
            [posting.seq for posting in postings],
            [posting.kind.value for posting in postings],
            [posting.amount_cents for posting in postings],
            [posting.balance_after_cents for posting in postings],
            [entry.assignment_id for entry in entries],
            [entry.payment_id for entry in entries],
            [entry.memo for entry in entries],
        ),
    )
    _move_balances(conn, entries, now)


def _move_balances(conn: Connection, entries: Sequence[LedgerEntry], now: datetime) -> None:
    # A provider may have several entries here: the last of them says where it stands.
    last = {entry.provider_id: entry.posting for entry in entries}
    debited = {entry.provider_id for entry in entries if entry.posting.amount_cents < 0}
    # One statement: both halves see the rows as they were before, so each provider is alerted once per fall.
    alerted = conn.execute(
        """
        with balance as (
            select provider_id, balance_cents, ledger_seq, is_debited, notification_id
            from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::boolean[], %s::uuid[])
                 as balance (provider_id, balance_cents, ledger_seq, is_debited, notification_id)
        ), alert as (
            insert into notifications (id, kind, channel, provider_id, detail, created_at)
            select notification_id, 'low_balance', 'email', provider_id,
                   jsonb_build_object('balance_cents', balance.balance_cents,
                                      'threshold_cents', p.low_balance_threshold_cents), %s
            from balance join providers p on p.id = balance.provider_id
            where is_debited and balance.balance_cents < p.low_balance_threshold_cents
              and p.low_balance_alerted_at is null
            returning provider_id
        ), moved as (
            update providers p
            set balance_cents = balance.balance_cents, ledger_seq = balance.ledger_seq,
                low_balance_alerted_at = case when balance.balance_cents < p.low_balance_threshold_cents
                                              then coalesce(p.low_balance_alerted_at, case when is_debited then %s end)
                                         end
            from balance where p.id = balance.provider_id
        )
        select count(*) from alert
        """,
        (
            list(last),
            [posting.balance_after_cents for posting in last.values()],
            [posting.seq for posting in last.values()],
            [provider_id in debited for provider_id in last],
            [new_id() for _ in last],
            now,
            now,
        ),
    ).fetchall()
    if alerted[0][0]:
        enqueue(conn, [Job("dispatch_notifications")])


def _event(payment: CreditedPayment, currency: str, actor: Actor) -> AuditEvent:
    credited = {
        "provider_id": payment.provider_id,
        "gateway": payment.gateway,
        "external_id": payment.external_id,
        "amount_cents": payment.posting.amount_cents,
        "balance_after_cents": payment.posting.balance_after_cents,
        "currency": currency,
        "ledger_seq": payment.posting.seq,
    }
    return AuditEvent(actor, "deposit.credited", "payment", payment.payment_id, new=credited)
