"""Invariants of leads: where they came from, who approved or rejected them, and that those who wait still do."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_LEADS: tuple[Invariant, ...] = (
    Invariant(
        "every lead came in as the audit log says, and every lead that came in is there",
        "select count(*) from leads",
        """
        with told as materialized (
            select entity_id, seq, new ->> 'niche_id' as niche_id, created_at
            from audit_log where action in ('lead.created', 'lead.taken_in')
        ), many as materialized (
            select entity_id as niche_id, created_at, sum((new ->> 'count')::numeric) as count
            from audit_log where action in ('leads.imported', 'leads.submitted') and new ->> 'count' ~ '^[0-9]+$'
            group by 1, 2
        ), other as materialized (
            select l.niche_id::text as niche_id, l.created_at, count(*) as count, min(l.id::text) as one
            from leads l left join told t on t.entity_id = l.id::text where t.seq is null group by 1, 2
        )
        select format('lead %s of niche %s came in at %s, audit entry %s says in niche %s at %s',
                      t.entity_id, coalesce(l.niche_id::text, 'none'), l.created_at, t.seq, t.niche_id, t.created_at)
        from told t left join leads l on l.id::text = t.entity_id
        where (l.niche_id::text, l.created_at) is distinct from (t.niche_id, t.created_at)
        union all
        select format('niche %s: %s leads came in at %s (one is %s), the audit log says %s',
                      coalesce(o.niche_id, m.niche_id), coalesce(o.count, 0), coalesce(o.created_at, m.created_at),
                      o.one, coalesce(m.count, 0))
        from other o full join many m on m.niche_id = o.niche_id and m.created_at = o.created_at
        where coalesce(o.count, 0) <> coalesce(m.count, 0)
        """,
    ),
    Invariant(
        "every approval is in the audit log, with who approved it and when",
        "select count(*) from leads where approved_at is not null",
        """
        with told as materialized (
            select distinct on (entity_id) entity_id, seq, actor, created_at
            from audit_log
            where action = 'lead.approved'
               or (action in ('lead.created', 'lead.taken_in') and new ->> 'status' = 'approved')
            order by entity_id, seq desc
        ), many as materialized (
            select distinct entity_id as niche_id, created_at, actor
            from audit_log where action in ('leads.imported', 'leads.submitted') and new -> 'approved' = 'true'
        )
        select format('lead %s was approved by %s at %s, the audit log says by %s at %s', l.id,
                      coalesce(l.approved_by, 'none'), l.approved_at, coalesce(t.actor, 'none'), t.created_at)
        from leads l
        left join told t on t.entity_id = l.id::text
        left join many m on m.niche_id = l.niche_id::text and m.created_at = l.created_at and m.actor = l.approved_by
        where (l.approved_by, l.approved_at) is distinct from
              (case when t.seq is null then m.actor else t.actor end, coalesce(t.created_at, m.created_at))
        """,
    ),
    Invariant(
        "every lead is rejected, confirmed, withdrawn or marked as bad exactly when the audit log says so",
        "select count(*) from leads where status in ('rejected', 'bad')",
        """
        with told as materialized (
            select distinct on (entity_id, action) entity_id, action, seq, actor, created_at
            from audit_log where action in ('lead.rejected', 'lead.confirmed', 'lead.marked_bad', 'lead.withdrawn')
            order by entity_id, action, seq desc
        ), stored as materialized (
            select id::text as id, 'lead.rejected' as action, rejected_at as at, rejected_by as actor
            from leads where status = 'rejected' or rejected_at is not null
            union all
            select id::text, 'lead.marked_bad', null, null from leads where status = 'bad'
            union all
            select id::text, 'lead.withdrawn', withdrawn_at, null from leads where withdrawn_at is not null
            union all
            select lead_id::text, 'lead.confirmed', confirmed_at, null from lead_intakes where confirmed_at is not null
        )
        select format('lead %s: %s at %s by %s, audit entry %s says at %s by %s', coalesce(s.id, t.entity_id),
                      coalesce(s.action, t.action), s.at, s.actor, t.seq, t.created_at, t.actor)
        from stored s full join told t on t.entity_id = s.id and t.action = s.action
        where s.id is null or t.seq is null
           or (t.action <> 'lead.marked_bad' and s.at is distinct from t.created_at)
           or (t.action = 'lead.rejected' and s.actor is distinct from t.actor)
        union all
        select format('lead %s was rejected at %s and is %s', id, rejected_at, status)
        from leads where (status = 'rejected') <> (rejected_at is not null)
        """,
    ),
    Invariant(
        "an approved lead waits until each request for a decision was answered",
        "select count(*) from leads where status = 'approved'",
        """
        with manual as materialized (
            select entity_id as niche_id from audit_log
            where action in ('niche.created', 'niche.policy_changed')
              and (old -> 'auto_distribute' = 'false' or coalesce(new -> 'auto_distribute', 'false') = 'false')
            group by 1
        ), asked as materialized (
            select entity_id as lead_id, count(*) as times
            from audit_log
            where action in ('distribution.triggered', 'distribution.reoffered', 'distribution.reopened') group by 1
        ), answered as materialized (
            select lead_id, count(*) as times
            from (select payload ->> 'lead_id' as lead_id from niche_journal where kind = 'decision'
                  union all
                  select new ->> 'lead_id' from audit_log where action = 'dead_letter.opened') answer
            group by 1
        )
        select format('lead %s waits for no decision, although %s were asked for and %s made', l.id,
                      coalesce(asked.times, 0) + (m.niche_id is null)::integer, coalesce(answered.times, 0))
        from leads l
        left join manual m on m.niche_id = l.niche_id::text
        left join asked on asked.lead_id = l.id::text
        left join answered on answered.lead_id = l.id::text
        where l.status = 'approved' and not l.awaits_decision
          and coalesce(asked.times, 0) + (m.niche_id is null)::integer > coalesce(answered.times, 0)
        """,
    ),
    Invariant(
        "only a lead that says who asks is found by a name, and its words are as old as it is",
        "select count(*) from lead_name_words",
        """
        select format('lead %s of %s is found by a name of %s, %s', l.id, l.created_at, w.created_at,
                      case when l.contact_name is null then 'and has none' else 'another time' end)
        from lead_name_words w join leads l on l.id = w.lead_id
        where l.contact_name is null or w.created_at <> l.created_at
        """,
    ),
)
