"""What a distribution reads under its locks and what it writes: set-based, no statement per candidate or recipient.

The order of locks is niche, leads, providers ascending by id (DESIGN: concurrency protocol).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from psycopg import errors

from fairlead.core.canonical import commit_to_attributes
from fairlead.core.journal import SealedEntry
from fairlead.core.ledger import EntryKind, post
from fairlead.core.model import Decision, Lead, Outcome, Purse, Recipient, Subscription
from fairlead.core.roster import Head
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.journal import insert_entries


@dataclass(frozen=True, slots=True)
class LockedLeads:
    """The leads that this transaction will decide, in order, and the one time that it knows."""

    leads: tuple[Lead, ...]
    now: datetime | None


def lock_waiting_leads(conn: Connection, niche_id: str, limit: int, only_lead_id: str | None = None) -> LockedLeads:
    """The niche's leads that await a decision, oldest approval first. Needs the niche's row lock.

    They are locked in ascending order of id, as everybody locks leads, and only then put in the order of approval.

    `now` is read here, after the niche's lock was granted: the transaction's own start may lie before a decision that
    it had to wait for. Order never depends on it.
    """
    rows = conn.execute(
        """
        select approved_at, id::text, attributes, attributes_salt, distribution_attempts + 1,
               (select clock_timestamp())
        from leads
        where awaits_decision and id = any(array(
            select id from leads
            where niche_id = %s and awaits_decision and (%s::uuid is null or id = %s::uuid)
            order by approved_at, id limit %s))
        order by id for no key update
        """,
        (niche_id, only_lead_id, only_lead_id, limit),
    ).fetchall()
    leads = tuple(
        Lead(lead_id, attributes, commit_to_attributes(salt, attributes), attempt)
        for _, lead_id, attributes, salt, attempt, _ in sorted(rows, key=itemgetter(0, 1))
    )
    return LockedLeads(leads, rows[0][5] if rows else None)


_LOCK_PROVIDERS = """
    select id::text, balance_cents, credit_limit_cents, ledger_seq
    from providers where id = any(%s::uuid[]) order by id for no key update"""


def lock_purses(conn: Connection, provider_ids: Sequence[str], *, wait: bool) -> dict[str, Purse] | None:
    """What these providers can pay with, their rows locked in ascending order of id.

    With `wait=False` nothing is waited for: None when somebody else holds one of them, and the transaction is then
    of no use but to be rolled back. That is how locks are added out of order without any chance of a deadlock.
    """
    ids = sorted(provider_ids)
    try:
        rows = conn.execute(_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait", (array_text(ids),)).fetchall()
    except errors.LockNotAvailable:
        if wait:
            raise
        return None
    return {provider_id: Purse(balance, credit_limit, seq) for provider_id, balance, credit_limit, seq in rows}


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one transaction decided in one niche."""

    niche_id: str
    head: Head
    decisions: tuple[Decision, ...]
    deactivated: tuple[Subscription, ...]
    entries: tuple[SealedEntry, ...]
    purses_before: Mapping[str, Purse]
    purses_after: Mapping[str, Purse]
    now: datetime


def record(conn: Connection, batch: Batch) -> None:
    """The batch is in the tables: journal and pointer, assignments, ledger, balances, order, leads, notifications.

    Ten statements at most, however many leads, recipients and subscriptions, sent without waiting for one another.
    Nothing of it is visible, or lasting, before the caller's commit (R10).
    """
    with conn.pipeline():
        insert_entries(conn, batch.entries)
        _move_niche(conn, batch)
        _record_outcomes(conn, batch)
        if picks := _picks(batch):
            _insert_assignments(conn, batch, picks)
            _insert_purchases(conn, batch, picks)
            _insert_notifications(conn, batch, picks)
            _move_balances(conn, batch)
            _move_served(conn, batch)
        if batch.deactivated:
            _deactivate(conn, batch)


def _move_niche(conn: Connection, batch: Batch) -> None:
    head = batch.head
    conn.execute(
        """
        update niches set journal_seq = %s, journal_head = %s, next_start_level_order_position = %s,
                          last_served_seq = %s
        where id = %s
        """,
        (head.seq, head.hash, head.next_start_order_position, head.last_served_seq, batch.niche_id),
    )


def _record_outcomes(conn: Connection, batch: Batch) -> None:
    conn.execute(
        """
        update leads set
            status = case when outcome = 'no_eligible' then status else 'distributed' end,
            distributed_at = case when outcome = 'no_eligible' then null else %s end,
            awaits_decision = false, distribution_attempts = attempt, last_attempt_at = %s, last_outcome = outcome
        from unnest(%s::uuid[], %s::text[], %s::integer[]) as decision (lead_id, outcome, attempt)
        where id = lead_id
        """,
        (
            batch.now,
            batch.now,
            array_text(decision.lead_id for decision in batch.decisions),
            array_text(decision.outcome.value for decision in batch.decisions),
            array_text(decision.attempt for decision in batch.decisions),
        ),
    )


_Pick = tuple[Decision, str, Recipient]
"""A recipient with its decision and the id of its level."""


def _picks(batch: Batch) -> list[_Pick]:
    return [
        (decision, result.level.level_id, recipient)
        for decision in batch.decisions
        for result in decision.levels
        for recipient in result.recipients
    ]


def _insert_assignments(conn: Connection, batch: Batch, picks: Sequence[_Pick]) -> None:
    conn.execute(
        """
        insert into assignments (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id,
                                 journal_seq, served_seq, price_cents, ledger_seq, assigned_at)
        select id, lead_id, provider_id, subscription_id, level_id, %s, journal_seq, served_seq, price_cents,
               ledger_seq, %s
        from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[],
                    %s::bigint[], %s::bigint[])
             as pick (id, lead_id, provider_id, subscription_id, level_id, journal_seq, served_seq, price_cents,
                      ledger_seq)
        """,
        (
            batch.niche_id,
            batch.now,
            array_text(recipient.assignment_id for _, _, recipient in picks),
            array_text(decision.lead_id for decision, _, _ in picks),
            array_text(recipient.provider_id for _, _, recipient in picks),
            array_text(recipient.subscription_id for _, _, recipient in picks),
            array_text(level_id for _, level_id, _ in picks),
            array_text(decision.seq for decision, _, _ in picks),
            array_text(recipient.served_seq for _, _, recipient in picks),
            array_text(recipient.price_cents for _, _, recipient in picks),
            array_text(recipient.ledger_seq for _, _, recipient in picks),
        ),
    )


def _insert_purchases(conn: Connection, batch: Batch, picks: Sequence[_Pick]) -> None:
    postings = [
        post(
            Purse(recipient.balance_before_cents, recipient.credit_limit_cents, recipient.ledger_seq - 1),
            EntryKind.LEAD_PURCHASE,
            recipient.price_cents,
        )[0]
        for _, _, recipient in picks
    ]
    conn.execute(
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, actor,
                                    created_at)
        select provider_id, seq, 'lead_purchase', amount_cents, balance_after_cents, assignment_id, 'fairlead', %s
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[])
             as entry (provider_id, seq, amount_cents, balance_after_cents, assignment_id)
        """,
        (
            batch.now,
            array_text(recipient.provider_id for _, _, recipient in picks),
            array_text(posting.seq for posting in postings),
            array_text(posting.amount_cents for posting in postings),
            array_text(posting.balance_after_cents for posting in postings),
            array_text(recipient.assignment_id for _, _, recipient in picks),
        ),
    )


def _insert_notifications(conn: Connection, batch: Batch, picks: Sequence[_Pick]) -> None:
    conn.execute(
        """
        insert into notifications (id, kind, channel, provider_id, assignment_id, created_at)
        select id, 'lead_assigned', 'email', provider_id, assignment_id, %s
        from unnest(%s::uuid[], %s::uuid[], %s::uuid[]) as notification (id, provider_id, assignment_id)
        """,
        (
            batch.now,
            array_text(new_id() for _ in picks),
            array_text(recipient.provider_id for _, _, recipient in picks),
            array_text(recipient.assignment_id for _, _, recipient in picks),
        ),
    )


def _move_balances(conn: Connection, batch: Batch) -> None:
    moved = {
        provider_id: purse
        for provider_id, purse in batch.purses_after.items()
        if purse != batch.purses_before[provider_id]
    }
    conn.execute(
        """
        update providers set balance_cents = purse.balance_cents, ledger_seq = purse.ledger_seq
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[]) as purse (provider_id, balance_cents, ledger_seq)
        where id = provider_id
        """,
        (
            array_text(moved),
            array_text(purse.balance_cents for purse in moved.values()),
            array_text(purse.ledger_seq for purse in moved.values()),
        ),
    )


def _move_served(conn: Connection, batch: Batch) -> None:
    # A batch may serve a subscription more than once: only its last place counts.
    served = {r.subscription_id: r.served_seq for decision in batch.decisions for r in decision.recipients}
    conn.execute(
        """
        update subscriptions set served_seq = served.served_seq, last_received_at = %s
        from unnest(%s::uuid[], %s::bigint[]) as served (subscription_id, served_seq)
        where id = subscription_id
        """,
        (batch.now, array_text(served), array_text(served.values())),
    )


def _deactivate(conn: Connection, batch: Batch) -> None:
    subscription_ids = [subscription.subscription_id for subscription in batch.deactivated]
    conn.execute(
        """
        update subscriptions set is_active = false, deactivation_reason = 'insufficient_funds'
        where id = any(%s::uuid[])
        """,
        (array_text(subscription_ids),),
    )
    conn.execute(
        """
        insert into notifications (id, kind, channel, provider_id, subscription_id, created_at)
        select id, 'subscription_deactivated', 'email', provider_id, subscription_id, %s
        from unnest(%s::uuid[], %s::uuid[], %s::uuid[]) as notification (id, provider_id, subscription_id)
        """,
        (
            batch.now,
            array_text(new_id() for _ in subscription_ids),
            array_text(subscription.provider_id for subscription in batch.deactivated),
            array_text(subscription_ids),
        ),
    )


def mark_failed(conn: Connection, lead_id: str) -> None:
    """The lead's last attempt is on record as failed, and it waits no longer until somebody triggers it again."""
    conn.execute(
        """
        update leads set awaits_decision = false, distribution_attempts = distribution_attempts + 1,
                         last_attempt_at = clock_timestamp(), last_outcome = %s
        where id = %s and awaits_decision
        """,
        (Outcome.FAILED.value, lead_id),
    )
