-- The tables of an engine as such engines are usually written, holding the same marketplace as Fairlead's.

create schema conventional;
set search_path = conventional;

create table niches as select id, name, next_start_level_order_position as next_start from fairlead.niches;
alter table niches add primary key (id);

create table levels as
    select id, niche_id, price_cents, max_recipients, order_position, is_active from fairlead.competition_levels;
alter table levels add primary key (id), add foreign key (niche_id) references niches;
create index on levels (niche_id, order_position);

create table providers as select id, name, email, balance_cents, status from fairlead.providers;
alter table providers add primary key (id), add check (balance_cents >= 0);

create table subscriptions as
    select id, provider_id, competition_level_id as level_id, is_active, filter_rules, last_received_at
    from fairlead.subscriptions;
alter table subscriptions add primary key (id), add foreign key (provider_id) references providers,
    add foreign key (level_id) references levels;
create index on subscriptions (level_id, last_received_at nulls first, provider_id) where is_active;

create table leads as
    select id, niche_id, status, attributes, approved_at, distributed_at from fairlead.leads;
alter table leads add primary key (id), add foreign key (niche_id) references niches;

create table assignments (
    id          uuid primary key,
    lead_id     uuid not null references leads,
    provider_id uuid not null references providers,
    level_id    uuid not null references levels,
    price_cents bigint not null,
    created_at  timestamptz not null default now(),
    unique (lead_id, provider_id)
);

create table ledger (
    id            bigint generated always as identity primary key,
    provider_id   uuid not null references providers,
    assignment_id uuid references assignments,
    amount_cents  bigint not null,
    balance_after_cents bigint not null,
    created_at    timestamptz not null default now()
);
create index on ledger (provider_id, created_at);

create table notifications (
    id            bigint generated always as identity primary key,
    assignment_id uuid not null references assignments,
    state         text not null default 'queued',
    created_at    timestamptz not null default now()
);

create table audit (
    id         bigint generated always as identity primary key,
    action     text not null,
    entity_id  uuid not null,
    details    jsonb not null,
    created_at timestamptz not null default now()
);

analyze;
