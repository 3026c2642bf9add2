"""What a marketplace is made of: writing its niches, levels, providers and subscriptions, set-based.

Each write creates what is new and changes what exists, by id. Those that say what a roster says need the niche's lock
and belong in one transaction with the journal entries that say the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from psycopg import errors

from fairlead.core.canonical import canonical_json
from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.prices import lowest_price_cents
from fairlead.store.configuration.rows import ConcurrentChange, LevelRow, NicheRow, ProviderRow, SubscriptionRow
from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows


def write_niches(conn: Connection, rows: Sequence[NicheRow], now: datetime) -> None:
    """The niches are as given. Raises `ConcurrentChange` when another transaction has just taken a slug."""
    _change_rows(
        conn,
        """
        insert into niches (id, slug, name, is_active, form_schema, auto_distribute, phone_region,
                            reoffer_every_minutes, reoffer_max_times, reoffer_max_hours, max_recipients_per_lead,
                            created_at)
        select niche.*, %s
        from unnest(%b::uuid[], %b::text[], %b::text[], %b::boolean[], %b::jsonb[], %b::boolean[], %b::text[],
                    %b::integer[], %b::integer[], %b::integer[], %b::integer[]) as niche
        on conflict (id) do update
        set name = excluded.name, is_active = excluded.is_active, form_schema = excluded.form_schema,
            auto_distribute = excluded.auto_distribute, phone_region = excluded.phone_region,
            reoffer_every_minutes = excluded.reoffer_every_minutes,
            reoffer_max_times = excluded.reoffer_max_times, reoffer_max_hours = excluded.reoffer_max_hours,
            max_recipients_per_lead = excluded.max_recipients_per_lead
        """,
        now,
        [_niche_columns(row) for row in rows],
    )


def _niche_columns(row: NicheRow) -> tuple[object, ...]:
    reoffer = row.policy.reoffer
    return (
        row.niche_id,
        row.slug,
        row.name,
        row.is_active,
        canonical_json(row.form_schema).decode(),
        row.policy.auto_distribute,
        row.policy.phone_region,
        *((None, None, None) if reoffer is None else (reoffer.every_minutes, reoffer.max_times, reoffer.max_hours)),
        row.max_recipients_per_lead,
    )


def write_levels(conn: Connection, rows: Sequence[LevelRow], now: datetime) -> None:
    """The levels are as given. That names and positions are unique among the living is checked at commit."""
    _change_rows(
        conn,
        """
        insert into competition_levels (id, niche_id, name, price_cents, max_recipients, order_position, is_active,
                                        is_exclusive, price_rules, lowest_price_cents, queue_order, global_pass,
                                        global_pass_seq, longest_stride, deleted_at, created_at)
        select id, niche_id, name, price, recipients, order_position, is_active, is_exclusive, price_rules, lowest,
               queue_order, global_pass, global_pass_seq, longest_stride, case when is_deleted then now end, now
        from (values (%s::timestamptz)) as clock (now),
             unnest(%b::uuid[], %b::uuid[], %b::text[], %b::bigint[], %b::integer[], %b::integer[], %b::boolean[],
                    %b::boolean[], %b::jsonb[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],
                    %b::boolean[])
             as level (id, niche_id, name, price, recipients, order_position, is_active, is_exclusive, price_rules,
                       lowest, queue_order, global_pass, global_pass_seq, longest_stride, is_deleted)
        on conflict (id) do update
        set name = excluded.name, price_cents = excluded.price_cents, max_recipients = excluded.max_recipients,
            order_position = excluded.order_position, is_active = excluded.is_active,
            is_exclusive = excluded.is_exclusive, price_rules = excluded.price_rules,
            lowest_price_cents = excluded.lowest_price_cents, queue_order = excluded.queue_order,
            global_pass = excluded.global_pass, global_pass_seq = excluded.global_pass_seq,
            longest_stride = excluded.longest_stride, deleted_at = excluded.deleted_at
        """,
        now,
        [
            (
                row.level.level_id,
                row.niche_id,
                row.level.name,
                row.level.price_cents,
                row.level.max_recipients,
                row.level.order_position,
                row.level.is_active,
                row.level.is_exclusive,
                row.level.price_rules_text,
                None if row.level.price_rules_text is None else lowest_price_cents(row.level),
                row.level.order,
                row.level_pass.global_pass,
                row.level_pass.global_pass_seq,
                row.level_pass.longest_stride,
                row.is_deleted,
            )
            for row in rows
        ],
    )


def write_providers(conn: Connection, rows: Sequence[ProviderRow], now: datetime) -> None:
    """The providers are as given, but for their balances: only a ledger entry moves those. Needs their locks.

    Raises `ConcurrentChange` when another transaction has just taken one of the emails.
    """
    _change_rows(
        conn,
        """
        insert into providers (id, email, email_key, name, status, timezone, low_balance_threshold_cents,
                               credit_limit_cents, limits, schedule, language, conflict_group_id, low_balance_days,
                               created_at)
        select provider.*, %s
        from unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                    %b::bigint[], %b::jsonb[], %b::jsonb[], %b::text[], %b::uuid[], %b::integer[]) as provider
        on conflict (id) do update
        set email = excluded.email,
            email_key = case when providers.email = excluded.email then providers.email_key else excluded.email_key end,
            name = excluded.name, status = excluded.status, timezone = excluded.timezone,
            low_balance_threshold_cents = excluded.low_balance_threshold_cents,
            credit_limit_cents = excluded.credit_limit_cents, limits = excluded.limits, schedule = excluded.schedule,
            language = excluded.language, conflict_group_id = excluded.conflict_group_id,
            low_balance_days = excluded.low_balance_days
        """,
        now,
        [
            (
                row.provider_id,
                row.email,
                mailbox_key(row.email),
                row.name,
                row.status,
                row.timezone,
                row.low_balance_threshold_cents,
                row.balance.credit_limit_cents,
                row.limits_text,
                row.schedule_text,
                row.language,
                row.conflict_group_id,
                row.low_balance_days,
            )
            for row in rows
        ],
    )


def write_own_profile(conn: Connection, row: ProviderRow) -> None:
    """Of the provider that is as the row says which it may change itself. Needs its lock."""
    statement = (
        "update providers set low_balance_threshold_cents = %s, low_balance_days = %s, language = %s where id = %s"
    )
    values = (row.low_balance_threshold_cents, row.low_balance_days, row.language, row.provider_id)
    change_rows(conn, "providers_with_a_threshold_are_there", 1, statement, values)


def write_terms(conn: Connection, row: ProviderRow) -> None:
    """The provider's limits and schedule are as the row has them. Needs its lock."""
    statement = "update providers set limits = %s, schedule = %s where id = %s"
    change_rows(
        conn, "providers_with_terms_are_there", 1, statement, (row.limits_text, row.schedule_text, row.provider_id)
    )


def write_subscriptions(conn: Connection, rows: Sequence[SubscriptionRow], now: datetime) -> None:
    """The subscriptions are as given; what they were served so far stays as it is, also through deletion (R12).

    So do their weights, which providers may not write: `write_weights` does that.

    Raises `ConcurrentChange` when another transaction has just subscribed one of the providers to the same level.
    """
    _change_rows(
        conn,
        """
        insert into subscriptions (id, provider_id, competition_level_id, niche_id, is_active, deactivation_reason,
                                   filter_rules, filter_is_valid, limits, schedule, max_price_cents, deleted_at,
                                   created_at)
        select id, provider_id, level_id, niche_id, is_active, reason, filter_rules, filter_is_valid, limits, schedule,
               max_price_cents, case when is_deleted then now end, now
        from (values (%s::timestamptz)) as clock (now),
             unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::boolean[], %b::text[], %b::jsonb[],
                    %b::boolean[], %b::jsonb[], %b::jsonb[], %b::bigint[], %b::boolean[])
             as subscription (id, provider_id, level_id, niche_id, is_active, reason, filter_rules, filter_is_valid,
                              limits, schedule, max_price_cents, is_deleted)
        on conflict (id) do update
        set is_active = excluded.is_active, deactivation_reason = excluded.deactivation_reason,
            filter_rules = excluded.filter_rules, filter_is_valid = excluded.filter_is_valid,
            limits = excluded.limits, schedule = excluded.schedule, max_price_cents = excluded.max_price_cents,
            deleted_at = excluded.deleted_at
        """,
        now,
        [
            (
                row.subscription.subscription_id,
                row.subscription.provider_id,
                row.subscription.level_id,
                row.niche_id,
                row.subscription.is_active,
                row.subscription.deactivation_reason,
                row.subscription.filter_text,
                row.subscription.filter_is_valid,
                row.subscription.limits_text,
                row.subscription.schedule_text,
                row.subscription.max_price_cents,
                row.is_deleted,
            )
            for row in rows
        ],
    )


def write_states(conn: Connection, rows: Sequence[SubscriptionRow], now: datetime) -> None:
    """The subscriptions, which are there, are as given but for their filters, which may be large and are not sent."""
    _change_rows(
        conn,
        """
        update subscriptions
        set is_active = state.is_active, deactivation_reason = state.reason, filter_is_valid = state.filter_is_valid,
            limits = state.limits, schedule = state.schedule, max_price_cents = state.max_price_cents,
            deleted_at = case when state.is_deleted then %s end
        from unnest(%b::uuid[], %b::boolean[], %b::text[], %b::boolean[], %b::jsonb[], %b::jsonb[], %b::bigint[],
                    %b::boolean[])
             as state (subscription_id, is_active, reason, filter_is_valid, limits, schedule, max_price_cents,
                       is_deleted)
        where id = state.subscription_id
        """,
        now,
        [
            (
                row.subscription.subscription_id,
                row.subscription.is_active,
                row.subscription.deactivation_reason,
                row.subscription.filter_is_valid,
                row.subscription.limits_text,
                row.subscription.schedule_text,
                row.subscription.max_price_cents,
                row.is_deleted,
            )
            for row in rows
        ],
    )


def write_weights(conn: Connection, rows: Sequence[SubscriptionRow]) -> None:
    """The subscriptions, which are there, have their weights. Their passes stay as they are (R12)."""
    if rows:
        change_rows(
            conn,
            "configuration_is_written",
            len(rows),
            """
            update subscriptions set weight = own.weight
            from unnest(%b::uuid[], %b::integer[]) as own (subscription_id, weight) where id = own.subscription_id
            """,
            ([row.subscription.subscription_id for row in rows], [row.subscription.weight for row in rows]),
        )


def _change_rows(conn: Connection, statement: LiteralString, now: datetime, rows: Sequence[tuple[object, ...]]) -> None:
    """The rows, which become one array per column, are written. Nothing is sent where there are none.

    Raises `RowsMissed` when they are not all there afterwards, `ConcurrentChange` for what another transaction took.

    The statements take their arrays in binary form (%b): as text, every element would be escaped, which takes longer
    than all the rest.
    """
    if not rows:
        return
    try:
        columns = [list(column) for column in zip(*rows, strict=True)]
        change_rows(conn, "configuration_is_written", len(rows), statement, (now, *columns))
    except errors.UniqueViolation:
        raise ConcurrentChange from None
