"""Invariants of limits (R13): no window holds more than its limit, and what was counted is what was sold in it.

Purchases of an owner, a subscription or a provider, are put in one order with the moments at which windows open and
close: what a window holds is then a difference of two running counts, whatever their number.
"""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_LIMITS: tuple[Invariant, ...] = (
    # A provider's purchases are in the order of its ledger, and, as long as no clock was set back, in that of time. An
    # owner whose purchases are not is left out: what lies in a window is then no stretch of them.
    Invariant(
        "no window of a limit holds more than its limit, and each holds what was counted",
        "select count(*) from niche_journal where kind = 'decision' and payload ? 'calendars'",
        """
        with recipient as materialized (
            select j.niche_id, j.seq, r
            from niche_journal j, jsonb_path_query(j.payload, 'lax $.levels[*].recipients[*]') as r
            where j.kind = 'decision' and j.payload ? 'calendars'
        ), counted as materialized (
            select d.niche_id, d.seq, d.r ->> 'provider_id' as provider_id, d.r ->> 'ledger_seq' as ledger_seq,
                   (d.r ->> 'price_cents')::numeric as price_cents, c ->> 'period' as period,
                   case c ->> 'owner' when 'provider' then d.r ->> 'provider_id' else d.r ->> 'subscription_id' end
                   as owner_id,
                   c ->> 'opened_at' as opened_at, (c ->> 'lead_count')::numeric as lead_count,
                   (c ->> 'spent_cents')::numeric as spent_cents, (c ->> 'most_leads')::numeric as most_leads,
                   (c ->> 'most_cents')::numeric as most_cents
            from recipient d, jsonb_path_query(d.r, 'lax $.counters[*]') as c
        ), purchase as materialized (
            select e.provider_id::text as provider_id, a.subscription_id::text as subscription_id, e.seq, e.created_at,
                   -e.amount_cents as cents
            from ledger_entries e join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
            where e.kind = 'lead_purchase'
        ), owned as materialized (
            select provider_id as owner_id, seq, created_at, cents from purchase
            union all select subscription_id, seq, created_at, cents from purchase
        ), ordered as materialized (
            select owner_id, seq::text as seq, cents,
                   row_number() over own - 1 as before_count, sum(cents) over own - cents as before_cents,
                   max(created_at) over own > created_at as is_late
            from owned window own as (partition by owner_id order by seq)
        ), freed as materialized (
            -- Not of the window from the refund on, which is an entry of the same ledger.
            select o.owner_id, o.created_at, o.cents, r.seq as refund_seq
            from assignments a join ledger_entries r on r.assignment_id = a.id and r.kind = 'refund'
            join owned o on o.owner_id in (a.provider_id::text, a.subscription_id::text) and o.seq = a.ledger_seq
            where a.left_limits
        ), left_before as materialized (
            select c.owner_id, c.period, c.ledger_seq, count(*) as leads, sum(f.cents) as cents
            from counted c join freed f on f.owner_id = c.owner_id
            where f.refund_seq < c.ledger_seq::bigint
              and (c.opened_at is null or f.created_at >= c.opened_at::timestamptz)
            group by 1, 2, 3
        ), set_back as materialized (
            select distinct owner_id from ordered where is_late
        ), mark as materialized (
            select owner_id, at, sum(leads) over own as before_count, sum(cents) over own as before_cents, leads
            from (select owner_id, created_at as at, 1 as leads, cents from owned
                  union all
                  select distinct owner_id, opened_at::timestamptz, 0, 0 from counted where opened_at is not null) event
            window own as (partition by owner_id order by at, leads)
        )
        select format('decision %s of niche %s: the %s of %s from %s held %s leads for %s, it counted %s for %s, '
                      'its limits are %s and %s', c.seq, c.niche_id, c.period, c.owner_id,
                      coalesce(c.opened_at, 'the beginning'),
                      o.before_count - coalesce(m.before_count, 0) - coalesce(l.leads, 0),
                      o.before_cents - coalesce(m.before_cents, 0) - coalesce(l.cents, 0), c.lead_count,
                      c.spent_cents, coalesce(c.most_leads::text, 'none'), coalesce(c.most_cents::text, 'none'))
        from counted c
        left join ordered o on o.owner_id = c.owner_id and o.seq = c.ledger_seq
        left join mark m on m.owner_id = c.owner_id and m.at = c.opened_at::timestamptz and m.leads = 0
        left join set_back b on b.owner_id = c.owner_id
        left join left_before l on l.owner_id = c.owner_id and l.period = c.period and l.ledger_seq = c.ledger_seq
        where c.lead_count + 1 > c.most_leads or c.spent_cents + c.price_cents > c.most_cents
           or (b.owner_id is null
               and (o.before_count - coalesce(m.before_count, 0) - coalesce(l.leads, 0),
                    o.before_cents - coalesce(m.before_cents, 0) - coalesce(l.cents, 0))
                   is distinct from (c.lead_count, c.spent_cents))
        """,
    ),
    Invariant(
        "what was used of each window of a limit is what was sold in it",
        "select count(*) from limit_windows",
        """
        with purchase as materialized (
            select e.provider_id, a.subscription_id, e.created_at, -e.amount_cents as cents
            from ledger_entries e join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
            where e.kind = 'lead_purchase' and not a.left_limits
        ), event as materialized (
            select provider_id as owner_id, created_at as at, 1 as leads, cents from purchase
            union all select subscription_id, created_at, 1, cents from purchase
            union all select owner_id, opened_at, 0, 0 from (select distinct owner_id, opened_at from limit_windows) w
            union all
            select w.owner_id, w.closes_at, 0, 0
            from (select distinct owner_id, closes_at from limit_windows except
                  select owner_id, opened_at from limit_windows) w
        ), mark as materialized (
            select owner_id, at, leads, sum(leads) over own as lead_count, sum(cents) over own as cents
            from event window own as (partition by owner_id order by at, leads)
        )
        select format('the %s of %s from %s says %s leads for %s, in it were %s for %s', w.period, w.owner_id,
                      w.opened_at, w.lead_count, w.spent_cents, c.lead_count - o.lead_count, c.cents - o.cents)
        from limit_windows w
        left join mark o on o.owner_id = w.owner_id and o.at = w.opened_at and o.leads = 0
        left join mark c on c.owner_id = w.owner_id and c.at = w.closes_at and c.leads = 0
        where (w.lead_count, w.spent_cents) is distinct from (c.lead_count - o.lead_count, c.cents - o.cents)
        """,
    ),
)
