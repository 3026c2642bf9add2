-- It runs by itself: what jobs, dead letters, notifications and their schedules need to remember.
--
-- The job library's own tables are not made here but in store/jobs/schema.py: their upgrades follow its releases.

-- Niches: what happens without anybody asking ---------------------------------------------------------------------

alter table niches
    add column auto_distribute boolean not null default true,
    -- Unsold leads are offered again: every so many minutes, at most so often, for at most so long after approval.
    add column reoffer_every_minutes integer check (reoffer_every_minutes between 1 and 100000),
    add column reoffer_max_times     integer check (reoffer_max_times between 1 and 1000),
    add column reoffer_max_hours     integer check (reoffer_max_hours between 1 and 100000),
    add constraint niches_reoffer_policy_is_whole check (
        num_nulls(reoffer_every_minutes, reoffer_max_times, reoffer_max_hours) in (0, 3));

alter table leads
    -- Runs that raised since a decision was last asked for.
    add column failed_runs integer not null default 0 check (failed_runs >= 0),
    -- A lead whose run raised, or that waited in a niche where a worker died, is decided alone, never in a batch.
    add column decide_alone boolean not null default false,
    -- Committed before a lead is decided alone and gone with its decision: found behind a dead worker, it is to blame.
    add column alone_since timestamptz,
    add column crash_count integer not null default 0 check (crash_count >= 0),
    -- Why the last run raised: the kind of error, nothing personal.
    add column last_error text,
    add column reoffer_count integer not null default 0 check (reoffer_count >= 0),
    -- Of the request that last asked for a decision; it leads from there to the decision and to each delivery.
    add column correlation_id text check (length(correlation_id) between 1 and 100);

-- Jobs: how each run ended, and what nobody will try again by itself ----------------------------------------------

create table job_attempts (
    id              uuid primary key,
    job_id          bigint,
    task            text not null,
    lead_id         uuid references leads,
    notification_id uuid,
    outcome         text not null check (outcome in ('succeeded', 'failed', 'crashed')),
    started_at      timestamptz,
    ended_at        timestamptz not null,
    error           text
);
create index job_attempts_of_job on job_attempts (job_id);
create index job_attempts_of_lead on job_attempts (lead_id, ended_at) where lead_id is not null;
create index job_attempts_of_notification on job_attempts (notification_id, ended_at) where notification_id is not null;
create index job_attempts_by_age on job_attempts (ended_at);
comment on table job_attempts is 'One row per run of a job that failed, crashed its worker, or came to something after a failure.';

create table dead_letters (
    id              uuid primary key,
    queue           text not null,
    task            text not null,
    lead_id         uuid references leads,
    notification_id uuid,
    payload         jsonb not null check (jsonb_typeof(payload) = 'object'),
    error           text not null,
    trace           text,
    attempts        integer not null check (attempts >= 0),
    failed_at       timestamptz not null,
    resolved_at     timestamptz,
    resolved_by     text,
    resolution      text check (resolution in ('retried', 'resolved')),
    memo            text,
    constraint dead_letters_resolved_says_how check (num_nulls(resolved_at, resolved_by, resolution) in (0, 3))
);
create unique index dead_letters_one_open_per_lead on dead_letters (lead_id) where resolved_at is null;
create unique index dead_letters_one_open_per_notification on dead_letters (notification_id) where resolved_at is null;
create index dead_letters_open on dead_letters (failed_at, id) where resolved_at is null;

create table rate_limits (
    name    text primary key,
    next_at timestamptz not null
);
comment on table rate_limits is 'When the next job of that name may start, whichever process runs it.';

create table schedules (
    name       text primary key,
    -- By the database's clock: when a process took the duty last, and how its run before or since then ended.
    started_at timestamptz not null,
    ended_at   timestamptz,
    error      text
);
comment on table schedules is 'When each periodic duty was begun last, by whichever process got hold of it.';

-- Notifications: who is told, how far that has come ---------------------------------------------------------------

create table webhook_endpoints (
    id          uuid primary key,
    provider_id uuid not null references providers,
    url         text not null check (length(url) between 8 and 2000),
    -- Encrypted; both sign while a rotation is under way.
    secret          bytea not null,
    previous_secret bytea,
    -- Names in the body by names of ours; null: our own.
    field_mapping jsonb check (jsonb_typeof(field_mapping) = 'object'),
    state         text not null default 'active' check (state in ('active', 'paused', 'disabled')),
    state_reason  text,
    -- Deliveries that failed since the last that succeeded.
    failure_count integer not null default 0 check (failure_count >= 0),
    failing_since timestamptz,
    created_at    timestamptz not null,
    deleted_at    timestamptz,
    constraint webhook_endpoints_failing_says_since check ((failure_count = 0) = (failing_since is null)),
    constraint webhook_endpoints_idle_says_why check (state = 'active' or state_reason is not null)
);
create unique index webhook_endpoints_one_per_provider on webhook_endpoints (provider_id) where deleted_at is null;

alter table notifications
    alter column provider_id drop not null,
    add column webhook_endpoint_id uuid references webhook_endpoints,
    -- What the message says beside what its cause says; nothing personal.
    add column detail         jsonb check (jsonb_typeof(detail) = 'object'),
    add column correlation_id text,
    -- When it was handed to a delivery job; null: not yet, or held because its endpoint is paused.
    add column enqueued_at    timestamptz,
    -- How often it was sent again on purpose after it had been sent: an email then is a new message.
    add column replay_count   integer not null default 0 check (replay_count >= 0),
    -- The job that is sending it right now. A second job for the same notification leaves it alone.
    add column claimed_by_job bigint,
    add column claimed_at     timestamptz,
    add column last_attempt_at timestamptz,
    add column sent_at        timestamptz,
    add column last_answer    text,
    drop constraint notifications_kind_check,
    drop constraint notifications_state_check,
    drop constraint notifications_name_their_cause,
    drop constraint notifications_one_per_assignment_and_channel,
    add constraint notifications_kind_check check (kind in
        ('lead_assigned', 'refund_issued', 'subscription_deactivated', 'subscription_reactivated',
         'filter_invalidated', 'low_balance', 'operator_alert')),
    -- `skipped`: the provider's preferences say that it does not want to be told.
    add constraint notifications_state_check check (state in ('queued', 'sent', 'failed', 'skipped')),
    add constraint notifications_sent_says_when check ((state = 'sent') = (sent_at is not null)),
    add constraint notifications_name_their_cause check (
        case when kind in ('lead_assigned', 'refund_issued') then assignment_id is not null
             when kind in ('low_balance', 'operator_alert') then detail is not null
             else subscription_id is not null end),
    add constraint notifications_name_their_recipient check ((provider_id is null) = (kind = 'operator_alert')),
    add constraint notifications_name_their_endpoint check ((webhook_endpoint_id is not null) = (channel = 'webhook')),
    add constraint notifications_one_per_assignment_and_channel unique (assignment_id, kind, channel);
create index notifications_to_enqueue on notifications (id) where state = 'queued' and enqueued_at is null;
create index notifications_under_way on notifications (enqueued_at) where state = 'queued' and enqueued_at is not null;
create index notifications_of_endpoint on notifications (webhook_endpoint_id, id) where webhook_endpoint_id is not null;
-- An alert that names what it is raised for once is not raised for it again.
create unique index notifications_alert_once on notifications ((detail ->> 'once')) where kind = 'operator_alert';

alter table job_attempts add foreign key (notification_id) references notifications;
alter table dead_letters add foreign key (notification_id) references notifications;

create table notification_templates (
    kind       text not null,
    version    integer not null check (version >= 1),
    -- All null: from this version on the default is in use, whatever it is in the release that runs.
    subject    text check (length(subject) between 1 and 1000),
    html       text,
    body_text  text,
    created_at timestamptz not null,
    created_by text not null,
    -- Why this version was made: an edit's memo, or which version it restores.
    memo       text,
    primary key (kind, version),
    constraint notification_templates_are_whole check (num_nulls(subject, html, body_text) in (0, 3))
);
comment on table notification_templates is 'Append-only; the highest version of a kind is in use, and without any the default is.';

create trigger notification_templates_are_append_only before update or delete or truncate on notification_templates
    for each statement execute function refuse_change();

-- Reconciliation ----------------------------------------------------------------------------------------------------

create table reconciliations (
    id               uuid primary key,
    started_at       timestamptz not null,
    ended_at         timestamptz not null,
    checked_count    bigint not null,
    difference_count integer not null check (difference_count >= 0),
    differences      jsonb not null check (jsonb_typeof(differences) = 'array')
);
create index reconciliations_by_age on reconciliations (ended_at);
comment on table reconciliations is 'Each comparison of the books with themselves, and what did not agree. Nothing is ever repaired by it.';

-- The audit view, now with the beginning of each decision ------------------------------------------------------------

create or replace view audit_events as
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
select 'niche_journal', niche_id, seq, 'fairlead', 'system', 'distribution.started', 'lead',
       payload ->> 'lead_id', null, jsonb_build_object('attempt', payload -> 'attempt'), null, recorded_at
from niche_journal where kind = 'decision'
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
