"""Invariants of what people do by hand: refunds, adjustments, reports of bad leads, and the keys of their requests."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_BY_HAND: tuple[Invariant, ...] = (
    Invariant(
        "an assignment is refunded exactly when its refund is in the ledger",
        "select count(*) from assignments",
        """
        select format('assignment %s is %s (%s), refund %s/%s of %s', coalesce(a.id, e.assignment_id), a.status,
                      a.refunded_at, e.provider_id, e.seq, e.created_at)
        from assignments a
        full join (select assignment_id, provider_id, seq, created_at from ledger_entries where kind = 'refund') e
             on e.assignment_id = a.id
        where a.id is null or (a.status = 'refunded') <> (e.assignment_id is not null)
           or a.refunded_at is distinct from e.created_at
        """,
    ),
    Invariant(
        "an accepted report of a bad lead was paid back, and a refund leaves no report open",
        "select count(*) from assignments where bad_lead_reported_at is not null",
        """
        select format('assignment %s: its report is %s, its refund %s', a.id, coalesce(a.bad_lead_decision, 'open'),
                      case when e.assignment_id is null then 'missing' else 'made' end)
        from assignments a left join ledger_entries e on e.assignment_id = a.id and e.kind = 'refund'
        where (a.bad_lead_decision = 'accepted' and e.assignment_id is null)
           or (a.bad_lead_decision = 'accepted' and e.created_at <> a.bad_lead_decided_at)
           or (a.bad_lead_reported_at is not null and a.bad_lead_decision is null and e.assignment_id is not null)
           or (a.bad_lead_decision is not null and a.bad_lead_reported_at is null)
        """,
    ),
    Invariant(
        "no provider has paid for a bad lead",
        "select count(*) from leads where status = 'bad'",
        """
        select format('assignment %s of the bad lead %s is %s', a.id, l.id, a.status)
        from leads l join assignments a on a.lead_id = l.id where l.status = 'bad' and a.status <> 'refunded'
        """,
    ),
    Invariant(
        "what was moved by hand says who did it and why, and leaves no debt",
        "select count(*) from ledger_entries where kind in ('manual_credit', 'manual_debit', 'refund')",
        """
        select format('%s %s of provider %s', kind, seq, provider_id) from ledger_entries
        where (kind in ('manual_credit', 'manual_debit', 'refund')
               and (actor = '' or coalesce(length(memo), 0) not between 10 and 1000))
           or (kind = 'manual_debit' and balance_after_cents < 0)
        """,
    ),
    Invariant(
        "every refund is told to its provider",
        "select count(*) from ledger_entries where kind = 'refund'",
        """
        select format('refund %s of provider %s has no notification', e.seq, e.provider_id) from ledger_entries e
        where e.kind = 'refund' and not exists (
            select from notifications n where n.assignment_id = e.assignment_id and n.kind = 'refund_issued')
        """,
    ),
    Invariant(
        "every idempotency key leads to a result",
        "select count(*) from idempotency_keys",
        "select format('key %s of %s', key, actor) from idempotency_keys where status <> 'done' or body is null",
    ),
)
