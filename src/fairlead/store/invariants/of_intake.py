"""Invariants of leads that came in from outside."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_INTAKE: tuple[Invariant, ...] = (
    Invariant(
        "a public lead goes on exactly when its consumer confirmed it, and has a consent until it is erased",
        "select count(*) from lead_intakes where via = 'public'",
        """
        select format('public lead %s is %s, confirmed %s', l.id, l.status, coalesce(i.confirmed_at::text, 'never'))
        from lead_intakes i join leads l on l.id = i.lead_id
        where i.via = 'public' and l.status <> 'rejected'
          and (l.status = 'pending_confirmation') <> (i.confirmed_at is null)
        union all
        select format('public lead %s has no consent', l.id) from lead_intakes i join leads l on l.id = i.lead_id
        where i.via = 'public' and l.contact_erased_at is null
          and not exists (select from lead_consents c where c.lead_id = l.id)
        """,
    ),
    Invariant(
        "a lead that waits to be confirmed was asked about, and its message has a link",
        "select count(*) from lead_intakes i join leads l on l.id = i.lead_id where l.status = 'pending_confirmation'",
        """
        select format('lead %s: its consumer was not asked', l.id)
        from leads l join lead_intakes i on i.lead_id = l.id
        where l.status = 'pending_confirmation' and not exists (
            select from notifications n where n.lead_id = l.id and n.kind = 'lead_confirmation')
        union all
        select format('lead %s: message %s was sent without a link', l.id, n.id)
        from leads l join notifications n on n.lead_id = l.id and n.kind = 'lead_confirmation'
        where l.status = 'pending_confirmation' and n.state = 'sent'
          and not exists (select from confirmation_tokens t where t.lead_id = l.id)
        """,
    ),
    Invariant(
        "those who bought a lead that its consumer withdrew are told of it",
        "select count(*) from leads where withdrawn_at is not null",
        """
        select format('assignment %s of lead %s, which was withdrawn', a.id, l.id)
        from leads l join assignments a on a.lead_id = l.id
        where l.withdrawn_at is not null and not exists (
            select from notifications n where n.assignment_id = a.id and n.kind = 'lead_withdrawn')
        """,
    ),
    Invariant(
        "only a lead that its consumer stands behind has fingerprints, and they are of its niche and time",
        "select count(*) from lead_fingerprints",
        """
        select format('fingerprint of lead %s, which is %s', l.id, l.status)
        from lead_fingerprints f join leads l on l.id = f.lead_id
        where l.status = 'pending_confirmation' or f.niche_id <> l.niche_id or f.created_at <> l.created_at
        """,
    ),
    Invariant(
        "every lead from outside came in as the audit log says: by whom, which way, when, and what it repeats",
        "select count(*) from lead_intakes",
        """
        with told as materialized (
            select entity_id, seq, actor, new, created_at from audit_log where action = 'lead.taken_in'
        ), repeated as materialized (
            select entity_id, new ->> 'duplicate_of' as duplicate_of
            from audit_log where action in ('lead.taken_in', 'lead.confirmed') and new ? 'duplicate_of'
        )
        select format('lead %s came in by %s of %s at %s, audit entry %s says by %s of %s at %s',
                      coalesce(i.lead_id::text, t.entity_id), i.via, i.sender, i.taken_in_at, t.seq, t.new ->> 'via',
                      t.actor, t.created_at)
        from lead_intakes i full join told t on t.entity_id = i.lead_id::text
        where (i.via, i.sender, i.taken_in_at) is distinct from (t.new ->> 'via', t.actor, t.created_at)
        union all
        select format('lead %s repeats %s, the audit log says %s', coalesce(i.lead_id::text, r.entity_id),
                      i.duplicate_of, r.duplicate_of)
        from (select * from lead_intakes where duplicate_of is not null) i
        full join repeated r on r.entity_id = i.lead_id::text
        where i.duplicate_of::text is distinct from r.duplicate_of
        """,
    ),
)
