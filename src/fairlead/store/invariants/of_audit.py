"""Invariants of money that no decision moved: ledger, payments and assignments say what the audit log says."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_AUDIT: tuple[Invariant, ...] = (
    Invariant(
        "every deposit, refund, credit and debit is in the audit log as it is in the ledger, value by value",
        "select count(*) from ledger_entries where kind <> 'lead_purchase'",
        """
        with told as materialized (
            select seq, case action when 'deposit.credited' then 'deposit' when 'assignment.refunded' then 'refund'
                                    when 'balance.credited' then 'manual_credit' else 'manual_debit' end as kind,
                   case entity when 'provider' then entity_id else new ->> 'provider_id' end as provider_id,
                   case entity when 'provider' then null else entity_id end as subject,
                   new ->> 'ledger_seq' as ledger_seq, new ->> 'amount_cents' as amount,
                   new ->> 'balance_after_cents' as balance_after, actor, memo, created_at
            from audit_log
            where action in ('deposit.credited', 'assignment.refunded', 'balance.credited', 'balance.debited')
        ), entry as materialized (
            select * from ledger_entries where kind <> 'lead_purchase'
        )
        select format('%s %s of provider %s: audit entry %s', coalesce(e.kind, t.kind),
                      coalesce(e.seq::text, t.ledger_seq), coalesce(e.provider_id::text, t.provider_id),
                      case when t.seq is null then 'is missing' when e.seq is null then t.seq || ' has no ledger entry'
                           else t.seq || ' says otherwise' end)
        from entry e full join told t on t.provider_id = e.provider_id::text and t.ledger_seq = e.seq::text
        where (e.kind, e.amount_cents::text, e.balance_after_cents::text, e.actor, e.memo, e.created_at,
               coalesce(e.payment_id, e.assignment_id)::text)
              is distinct from (t.kind, t.amount, t.balance_after, t.actor, t.memo, t.created_at, t.subject)
        """,
    ),
    # Events that an earlier version wrote do not name the external id, and are not compared by it.
    Invariant(
        "every payment is in the audit log as it is stored, with gateway and currency",
        "select count(*) from payments where status = 'succeeded'",
        """
        with told as materialized (
            select * from audit_log where action = 'deposit.credited'
        )
        select format('payment %s: audit entry %s', coalesce(p.id::text, t.entity_id),
                      case when t.seq is null then 'is missing' when p.id is null then t.seq || ' has no payment'
                           else t.seq || ' says otherwise' end)
        from (select * from payments where status = 'succeeded') p full join told t on t.entity_id = p.id::text
        where (p.provider_id::text, p.gateway, p.amount_cents::text, p.currency, p.created_at)
              is distinct from (t.new ->> 'provider_id', t.new ->> 'gateway', t.new ->> 'amount_cents',
                                t.new ->> 'currency', t.created_at)
           or (t.new ? 'external_id' and t.new ->> 'external_id' is distinct from p.external_id)
        union all
        select format('payment %s is in %s, which is not the marketplace''s currency', id, currency)
        from payments where currency <> (select currency from marketplace)
        """,
    ),
    Invariant(
        "every answer to an assignment, report of a bad lead and its decision is as the audit log says",
        "select count(*) from assignments where answered_at is not null or bad_lead_reported_at is not null",
        """
        with told as materialized (
            select distinct on (entity_id, subject) entity_id, subject, seq, action, actor, memo, new, created_at
            from (select *, case
                      when action in ('assignment.accepted', 'assignment.rejected') then 'answer'
                      when action = 'bad_lead.reported' then 'report'
                      when action in ('bad_lead.accepted', 'bad_lead.rejected')
                           or new ->> 'bad_lead_decision' = 'accepted' then 'decision' end as subject
                  from audit_log where entity = 'assignment') event
            where subject is not null order by entity_id, subject, seq desc
        ), stored as materialized (
            select id::text as id, 'answer' as subject, answered_at as at, null as actor, null as memo,
                   case status when 'refunded' then null else 'assignment.' || status end as says
            from assignments where answered_at is not null
            union all
            select id::text, 'report', bad_lead_reported_at, null, null, bad_lead_reason
            from assignments where bad_lead_reported_at is not null
            union all
            select id::text, 'decision', bad_lead_decided_at, bad_lead_decided_by, bad_lead_memo, bad_lead_decision
            from assignments where bad_lead_decision is not null
        )
        select format('assignment %s: its %s at %s, audit entry %s says %s at %s', coalesce(s.id, t.entity_id),
                      coalesce(s.subject, t.subject), s.at, t.seq, t.action, t.created_at)
        from stored s full join told t on t.entity_id = s.id and t.subject = s.subject
        where s.at is distinct from t.created_at
           or case t.subject
              when 'answer' then coalesce(s.says, t.action) <> t.action
              when 'report' then s.says is distinct from t.new ->> 'reason'
              else (s.actor, s.memo) is distinct from (t.actor, t.memo)
                   or s.says <> case t.action when 'bad_lead.rejected' then 'rejected' else 'accepted' end end
        """,
    ),
)
