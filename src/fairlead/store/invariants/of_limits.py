"""Invariants of limits (R13): no window holds more than its limit, and what was counted is what was sold in it.

Purchases of an owner, a subscription or a provider, are put in one order with the moments at which windows open and
close: what a window holds is then a difference of two running counts, whatever their number.
"""

from fairlead.core.calendar.stored_counters import STORED
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
        ), recorded as materialized (
            -- In version 3 an object for each window; since version 4 a text.
            select niche_id, seq, r, c ->> 'owner' as owner, c ->> 'period' as period, c ->> 'opened_at' as opened_at,
                   c ->> 'lead_count' as lead_count, c ->> 'spent_cents' as spent_cents,
                   c ->> 'most_leads' as most_leads, c ->> 'most_cents' as most_cents
            from recipient, jsonb_path_query(r, 'strict $.counters[*] ? (@.owner != "")', silent => true) as c
            union all
            select niche_id, seq, r, owner, c[1], to_timestamp(nullif(c[2], '')::double precision)::text, c[4], c[5],
                   nullif(c[6], ''), nullif(c[7], '')
            from recipient,
                 (values ('subscription', 'counters'), ('provider', 'provider_counters')) as own (owner, member),
                 string_to_table(case jsonb_typeof(r -> member) when 'string' then r ->> member end, ';') as part,
                 string_to_array(part, ':') as c
        ), counted as materialized (
            select niche_id, seq, r ->> 'provider_id' as provider_id, r ->> 'ledger_seq' as ledger_seq,
                   (r ->> 'price_cents')::numeric as price_cents, period,
                   case owner when 'provider' then r ->> 'provider_id' else r ->> 'subscription_id' end as owner_id,
                   opened_at, lead_count::numeric as lead_count, spent_cents::numeric as spent_cents,
                   most_leads::numeric as most_leads, most_cents::numeric as most_cents
            from recorded
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
        "what is kept of each window of a limit is what was sold in it",
        """
        select (select count(*) from subscriptions where limits_used is not null)
               + (select count(*) from providers where limits_used is not null)
        """,
        f"""
        with kept as materialized (
            select id as owner_id, limits_used, limits from subscriptions where limits_used is not null
            union all select id, limits_used, limits from providers where limits_used is not null
        ), part as materialized (
            select owner_id, limits, string_to_array(part, ':') as part
            from kept, unnest((string_to_array(limits_used, ';'))[2:]) as part
            where limits_used ~ '^({STORED})$'
        ), w as materialized (
            select owner_id, part[1] as period,
                   case part[2] when '' then '-infinity' else to_timestamp(part[2]::double precision) end as opened_at,
                   case part[3] when '' then 'infinity' else to_timestamp(part[3]::double precision) end as closes_at,
                   part[4]::numeric as lead_count, part[5]::numeric as spent_cents, nullif(part[6], '') as most_leads,
                   nullif(part[7], '') as most_cents, limits
            from part
        ), purchase as materialized (
            select e.provider_id, a.subscription_id, e.created_at, -e.amount_cents as cents
            from ledger_entries e join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
            where e.kind = 'lead_purchase' and not a.left_limits
        ), event as materialized (
            select provider_id as owner_id, created_at as at, 1 as leads, cents from purchase
            union all select subscription_id, created_at, 1, cents from purchase
            union all select owner_id, opened_at, 0, 0 from (select distinct owner_id, opened_at from w) opened
            union all
            select owner_id, closes_at, 0, 0
            from (select distinct owner_id, closes_at from w except select owner_id, opened_at from w) closed
        ), mark as materialized (
            select owner_id, at, leads, sum(leads) over own as lead_count, sum(cents) over own as cents
            from event window own as (partition by owner_id order by at, leads)
        )
        select format('what is kept of the limits of %s cannot be read', owner_id)
        from kept where limits_used !~ '^({STORED})$'
        union all
        select format('the %s of %s from %s says %s leads for %s, in it were %s for %s', w.period, w.owner_id,
                      w.opened_at, w.lead_count, w.spent_cents, c.lead_count - o.lead_count, c.cents - o.cents)
        from w
        left join mark o on o.owner_id = w.owner_id and o.at = w.opened_at and o.leads = 0
        left join mark c on c.owner_id = w.owner_id and c.at = w.closes_at and c.leads = 0
        where (w.lead_count, w.spent_cents) is distinct from (c.lead_count - o.lead_count, c.cents - o.cents)
        union all
        select format('the %s of %s says its limits are %s and %s, they are %s', period, owner_id,
                      coalesce(most_leads, 'none'), coalesce(most_cents, 'none'), coalesce(limits::text, 'none'))
        from w
        where (most_leads, most_cents) is distinct from
              (limits ->> case period when 'total' then 'leads_total' else 'leads_per_' || period end,
               limits ->> ('spend_cents_per_' || period))
        """,  # noqa: S608 - a constant of our own
    ),
)
