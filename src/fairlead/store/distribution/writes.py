"""The money that a distribution locks and the rows that it writes: set-based, no statement per candidate or recipient.

The order of locks is niche, leads, providers ascending by id (DESIGN: concurrency protocol).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from psycopg import errors

from fairlead.core.calendar.limits import Counters
from fairlead.core.calendar.stored_counters import StoredCounters
from fairlead.core.decision import Decision, LevelResult, Recipient
from fairlead.core.fold import Head
from fairlead.core.journal import SealedEntry
from fairlead.core.ledger import LedgerEntryKind, LowBalance, post
from fairlead.core.model import Balance, Subscription
from fairlead.core.refusals import Refusal
from fairlead.core.weighted import LevelPass
from fairlead.store.arrays import array_text, array_text_or_null, quoted_array_text
from fairlead.store.audit.log import SYSTEM
from fairlead.store.connection import Connection
from fairlead.store.distribution.limit_counters import Asked, ask_for_kept, count, shut
from fairlead.store.journal import insert_entries
from fairlead.store.leads.state import set_decided
from fairlead.store.leads.waiting import LeadRequest
from fairlead.store.money.ledger import LedgerEntry, post_entries
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.store.notifications.webhook_endpoints import ask_for_endpoints
from fairlead.store.row_counts import change_rows

_LOCK_PROVIDERS = """
    select id::text, balance_cents, credit_limit_cents, ledger_seq, low_balance_threshold_cents,
           low_balance_alerted_at is not null, top_up_below_cents, limits_used
    from providers where id = any(%s::uuid[]) order by id for no key update"""


@dataclass(frozen=True, slots=True)
class LockedBalances:
    """By provider id, of providers whose rows are locked: what they can pay with, when that is low, their endpoints.

    And the counters of limits that cannot move before the transaction ends, and what is kept of them.
    """

    balances: dict[str, Balance] = field(default_factory=dict[str, Balance])
    low_balances: dict[str, LowBalance] = field(default_factory=dict[str, LowBalance])
    endpoint_ids: dict[str, str] = field(default_factory=dict[str, str])
    limits_used: dict[str, str | None] = field(default_factory=dict[str, str | None])
    counters: dict[str, Counters] = field(default_factory=dict[str, Counters])
    kept: dict[str, StoredCounters] = field(default_factory=dict[str, StoredCounters])

    def add(self, more: "LockedBalances") -> None:
        """These are locked too."""
        self.balances.update(more.balances)
        self.low_balances.update(more.low_balances)
        self.endpoint_ids.update(more.endpoint_ids)
        self.limits_used.update(more.limits_used)
        self.counters.update(more.counters)
        self.kept.update(more.kept)


NONE_ASKED: Asked = {}
NOTHING_HELD = LockedBalances()
NOTHING_KNOWN: Mapping[str, StoredCounters] = {}


def lock_balances(
    conn: Connection,
    provider_ids: Sequence[str],
    asked: Asked = NONE_ASKED,
    known: Mapping[str, StoredCounters] = NOTHING_KNOWN,
    held: LockedBalances = NOTHING_HELD,
    *,
    wait: bool,
) -> LockedBalances | None:
    """What these providers can pay with, their rows locked in ascending order of id, and the counters that are asked.

    Needs the niche's lock. A provider whose counters are asked is named here, or is locked already (`held`). `known`
    is what was kept of counters when they were seen last.

    With `wait=False` nothing is waited for: None when another transaction holds one of them, and the transaction is
    then of no use but to be rolled back. That is how locks are added out of order without any chance of a deadlock.
    """
    ids = sorted(provider_ids)
    try:
        with conn.pipeline():
            rows = conn.execute(_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait", (array_text(ids),))
            endpoints = ask_for_endpoints(conn, ids)
            kept = ask_for_kept(conn, asked) if asked else None
    except errors.LockNotAvailable:
        if wait:
            raise
        return None
    locked = LockedBalances(endpoint_ids=dict(endpoints))
    for provider_id, balance_cents, credit_limit_cents, ledger_seq, *low_balance, limits_used in rows:
        locked.balances[provider_id] = Balance(balance_cents, credit_limit_cents, ledger_seq)
        locked.low_balances[provider_id] = LowBalance(*low_balance)
        locked.limits_used[provider_id] = limits_used
    if asked:
        own = held.limits_used | locked.limits_used | dict(() if kept is None else kept.fetchall())
        counted = count(conn, asked, own, known)
        locked.counters.update(counted.counters)
        locked.kept.update(counted.kept)
    return locked


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one transaction decided in one niche.

    `seal` and `keep` give the same each time, and take their time the first time: `record` asks them as late as it can,
    while the server does what was sent to it before; so it does `check`, which raises `AssertionError` for a batch that
    must not be committed. `unsealed_head` is where the niche stands afterwards, but for the hash.
    """

    niche_id: str
    unsealed_head: Head
    decisions: tuple[Decision, ...]
    deactivated: tuple[Subscription, ...]
    seal: Callable[[], Sequence[SealedEntry]]
    low_balances: Mapping[str, LowBalance]
    endpoint_ids: Mapping[str, str]
    balances_after: Mapping[str, Balance]
    now: datetime
    requests: Mapping[str, LeadRequest]
    keep: Callable[[], Mapping[str, StoredCounters]]
    check: Callable[[], None]
    shut: Mapping[str, Refusal] = field(default_factory=dict[str, Refusal])
    level_passes: Mapping[str, LevelPass] = field(default_factory=dict[str, LevelPass])
    passes: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def entries(self) -> Sequence[SealedEntry]:
        """The entries of the niche's journal."""
        return self.seal()

    @property
    def head(self) -> Head:
        """Where the niche stands afterwards."""
        return replace(self.unsealed_head, hash=self.entries[-1].entry.hash)

    @property
    def limits_used(self) -> Mapping[str, StoredCounters]:
        """What is kept afterwards of the limits that it counted in, by owner."""
        return self.keep()


def record(conn: Connection, batch: Batch) -> None:
    """The batch is in the tables: journal and pointer, assignments, ledger, balances, order, leads, notifications.

    Fifteen statements at most, however many leads, recipients and subscriptions, to be sent in the caller's pipeline
    (`Database.run`). Nothing of it is visible, or lasting, before its commit (R10). Raises `RowsMissed` (`row_counts`)
    for a row that is not as the batch was decided on; nothing is written then.
    """
    picks = _picks(batch)
    set_decided(conn, batch.decisions, batch.now)
    if picks:
        # Before the assignments, which name them; and first, so that the server is busy while limits are reckoned.
        entries, low_balances = _ledger_entries(picks), batch.low_balances
        post_entries(conn, entries, low_balances, SYSTEM.name, batch.now, limits_used=lambda: batch.limits_used)
        # Moved before them, too: a key that is checked then finds its row locked already, and writes no lock.
        _move_served(conn, batch)
        if batch.passes:
            _move_passes(conn, batch)
        _insert_assignments(conn, batch, picks)
    if batch.shut:
        shut(conn, batch.shut)
    if batch.deactivated:
        _deactivate(conn, batch)
    notify(conn, [*_notifications(batch, picks, batch.endpoint_ids)], batch.now)
    # Last: sealing them takes a fifth of what is ours, and what was sent before takes the server longer.
    insert_entries(conn, batch.entries)
    _move_niche(conn, batch)
    batch.check()


def _move_niche(conn: Connection, batch: Batch) -> None:
    head, before = batch.head, batch.entries[0].entry
    change_rows(
        conn,
        "niches_head_follows",
        1,
        """
        update niches set journal_seq = %s, journal_head = %s, next_start_level_order_position = %s,
                          last_served_seq = %s
        where id = %s and journal_seq = %s and journal_head = %s
        """,
        (
            head.seq,
            head.hash,
            head.next_start_order_position,
            head.last_served_seq,
            batch.niche_id,
            before.seq - 1,
            before.prev_hash,
        ),
    )


_Pick = tuple[Decision, LevelResult, Recipient]
"""A recipient with its decision and what happened at its level."""


def _picks(batch: Batch) -> list[_Pick]:
    return [
        (decision, result, recipient)
        for decision in batch.decisions
        for result in decision.levels
        for recipient in result.recipients
    ]


def _insert_assignments(conn: Connection, batch: Batch, picks: Sequence[_Pick]) -> None:
    conn.execute(
        """
        insert into assignments (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id,
                                 journal_seq, served_seq, price_cents, ledger_seq, price_rule, assigned_at)
        select id, lead_id, provider_id, subscription_id, level_id, %s, journal_seq, served_seq, price_cents,
               ledger_seq, price_rule, %s
        from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[],
                    %s::bigint[], %s::bigint[], %s::text[])
             as pick (id, lead_id, provider_id, subscription_id, level_id, journal_seq, served_seq, price_cents,
                      ledger_seq, price_rule)
        """,
        (
            batch.niche_id,
            batch.now,
            array_text(recipient.assignment_id for _, _, recipient in picks),
            array_text(decision.lead_id for decision, _, _ in picks),
            array_text(recipient.provider_id for _, _, recipient in picks),
            array_text(recipient.subscription_id for _, _, recipient in picks),
            array_text(result.level.level_id for _, result, _ in picks),
            array_text(decision.seq for decision, _, _ in picks),
            array_text(recipient.served_seq for _, _, recipient in picks),
            array_text(recipient.price_cents for _, _, recipient in picks),
            array_text(recipient.ledger_seq for _, _, recipient in picks),
            quoted_array_text(result.price_rule and result.price_rule.name for _, result, _ in picks),
        ),
    )


def _ledger_entries(picks: Sequence[_Pick]) -> list[LedgerEntry]:
    return [
        LedgerEntry(
            recipient.provider_id,
            post(
                Balance(recipient.balance_before_cents, recipient.credit_limit_cents, recipient.ledger_seq - 1),
                LedgerEntryKind.LEAD_PURCHASE,
                recipient.price_cents,
            )[0],
            recipient.assignment_id,
        )
        for _, _, recipient in picks
    ]


def _notifications(batch: Batch, picks: Sequence[_Pick], endpoints: Mapping[str, str]) -> Iterator[Notification]:
    """Every recipient is told by email, and by webhook where it has an endpoint; and who was deactivated is told so."""
    for decision, _, recipient in picks:
        told = Notification(
            "lead_assigned",
            provider_id=recipient.provider_id,
            assignment_id=recipient.assignment_id,
            correlation_id=batch.requests[decision.lead_id].correlation_id,
        )
        yield told
        if (endpoint_id := endpoints.get(recipient.provider_id)) is not None:
            yield told._replace(channel="webhook", webhook_endpoint_id=endpoint_id)
    for subscription in batch.deactivated:
        yield Notification(
            "subscription_deactivated",
            provider_id=subscription.provider_id,
            subscription_id=subscription.subscription_id,
        )


def _move_served(conn: Connection, batch: Batch) -> None:
    # A batch may serve a subscription more than once: only its last place counts. Of limits that it does not have
    # nothing is kept.
    kept = batch.limits_used
    served = {r.subscription_id: r.served_seq for decision in batch.decisions for r in decision.recipients}
    change_rows(
        conn,
        "subscriptions_served_can_be",
        len(served),
        """
        update subscriptions s
        set served_seq = served.served_seq, last_received_at = %s, limits_used = served.limits_used
        from unnest(%s::uuid[], %s::bigint[], %s::text[]) as served (subscription_id, served_seq, limits_used)
        where s.id = subscription_id and s.is_active and s.filter_is_valid and s.deleted_at is null
          and coalesce(s.served_seq, 0) < served.served_seq
        """,
        (
            batch.now,
            array_text(served),
            array_text(served.values()),
            array_text_or_null(None if (own := kept.get(each)) is None else own.text for each in served),
        ),
    )


def _move_passes(conn: Connection, batch: Batch) -> None:
    """The weighted levels that gave a lead stand where the batch left them, and so do their recipients (R15)."""
    change_rows(
        conn,
        "subscriptions_passes_rise",
        len(batch.passes),
        """
        update subscriptions s set pass = charged.pass
        from unnest(%s::uuid[], %s::bigint[]) as charged (subscription_id, pass)
        where s.id = subscription_id and s.pass < charged.pass
        """,
        (array_text(batch.passes), array_text(batch.passes.values())),
    )
    level_passes = batch.level_passes
    change_rows(
        conn,
        "competition_levels_moved_are_weighted",
        len(level_passes),
        """
        update competition_levels l
        set global_pass = own.global_pass, global_pass_seq = own.global_pass_seq, longest_stride = own.longest_stride
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[])
             as own (level_id, global_pass, global_pass_seq, longest_stride)
        where l.id = level_id and l.queue_order = 'weighted' and l.global_pass <= own.global_pass
          and l.longest_stride <= own.longest_stride
        """,
        (
            array_text(level_passes),
            array_text(own.global_pass for own in level_passes.values()),
            array_text(own.global_pass_seq for own in level_passes.values()),
            array_text(own.longest_stride for own in level_passes.values()),
        ),
    )


def _deactivate(conn: Connection, batch: Batch) -> None:
    subscription_ids = [subscription.subscription_id for subscription in batch.deactivated]
    change_rows(
        conn,
        "subscriptions_switched_off_were_on",
        len(subscription_ids),
        """
        update subscriptions set is_active = false, deactivation_reason = 'insufficient_funds', shut_by = null
        where id = any(%s::uuid[]) and is_active and deleted_at is null
        """,
        (array_text(subscription_ids),),
    )
