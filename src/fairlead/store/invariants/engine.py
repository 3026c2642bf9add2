"""The invariants that SQL can see in the tables, each a query that must return no row.

Each says beside it how many things it looked at: a check over nothing proves nothing. What needs a fold of the journal
(hashes, replay, order) is in `flows.verify`.
"""

from fairlead.store.connection import Connection
from fairlead.store.invariants.by_hand import INVARIANTS_BY_HAND
from fairlead.store.invariants.invariant import Invariant
from fairlead.store.invariants.of_intake import INVARIANTS_OF_INTAKE

DIFFERENCES_SHOWN = 5


INVARIANTS: tuple[Invariant, ...] = (
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
        is_of_money=True,
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
        is_of_money=True,
    ),
    Invariant(
        "every balance is its ledger's sum and last balance, and not below its floor",
        "select count(*) from providers",
        """
        select format('provider %s: balance %s, sum %s, last %s', p.id, p.balance_cents, total.sum, total.last)
        from providers p
        cross join lateral (
            select coalesce(sum(amount_cents), 0) as sum, coalesce(max(seq), 0) as last_seq,
                   coalesce((array_agg(balance_after_cents order by seq desc))[1], 0) as last
            from ledger_entries e where e.provider_id = p.id) total
        where p.balance_cents <> total.sum or p.balance_cents <> total.last or p.ledger_seq <> total.last_seq
           or p.balance_cents < -p.credit_limit_cents
        """,
        is_of_money=True,
    ),
    Invariant(
        "a lead reaches a provider once, and a level no more than its max_recipients",
        "select count(*) from assignments",
        """
        select format('lead %s reached provider %s %s times', lead_id, provider_id, count(*))
        from assignments group by lead_id, provider_id having count(*) > 1
        union all
        select format('lead %s reached %s at level %s, which takes %s', a.lead_id, count(*), a.competition_level_id,
                      min((level ->> 'max_recipients')::integer))
        from assignments a
        join niche_journal j on j.niche_id = a.niche_id and j.seq = a.journal_seq
        join lateral jsonb_array_elements(j.payload -> 'levels') as level
             on level ->> 'level_id' = a.competition_level_id::text
        group by a.lead_id, a.competition_level_id
        having count(*) > min((level ->> 'max_recipients')::integer)
        """,
    ),
    Invariant(
        "a lead is distributed exactly when it has assignments, all of one decision of it",
        "select count(*) from leads",
        """
        select format('lead %s is %s with %s assignments', l.id, l.status, count(a.id))
        from leads l left join assignments a on a.lead_id = l.id
        group by l.id having (l.status in ('distributed', 'bad') and count(a.id) = 0 and l.distributed_at is not null)
            or (l.status not in ('distributed', 'bad') and count(a.id) > 0) or count(distinct a.journal_seq) > 1
        union all
        select format('assignment %s names journal entry %s, which is not its decision', a.id, a.journal_seq)
        from assignments a
        left join niche_journal j on j.niche_id = a.niche_id and j.seq = a.journal_seq and j.kind = 'decision'
             and j.payload ->> 'lead_id' = a.lead_id::text
        where j.seq is null
        """,
    ),
    Invariant(
        "every recipient in the journal is an assignment and an entry in the ledger, value by value",
        "select count(*) from niche_journal where kind = 'decision'",
        """
        select format('decision %s of niche %s, recipient %s', d.seq, d.niche_id, d.r ->> 'assignment_id')
        from (select j.niche_id, j.seq, level, r, j.payload ->> 'lead_id' as lead_id
              from niche_journal j, jsonb_array_elements(j.payload -> 'levels') as level,
                   jsonb_array_elements(level -> 'recipients') as r
              where j.kind = 'decision') d
        full join assignments a on a.id = (d.r ->> 'assignment_id')::uuid
        left join ledger_entries e on e.provider_id = a.provider_id and e.seq = a.ledger_seq
        where a.id is null or d.seq is null or e.seq is null
           or (d.niche_id, d.seq, d.lead_id, d.level ->> 'level_id', d.r ->> 'subscription_id',
               d.r ->> 'provider_id', (d.r ->> 'price_cents')::bigint, (d.r ->> 'served_seq')::bigint,
               (d.r ->> 'ledger_seq')::bigint, (d.r ->> 'balance_before_cents')::bigint)
              is distinct from
              (a.niche_id, a.journal_seq, a.lead_id::text, a.competition_level_id::text, a.subscription_id::text,
               a.provider_id::text, a.price_cents, a.served_seq, a.ledger_seq,
               e.balance_after_cents - e.amount_cents)
        """,
    ),
    Invariant(
        "served places are those of the last assignment",
        "select count(*) from subscriptions",
        """
        select format('subscription %s stands at %s, was last served at %s', s.id, s.served_seq, max(a.served_seq))
        from subscriptions s left join assignments a on a.subscription_id = s.id
        group by s.id having s.served_seq is distinct from max(a.served_seq)
        union all
        select format('niche %s counts %s, its last assignment %s', n.slug, n.last_served_seq, max(a.served_seq))
        from niches n left join assignments a on a.niche_id = n.id
        group by n.id having n.last_served_seq <> coalesce(max(a.served_seq), 0)
                          or count(a.id) <> coalesce(max(a.served_seq), 0)
        """,
    ),
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
        where case when n.kind in ('lead_assigned', 'refund_issued') then a.id is null
                   when n.kind in ('low_balance', 'operator_alert') then n.detail is null
                   when n.kind in ('user_invited', 'password_reset') then n.user_id is null
                   when n.kind = 'lead_confirmation' then n.lead_id is null
                   else s.id is null end
           or (n.kind = 'refund_issued' and not exists (
               select from ledger_entries e where e.assignment_id = n.assignment_id and e.kind = 'refund'))
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
        "an open dead letter is of work that nobody is at",
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
        is_of_money=True,
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
        is_of_money=True,
    ),
    Invariant(
        "journals are contiguous, chained, and end in their niche's head",
        "select count(*) from niche_journal",
        """
        select format('entry %s of niche %s', seq, niche_id)
        from (select niche_id, seq, prev_hash, lag(seq, 1, 0::bigint) over own as seq_before,
                     lag(hash, 1, decode(repeat('00', 32), 'hex')) over own as hash_before
              from niche_journal window own as (partition by niche_id order by seq)) entry
        where seq <> seq_before + 1 or prev_hash <> hash_before
        union all
        select format('niche %s heads at %s, its journal ends at %s', n.slug, n.journal_seq, j.seq)
        from niches n
        left join lateral
             (select seq, hash from niche_journal where niche_id = n.id order by seq desc limit 1) j on true
        where (n.journal_seq, n.journal_head)
              is distinct from (coalesce(j.seq, 0), coalesce(j.hash, decode(repeat('00', 32), 'hex')))
        """,
    ),
    Invariant(
        "active subscriptions belong to living levels",
        "select count(*) from subscriptions",
        """
        select format('subscription %s is alive in the deleted level %s', s.id, l.id)
        from subscriptions s join competition_levels l on l.id = s.competition_level_id
        where s.deleted_at is null and l.deleted_at is not null
        """,
    ),
    *INVARIANTS_BY_HAND,
    *INVARIANTS_OF_INTAKE,
)


MONEY_INVARIANTS: tuple[Invariant, ...] = tuple(each for each in INVARIANTS if each.is_of_money)


def check_invariant(conn: Connection, invariant: Invariant) -> tuple[int, list[str]]:
    """How many subjects the invariant was checked on, and the first violations in words."""
    checked, _, first = count_violations(conn, invariant)
    return checked, first


def count_violations(conn: Connection, invariant: Invariant) -> tuple[int, int, list[str]]:
    """How many subjects the invariant was checked on, how many violations there are, and the first of them in words."""
    population = conn.execute(invariant.population).fetchone()
    assert population is not None
    # Both parts are constants; each %s in the first is for its format(), not for the driver.
    violations = invariant.violations.replace("%", "%%")
    counted = f"select line, count(*) over () from ({violations}) as violation (line) limit %s"  # noqa: S608
    rows = conn.execute(counted, (DIFFERENCES_SHOWN,)).fetchall()
    return population[0], rows[0][1] if rows else 0, [row[0] for row in rows]


def undecided_leads(conn: Connection) -> list[str]:
    """Leads that nobody will decide: they await it without a job, or were given up without a dead letter.

    When the faults have stopped there must soon be none. Those of inactive niches are meant to wait.
    """
    rows = conn.execute(
        """
        select l.id::text from leads l join niches n on n.id = l.niche_id
        where l.awaits_decision and n.is_active and not exists (
            select from procrastinate_jobs j where j.task_name = 'distribute_lead'
            and j.args ->> 'lead_id' = l.id::text and j.status in ('todo', 'doing'))
        union all
        select l.id::text from leads l
        where l.status = 'approved' and not l.awaits_decision and l.last_outcome = 'failed'
          and not exists (select from dead_letters d where d.lead_id = l.id)
          and l.last_attempt_at > clock_timestamp() - interval '30 days' -- letters are not kept for longer
        """
    ).fetchall()
    return [row[0] for row in rows]
