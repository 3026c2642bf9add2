-- Changing a marketplace while it runs: every form that a niche ever had, notes on providers, and finding the past
-- states of one subscription.

create table form_schema_versions (
    niche_id    uuid not null references niches,
    version     integer not null check (version >= 1),
    form_schema jsonb not null,
    created_at  timestamptz not null,
    created_by  text not null,
    memo        text check (length(memo) between 1 and 500),
    primary key (niche_id, version)
);
comment on table form_schema_versions is 'Append-only; the highest version of a niche is its form.';

insert into form_schema_versions (niche_id, version, form_schema, created_at, created_by)
select id, 1, form_schema, created_at, 'fairlead' from niches;

create trigger form_schema_versions_are_append_only before update or delete or truncate on form_schema_versions
    for each statement execute function refuse_change();

create table provider_notes (
    id          uuid primary key,
    provider_id uuid not null references providers,
    author      text not null,
    -- The operators' words; may be personal, and is nowhere else.
    note        text not null check (length(note) between 1 and 4000),
    created_at  timestamptz not null
);
create index provider_notes_of_provider on provider_notes (provider_id, id);
comment on table provider_notes is 'Append-only; what operators write down about a provider, which never sees it.';

create trigger provider_notes_are_append_only before update or delete or truncate on provider_notes
    for each statement execute function refuse_change();

create index niche_journal_states_of_subscription on niche_journal ((payload ->> 'subscription_id'), seq)
    where kind = 'subscription';
create index audit_log_of_entity on audit_log (entity, entity_id, seq);
