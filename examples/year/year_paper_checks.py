"""Receipts and credit notes of the year, held against ledger and audit log by SQL of its own."""

from typing import LiteralString

# From when to when each rate held, and each address of a provider, whose first word is its number in their order.
RATES: LiteralString = """
    create temporary table rates on commit drop as
    select (new ->> 'tax_rate_basis_points')::numeric as rate, created_at as since,
           coalesce(lead(created_at) over (order by seq), 'infinity') as until
    from audit_log where action = 'marketplace.changed' and new ? 'tax_rate_basis_points'
"""
ADDRESSES: LiteralString = """
    create temporary table addresses on commit drop as
    select entity_id, created_at as since, row_number() over own as number,
           coalesce(lead(created_at) over own, 'infinity') as until
    from audit_log where action = 'billing_details.changed' window own as (partition by entity_id order by seq)
"""

MADE_FOR_PAPERS = (RATES, ADDRESSES)

PAPER_RULES: dict[str, LiteralString] = {
    "numbers of receipts and credit notes have no gap, and rise with time": """
        select count(*), count(*) filter (where number <> place or issued_at < issued_before)
        from (
            select number, issued_at, row_number() over own as place, lag(issued_at) over own as issued_before
            from receipts window own as (order by number)
        ) each
    """,
    "a deposit has one receipt, of its amount": """
        select count(*), count(*) filter (where (r.provider_id, r.gross_cents, r.issued_at)
                                                is distinct from (e.provider_id, e.amount_cents, e.created_at))
        from (select * from ledger_entries where kind = 'deposit') e
        full join (select * from receipts where kind = 'receipt') r using (payment_id)
    """,
    "the receipts of a provider add up to its deposits": """
        select count(*), count(*) filter (where receipts.cents is distinct from deposits.cents)
        from (select provider_id, sum(amount_cents) as cents from ledger_entries
              where kind = 'deposit' group by 1) deposits
        full join (select provider_id, sum(gross_cents) as cents from receipts
                   where kind = 'receipt' group by 1) receipts using (provider_id)
    """,
    "a receipt has the tax that the rate of its day gives": """
        select count(*), count(*) filter (
            where tax_rate_basis_points is distinct from rate
               or tax_cents is distinct from round(gross_cents * rate / (10000 + rate)))
        from receipts left join rates on issued_at >= since and issued_at < until where kind = 'receipt'
    """,
    "a receipt names both parties as they were on its day": """
        select count(*), count(*) filter (
            where coalesce(split_part(parties -> 'recipient' ->> 'address', ' ', 1)::bigint, 0)
                  <> coalesce(addresses.number, 0)
               or parties -> 'issuer' ->> 'legal_name' is distinct from (select legal_name from marketplace))
        from receipts r left join addresses
             on entity_id = provider_id::text and issued_at >= since and issued_at < until
        where kind = 'receipt'
    """,
    "a credit note takes one receipt back, whole and once": """
        select count(*), count(*) filter (
            where (n.provider_id, n.gross_cents, n.tax_rate_basis_points, n.tax_cents, n.parties, n.times)
                  is distinct from (r.provider_id, r.gross_cents, r.tax_rate_basis_points, r.tax_cents, r.parties, 1))
        from (select *, count(*) over (partition by corrects_number) as times
              from receipts where kind = 'credit_note') n
        left join receipts r on r.number = n.corrects_number and r.kind = 'receipt' and r.issued_at < n.issued_at
    """,
}
