"""The money that a distribution locks and the rows that it writes: set-based, no statement per candidate or recipient.

The order of locks is niche, leads, providers ascending by id (DESIGN: concurrency protocol).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.core.decision import Decision, Recipient
from fairlead.core.journal import SealedEntry
from fairlead.core.ledger import EntryKind, post
from fairlead.core.model import Balance, Subscription
from fairlead.core.roster import Head
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.journal import insert_entries
from fairlead.store.leads.waiting import LeadRequest

_LOCK_PROVIDERS = """
    select id::text, balance_cents, credit_limit_cents, ledger_seq
    from providers where id = any(%s::uuid[]) order by id for no key update"""


def lock_balances(conn: Connection, provider_ids: Sequence[str], *, wait: bool) -> dict[str, Balance] | None:
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
    return {provider_id: Balance(*balance) for provider_id, *balance in rows}


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one transaction decided in one niche."""

    niche_id: str
    head: Head
    decisions: tuple[Decision, ...]
    deactivated: tuple[Subscription, ...]
    entries: tuple[SealedEntry, ...]
    balances_before: Mapping[str, Balance]
    balances_after: Mapping[str, Balance]
    now: datetime
    requests: Mapping[str, LeadRequest]


def record(conn: Connection, batch: Batch) -> None:
    """The batch is in the tables: journal and pointer, assignments, ledger, balances, order, leads, notifications.

    Eleven statements at most, however many leads, recipients and subscriptions, sent without waiting for one another.
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
        if picks or batch.deactivated:
            # One job for the whole batch, which fans out to one per notification: enqueueing signals, and a signal
            # at commit makes commits wait for one another.
            enqueue(conn, [Job("dispatch_notifications")])


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
            awaits_decision = false, distribution_attempts = attempt, last_attempt_at = %s, last_outcome = outcome,
            failed_runs = 0, last_error = null, decide_alone = false, alone_since = null, crash_count = 0
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
            Balance(recipient.balance_before_cents, recipient.credit_limit_cents, recipient.ledger_seq - 1),
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
    """Every recipient is told by email, and by webhook where the provider has an endpoint."""
    conn.execute(
        """
        insert into notifications (id, kind, channel, provider_id, assignment_id, webhook_endpoint_id, correlation_id,
                                   created_at)
        select channel.id, 'lead_assigned', channel.name, pick.provider_id, pick.assignment_id, channel.endpoint_id,
               l.correlation_id, %s
        from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[])
             as pick (email_id, webhook_id, provider_id, assignment_id, lead_id)
        join leads l on l.id = pick.lead_id
        left join webhook_endpoints e on e.provider_id = pick.provider_id and e.deleted_at is null
             and e.state <> 'disabled'
        cross join lateral (values (pick.email_id, 'email', null::uuid), (pick.webhook_id, 'webhook', e.id))
             as channel (id, name, endpoint_id)
        where channel.name = 'email' or channel.endpoint_id is not null
        """,
        (
            batch.now,
            array_text(new_id() for _ in picks),
            array_text(new_id() for _ in picks),
            array_text(recipient.provider_id for _, _, recipient in picks),
            array_text(recipient.assignment_id for _, _, recipient in picks),
            array_text(decision.lead_id for decision, _, _ in picks),
        ),
    )


def _move_balances(conn: Connection, batch: Batch) -> None:
    moved = {
        provider_id: balance
        for provider_id, balance in batch.balances_after.items()
        if balance != batch.balances_before[provider_id]
    }
    # One statement: both halves see the rows as they were before, so each provider is alerted once per fall.
    conn.execute(
        """
        with balance as (
            select * from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[])
                     as balance (provider_id, balance_cents, ledger_seq, notification_id)
        ), alert as (
            insert into notifications (id, kind, channel, provider_id, detail, created_at)
            select notification_id, 'low_balance', 'email', provider_id,
                   jsonb_build_object('balance_cents', balance.balance_cents,
                                      'threshold_cents', p.low_balance_threshold_cents), %s
            from balance join providers p on p.id = balance.provider_id
            where balance.balance_cents < p.low_balance_threshold_cents and p.low_balance_alerted_at is null
        )
        update providers p
        set balance_cents = balance.balance_cents, ledger_seq = balance.ledger_seq,
            low_balance_alerted_at = case when balance.balance_cents < p.low_balance_threshold_cents
                                          then coalesce(p.low_balance_alerted_at, %s) end
        from balance where p.id = balance.provider_id
        """,
        (
            array_text(moved),
            array_text(balance.balance_cents for balance in moved.values()),
            array_text(balance.ledger_seq for balance in moved.values()),
            array_text(new_id() for _ in moved),
            batch.now,
            batch.now,
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
