-- Niches, each with the forms that it ever had, and its levels.

create table niches (
    id          uuid primary key,
    slug        text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name        text not null check (length(name) between 1 and 200),
    form_schema jsonb not null,
    is_active   boolean not null default true,
    -- It is over: off every list of what is going on, and inactive until it is restored.
    is_archived boolean not null default false,

    -- R2: where the next decision starts.
    next_start_level_order_position integer not null default 1 check (next_start_level_order_position >= 1),
    -- R5: the niche's own counter; the last value that was given to an assignment.
    last_served_seq bigint not null default 0 check (last_served_seq >= 0),
    journal_seq  bigint not null default 0 check (journal_seq >= 0),
    journal_head bytea not null default decode(repeat('00', 32), 'hex') check (octet_length(journal_head) = 32),

    -- R16: over all levels together; null: as many as the levels take. What the journal says.
    max_recipients_per_lead integer check (max_recipients_per_lead between 1 and 1000),

    -- What happens without a person's asking.
    auto_distribute boolean not null default true,
    -- Unsold leads are offered again: every so many minutes, at most so often, for at most so long after approval.
    reoffer_every_minutes integer check (reoffer_every_minutes between 1 and 100000),
    reoffer_max_times     integer check (reoffer_max_times between 1 and 1000),
    reoffer_max_hours     integer check (reoffer_max_hours between 1 and 100000),
    bad_lead_window_days  integer not null default 14 check (bad_lead_window_days between 1 and 365),
    -- What a refund gives back besides the money: the provider's turn, the lead's place in its limits.
    refund_returns_turn   boolean not null default false,
    refund_leaves_limits  boolean not null default false,

    -- Whether the public may send leads, without a key, and confirm them by email.
    intake_is_public boolean not null default false,
    -- Whether a lead that came with a key is approved as it comes.
    intake_approves  boolean not null default false,
    -- Which leads count as the same, see core/duplicates.py; null: none do.
    duplicate_rule   jsonb check (jsonb_typeof(duplicate_rule) = 'object'),
    -- ISO 3166's code. Null: a telephone number without a country is compared by its digits.
    phone_region     text check (phone_region ~ '^[A-Z]{2}$'),

    created_at timestamptz not null,
    constraint niches_archived_are_inactive check (not (is_archived and is_active)),
    constraint niches_reoffer_policy_is_whole check (
        num_nulls(reoffer_every_minutes, reoffer_max_times, reoffer_max_hours) in (0, 3))
) with (fillfactor = 70);
comment on table niches is 'A market. Its row lock orders everything that can change who gets a lead in it.';
comment on column niches.bad_lead_window_days is 'A lead can be reported as bad for so many days after its assignment.';

create trigger niches_are_kept before delete or truncate on niches for each statement execute function keep_rows();
create trigger niches_keep_their_ids before update of id on niches for each statement execute function keep_rows();

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
create trigger form_schema_versions_are_append_only before update or delete or truncate on form_schema_versions
    for each statement execute function refuse_change();

create table competition_levels (
    id             uuid primary key,
    niche_id       uuid not null references niches,
    name           text not null check (length(name) between 1 and 200),
    price_cents    bigint not null check (price_cents between 1 and 1000000000000),
    max_recipients integer not null check (max_recipients between 1 and 100),
    order_position integer not null check (order_position between 1 and 1000000),
    is_active      boolean not null default true,
    -- R16: it sells a lead that has no recipient, and closes it.
    is_exclusive   boolean not null default false,
    -- R14: when it asks another price, see core/prices.py, and the lowest of all that it can ask. Null: one price.
    price_rules        jsonb check (jsonb_typeof(price_rules) = 'object'),
    lowest_price_cents bigint check (lowest_price_cents between 1 and price_cents),
    -- Which of its subscriptions is next (R5, R15), and, once it was weighted, where it stands: see core/weighted.py.
    queue_order text not null default 'least_recently_served'
        check (queue_order in ('least_recently_served', 'weighted')),
    global_pass     bigint not null default 0 check (global_pass >= 0),
    global_pass_seq bigint not null default 0 check (global_pass_seq >= 0),
    longest_stride  bigint not null default 0 check (longest_stride >= 0),
    deleted_at     timestamptz,
    created_at     timestamptz not null,
    unique (id, niche_id),
    constraint competition_levels_price_rules_have_a_lowest check (
        (price_rules is null) = (lowest_price_cents is null)),
    constraint competition_levels_exclusive_has_one_recipient check (not is_exclusive or max_recipients = 1),
    -- Checked at commit, so that levels can swap names or positions within one change.
    constraint competition_levels_position_is_unique exclude using btree (niche_id with =, order_position with =)
        where (deleted_at is null) deferrable initially deferred,
    constraint competition_levels_name_is_unique exclude using btree (niche_id with =, name with =)
        where (deleted_at is null) deferrable initially deferred
);
create trigger competition_levels_are_kept before delete or truncate on competition_levels
    for each statement execute function keep_rows();
create trigger competition_levels_keep_their_ids before update of id, niche_id on competition_levels
    for each statement execute function keep_rows();
