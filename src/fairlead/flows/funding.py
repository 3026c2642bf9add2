"""Funding (R9): which subscriptions funds start or stop, wherever it is not a decision that moves the funds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import subscription_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import INSUFFICIENT_FUNDS
from fairlead.core.prices import lowest_price_cents
from fairlead.core.subscription import funded
from fairlead.store.configuration.rows import (
    LockSetChanged,
    ProviderRow,
    SubscriptionRow,
    level_rows,
    subscription_rows,
)
from fairlead.store.configuration.writes import write_states, write_subscriptions, write_weights
from fairlead.store.connection import Connection
from fairlead.store.distribution.funds import niche_ids_moved_by
from fairlead.store.journal import LockedNiche, append_configuration, lock_niches
from fairlead.store.money.ledger import LedgerEntry, post_entries
from fairlead.store.notifications.outbox import Kind, Notification, notify
from fairlead.store.notifications.rows import told_to_have_stopped


def notices(before: SubscriptionRow | None, after: SubscriptionRow, *, stop_was_told: bool) -> Iterator[Kind]:
    """What the provider has to be told of its subscription: kinds of notifications. A deleted one says nothing.

    A stop is told of what ran. One that is set up, or resumed, before it can be paid for has not stopped: the answer
    to that says what it needs. And that it runs again is told to the one who was told of its stop.
    """
    if after.is_deleted:
        return
    known = before.subscription if before is not None and not before.is_deleted else None
    was_broke = known is not None and known.deactivation_reason == INSUFFICIENT_FUNDS
    if after.subscription.deactivation_reason == INSUFFICIENT_FUNDS and known is not None and known.is_active:
        yield "subscription_deactivated"
    if after.subscription.is_active and was_broke and stop_was_told:
        yield "subscription_reactivated"
    if not after.subscription.filter_is_valid and (known is None or known.filter_is_valid):
        yield "filter_invalidated"


Contents = list[tuple[JournalEntryKind, JsonObject]]

Move = tuple[SubscriptionRow | None, SubscriptionRow]
"""A subscription before and after; None stands for one that did not exist."""


def lock_niches_moved_by(
    conn: Connection, changes_cents: Mapping[str, int], also: Sequence[str]
) -> dict[str, LockedNiche]:
    """Locked are the niches where so much more for these providers would start or stop a subscription, and `also`."""
    return lock_niches(conn, sorted({*niche_ids_moved_by(conn, changes_cents), *also}))


def move_money(
    conn: Connection,
    locked: Mapping[str, LockedNiche],
    providers: Mapping[str, ProviderRow],
    entries: Sequence[LedgerEntry],
    actor_name: str,
    now: datetime,
    contents: Mapping[str, Contents] | None = None,
) -> list[Move]:
    """The entries are in the ledgers, and the providers' subscriptions follow (R9): what every flow moves money by.

    `providers`, by id, as they were locked; their entries follow one another. The journals say the contents first, by
    niche id. Needs the locks of the niches concerned, too. Returns the subscriptions that start or stop. Raises
    `LockSetChanged`.
    """
    after = dict(providers)
    for entry in entries:
        row, posting = after[entry.provider_id], entry.posting
        balance = replace(row.balance, balance_cents=posting.balance_after_cents, ledger_seq=posting.seq)
        after[entry.provider_id] = replace(row, balance=balance)
    post_entries(conn, entries, {each: row.low_balance for each, row in providers.items()}, actor_name, now)
    return follow_funds(conn, locked, after, now, contents)


def follow_funds(
    conn: Connection,
    locked: Mapping[str, LockedNiche],
    providers: Mapping[str, ProviderRow],
    now: datetime,
    contents: Mapping[str, Contents] | None = None,
    *,
    in_locked_niches_only: bool = False,
) -> list[Move]:
    """The providers' subscriptions are as their funds have it (R9): journals, tables and providers are told so.

    `providers`, by id, have the funds that count. Needs their locks, which hold the prices of their levels still.
    Returns the subscriptions that start or stop. Raises `LockSetChanged` when one is in a niche that is not locked,
    unless those have their own turn.
    """
    moves = _moves_after(conn, providers)
    if in_locked_niches_only:
        moves = [move for move in moves if move[1].niche_id in locked]
    if missing := {after.niche_id for _, after in moves} - locked.keys():
        raise LockSetChanged(sorted(missing))
    record_moves(conn, locked, contents or {}, moves, now)
    return moves


def _moves_after(conn: Connection, providers: Mapping[str, ProviderRow]) -> list[Move]:
    rows = [row for row in subscription_rows(conn, list(providers), [], []) if not row.is_deleted]
    levels = level_rows(conn, sorted({row.niche_id for row in rows}))
    prices = {row.level.level_id: lowest_price_cents(row.level) for row in levels}
    moves: list[Move] = []
    for row in rows:
        before = row.subscription
        price_cents = prices.get(before.level_id)
        if price_cents is None:
            continue  # the level was deleted between the two statements, and the subscription with it
        after = funded(before, price_cents, providers[before.provider_id].balance.available_cents)
        if after.is_active != before.is_active:
            moves.append((row, replace(row, subscription=after)))
    return moves


def reactivated_ids(moves: Sequence[Move]) -> tuple[str, ...]:
    """The ids of the subscriptions that became active."""
    return tuple(after.subscription.subscription_id for _, after in moves if after.subscription.is_active)


def deactivated_ids(moves: Sequence[Move]) -> tuple[str, ...]:
    """The ids of the subscriptions that became inactive."""
    return tuple(after.subscription.subscription_id for _, after in moves if not after.subscription.is_active)


def record_moves(
    conn: Connection,
    locked: Mapping[str, LockedNiche],
    contents: Mapping[str, Contents],
    moves: Sequence[Move],
    now: datetime,
) -> dict[str, int]:
    """The subscriptions are as moved, the journals say so after the given contents (by niche id), providers are told.

    Needs the locks of all niches concerned. Returns the `seq` of the entry of each subscription, by its id.
    """
    entries = {niche_id: list(items) for niche_id, items in contents.items()}
    seqs: dict[str, int] = {}
    for before, after in moves:
        items = entries.setdefault(after.niche_id, [])
        known = before.subscription if before is not None and not before.is_deleted else None
        payload = subscription_payload(after.subscription, is_deleted=after.is_deleted, before=known)
        items.append((JournalEntryKind.SUBSCRIPTION, payload))
        seqs[after.subscription.subscription_id] = locked[after.niche_id].journal_seq + len(items)
    kept = [
        before is not None and before.subscription.filter_text == after.subscription.filter_text
        for before, after in moves
    ]
    write_states(conn, [after for (_, after), keeps in zip(moves, kept, strict=True) if keeps], now)
    write_subscriptions(conn, [after for (_, after), keeps in zip(moves, kept, strict=True) if not keeps], now)
    weighed = [
        after for before, after in moves if after.subscription.weight != (before.subscription.weight if before else 1)
    ]
    write_weights(conn, weighed)
    for niche_id, items in entries.items():
        append_configuration(conn, locked[niche_id], items, now)
    notify(conn, _due_notices(conn, moves, now), now)
    return seqs


def _due_notices(conn: Connection, moves: Sequence[Move], now: datetime) -> list[Notification]:
    started = [after.subscription.subscription_id for _, after in moves if after.subscription.is_active]
    told = told_to_have_stopped(conn, started, now)
    return [
        Notification(
            kind,
            provider_id=after.subscription.provider_id,
            subscription_id=after.subscription.subscription_id,
        )
        for before, after in moves
        for kind in notices(before, after, stop_was_told=after.subscription.subscription_id in told)
    ]
