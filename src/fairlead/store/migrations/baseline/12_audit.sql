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
       case kind when 'decision' then 'distribution.completed' when 'return' then 'assignment.returned'
                 else kind || '.changed' end,
       case kind when 'decision' then 'lead' when 'return' then 'assignment' else kind end,
       coalesce(payload ->> case kind when 'decision' then 'lead_id' when 'niche' then 'slug'
                                      when 'return' then 'assignment_id' else kind || '_id' end, ''),
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

-- Reports ---------------------------------------------------------------------------------------------------------
--
-- What reports add up, added up beforehand for days and months that are over (store/reports/pieces.py). Derived from the
-- rows, and may be deleted at any time: without a span's line its days are read from the rows.

create table report_spans (
    timezone   text not null,
    day_from   date not null,
    day_before date not null check (day_before > day_from),
    -- The same in time, and when the rows were read.
    since      timestamptz not null,
    before     timestamptz not null,
    made_at    timestamptz not null,
    primary key (timezone, day_from, day_before)
);
comment on table report_spans is 'Derived: of which days, in which zone, report_pieces holds every fact.';

create table report_pieces (
    timezone   text not null,
    fact       text not null,
    day_from   date not null,
    day_before date not null,
    -- Nothing but zeros: of no niche, as entries of ledgers are.
    niche_id   uuid not null,
    keys       text[] not null,
    counts     bigint[] not null,
    primary key (timezone, fact, day_from, day_before, niche_id, keys)
);
comment on table report_pieces is 'Derived: counts of one fact in one span, by niche and keys. Deleting loses time only.';

-- Written with each change of a row that is older than an hour, so that no writer waits for another: only ever added to, and
-- removed where the span that it is about is made anew.
create table report_changes (
    id   uuid primary key default gen_random_uuid(),
    fact_kind text not null check (fact_kind in ('leads', 'assignments')),
    -- The row's own time: the creation of a lead, the sale of an assignment.
    at   timestamptz not null,
    created_at timestamptz not null default clock_timestamp()
);
comment on table report_changes is 'Days whose rows changed after they were over: their pieces are not used until made anew.';
create index report_changes_by_time on report_changes (at, created_at);

create table report_zones (
    timezone text primary key,
    asked_on date not null,
    first_asked_at timestamptz not null default now()
);
comment on table report_zones is 'In which zones reports are asked for, since when, and when last: for these spans are made.';

-- What each subscription could have had (core/entitlement.py), counted from the journal by a periodic task, by days and by
-- whole months of a zone. Derived, and may be deleted at any time, a zone's progress with its pieces.

create table entitlement_pieces (
    niche_id   uuid not null,
    timezone   text not null,
    day_from   date not null,
    day_before date not null check (day_before > day_from),
    counts     bytea not null,
    primary key (niche_id, timezone, day_from, day_before)
);
comment on table entitlement_pieces is 'Derived: what the decisions of a niche in a day or month gave and could have given.';

create table entitlement_progress (
    niche_id   uuid not null,
    timezone   text not null,
    -- The last entry of the journal that is counted, and when it was recorded.
    up_to_seq  bigint not null check (up_to_seq >= 0),
    up_to      timestamptz,
    primary key (niche_id, timezone)
);
comment on table entitlement_progress is 'Derived: up to which entry of a niche entitlement_pieces hold every decision.';
