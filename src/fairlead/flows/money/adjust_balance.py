"""Crediting and debiting a provider by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairlead.core.errors import BadInput, Refused
from fairlead.core.ledger import LedgerEntryKind, post, takeable_cents
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.flows.funding import deactivated_ids, lock_niches_moved_by, move_money, reactivated_ids
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import hold_currency, lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.ledger import LedgerEntry

Direction = Literal["credit", "debit"]

KINDS: dict[Direction, LedgerEntryKind] = {
    "credit": LedgerEntryKind.MANUAL_CREDIT,
    "debit": LedgerEntryKind.MANUAL_DEBIT,
}
LONGEST_MEMO = 500


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A manual entry, its place in the provider's ledger, and the balance that it led to.

    Amounts are in cents of `currency`; `amount_cents` is signed, as the ledger has it. The subscriptions are those that
    this call started or stopped (R9).
    """

    provider_id: str
    amount_cents: int
    currency: str
    ledger_seq: int
    balance_after_cents: int
    reactivated_subscription_ids: tuple[str, ...] = ()
    deactivated_subscription_ids: tuple[str, ...] = ()


def adjust_balance(
    database: Database,
    provider_id: str,
    direction: Direction,
    amount_cents: int,
    memo: str,
    actor: Actor,
    idempotency_key: IdempotencyKey | None = None,
) -> Adjusted:
    """The amount (positive, in cents) is added to the provider's balance, or taken from it, for the reason in the memo.

    Subscriptions in all niches follow the new balance at once, and the provider is told of those, and of a balance that
    fell below its threshold (R9). One transaction, audited; locks the niches of those subscriptions, then the provider.
    A debit stops at zero, also where credit is granted: credit is for buying leads, and no provider is put into debt by
    hand. Recognised by `once` when it is sent again; without one, every call is a movement of its own.

    Raises `BadInput` (no id, amount or memo; the memo has 10 to 500 characters) and `Refused`: `provider_unknown`,
    `insufficient_balance`, `balance_too_large`, `idempotency_key_reused`.
    """
    checked, reason = checked_id(provider_id, "provider"), checked_memo(memo, LONGEST_MEMO)
    if not 1 <= amount_cents <= MAX_AMOUNT_CENTS:
        raise BadInput([f"amount_cents: must be between 1 and {MAX_AMOUNT_CENTS}, not {amount_cents}"])
    kind = KINDS[direction]

    def work(conn: Connection, also: Sequence[str]) -> Adjusted:
        return _adjust(conn, also, checked, kind, amount_cents, reason, actor)

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, Adjusted, lambda: work(conn, also))
    )


def _adjust(
    conn: Connection, also: Sequence[str], provider_id: str, kind: LedgerEntryKind, cents: int, memo: str, actor: Actor
) -> Adjusted:
    currency = hold_currency(conn)
    change_cents = cents if kind is LedgerEntryKind.MANUAL_CREDIT else -cents
    locked = lock_niches_moved_by(conn, {provider_id: change_cents}, also)
    provider = lock_providers(conn, [provider_id]).get(provider_id)
    if provider is None:
        raise Refused("provider_unknown", f"there is no provider {provider_id}")
    if kind is LedgerEntryKind.MANUAL_DEBIT and (takeable := takeable_cents(provider.balance, kind)) < cents:
        raise Refused("insufficient_balance", f"{cents} cents cannot be taken: only {takeable} are there")
    posting, _ = post(provider.balance, kind, cents)
    now = clock(conn)
    entry = LedgerEntry(provider_id, posting, memo=memo)
    moves = move_money(conn, locked, {provider_id: provider}, [entry], actor.name, now)
    moved = {
        "amount_cents": posting.amount_cents,
        "balance_after_cents": posting.balance_after_cents,
        "currency": currency,
        "ledger_seq": posting.seq,
    }
    action = "balance.credited" if change_cents > 0 else "balance.debited"
    append_audit(conn, [AuditEvent(actor, action, "provider", provider_id, new=moved, memo=memo)], now)
    return Adjusted(
        provider_id,
        posting.amount_cents,
        currency,
        posting.seq,
        posting.balance_after_cents,
        reactivated_ids(moves),
        deactivated_ids(moves),
    )
