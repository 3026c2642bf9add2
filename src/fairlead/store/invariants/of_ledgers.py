"""Invariants of the ledgers: entries, balances, and what they were moved for."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_LEDGERS: tuple[Invariant, ...] = (
    Invariant(
        "every assignment has one purchase of its price, every purchase its assignment",
        "select count(*) from assignments",
        """
        select format('assignment %s of %s cents, purchase %s/%s of %s cents',
                      a.id, a.price_cents, e.provider_id, e.seq, e.amount_cents)
        from assignments a
        full join (select * from ledger_entries where kind = 'lead_purchase') e on e.assignment_id = a.id
        where a.id is null or e.assignment_id is null or e.amount_cents <> -a.price_cents
           or e.provider_id <> a.provider_id or e.seq <> a.ledger_seq
        """,
    ),
    Invariant(
        "ledgers are contiguous and each balance follows from the one before",
        "select count(*) from ledger_entries",
        """
        select format('entry %s of provider %s', seq, provider_id)
        from (select *, lag(seq, 1, 0::bigint) over own as seq_before,
                     lag(balance_after_cents, 1, 0::bigint) over own as balance_before_cents
              from ledger_entries window own as (partition by provider_id order by seq)) entry
        where seq <> seq_before + 1 or balance_after_cents <> balance_before_cents + amount_cents
        """,
    ),
    Invariant(
        "every balance is its ledger's sum and last balance, and not below its floor",
        "select count(*) from providers",
        """
        with total as materialized (
            select provider_id, sum(amount_cents) as sum, max(seq) as last_seq from ledger_entries group by 1
        )
        select format('provider %s: balance %s, sum %s, last %s', p.id, p.balance_cents, coalesce(total.sum, 0),
                      coalesce(last.balance_after_cents, 0))
        from providers p
        left join total on total.provider_id = p.id
        left join ledger_entries last on last.provider_id = p.id and last.seq = total.last_seq
        where p.balance_cents <> coalesce(total.sum, 0) or p.balance_cents <> coalesce(last.balance_after_cents, 0)
           or p.ledger_seq <> coalesce(total.last_seq, 0) or p.balance_cents < -p.credit_limit_cents
        """,
    ),
    Invariant(
        "every refund returns one purchase in full, once",
        "select count(*) from ledger_entries where kind = 'refund'",
        """
        select format('refund %s of provider %s', r.seq, r.provider_id)
        from ledger_entries r
        left join ledger_entries p on p.assignment_id = r.assignment_id and p.kind = 'lead_purchase'
        where r.kind = 'refund' and (p.seq is null or p.provider_id <> r.provider_id
                                     or r.amount_cents <> -p.amount_cents)
        union all
        select format('assignment %s was refunded %s times', assignment_id, count(*))
        from ledger_entries where kind = 'refund' group by assignment_id having count(*) > 1
        """,
    ),
    Invariant(
        "every payment that succeeded is one deposit of its amount",
        "select count(*) from payments",
        """
        select format('payment %s of %s cents, entry %s/%s of %s cents',
                      p.id, p.amount_cents, e.provider_id, e.seq, e.amount_cents)
        from (select * from payments where status = 'succeeded') p
        full join (select * from ledger_entries where kind = 'deposit') e on e.payment_id = p.id
        where p.id is null or e.payment_id is null or p.amount_cents <> e.amount_cents
           or p.provider_id <> e.provider_id
        """,
    ),
)
