-- The audit log of what people and systems did; decisions and configuration are in niche_journal.

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
create index audit_log_by_age on audit_log (created_at, seq);
create index audit_log_of_actor on audit_log (actor, created_at, seq);
create index audit_log_of_action on audit_log (action, created_at, seq);
create index audit_log_of_entity on audit_log (entity, entity_id, created_at, seq);
create trigger audit_log_is_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_change();

create table audit_head (
    is_only_row boolean primary key default true check (is_only_row),
    seq         bigint not null,
    hash        bytea not null check (octet_length(hash) = 32)
);
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- Both as one. `part` orders what one entry of a journal unfolds into.
--
-- Columns have the very same types in every branch: else what asks for one entry reads all of them.

create view audit_events as
select 'audit_log' as source, null::uuid as niche_id, seq, actor, actor_role, action, entity, entity_id,
       old, new, memo, created_at, request_id, 0::bigint as part
from audit_log
union all
select 'niche_journal', niche_id, seq, 'fairlead', 'system',
       case when kind = 'decision' then 'distribution.completed' else kind || '.changed' end,
       case when kind = 'decision' then 'lead' else kind end,
       coalesce(payload ->> case kind when 'decision' then 'lead_id' when 'niche' then 'slug'
                                      else kind || '_id' end, ''),
       null, payload, null, recorded_at, null, case when kind = 'decision' then 9000000000000000 else 0::bigint end
from niche_journal
union all
select 'niche_journal', niche_id, seq, 'fairlead', 'system', 'distribution.started', 'lead',
       payload ->> 'lead_id', null, jsonb_build_object('attempt', payload -> 'attempt'), null, recorded_at, null, 0::bigint
from niche_journal where kind = 'decision'
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'assignment.created', 'assignment',
       recipient.body ->> 'assignment_id', null, recipient.body, null, j.recorded_at, null,
       level.number * 10000000 + recipient.number
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number),
     jsonb_array_elements(level.body -> 'recipients') with ordinality as recipient (body, number)
where j.kind = 'decision'
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'distribution.skipped_provider', 'provider',
       refused.body ->> 'provider_id', null, refused.body, refused.body ->> 'reason', j.recorded_at, null,
       level.number * 10000000 + 5000000 + refused.number
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number),
     jsonb_array_elements(level.body -> 'refused') with ordinality as refused (body, number)
where j.kind = 'decision';

create table verifications (
    id           uuid primary key,
    -- The niche whose journal alone is replayed; null: every niche's.
    niche_id     uuid references niches,
    requested_at timestamptz not null,
    requested_by text not null,
    -- Null: it waits for a worker.
    started_at   timestamptz,
    -- The last sign of life of the process that verifies, and what it was at then.
    seen_at      timestamptz,
    progress     jsonb check (jsonb_typeof(progress) = 'object'),
    ended_at     timestamptz,
    -- Why it ended before all was checked; null: it did not.
    error        text,
    decision_count   bigint check (decision_count >= 0),
    difference_count integer check (difference_count >= 0),
    -- Each check by name, on how many subjects, with the first differences.
    checks       jsonb check (jsonb_typeof(checks) = 'array'),
    constraint verifications_end_says_how check (
        (ended_at is null) = (error is null and checks is null) and num_nonnulls(error, checks) < 2
        and num_nulls(checks, decision_count, difference_count) in (0, 3))
);
comment on table verifications is
    'Each proof of the past, with the actor that asked for it: what was checked, and what did not hold. It repairs nothing.';
create index verifications_by_age on verifications (ended_at);
-- A second one does not run beside the first.
create unique index verifications_one_at_a_time on verifications ((ended_at is null)) where ended_at is null;
