"""Crediting a deposit to a provider, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput, Refused
from fairlead.core.ledger import LedgerEntryKind, post
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.core.money.payments import GATEWAYS
from fairlead.flows.funding import lock_niches_moved_by, move_money, reactivated_ids
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.money.receipts import issue_receipts
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import hold_currency, lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.payments import CreditedPayment, credited_event, credited_payments, insert_payments


@dataclass(frozen=True, slots=True)
class Deposited:
    """A credited deposit, its place in the provider's ledger, and the balance that it led to (amounts in cents).

    `was_recorded` says that it had been credited before and nothing was changed now; `reactivated_subscription_ids`
    are those that this call brought back (R9).
    """

    payment_id: str
    provider_id: str
    amount_cents: int
    ledger_seq: int
    balance_after_cents: int
    was_recorded: bool
    reactivated_subscription_ids: tuple[str, ...] = ()


def deposit(
    database: Database,
    provider_id: str,
    amount_cents: int,
    gateway: str,
    external_id: str,
    actor: Actor,
    idempotency_key: IdempotencyKey | None = None,
) -> Deposited:
    """The amount is on the provider's balance, once per gateway and external id, however often and concurrently asked.

    Subscriptions that were inactive for lack of funds and can be paid for now are active again, and the provider is
    told (R9). One transaction; locks the niches of those subscriptions, then the provider. Idempotent: a repetition
    returns what was recorded; with `once`, what the first call returned.

    Raises `BadInput`, and `Refused`: `provider_unknown`, `idempotency_key_reused`, `balance_too_large`, or
    `deposit_conflict` when the external id was credited with another amount or to another provider.
    """
    checked = checked_id(provider_id, "provider")
    gateway, external_id = _checked(amount_cents, gateway, external_id)

    def work(conn: Connection, also: Sequence[str]) -> Deposited:
        credited = credit_deposit(conn, also, checked, amount_cents, gateway, external_id, actor)
        record_deposit(conn, credited, actor)
        return credited.deposited

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, Deposited, lambda: work(conn, also))
    )


@dataclass(frozen=True, slots=True)
class CreditedDeposit:
    """A deposit on the balance at that moment, for `record_deposit`; `payment` None: it was credited before."""

    deposited: Deposited
    payment: CreditedPayment | None
    currency: str
    at: datetime


def credit_deposit(
    conn: Connection,
    also: Sequence[str],
    provider_id: str,
    amount_cents: int,
    gateway: str,
    external_id: str,
    actor: Actor,
) -> CreditedDeposit:
    """The amount is on the balance, as `deposit` says, in the caller's transaction, which `with_niche_locks` began.

    The caller hands what comes of it to `record_deposit`, last of all. What it refuses, it refuses before anything is
    changed.
    """
    currency = hold_currency(conn)
    locked = lock_niches_moved_by(conn, {provider_id: amount_cents}, also)
    provider = lock_providers(conn, [provider_id]).get(provider_id)
    if provider is None:
        raise Refused("provider_unknown", f"there is no provider {provider_id}")
    recorded = credited_payments(conn, gateway, [external_id]).get(external_id)
    if recorded is not None:
        return CreditedDeposit(_recorded(recorded, provider_id, amount_cents), None, currency, clock(conn))
    posting, _ = post(provider.balance, LedgerEntryKind.DEPOSIT, amount_cents)
    payment = CreditedPayment(new_id(conn), provider_id, gateway, external_id, posting)
    now = clock(conn)
    entries = insert_payments(conn, [payment], currency, now)
    moves = move_money(conn, locked, {provider_id: provider}, entries, actor.name, now)
    done = _deposited(payment, was_recorded=False, reactivated=reactivated_ids(moves))
    return CreditedDeposit(done, payment, currency, now)


def record_deposit(conn: Connection, credited: CreditedDeposit, actor: Actor, *further: AuditEvent) -> None:
    """The deposit has its receipt, and the audit log says so, with what else was done in its transaction.

    Locks the head of the receipts' numbers, then the audit log's: nothing is locked, and little done, after this.
    """
    events = further
    if credited.payment is not None:
        receipts = issue_receipts(conn, [credited.payment], credited.currency, credited.at)
        events = (credited_event(credited.payment, receipts[credited.payment.payment_id], actor), *further)
    append_audit(conn, events, credited.at)


def _checked(amount_cents: int, gateway: str, external_id: str) -> tuple[str, str]:
    """The gateway and the external id by which a payment is recognised, however they were written."""
    problems: list[str] = []
    canonical: list[str] = []
    if not 1 <= amount_cents <= MAX_AMOUNT_CENTS:
        problems.append(f"amount_cents: must be between 1 and {MAX_AMOUNT_CENTS}, not {amount_cents}")
    if gateway in GATEWAYS:
        problems.append(f"gateway: what {gateway} collects is credited when it reports it, and is not recorded")
    for name, text, longest in (("gateway", gateway, 50), ("external_id", external_id, 200)):
        try:
            canonical.append(canonical_line(text, longest))
        except EntryRefused as refused:
            problems.append(f"{name}: {refused.message}")
    if problems:
        raise BadInput(problems)
    return canonical[0], canonical[1]


def _recorded(recorded: CreditedPayment, provider_id: str, amount_cents: int) -> Deposited:
    if recorded.provider_id != provider_id:
        raise Refused("deposit_conflict", f"{recorded.external_id!r} was credited to another provider before")
    if recorded.posting.amount_cents != amount_cents:
        credited = f"was credited with {recorded.posting.amount_cents} cents before, not {amount_cents}"
        raise Refused("deposit_conflict", f"{recorded.external_id!r} {credited}")
    return _deposited(recorded, was_recorded=True)


def _deposited(payment: CreditedPayment, *, was_recorded: bool, reactivated: tuple[str, ...] = ()) -> Deposited:
    posting = payment.posting
    return Deposited(
        payment.payment_id,
        payment.provider_id,
        posting.amount_cents,
        posting.seq,
        posting.balance_after_cents,
        was_recorded,
        reactivated,
    )
