"""Invariants of notifications and dead letters: each has its cause, each cause its notification."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_NOTIFICATIONS: tuple[Invariant, ...] = (
    Invariant(
        "every assignment has its notification",
        "select count(*) from assignments",
        """
        select format('assignment %s has no notification', a.id) from assignments a
        where not exists (select from notifications n where n.assignment_id = a.id and n.kind = 'lead_assigned')
        union all
        select format('notification %s tells provider %s of an assignment of %s', n.id, n.provider_id, a.provider_id)
        from notifications n join assignments a on a.id = n.assignment_id where a.provider_id <> n.provider_id
        """,
    ),
    Invariant(
        "every notification has its cause, and tells whom it concerns",
        "select count(*) from notifications",
        """
        select format('notification %s (%s) has no cause', n.id, n.kind)
        from notifications n
        left join assignments a on a.id = n.assignment_id
        left join subscriptions s on s.id = n.subscription_id
        where case when n.kind in ('lead_assigned', 'refund_issued', 'lead_withdrawn', 'lead_erased') then a.id is null
                   when n.kind in ('low_balance', 'operator_alert', 'auto_top_up_failed', 'balance_topped_up')
                       then n.detail is null
                   when n.kind in ('user_invited', 'password_reset') then n.user_id is null
                   when n.kind = 'export_ready' then n.user_id is null or n.detail is null
                   when n.kind in ('lead_confirmation', 'lead_confirmed') then n.lead_id is null
                   else s.id is null end
           or (n.kind = 'refund_issued' and not exists (
               select from ledger_entries e where e.assignment_id = n.assignment_id and e.kind = 'refund'))
        union all
        select format('notification %s tells of lead %s, which is not withdrawn', n.id, l.id)
        from notifications n join assignments a on a.id = n.assignment_id join leads l on l.id = a.lead_id
        where n.kind = 'lead_withdrawn' and l.withdrawn_at is distinct from n.created_at
        union all
        select format('notification %s tells of lead %s, which is not erased', n.id, l.id)
        from notifications n join assignments a on a.id = n.assignment_id join leads l on l.id = a.lead_id
        where n.kind = 'lead_erased' and l.erased_at is distinct from n.created_at
        union all
        select format('notification %s (%s) tells another provider of subscription %s', n.id, n.kind, s.id)
        from notifications n join subscriptions s on s.id = n.subscription_id where s.provider_id <> n.provider_id
        union all
        select format('notification %s goes to an endpoint of another provider', n.id)
        from notifications n join webhook_endpoints w on w.id = n.webhook_endpoint_id
        where w.provider_id is distinct from n.provider_id
        """,
    ),
    Invariant(
        "every charge of auto top-up that was credited was told once, to its provider",
        "select count(*) from payment_requests where method_reference is not null and state = 'succeeded'",
        """
        with told as materialized (
            select detail ->> 'payment_id' as payment_id, count(*) as times, min(provider_id::text) as provider_id,
                   min((detail ->> 'amount_cents')::bigint) as amount_cents
            from notifications where kind = 'balance_topped_up' group by 1
        )
        select format('payment request %s of %s cents: its charge was told %s times', r.id, r.amount_cents,
                      coalesce(t.times, 0))
        from payment_requests r left join told t on t.payment_id = r.payment_id::text
        where r.method_reference is not null and r.state = 'succeeded' and t.times is distinct from 1
        union all
        select format('provider %s was told that payment %s topped up %s cents', t.provider_id, t.payment_id,
                      t.amount_cents)
        from told t left join payments p on p.id::text = t.payment_id
        where (p.provider_id::text, p.amount_cents) is distinct from (t.provider_id, t.amount_cents)
        """,
    ),
    Invariant(
        "an open dead letter is of work without a live job",
        "select count(*) from dead_letters where resolved_at is null",
        """
        select format('dead letter %s: its lead %s is %s', d.id, l.id,
                      case when l.awaits_decision then 'waiting' else l.status end)
        from dead_letters d join leads l on l.id = d.lead_id
        where d.resolved_at is null and (l.awaits_decision or l.status = 'distributed')
        union all
        select format('dead letter %s: its notification %s is %s', d.id, n.id, n.state)
        from dead_letters d join notifications n on n.id = d.notification_id
        where d.resolved_at is null and n.state <> 'failed'
        union all
        select format('dead letter %s: its export %s is %s', d.id, e.id, e.state)
        from dead_letters d join exports e on e.id = d.export_id
        where d.resolved_at is null and e.state <> 'failed'
        """,
    ),
    Invariant(
        "every assignment and refund was told when it was made, by email too",
        "select count(*) from notifications where kind in ('lead_assigned', 'refund_issued')",
        """
        with made as materialized (
            select id, 'lead_assigned' as kind, assigned_at as at from assignments
            union all
            select id, 'refund_issued', refunded_at from assignments where refunded_at is not null
        )
        select format('assignment %s of %s: %s (%s) is of %s', coalesce(m.id, n.assignment_id), m.at,
                      coalesce(m.kind, n.kind), coalesce(n.id::text, 'no email'), n.created_at)
        from made m
        full join (select * from notifications where kind in ('lead_assigned', 'refund_issued') and channel = 'email') n
             on n.assignment_id = m.id and n.kind = m.kind
        where m.at is distinct from n.created_at
        union all
        select format('assignment %s of %s was told at %s', m.id, m.at, n.created_at)
        from notifications n join made m on m.id = n.assignment_id and m.kind = n.kind
        where n.channel <> 'email' and n.created_at <> m.at
        """,
    ),
    Invariant(
        "every change of a subscription that its provider has to know was told, when the journal says so, and no other",
        """
        select count(*) from notifications
        where kind in ('subscription_deactivated', 'subscription_reactivated', 'filter_invalidated')
        """,
        """
        with state as materialized (
            select niche_id, seq, payload ->> 'subscription_id' as id, payload ->> 'provider_id' as provider_id,
                   recorded_at, payload ->> 'deactivation_reason' = 'insufficient_funds' as is_broke,
                   payload -> 'is_active' = 'true' as is_active, payload -> 'filter_is_valid' = 'true' as is_valid,
                   payload -> 'is_deleted' = 'true' as is_deleted
            from niche_journal where kind = 'subscription'
        ), pair as materialized (
            select niche_id, seq, id, provider_id, recorded_at, is_deleted, coalesce(is_broke, false) as is_broke,
                   is_active, is_valid, coalesce(lag(is_active and not is_deleted) over own, false) as was_active,
                   coalesce(lag(is_broke and not is_deleted) over own, false) as was_broke,
                   coalesce(lag(is_valid or is_deleted) over own, true) as was_valid
            from state window own as (partition by niche_id, id order by seq)
        ), notice as materialized (
            select subscription_id::text as id, provider_id::text as provider_id, created_at, kind
            from notifications
            where kind in ('subscription_deactivated', 'subscription_reactivated', 'filter_invalidated')
        ), told as materialized (
            select id, provider_id, created_at, kind, count(*) as times from notice group by 1, 2, 3, 4
        ), start as materialized (
            -- That it runs again is told to whom the stop was told: the newest notice before it is of that.
            select id, provider_id, recorded_at, is_start,
                   coalesce(max(recorded_at) filter (where kind = 'subscription_deactivated') over past
                            > coalesce(max(recorded_at) filter (where kind = 'subscription_reactivated') over past,
                                       '-infinity'), false) as is_due
            from (select id, provider_id, recorded_at, true as is_start, '' as kind from pair
                  where is_active and was_broke and not is_deleted
                  union all select id, provider_id, created_at, false, kind from notice) every
            window past as (partition by id order by recorded_at, is_start desc)
        ), unpaid as materialized (
            -- What is set up or resumed without funds has not stopped. Earlier releases told of each, until replaced.
            select p.id, p.provider_id, p.recorded_at,
                   bool_and(t.id is not null) over (partition by p.niche_id order by p.seq) as is_due
            from pair p left join told t on t.id = p.id and t.provider_id = p.provider_id
                 and t.created_at = p.recorded_at and t.kind = 'subscription_deactivated'
            where p.is_broke and not p.was_broke and not p.was_active and not p.is_deleted
        ), due as materialized (
            select id, provider_id, recorded_at, kind, count(*) as times
            from (select id, provider_id, recorded_at, 'subscription_deactivated' as kind from pair
                  where is_broke and was_active and not is_deleted
                  union all select id, provider_id, recorded_at, 'subscription_deactivated' from unpaid where is_due
                  union all select id, provider_id, recorded_at, 'subscription_reactivated' from start
                  where is_start and is_due
                  union all select id, provider_id, recorded_at, 'filter_invalidated' from pair
                  where not is_valid and was_valid and not is_deleted) every
            group by 1, 2, 3, 4
        )
        select format('subscription %s: %s at %s is due %s times and was told %s times', coalesce(d.id, t.id),
                      coalesce(d.kind, t.kind), coalesce(d.recorded_at, t.created_at), coalesce(d.times, 0),
                      coalesce(t.times, 0))
        from due d full join told t on t.id = d.id and t.provider_id = d.provider_id and t.kind = d.kind
             and t.created_at = d.recorded_at
        where d.times is distinct from t.times
        """,
    ),
    Invariant(
        "what is told of a level above a provider's price limit was so, by a change of its level at that moment",
        "select count(*) from notifications where kind = 'price_limit_passed'",
        """
        with level as materialized (
            select niche_id, seq, recorded_at, payload ->> 'level_id' as id,
                   least((payload ->> 'price_cents')::bigint,
                         (select min(cents::bigint)
                          from jsonb_path_query(payload, 'lax $.price_rules.rules[*].price_cents') as cents)) as lowest
            from niche_journal where kind = 'level'
        ), change as materialized (
            select id, recorded_at, lowest, lag(lowest) over (partition by niche_id, id order by seq) as lowest_before
            from level
        )
        select format('subscription %s was told at %s that its level asks %s and it pays %s', n.subscription_id,
                      n.created_at, n.detail ->> 'lowest_price_cents', n.detail ->> 'max_price_cents')
        from notifications n
        left join subscriptions s on s.id = n.subscription_id and s.provider_id = n.provider_id
        left join change c on c.id = s.competition_level_id::text and c.recorded_at = n.created_at
        where n.kind = 'price_limit_passed'
          and (c.id is null or c.lowest <> (n.detail ->> 'lowest_price_cents')::bigint
               or not ((n.detail ->> 'max_price_cents')::bigint >= c.lowest_before
                       and (n.detail ->> 'max_price_cents')::bigint < c.lowest)
               or (n.detail ->> 'max_price_cents') is null)
        """,
    ),
)
