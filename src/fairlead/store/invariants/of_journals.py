"""Invariants of the niche journals and the configuration that they record."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_JOURNALS: tuple[Invariant, ...] = (
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
        left join (select niche_id, max(seq) as seq from niche_journal group by 1) last on last.niche_id = n.id
        left join niche_journal j on j.niche_id = n.id and j.seq = last.seq
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
)
