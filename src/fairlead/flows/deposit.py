"""Crediting a deposit to a provider, once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.errors import BadInput, Refused
from fairlead.core.ledger import EntryKind, post
from fairlead.core.model import INSUFFICIENT_FUNDS, MAX_AMOUNT_CENTS
from fairlead.flows.activity import Move, as_funded, record_moves, run_concerning_niches
from fairlead.store.audit import Actor, append_audit
from fairlead.store.configuration import (
    Overtaken,
    ProviderRow,
    hold_currency,
    level_rows,
    lock_providers,
    niche_ids_short_of_funds,
    subscription_rows,
)
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import lock_niches
from fairlead.store.leads import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money import CreditedPayment, credit_payments, credited_payments


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
    database: Database, provider_id: str, amount_cents: int, gateway: str, external_id: str, actor: Actor
) -> Deposited:
    """The amount is on the provider's balance, once per gateway and external id, however often and concurrently asked.

    Subscriptions that were inactive for lack of funds and can be paid for now are active again, and the provider is
    told (R9). One transaction; locks the niches of those subscriptions, then the provider. Idempotent: a repetition
    returns what was recorded.

    Raises `BadInput`, and `Refused`: `provider_unknown`, or `deposit_conflict` when the external id was credited with
    another amount or to another provider.
    """
    checked = checked_id(provider_id, "provider")
    _check(amount_cents, gateway, external_id)

    def work(conn: Connection, also: Sequence[str]) -> Deposited:
        currency = hold_currency(conn)
        locked = lock_niches(conn, sorted({*niche_ids_short_of_funds(conn, checked), *also}))
        provider = lock_providers(conn, [checked]).get(checked)
        if provider is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        recorded = credited_payments(conn, gateway, [external_id]).get(external_id)
        if recorded is not None:
            return _recorded(recorded, checked, amount_cents)
        posting, purse = post(provider.purse, EntryKind.DEPOSIT, amount_cents)
        payment = CreditedPayment(new_id(), checked, gateway, external_id, posting)
        moves = _reactivations(conn, replace(provider, purse=purse), list(locked))
        now = clock(conn)
        events = credit_payments(conn, [payment], currency, actor, now)
        record_moves(conn, locked, {}, moves, now)
        append_audit(conn, events, now)
        reactivated = tuple(after.subscription.subscription_id for _, after in moves)
        return _deposited(payment, was_recorded=False, reactivated=reactivated)

    return run_concerning_niches(database, work)


def _check(amount_cents: int, gateway: str, external_id: str) -> None:
    problems: list[str] = []
    if not 1 <= amount_cents <= MAX_AMOUNT_CENTS:
        problems.append(f"amount_cents: must be between 1 and {MAX_AMOUNT_CENTS}, not {amount_cents}")
    for name, text, longest in (("gateway", gateway, 50), ("external_id", external_id, 200)):
        if not 1 <= len(text) <= longest or not text.isprintable():
            problems.append(f"{name}: must be one line of 1 to {longest} characters")
    if problems:
        raise BadInput(problems)


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


def _reactivations(conn: Connection, provider: ProviderRow, locked_niche_ids: Sequence[str]) -> list[Move]:
    """What the provider's subscriptions without funds become. `Overtaken` when one is in a niche that is not locked."""
    short = [
        row
        for row in subscription_rows(conn, [provider.provider_id], [], [])
        if not row.is_deleted and row.subscription.deactivation_reason == INSUFFICIENT_FUNDS
    ]
    if missing := {row.niche_id for row in short} - {*locked_niche_ids}:
        raise Overtaken(sorted(missing))
    prices = {row.level.level_id: row.level.price_cents for row in level_rows(conn, locked_niche_ids)}
    available_cents = provider.purse.available_cents
    moves: list[Move] = []
    for row in short:
        after = as_funded(row.subscription, prices[row.subscription.level_id], available_cents)
        if after.is_active:
            moves.append((row, replace(row, subscription=after)))
    return moves
