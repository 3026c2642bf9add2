"""Invariants of papers: statements and receipts add up to the ledgers, entry by entry, as the audit log sealed them."""

from fairlead.store.invariants.invariant import Invariant
from fairlead.store.money.statements import DIGESTS

INVARIANTS_OF_PAPERS: tuple[Invariant, ...] = (
    Invariant(
        "statements follow one another, and each is what the ledger says",
        "select count(*) from statements",
        """
        with entry as materialized (
            select s.provider_id, s.month, e.kind, count(*) as entry_count, sum(e.amount_cents) as amount_cents
            from statements s join ledger_entries e
                 on e.provider_id = s.provider_id and e.seq between s.first_seq and s.last_seq
            group by 1, 2, 3
        ), summed as materialized (
            select provider_id, month, sum(entry_count) as entry_count, sum(amount_cents) as amount_cents,
                   jsonb_object_agg(kind, jsonb_build_array(entry_count, amount_cents)) as totals
            from entry group by 1, 2
        ), followed as materialized (
            select *, lag(month) over own as month_before, lag(last_seq, 1, 0::bigint) over own as last_before,
                   lag(closing_cents, 1, 0::bigint) over own as closing_before
            from statements window own as (partition by provider_id order by month)
        )
        select format('statement of %s of provider %s: entries %s to %s, from %s to %s with %s; the one before ends '
                      'with entry %s in %s with %s, the ledger has %s to %s with %s', f.month, f.provider_id,
                      f.first_seq, f.last_seq, f.opening_cents, f.closing_cents, f.totals, f.last_before,
                      f.month_before, f.closing_before, coalesce(o.balance_after_cents, 0),
                      coalesce(c.balance_after_cents, 0), s.totals)
        from followed f
        left join ledger_entries o on o.provider_id = f.provider_id and o.seq = f.first_seq - 1
        left join ledger_entries c on c.provider_id = f.provider_id and c.seq = f.last_seq
        left join summed s on s.provider_id = f.provider_id and s.month = f.month
        where f.first_seq <> f.last_before + 1 or f.opening_cents <> f.closing_before
           or f.month <> coalesce(f.month_before + interval '1 month', f.month)
           or f.opening_cents <> coalesce(o.balance_after_cents, 0)
           or f.closing_cents <> coalesce(c.balance_after_cents, 0)
           or f.opening_cents + coalesce(s.amount_cents, 0) <> f.closing_cents
           or coalesce(s.entry_count, 0) <> f.last_seq - f.first_seq + 1
           or f.totals <> coalesce(s.totals, '{}')
        """,
    ),
    Invariant(
        "every month ends with its last entry: a statement has none that is dated after its month",
        "select count(*) from statements",
        # Entries before the last may be: a clock that ran ahead was set back within the month.
        """
        select format('statement of %s of provider %s ends with entry %s, of %s, and the month ends at %s', s.month,
                      s.provider_id, s.last_seq, e.created_at, m.ends_at)
        from statements s join closed_months m on m.month = s.month
        join ledger_entries e on e.provider_id = s.provider_id and e.seq = s.last_seq
        where e.created_at >= m.ends_at and s.last_seq >= s.first_seq
        """,
    ),
    Invariant(
        "months follow one another, and each is what the audit log sealed when it was closed",
        "select count(*) from closed_months",
        f"""
        with followed as materialized (
            select *, lag(month) over (order by month) as month_before, lag(ends_at) over (order by month) as ended_at
            from closed_months
        ), sealed as materialized (
            select entity_id as name, new, created_at from audit_log where action = 'month.closed'
        ), made as materialized ({DIGESTS})
        select format('month %s of %s, from %s to %s, closed at %s; the audit log says %s', coalesce(s.name,
                      to_char(f.month, 'YYYY-MM')), f.timezone, f.began_at, f.ends_at, f.closed_at, s.new)
        from followed f left join made d on d.month = f.month
        full join sealed s on s.name = to_char(f.month, 'YYYY-MM')
        where f.month is null or s.name is null or f.timezone is distinct from s.new ->> 'timezone'
           or f.began_at is distinct from (s.new ->> 'began_at')::timestamptz
           or f.ends_at is distinct from (s.new ->> 'ends_at')::timestamptz
           or f.closed_at is distinct from (s.new ->> 'closed_at')::timestamptz
           or f.last_receipt_number is distinct from (s.new ->> 'last_receipt_number')::bigint
           or f.month <> coalesce(f.month_before + interval '1 month', f.month)
           or f.began_at <> coalesce(f.ended_at, f.began_at)
           or coalesce(d.statement_count, 0) is distinct from (s.new ->> 'statement_count')::bigint
           or coalesce(d.sha256, '') is distinct from s.new ->> 'sha256'
        """,  # noqa: S608 - constants of our own
    ),
    Invariant(
        "receipts are numbered from 1 without a gap, up to the head",
        "select count(*) from receipts",
        """
        select format('%s receipts, from %s to %s; the head says %s', count(*), min(number), max(number),
                      (select last_number from receipt_head))
        from receipts
        having (count(*), coalesce(min(number), 1), coalesce(max(number), 0))
               is distinct from (coalesce((select last_number from receipt_head), 0), 1,
                                 coalesce((select last_number from receipt_head), 0))
        """,
    ),
    Invariant(
        "every deposit has its receipt, as the ledger and the audit log have it, and the tax that its rate gives",
        "select count(*) from ledger_entries where kind = 'deposit'",
        """
        with told as materialized (
            select entity_id, new from audit_log where action = 'deposit.credited'
        )
        select format('receipt %s of payment %s: %s, tax %s; the ledger has %s of provider %s', r.number,
                      coalesce(r.payment_id, e.payment_id), r.gross_cents, r.tax_cents, e.amount_cents, e.provider_id)
        from (select * from ledger_entries where kind = 'deposit') e
        full join (select * from receipts where kind = 'receipt') r on r.payment_id = e.payment_id
        left join told t on t.entity_id = r.payment_id::text
        left join payments p on p.id = r.payment_id
        where (r.provider_id, r.gross_cents, r.issued_at, r.currency)
              is distinct from (e.provider_id, e.amount_cents, e.created_at, p.currency)
           or (r.number::text, encode(r.sha256, 'hex'))
              is distinct from (t.new ->> 'receipt_number', t.new ->> 'receipt_sha256')
           or r.tax_cents <> coalesce((2 * r.gross_cents * r.tax_rate_basis_points + 10000 + r.tax_rate_basis_points)
                                      / (2 * (10000 + r.tax_rate_basis_points)), 0)
           or r.corrects_number is not null
        """,
    ),
    Invariant(
        "every credit note takes one receipt back, whole and once, as the audit log says",
        "select count(*) from receipts where kind = 'credit_note'",
        """
        with told as materialized (
            select entity_id, new, created_at from audit_log where action = 'credit_note.issued'
        )
        select format('credit note %s of %s takes back receipt %s of %s', coalesce(c.number::text, t.entity_id),
                      c.gross_cents, r.number, r.gross_cents)
        from (select *, count(*) over (partition by corrects_number) as times
              from receipts where kind = 'credit_note') c
        left join receipts r on r.number = c.corrects_number and r.kind = 'receipt' and r.number < c.number
        full join told t on t.entity_id = c.number::text
        where (c.provider_id, c.payment_id, c.currency, c.gross_cents, c.tax_rate_basis_points, c.tax_cents, c.parties,
               c.times)
              is distinct from (r.provider_id, r.payment_id, r.currency, r.gross_cents, r.tax_rate_basis_points,
                                r.tax_cents, r.parties, 1)
           or (c.corrects_number::text, encode(c.sha256, 'hex'), c.issued_at)
              is distinct from (t.new ->> 'corrects_number', t.new ->> 'sha256', t.created_at)
        """,
    ),
)
