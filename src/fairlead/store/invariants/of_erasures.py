"""Invariants of erasures: each is of a lead that says nothing more, is audited, and was told to who bought the lead."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_ERASURES: tuple[Invariant, ...] = (
    Invariant(
        "what a lead says was erased is on record, when, by whom and why, as the audit log has it",
        "select count(*) from erasures",
        """
        with said as materialized (
            select id as lead_id, 'lead' as scope, erased_at from leads where erased_at is not null
            union all
            select id, 'answers', answers_erased_at from leads where answers_erased_at is distinct from erased_at
            union all
            select id, 'contact', contact_erased_at from leads where contact_erased_at is distinct from erased_at
        )
        select format('lead %s: %s erased at %s, on record at %s', coalesce(s.lead_id, e.lead_id),
                      coalesce(s.scope, e.scope), s.erased_at, e.erased_at)
        from (select * from said where erased_at is not null) s
        full join erasures e on e.lead_id = s.lead_id and e.scope = s.scope
        where s.erased_at is distinct from e.erased_at
        union all
        select format('erasure of lead %s (%s) by %s, %s: %s at %s; audit entry %s says by %s, %s: %s at %s',
                      coalesce(e.lead_id::text, t.entity_id), coalesce(e.scope, t.new ->> 'scope'), e.erased_by,
                      e.origin, e.reason, e.erased_at, t.seq, t.actor, t.new ->> 'origin', t.new ->> 'reason',
                      t.created_at)
        from erasures e
        full join (select * from audit_log where action = 'lead.erased') t
             on t.entity_id = e.lead_id::text and t.new ->> 'scope' = e.scope
        where (e.erased_by, e.origin, e.reason, e.erased_at, e.status_before)
              is distinct from
              (t.actor, t.new ->> 'origin', t.new ->> 'reason', t.created_at, t.old ->> 'status')
        """,
    ),
    Invariant(
        "nothing that came with an erased lead is left beside it",
        "select count(*) from leads where contact_erased_at is not null",
        """
        select format('erased lead %s has %s', l.id, t.what)
        from leads l join (
            select lead_id, 'a consent' as what from lead_consents
            union all select lead_id, 'a fingerprint' from lead_fingerprints
            union all select lead_id, 'a link to confirm it' from confirmation_tokens
            union all select lead_id, 'a link of its consumer' from consumer_links
            union all select lead_id, 'words of a name' from lead_name_words) t on t.lead_id = l.id
        where l.contact_erased_at is not null
        union all
        select format('assignment %s of erased lead %s has notes', a.id, l.id)
        from leads l join assignments a on a.lead_id = l.id
        where l.erased_at is not null
          and (num_nonnulls(a.bad_lead_note, a.bad_lead_evidence) > 0
               or coalesce(a.rejection_reason, 'its personal data was erased') <> 'its personal data was erased')
        """,
    ),
    Invariant(
        "those who bought a lead that was erased by a person's wish are told to erase it, too",
        "select count(*) from erasures where scope = 'lead' and origin <> 'retention'",
        """
        select format('assignment %s of lead %s, which was erased', a.id, e.lead_id)
        from erasures e join assignments a on a.lead_id = e.lead_id
        where e.scope = 'lead' and e.origin <> 'retention' and not exists (
            select from notifications n where n.assignment_id = a.id and n.kind = 'lead_erased')
        """,
    ),
)
