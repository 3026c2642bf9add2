"""Invariants of decisions and what they wrote: assignments, the entries that paid for them, served places."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_DECISIONS: tuple[Invariant, ...] = (
    Invariant(
        "a lead reaches a provider once, and a level no more than its max_recipients",
        "select count(*) from assignments",
        """
        with sold as materialized (
            select lead_id, competition_level_id, niche_id, journal_seq, count(*) as times
            from assignments group by 1, 2, 3, 4
        ), offered as materialized (
            select j.niche_id, j.seq, level ->> 'level_id' as level_id, level -> 'max_recipients' as max_recipients
            from niche_journal j, jsonb_path_query(j.payload, 'lax $.levels[*]') as level where j.kind = 'decision'
        )
        select format('lead %s reached provider %s %s times', lead_id, provider_id, count(*))
        from assignments group by lead_id, provider_id having count(*) > 1
        union all
        select format('lead %s reached %s at level %s, which takes %s', s.lead_id, s.times, s.competition_level_id,
                      o.max_recipients)
        from sold s join offered o on o.niche_id = s.niche_id and o.seq = s.journal_seq
             and o.level_id = s.competition_level_id::text
        where to_jsonb(s.times) > o.max_recipients
        """,
    ),
    Invariant(
        "a lead is distributed exactly when it has assignments, all of one decision of it, and names their providers",
        "select count(*) from leads",
        """
        with sold as materialized (
            select lead_id, niche_id, journal_seq, count(*) as times from assignments group by 1, 2, 3
        ), of_lead as materialized (
            select lead_id, count(*) as decisions, sum(times) as times from sold group by 1
        )
        select format('lead %s is %s with %s assignments', l.id, l.status, coalesce(s.times, 0))
        from leads l left join of_lead s on s.lead_id = l.id
        where (l.status in ('distributed', 'bad') and s.times is null and l.distributed_at is not null)
           or (l.status not in ('distributed', 'bad') and s.times is not null) or s.decisions > 1
        union all
        select format('lead %s names %s providers and is assigned to %s, or to others', l.id,
                      cardinality(l.recipient_ids), coalesce(cardinality(a.provider_ids), 0))
        from leads l
        left join (select lead_id, array_agg(provider_id order by provider_id) as provider_ids
                   from assignments group by 1) a on a.lead_id = l.id
        where l.recipient_ids is distinct from coalesce(a.provider_ids, '{}')
        union all
        select format('the assignments of lead %s name journal entry %s of niche %s, which is not its decision',
                      s.lead_id, s.journal_seq, s.niche_id)
        from sold s
        left join niche_journal j on j.niche_id = s.niche_id and j.seq = s.journal_seq and j.kind = 'decision'
             and j.payload ->> 'lead_id' = s.lead_id::text
        where j.seq is null
        """,
    ),
    Invariant(
        "every recipient in the journal is an assignment and an entry in the ledger, value by value",
        "select count(*) from niche_journal where kind = 'decision'",
        """
        with recipient as materialized (
            select j.niche_id, j.seq, j.recorded_at, j.payload ->> 'lead_id' as lead_id,
                   level ->> 'level_id' as level_id, level #>> '{price_rule,name}' as price_rule, r
            from niche_journal j, jsonb_path_query(j.payload, 'lax $.levels[*]') as level,
                 jsonb_path_query(level, 'lax $.recipients[*]') as r
            where j.kind = 'decision'
        )
        select format('decision %s of niche %s, recipient %s', d.seq, d.niche_id,
                      coalesce(d.r ->> 'assignment_id', a.id::text))
        from recipient d
        full join assignments a on a.id::text = d.r ->> 'assignment_id'
        left join ledger_entries e on e.provider_id = a.provider_id and e.seq = a.ledger_seq
        where a.id is null or d.seq is null or e.seq is null
           or (d.niche_id, d.seq, d.lead_id, d.level_id, d.r ->> 'subscription_id', d.r ->> 'provider_id',
               d.r ->> 'price_cents', d.r ->> 'served_seq', d.r ->> 'ledger_seq', d.r ->> 'balance_before_cents',
               d.price_rule)
              is distinct from
              (a.niche_id, a.journal_seq, a.lead_id::text, a.competition_level_id::text, a.subscription_id::text,
               a.provider_id::text, a.price_cents::text, a.served_seq::text, a.ledger_seq::text,
               (e.balance_after_cents - e.amount_cents)::text, a.price_rule)
           or (a.assigned_at, e.created_at, e.actor, e.memo)
              is distinct from (d.recorded_at, d.recorded_at, 'fairlead', null)
        """,
    ),
    Invariant(
        "each price that was asked is that of its level then, or of the rule that it names, and so is what was paid",
        "select count(*) from niche_journal where kind = 'decision'",
        """
        with configured as materialized (
            select niche_id, payload ->> 'level_id' as level_id, seq, payload,
                   lead(seq) over (partition by niche_id, payload ->> 'level_id' order by seq) as next_seq
            from niche_journal where kind = 'level'
        ), asked as materialized (
            select j.niche_id, j.seq, j.recorded_at, j.payload ->> 'lead_id' as lead_id,
                   j.payload ->> 'lead_created_at' as lead_created_at, level
            from niche_journal j, jsonb_path_query(j.payload, 'lax $.levels[*]') as level where j.kind = 'decision'
        )
        select format('decision %s of niche %s asks %s at level %s by %s, the level says %s', a.seq, a.niche_id,
                      a.level -> 'price_cents', a.level ->> 'level_id',
                      coalesce((a.level -> 'price_rule')::text, 'no rule'),
                      coalesce(c.payload -> 'price_rules', c.payload -> 'price_cents'))
        from asked a
        left join configured c on c.niche_id = a.niche_id and c.level_id = a.level ->> 'level_id' and c.seq < a.seq
             and (c.next_seq is null or c.next_seq > a.seq)
        where a.level -> 'price_cents' is distinct from case
                when not a.level ? 'price_rule' then c.payload -> 'price_cents'
                else (c.payload #> array['price_rules', 'rules', ((a.level #>> '{price_rule,number}')::int - 1)::text])
                     -> 'price_cents' end
           or a.level #> '{price_rule,name}' is distinct from case when a.level ? 'price_rule'
                then (c.payload #> array['price_rules', 'rules', ((a.level #>> '{price_rule,number}')::int - 1)::text])
                     -> 'name' end
           or jsonb_path_exists(a.level, '$.recipients[*] ? (@.price_cents != $price)',
                                jsonb_build_object('price', a.level -> 'price_cents'))
        union all
        select format('decision %s of niche %s takes lead %s to be from %s, which came in at %s', a.seq, a.niche_id,
                      a.lead_id, a.lead_created_at, l.created_at)
        from asked a left join leads l on l.id::text = a.lead_id
        where a.lead_created_at::timestamptz <> l.created_at
        """,
    ),
    Invariant(
        "served places are those of the last assignment whose turn was not given back",
        "select count(*) from subscriptions",
        """
        with served as materialized (
            select subscription_id, max(served_seq) as served_seq, max(assigned_at) as assigned_at
            from assignments where not turn_returned group by 1
        ), of_niche as materialized (
            select niche_id, max(served_seq) as served_seq, count(*) as times from assignments group by 1
        )
        select format('subscription %s stands at %s (%s), was last served at %s (%s)', s.id, s.served_seq,
                      s.last_received_at, a.served_seq, a.assigned_at)
        from subscriptions s left join served a on a.subscription_id = s.id
        where s.served_seq is distinct from a.served_seq
        union all
        select format('niche %s counts %s, its last assignment %s', n.slug, n.last_served_seq, a.served_seq)
        from niches n left join of_niche a on a.niche_id = n.id
        where n.last_served_seq <> coalesce(a.served_seq, 0) or coalesce(a.times, 0) <> coalesce(a.served_seq, 0)
        """,
    ),
    Invariant(
        "a subscription last received a lead when its last assignment was made",
        "select count(*) from subscriptions where last_received_at is not null",
        """
        select format('subscription %s last received a lead at %s, its assignment %s was made at %s', s.id,
                      s.last_received_at, a.id, a.assigned_at)
        from subscriptions s
        left join assignments a on a.niche_id = s.niche_id and a.served_seq = s.served_seq
        where s.last_received_at is distinct from a.assigned_at
        """,
    ),
    # The order of a provider's ledger is that of its purchases and refunds, whichever niche they are of.
    Invariant(
        "each refund gave back what its entry in the journal says, and each turn is the one before it",
        "select count(*) from niche_journal where kind = 'return'",
        """
        with told as materialized (
            select j.niche_id, j.seq, j.recorded_at, j.payload, (j.payload ->> 'assignment_id')::uuid as assignment_id
            from niche_journal j where j.kind = 'return'
        ), of_own_niche as materialized (
            select t.niche_id, t.seq, a.id, a.provider_id, a.subscription_id, e.seq as refund_seq, t.payload,
                   t.recorded_at = a.refunded_at and e.created_at = a.refunded_at as is_timely
            from told t join assignments a on a.id = t.assignment_id and a.niche_id = t.niche_id
            left join ledger_entries e on e.assignment_id = a.id and e.kind = 'refund'
        ), turn_before as materialized (
            -- Of one subscription, what was sold later was served later.
            select o.niche_id, o.seq, max(a.served_seq) as served_seq
            from of_own_niche o
            join assignments a on a.subscription_id = o.subscription_id and a.provider_id = o.provider_id
            where o.payload ? 'turn' and a.ledger_seq < o.refund_seq
              and not (a.turn_returned and a.return_seq <= o.seq)
            group by o.niche_id, o.seq
        )
        select format('assignment %s was refunded with entry %s (turn %s, limits %s), entry %s of niche %s says %s',
                      a.id, a.return_seq, a.turn_returned, a.left_limits, o.seq, o.niche_id, o.payload)
        from (select * from assignments where return_seq is not null) a full join of_own_niche o on o.id = a.id
        where (a.return_seq, a.turn_returned, a.left_limits, true, a.provider_id::text)
              is distinct from (o.seq, o.payload ? 'turn', o.payload ? 'opened', o.is_timely,
                                o.payload ->> 'provider_id')
           or (o.payload ? 'turn' and o.payload #>> '{turn,subscription_id}' <> a.subscription_id::text)
        union all
        select format('entry %s of niche %s puts subscription %s at %s, its last turn then was %s', o.seq, o.niche_id,
                      o.subscription_id, o.payload #>> '{turn,served_seq}', before.served_seq)
        from of_own_niche o left join turn_before before on before.niche_id = o.niche_id and before.seq = o.seq
        where o.payload ? 'turn' and before.served_seq::text is distinct from o.payload #>> '{turn,served_seq}'
        union all
        select format('entry %s of niche %s opens what a refund of assignment %s left, which left no limit', t.seq,
                      t.niche_id, t.assignment_id)
        from told t left join assignments a on a.id = t.assignment_id
        where a.niche_id is distinct from t.niche_id
          and (a.id is null or not a.left_limits or t.payload ? 'turn'
               or (a.provider_id::text, a.refunded_at) is distinct from (t.payload ->> 'provider_id', t.recorded_at))
        """,
    ),
    Invariant(
        "a lead is as its last decision left it",
        "select count(*) from leads where last_outcome is not null",
        """
        with ranked as materialized (
            select payload ->> 'lead_id' as lead_id, niche_id, seq, recorded_at, payload ->> 'outcome' as outcome,
                   payload ->> 'attempt' as attempt,
                   lead(seq) over (partition by payload ->> 'lead_id' order by seq) is null as is_last
            from niche_journal where kind = 'decision'
        )
        select format('lead %s of niche %s: %s at %s (%s), attempt %s; its last decision, entry %s of niche %s: %s '
                      'at %s, attempt %s', l.id, l.niche_id, coalesce(l.last_outcome, 'never decided'),
                      l.last_attempt_at, l.status, l.distribution_attempts, d.seq, d.niche_id, d.outcome,
                      d.recorded_at, d.attempt)
        from leads l left join ranked d on d.lead_id = l.id::text and d.is_last
        where case
            when d.seq is null then l.distributed_at is not null or l.status = 'distributed'
                 or coalesce(l.last_outcome, 'failed') <> 'failed'
            when l.niche_id <> d.niche_id then true
            when d.outcome in ('success', 'partial') then
                 (l.last_outcome, l.last_attempt_at, l.distributed_at, l.distribution_attempts::text)
                 is distinct from (d.outcome, d.recorded_at, d.recorded_at, d.attempt)
                 or l.status not in ('distributed', 'bad')
            else l.distributed_at is not null or l.status = 'distributed'
                 or (l.last_outcome = 'no_eligible' and (l.last_attempt_at, l.distribution_attempts::text)
                     is distinct from (d.recorded_at, d.attempt))
                 or l.last_outcome is null or l.last_outcome not in ('no_eligible', 'failed')
            end
        """,
    ),
)
