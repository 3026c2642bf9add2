"""Invariants of what gateways collect: requests, the payments that they became, doubts, and the audit log of them."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_PAYMENTS: tuple[Invariant, ...] = (
    Invariant(
        "every payment request that succeeded is one deposit of its provider, gateway, amount and currency",
        "select count(*) from payment_requests where state = 'succeeded'",
        """
        select format('payment request %s of %s cents, payment %s of %s cents, entry %s of %s cents', r.id,
                      r.amount_cents, p.id, p.amount_cents, e.seq, e.amount_cents)
        from payment_requests r
        left join payments p on p.id = r.payment_id
        left join ledger_entries e on e.payment_id = r.payment_id and e.kind = 'deposit'
        where case when r.state = 'succeeded'
              then (r.provider_id, r.gateway, r.amount_cents, r.currency, r.amount_cents, r.provider_id)
                   is distinct from
                   (p.provider_id, p.gateway, p.amount_cents, p.currency, e.amount_cents, e.provider_id)
              else r.payment_id is not null end
        """,
    ),
    Invariant(
        "every payment of a gateway answers one request, or an operator credited it",
        "select count(*) from payments where gateway in ('test_gateway', 'stripe')",
        """
        select format('payment %s of gateway %s answers %s requests, and %s doubts were resolved by it', p.id,
                      p.gateway, coalesce(r.requests, 0), coalesce(d.doubts, 0))
        from (select * from payments where gateway in ('test_gateway', 'stripe')) p
        left join (select payment_id, count(*) as requests from payment_requests group by 1) r on r.payment_id = p.id
        left join (select gateway, charge_reference, count(*) as doubts from payment_doubts
                   where resolution = 'credited' group by 1, 2) d
             on d.gateway = p.gateway and d.charge_reference = p.external_id
        where coalesce(r.requests, 0) > 1 or (r.requests is null and d.doubts is null)
        """,
    ),
    Invariant(
        "every payment request is in the audit log as it was asked for, and in the state that the log says last",
        "select count(*) from payment_requests",
        """
        with told as materialized (
            select * from audit_log where entity = 'payment_request' and action = 'payment.requested'
        ), settled as materialized (
            select distinct on (entity_id) entity_id, new, created_at
            from audit_log where entity = 'payment_request' and action = 'payment.settled'
            order by entity_id, seq desc
        )
        select format('payment request %s: audit entry %s', coalesce(r.id::text, t.entity_id),
                      case when t.seq is null then 'is missing' when r.id is null then t.seq || ' has no request'
                           else t.seq || ' or the last about its state says otherwise' end)
        from payment_requests r
        full join told t on t.entity_id = r.id::text
        left join settled s on s.entity_id = r.id::text
        where (r.provider_id::text, r.gateway, r.amount_cents::text, r.currency, r.created_at)
              is distinct from (t.new ->> 'provider_id', t.new ->> 'gateway', t.new ->> 'amount_cents',
                                t.new ->> 'currency', t.created_at)
           or (r.method_reference, r.top_up_limit_cents::text, r.top_up_charged_cents::text, r.top_up_month_from)
              is distinct from (t.new ->> 'method_reference', t.new ->> 'monthly_limit_cents',
                                t.new ->> 'charged_cents', (t.new ->> 'month_from')::timestamptz)
           or (r.state, r.state_reason, r.payment_id::text, r.settled_at)
              is distinct from (coalesce(s.new ->> 'state', 'pending'), s.new ->> 'reason', s.new ->> 'payment_id',
                                s.created_at)
        """,
    ),
    Invariant(
        "every payment in doubt is in the audit log as it was noticed, and as it was resolved",
        "select count(*) from payment_doubts",
        """
        with told as materialized (
            select * from audit_log where entity = 'payment_doubt' and action = 'payment.doubted'
        ), resolved as materialized (
            select * from audit_log where entity = 'payment_doubt' and action = 'payment_doubt.resolved'
        )
        select format('payment in doubt %s: audit entry %s', coalesce(d.id::text, t.entity_id),
                      case when t.seq is null then 'is missing' when d.id is null then t.seq || ' has no doubt'
                           else t.seq || ' or that of its end says otherwise' end)
        from payment_doubts d
        full join told t on t.entity_id = d.id::text
        left join resolved r on r.entity_id = d.id::text
        where (d.kind, d.gateway, d.subject, d.request_id::text, d.charge_reference, d.amount_cents::text, d.currency,
               d.noticed_at)
              is distinct from (t.new ->> 'kind', t.new ->> 'gateway', t.new ->> 'subject', t.new ->> 'request_id',
                                t.new ->> 'charge_reference', t.new ->> 'amount_cents', t.new ->> 'currency',
                                t.created_at)
           or (d.resolution, d.resolved_at, d.resolved_by, d.memo)
              is distinct from (r.new ->> 'resolution', r.created_at, r.actor, r.memo)
        """,
    ),
    Invariant(
        "each auto top-up is as the audit log says last, and its provider's row says when it is due",
        "select count(*) from auto_top_ups",
        """
        with told as materialized (
            select distinct on (entity_id) entity_id, new from audit_log where entity = 'auto_top_up'
            order by entity_id, seq desc
        )
        select format('auto top-up of provider %s: the audit log says %s', coalesce(a.provider_id::text, t.entity_id),
                      coalesce(t.new::text, 'nothing'))
        from auto_top_ups a full join told t on t.entity_id = a.provider_id::text
        where (a.threshold_cents::text, a.amount_cents::text, a.monthly_limit_cents::text, a.is_on::text, a.off_reason)
              is distinct from (t.new ->> 'threshold_cents', t.new ->> 'amount_cents', t.new ->> 'monthly_limit_cents',
                                t.new ->> 'is_on', t.new ->> 'off_reason')
        union all
        select format('provider %s: top-up below %s, its auto top-up says %s', p.id, p.top_up_below_cents,
                      a.threshold_cents)
        from providers p left join auto_top_ups a on a.provider_id = p.id and a.is_on
        where p.top_up_below_cents is distinct from a.threshold_cents
        """,
    ),
    Invariant(
        "every charge of auto top-up counts what its month had been charged before, and stays within the limit",
        "select count(*) from payment_requests where method_reference is not null",
        """
        select format('payment request %s: charged %s of %s before, by the requests of its month %s', r.id,
                      r.top_up_charged_cents, r.top_up_limit_cents, sum(e.amount_cents))
        from payment_requests r
        join payment_requests e on e.provider_id = r.provider_id and e.method_reference is not null and e.id < r.id
             and e.created_at >= r.top_up_month_from and e.created_at <= r.created_at
             and e.state = 'succeeded' and e.settled_at <= r.created_at
        where r.method_reference is not null
        group by r.id, r.top_up_charged_cents, r.top_up_limit_cents, r.amount_cents
        having sum(e.amount_cents) > r.top_up_charged_cents
        """,
    ),
    Invariant(
        "an auto top-up whose balance is low is due, or its charge is open",
        "select count(*) from auto_top_ups where is_on",
        """
        select format('auto top-up of provider %s: %s cents are below %s, and nothing is due', p.id, p.balance_cents,
                      a.threshold_cents)
        from auto_top_ups a join providers p on p.id = a.provider_id
        where a.is_on and a.due_at is null and p.balance_cents < a.threshold_cents
          and not exists (select from payment_requests r
                          where r.provider_id = p.id and r.method_reference is not null
                            and r.state in ('pending', 'in_review'))
        """,
    ),
)
