-- The engine's tables: niches and their journal, providers and their money, leads and who received them.
--
-- No table name is qualified: one marketplace is one schema, chosen by search_path. Every invariant that SQL can
-- hold is a constraint here; those it cannot hold are queries in store/invariants/engine.py.

create table marketplace (
    is_only_row boolean primary key default true check (is_only_row),
    currency    text not null check (currency ~ '^[A-Z]{3}$')
);
comment on table marketplace is 'One row: amounts everywhere are minor units of this currency.';

-- Niches, levels -----------------------------------------------------------------------------------------------

create table niches (
    id          uuid primary key,
    slug        text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name        text not null check (length(name) between 1 and 200),
    form_schema jsonb not null,
    is_active   boolean not null default true,
    -- R2: where the next decision starts.
    next_start_level_order_position integer not null default 1 check (next_start_level_order_position >= 1),
    -- R5: the niche's own counter; the last value that was given to an assignment.
    last_served_seq bigint not null default 0 check (last_served_seq >= 0),
    journal_seq  bigint not null default 0 check (journal_seq >= 0),
    journal_head bytea not null default decode(repeat('00', 32), 'hex') check (octet_length(journal_head) = 32),
    created_at   timestamptz not null
) with (fillfactor = 70);
comment on table niches is 'A market. Its row lock orders everything that can change who gets a lead in it.';

create table competition_levels (
    id             uuid primary key,
    niche_id       uuid not null references niches,
    name           text not null check (length(name) between 1 and 200),
    price_cents    bigint not null check (price_cents between 1 and 1000000000000),
    max_recipients integer not null check (max_recipients between 1 and 100),
    order_position integer not null check (order_position between 1 and 1000000),
    is_active      boolean not null default true,
    deleted_at     timestamptz,
    created_at     timestamptz not null,
    unique (id, niche_id),
    -- Checked at commit, so that levels can swap names or positions within one change.
    constraint competition_levels_position_is_unique exclude using btree (niche_id with =, order_position with =)
        where (deleted_at is null) deferrable initially deferred,
    constraint competition_levels_name_is_unique exclude using btree (niche_id with =, name with =)
        where (deleted_at is null) deferrable initially deferred
);

create table niche_journal (
    niche_id    uuid not null references niches,
    seq         bigint not null check (seq >= 1),
    kind        text not null check (kind in ('niche', 'level', 'provider', 'subscription', 'decision')),
    payload     jsonb not null check (jsonb_typeof(payload) = 'object'),
    recorded_at timestamptz not null,
    prev_hash   bytea not null check (octet_length(prev_hash) = 32),
    hash        bytea not null check (octet_length(hash) = 32),
    primary key (niche_id, seq)
);
create index niche_journal_decisions_of_lead on niche_journal ((payload ->> 'lead_id'), seq) where kind = 'decision';
comment on table niche_journal is 'Append-only: everything that can change who gets a lead in a niche, in one total order.';

-- Providers, their money, their subscriptions ------------------------------------------------------------------

create table providers (
    id     uuid primary key,
    name   text not null check (length(name) between 1 and 200),
    email  text not null check (length(email) between 3 and 320),
    status text not null default 'active' check (status in ('pending', 'active', 'suspended')),
    balance_cents      bigint not null default 0,
    credit_limit_cents bigint not null default 0 check (credit_limit_cents >= 0),
    ledger_seq         bigint not null default 0 check (ledger_seq >= 0),
    low_balance_threshold_cents bigint check (low_balance_threshold_cents >= 0),
    low_balance_alerted_at      timestamptz,
    timezone                 text not null default 'UTC',
    notification_preferences jsonb not null default '{}',
    created_at timestamptz not null,
    constraint providers_balance_is_above_its_floor check (balance_cents >= -credit_limit_cents)
) with (fillfactor = 70);
create unique index providers_email_is_unique on providers (lower(email));

create table subscriptions (
    id                   uuid primary key,
    provider_id          uuid not null references providers,
    competition_level_id uuid not null,
    niche_id             uuid not null,
    is_active            boolean not null,
    deactivation_reason  text check (deactivation_reason in ('paused', 'insufficient_funds')),
    filter_rules         jsonb not null default '{"version": 1, "rules": []}',
    filter_is_valid      boolean not null default true,
    served_seq           bigint check (served_seq >= 1),
    last_received_at     timestamptz,
    deleted_at           timestamptz,
    created_at           timestamptz not null,
    foreign key (competition_level_id, niche_id) references competition_levels (id, niche_id),
    constraint subscriptions_inactive_says_why check (is_active = (deactivation_reason is null)),
    constraint subscriptions_served_says_when check ((served_seq is null) = (last_received_at is null))
) with (fillfactor = 70);
-- One row per provider and level for ever, also when deleted: resubscribing revives it with its served_seq (R12).
create unique index subscriptions_one_per_provider_and_level on subscriptions (provider_id, competition_level_id);
create index subscriptions_of_niche on subscriptions (niche_id);

-- Leads, who received them, what was paid ----------------------------------------------------------------------

create table leads (
    id       uuid primary key,
    niche_id uuid not null references niches,
    status   text not null check (status in
        ('pending_confirmation', 'pending_approval', 'approved', 'distributed', 'rejected', 'bad')),
    contact_name  text,
    contact_email text,
    contact_phone text,
    attributes jsonb not null check (jsonb_typeof(attributes) = 'object'),
    -- Random; without it the journal's commitment to the attributes says nothing about them.
    attributes_salt bytea not null check (octet_length(attributes_salt) = 16),
    utm_source   text,
    utm_medium   text,
    utm_campaign text,
    referrer     text,
    dedupe_key   text not null,
    approved_at  timestamptz,
    approved_by  text,
    -- True from approval (or a new trigger) until the next decision: what the distributor still has to do.
    awaits_decision boolean not null default false,
    distributed_at  timestamptz,
    distribution_attempts integer not null default 0 check (distribution_attempts >= 0),
    last_attempt_at timestamptz,
    last_outcome    text check (last_outcome in ('success', 'partial', 'no_eligible', 'failed')),
    created_at      timestamptz not null,
    unique (niche_id, dedupe_key),
    constraint leads_only_approved_await_a_decision check (not awaits_decision or status = 'approved'),
    constraint leads_approved_says_when check (status not in ('approved', 'distributed') or approved_at is not null),
    constraint leads_distributed_says_when check (status <> 'distributed' or distributed_at is not null)
) with (fillfactor = 80);
create index leads_awaiting_decision on leads (niche_id, approved_at, id) where awaits_decision;
create index leads_unsold on leads (niche_id, approved_at, id) where status = 'approved' and not awaits_decision;

create table assignments (
    id                   uuid primary key,
    lead_id              uuid not null references leads,
    provider_id          uuid not null references providers,
    subscription_id      uuid not null references subscriptions,
    competition_level_id uuid not null,
    niche_id             uuid not null,
    journal_seq          bigint not null,
    served_seq           bigint not null check (served_seq >= 1),
    price_cents          bigint not null check (price_cents >= 1),
    ledger_seq           bigint not null,
    status               text not null default 'active' check (status in ('active', 'accepted', 'rejected', 'refunded')),
    assigned_at          timestamptz not null,
    viewed_at            timestamptz,
    foreign key (competition_level_id, niche_id) references competition_levels (id, niche_id),
    foreign key (niche_id, journal_seq) references niche_journal,
    constraint assignments_lead_reaches_a_provider_once unique (lead_id, provider_id),
    constraint assignments_served_seq_has_no_ties unique (niche_id, served_seq),
    constraint assignments_one_payment_each unique (provider_id, ledger_seq)
);

create table payments (
    id           uuid primary key,
    provider_id  uuid not null references providers,
    gateway      text not null check (length(gateway) between 1 and 50),
    external_id  text not null check (length(external_id) between 1 and 200),
    amount_cents bigint not null check (amount_cents > 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    status       text not null check (status in ('pending', 'succeeded', 'failed')),
    created_at   timestamptz not null,
    constraint payments_external_id_is_credited_once unique (gateway, external_id)
);

create table ledger_entries (
    provider_id   uuid not null references providers,
    seq           bigint not null check (seq >= 1),
    kind          text not null check (kind in ('deposit', 'lead_purchase', 'refund', 'manual_credit', 'manual_debit')),
    amount_cents  bigint not null check (amount_cents <> 0),
    balance_after_cents bigint not null,
    assignment_id uuid references assignments,
    payment_id    uuid references payments,
    actor         text not null,
    memo          text,
    created_at    timestamptz not null,
    primary key (provider_id, seq),
    constraint ledger_entries_are_named_by_assignments unique (provider_id, seq, assignment_id),
    constraint ledger_entries_sign_follows_kind check ((amount_cents < 0) = (kind in ('lead_purchase', 'manual_debit'))),
    constraint ledger_entries_purchase_names_its_assignment
        check ((assignment_id is not null) = (kind in ('lead_purchase', 'refund'))),
    constraint ledger_entries_deposit_names_its_payment check ((payment_id is not null) = (kind = 'deposit'))
);
create unique index ledger_entries_one_purchase_per_assignment
    on ledger_entries (assignment_id) where kind = 'lead_purchase';
create unique index ledger_entries_one_refund_per_assignment on ledger_entries (assignment_id) where kind = 'refund';
create unique index ledger_entries_one_deposit_per_payment on ledger_entries (payment_id) where kind = 'deposit';

-- R8 from both sides: an entry names its assignment at once; when an assignment commits, the entry that it names must
-- be its own provider's and name it in return.
alter table assignments add constraint assignments_are_paid
    foreign key (provider_id, ledger_seq, id) references ledger_entries (provider_id, seq, assignment_id)
    deferrable initially deferred;

create table notifications (
    id              uuid primary key,
    kind            text not null check (kind in
        ('lead_assigned', 'subscription_deactivated', 'subscription_reactivated', 'filter_invalidated')),
    channel         text not null check (channel in ('email', 'webhook')),
    provider_id     uuid not null references providers,
    assignment_id   uuid references assignments,
    subscription_id uuid references subscriptions,
    state      text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
    attempts   integer not null default 0 check (attempts >= 0),
    last_error text,
    created_at timestamptz not null,
    constraint notifications_name_their_cause
        check (case when kind = 'lead_assigned' then assignment_id is not null else subscription_id is not null end),
    constraint notifications_one_per_assignment_and_channel unique (assignment_id, channel)
);

-- The audit log of what people and systems did; decisions and configuration are in niche_journal ------------------

create table audit_log (
    seq        bigint primary key check (seq >= 1),
    actor      text not null,
    actor_role text not null check (actor_role in ('admin', 'provider', 'system')),
    action     text not null,
    entity     text not null,
    entity_id  text not null,
    old        jsonb,
    new        jsonb,
    memo       text,
    ip         text,
    request_id text,
    created_at timestamptz not null,
    prev_hash  bytea not null check (octet_length(prev_hash) = 32),
    hash       bytea not null check (octet_length(hash) = 32)
);

create table audit_head (
    is_only_row boolean primary key default true check (is_only_row),
    seq         bigint not null,
    hash        bytea not null check (octet_length(hash) = 32)
);
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

create view audit_events as
select 'audit_log' as source, null::uuid as niche_id, seq, actor, actor_role, action, entity, entity_id,
       old, new, memo, created_at
from audit_log
union all
select 'niche_journal', niche_id, seq, 'fairlead', 'system',
       case when kind = 'decision' then 'distribution.completed' else kind || '.changed' end,
       case when kind = 'decision' then 'lead' else kind end,
       coalesce(payload ->> case kind when 'decision' then 'lead_id' when 'niche' then 'slug'
                                      else kind || '_id' end, ''),
       null, payload, null, recorded_at
from niche_journal
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'assignment.created', 'assignment',
       recipient ->> 'assignment_id', null, recipient, null, j.recorded_at
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') as level,
     jsonb_array_elements(level -> 'recipients') as recipient
where j.kind = 'decision'
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'distribution.skipped_provider', 'provider',
       refused ->> 'provider_id', null, refused, refused ->> 'reason', j.recorded_at
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') as level,
     jsonb_array_elements(level -> 'refused') as refused
where j.kind = 'decision';

-- Append-only tables raise on every other change ---------------------------------------------------------------

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;

create trigger niche_journal_is_append_only before update or delete or truncate on niche_journal
    for each statement execute function refuse_change();
create trigger ledger_entries_are_append_only before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change();
create trigger audit_log_is_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_change();
create trigger payments_are_kept before delete or truncate on payments
    for each statement execute function refuse_change();
create trigger payments_keep_their_terms
    before update of provider_id, gateway, external_id, amount_cents, currency on payments
    for each statement execute function refuse_change();
create trigger assignments_keep_their_terms
    before update of lead_id, provider_id, subscription_id, competition_level_id, niche_id, journal_seq, served_seq,
                     price_cents, ledger_seq, assigned_at on assignments
    for each statement execute function refuse_change();
create trigger assignments_are_kept before delete or truncate on assignments
    for each statement execute function refuse_change();
