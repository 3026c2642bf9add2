"""Invariants of references that no foreign key checks (ADR 18): what a row names is there, and is what it says it is.

Distribution holds the locks of what it names, and rows of these tables are never deleted; so what is found here was
changed behind Fairlead's back, or is a mistake in a writer.
"""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_REFERENCES: tuple[Invariant, ...] = (
    Invariant(
        "every assignment names a lead, a provider and a subscription that are there and belong together",
        "select count(*) from assignments",
        """
        select format('assignment %s of niche %s names lead %s (%s), provider %s (%s), subscription %s (of provider %s '
                      'at level %s of niche %s) and level %s', a.id, a.niche_id, a.lead_id,
                      coalesce('of niche ' || l.niche_id, 'gone'), a.provider_id,
                      case when p.id is null then 'gone' else 'there' end, a.subscription_id, s.provider_id,
                      s.competition_level_id, s.niche_id, a.competition_level_id)
        from assignments a
        left join leads l on l.id = a.lead_id
        left join providers p on p.id = a.provider_id
        left join subscriptions s on s.id = a.subscription_id
        where p.id is null or l.niche_id is distinct from a.niche_id
           or (s.provider_id, s.competition_level_id, s.niche_id)
              is distinct from (a.provider_id, a.competition_level_id, a.niche_id)
        """,
    ),
    Invariant(
        "every ledger is a provider's",
        "select count(*) from ledger_entries",
        """
        with ledger as materialized (select provider_id, count(*) as entries from ledger_entries group by 1)
        select format('%s ledger entries are of provider %s, which is gone', ledger.entries, ledger.provider_id)
        from ledger left join providers p on p.id = ledger.provider_id where p.id is null
        """,
    ),
    Invariant(
        "every ledger entry names an assignment that is there",
        "select count(*) from ledger_entries where assignment_id is not null",
        """
        select format('ledger entry %s of provider %s names assignment %s, which is gone', e.seq, e.provider_id,
                      e.assignment_id)
        from ledger_entries e left join assignments a on a.id = e.assignment_id
        where e.assignment_id is not null and a.id is null
        """,
    ),
    Invariant(
        "every journal is a niche's",
        "select count(*) from niche_journal",
        """
        with journal as materialized (select niche_id, count(*) as entries from niche_journal group by 1)
        select format('%s journal entries are of niche %s, which is gone', journal.entries, journal.niche_id)
        from journal left join niches n on n.id = journal.niche_id where n.id is null
        """,
    ),
    Invariant(
        "every notification names a provider and an assignment that are there",
        "select count(*) from notifications where num_nonnulls(provider_id, assignment_id) > 0",
        """
        select format('notification %s names provider %s (%s) and assignment %s (%s)', n.id, n.provider_id,
                      case when p.id is null then 'gone' else 'there' end, n.assignment_id,
                      case when a.id is null then 'gone' else 'there' end)
        from notifications n
        left join providers p on p.id = n.provider_id
        left join assignments a on a.id = n.assignment_id
        where (n.provider_id is not null and p.id is null) or (n.assignment_id is not null and a.id is null)
        """,
    ),
)
