"""The invariant of who may be together (R16): assignments, and what the journal said right before each decision."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_RECIPIENTS: tuple[Invariant, ...] = (
    Invariant(
        "no lead has more recipients than it may have, nor two of a conflict group",
        "select count(*) from assignments",
        """
        with state as materialized (
            select niche_id, kind, seq, payload,
                   lead(seq) over (partition by niche_id, kind,
                                   case kind when 'niche' then '' else payload ->> (kind || '_id') end order by seq)
                   as until_seq
            from niche_journal where kind in ('niche', 'level', 'provider')
        ), limited as materialized (
            select niche_id, kind, seq, until_seq, payload ->> 'level_id' as level_id,
                   payload ->> 'provider_id' as provider_id, payload ->> 'conflict_group_id' as group_id,
                   (payload ->> 'max_recipients_per_lead')::bigint as most
            from state where payload ?| array['max_recipients_per_lead', 'is_exclusive', 'conflict_group_id']
        ), sold as materialized (
            select lead_id, niche_id, journal_seq, count(*) as times from assignments group by 1, 2, 3
        )
        select format('lead %s has %s recipients, its niche allowed %s', s.lead_id, s.times, n.most)
        from sold s join limited n on n.niche_id = s.niche_id and n.kind = 'niche'
             and n.seq < s.journal_seq and (n.until_seq is null or n.until_seq > s.journal_seq)
        where s.times > n.most
        union all
        select format('lead %s was sold exclusively, and has %s recipients', s.lead_id, s.times)
        from assignments a
        join limited l on l.niche_id = a.niche_id and l.kind = 'level' and l.level_id = a.competition_level_id::text
             and l.seq < a.journal_seq and (l.until_seq is null or l.until_seq > a.journal_seq)
        join sold s on s.lead_id = a.lead_id and s.niche_id = a.niche_id and s.journal_seq = a.journal_seq
        where s.times > 1
        union all
        select format('lead %s has %s recipients of the conflict group %s', a.lead_id, count(*), p.group_id)
        from assignments a
        join limited p on p.niche_id = a.niche_id and p.kind = 'provider' and p.provider_id = a.provider_id::text
             and p.seq < a.journal_seq and (p.until_seq is null or p.until_seq > a.journal_seq)
        group by a.lead_id, p.group_id having count(*) > 1
        """,
    ),
)
