-- Providers, what operators write down about them, and what they subscribe to.

create table conflict_groups (
    id         uuid primary key,
    name       text not null check (length(name) between 1 and 200),
    created_at timestamptz not null,
    constraint conflict_groups_name_is_unique unique (name)
);
comment on table conflict_groups is 'Providers of one owner, of which at most one receives a lead (R16).';
create trigger conflict_groups_keep_their_ids before update of id on conflict_groups
    for each statement execute function keep_rows();

create table postcode_tables (
    name           text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,49}$'),
    version        integer not null check (version >= 1),
    -- A line for each postcode, in order: it, its latitude, its longitude, with commas between.
    content        text not null check (octet_length(content) between 1 and 8388608),
    content_sha256 bytea not null check (octet_length(content_sha256) = 32),
    postcode_count integer not null check (postcode_count between 1 and 100000),
    created_at     timestamptz not null,
    primary key (name, version)
);
comment on table postcode_tables is 'Postcodes with their places. A filter by distance is written down with what one came to.';
create trigger postcode_tables_are_append_only before update or delete or truncate on postcode_tables
    for each statement execute function refuse_change();

create table providers (
    id        uuid primary key,
    name      text not null check (length(name) between 1 and 200),
    email     text not null check (length(email) between 3 and 320),
    -- What an address is compared by, whichever way it was written: core/entry/mailbox.py.
    email_key text not null check (length(email_key) between 1 and 400),
    status    text not null default 'active' check (status in ('pending', 'active', 'suspended')),
    balance_cents      bigint not null default 0,
    credit_limit_cents bigint not null default 0 check (credit_limit_cents >= 0),
    ledger_seq         bigint not null default 0 check (ledger_seq >= 0),
    low_balance_threshold_cents bigint check (low_balance_threshold_cents >= 0),
    low_balance_alerted_at      timestamptz,
    -- It is told when the money lasts for fewer days than that at the present pace (core/money/spending_pace.py); null: it is not.
    low_balance_days            integer check (low_balance_days between 1 and 365),
    low_balance_days_alerted_at timestamptz,
    -- The threshold of its auto top-up while that is on (auto_top_ups), beside the balance that is compared with it.
    top_up_below_cents          bigint check (top_up_below_cents >= 1),
    timezone                 text not null default 'UTC',
    -- In which it is written to; null: it did not say, and English it is.
    language                 text check (language ~ '^[a-z]{2}$'),
    -- Over all its subscriptions, in every niche; null: none. The forms are in docs/reference/limits-and-schedules.md.
    limits   jsonb check (jsonb_typeof(limits) = 'object'),
    schedule jsonb check (jsonb_typeof(schedule) = 'object'),
    -- What was used of the windows of limits. Derived: null is counted anew from the ledger (core/calendar/stored_counters.py).
    limits_used text,
    notification_preferences jsonb not null default '{}',
    conflict_group_id uuid references conflict_groups,
    created_at timestamptz not null,
    constraint providers_balance_is_above_its_floor check (balance_cents >= -credit_limit_cents)
) with (fillfactor = 70);
create unique index providers_email_is_unique on providers (lower(email));
create unique index providers_mailbox_is_unique on providers (email_key);
-- providers_of_conflict_group: the members of one.
create index providers_of_conflict_group on providers (conflict_group_id, id) where conflict_group_id is not null;
-- providers_told_in_days: of whom the money that is left is counted in days, every five minutes.
create index providers_told_in_days on providers (id)
    where low_balance_days is not null or low_balance_days_alerted_at is not null;
-- providers_pending: who waits to be approved, the first first.
create index providers_pending on providers (created_at, id) where status = 'pending';

create trigger providers_are_kept before delete or truncate on providers for each statement execute function keep_rows();
create trigger providers_keep_their_ids before update of id on providers for each statement execute function keep_rows();

create table provider_notes (
    id          uuid primary key,
    provider_id uuid not null references providers,
    author      text not null,
    -- The operators' words; may be personal, and is nowhere else.
    note        text not null check (length(note) between 1 and 4000),
    created_at  timestamptz not null
);
comment on table provider_notes is 'Append-only; what operators write down about a provider, which never sees it.';
create index provider_notes_of_provider on provider_notes (provider_id, id);
create trigger provider_notes_are_append_only before update or delete or truncate on provider_notes
    for each statement execute function refuse_change();

create table subscriptions (
    id                   uuid primary key,
    provider_id          uuid not null references providers,
    competition_level_id uuid not null,
    niche_id             uuid not null,
    is_active            boolean not null,
    deactivation_reason  text check (deactivation_reason in ('paused', 'insufficient_funds')),
    filter_rules         jsonb not null default '{"version": 1, "rules": []}',
    filter_is_valid      boolean not null default true,
    -- Its own; null: none. With a schedule of its own it does not go by its provider's.
    limits               jsonb check (jsonb_typeof(limits) = 'object'),
    schedule             jsonb check (jsonb_typeof(schedule) = 'object'),
    -- The most that its provider pays for a lead; null: whatever the level asks.
    max_price_cents      bigint check (max_price_cents between 1 and 1000000000000),
    -- R15: what it weighs where its level is weighted, as operators say, and the sum of the strides that it was charged.
    weight               integer not null default 1 check (weight between 1 and 100),
    pass                 bigint not null default 0 check (pass >= 0),
    -- The refusal of a limit or a schedule that a decision found last: until the moment that it says none asks again.
    shut_by              jsonb check (jsonb_typeof(shut_by) = 'object'),
    -- As a provider's.
    limits_used          text,
    served_seq           bigint check (served_seq >= 1),
    last_received_at     timestamptz,
    deleted_at           timestamptz,
    created_at           timestamptz not null,
    foreign key (competition_level_id, niche_id) references competition_levels (id, niche_id),
    constraint subscriptions_inactive_says_why check (is_active = (deactivation_reason is null)),
    constraint subscriptions_served_says_when check ((served_seq is null) = (last_received_at is null))
) with (fillfactor = 70);
-- One row per provider and level for ever, also when deleted: resubscribing revives it with its served_seq (R12).
-- Assignments name their subscription by these two (07_money.sql).
create unique index subscriptions_one_per_provider_and_level on subscriptions (provider_id, competition_level_id);
create index subscriptions_of_niche on subscriptions (niche_id);
-- subscriptions_shut: those to be opened again when their level or provider is changed.
create index subscriptions_shut on subscriptions (niche_id) where shut_by is not null;
-- subscriptions_out_of_money: the providers that receive less than they ask for until they pay.
create index subscriptions_out_of_money on subscriptions (provider_id)
    where deactivation_reason = 'insufficient_funds' and deleted_at is null;
-- subscriptions_by_postcode_table: the filters with a distance by a postcode table, of which a newer version may be there.
create index subscriptions_by_postcode_table on subscriptions (niche_id)
    where deleted_at is null and filter_rules @? '$.rules.**.value.table';
create trigger subscriptions_are_kept before delete or truncate on subscriptions
    for each statement execute function keep_rows();
create trigger subscriptions_keep_their_ids before update of id, provider_id, competition_level_id, niche_id on subscriptions
    for each statement execute function keep_rows();
