-- What can change who gets a lead, and every decision: in one total order in each niche.
--
-- An entry is written under its niche's row lock, so the niche is there; an invariant finds an entry without one.

create table niche_journal (
    niche_id    uuid not null,
    seq         bigint not null check (seq >= 1),
    kind        text not null check (kind in ('niche', 'level', 'provider', 'subscription', 'decision', 'return')),
    payload     jsonb not null check (jsonb_typeof(payload) = 'object'),
    recorded_at timestamptz not null,
    prev_hash   bytea not null check (octet_length(prev_hash) = 32),
    hash        bytea not null check (octet_length(hash) = 32),
    -- niche_journal_pkey: one entry for each number of a niche; a roster's catching up, and the feed.
    primary key (niche_id, seq)
);
comment on table niche_journal is
    'Append-only: everything that can change who gets a lead in a niche, in one total order.';
-- niche_journal_decisions_of_lead: why a lead went to whom.
create index niche_journal_decisions_of_lead on niche_journal ((payload ->> 'lead_id'), seq) where kind = 'decision';
-- niche_journal_returns_of_assignment: what a refund gave back.
create index niche_journal_returns_of_assignment on niche_journal ((payload ->> 'assignment_id'), seq)
    where kind = 'return';
-- niche_journal_states_of_subscription: the past of one subscription.
create index niche_journal_states_of_subscription on niche_journal ((payload ->> 'subscription_id'), seq)
    where kind = 'subscription';
-- niche_journal_statuses_of_provider: the past of one provider in one niche.
create index niche_journal_statuses_of_provider on niche_journal ((payload ->> 'provider_id'), niche_id, seq)
    where kind = 'provider';
-- niche_journal_by_age: the audit log's pages of one kind of entry, of all niches.
create index niche_journal_by_age on niche_journal (kind, recorded_at, niche_id, seq);
-- niche_journal_of_niche_by_age: reports of a niche, and the audit log's pages of it.
create index niche_journal_of_niche_by_age on niche_journal (niche_id, kind, recorded_at, seq);
create trigger niche_journal_is_append_only before update or delete or truncate on niche_journal
    for each statement execute function refuse_change();

-- Derived from the journal, and may be deleted at any time: what a fold up to `seq` gives, so that no later fold begins at
-- entry 1. `journal_hash` is the entry's, `digest` the SHA-256 of `state`; `fairlead verify` compares it with the fold.
create table roster_snapshots (
    niche_id     uuid not null references niches,
    seq          bigint not null check (seq >= 1),
    journal_hash bytea not null check (octet_length(journal_hash) = 32),
    digest       bytea not null check (octet_length(digest) = 32),
    state        bytea not null,
    primary key (niche_id, seq)
);
comment on table roster_snapshots is
    'Derived: how a niche stood at an entry of its journal. Deleting rows loses nothing but time.';
