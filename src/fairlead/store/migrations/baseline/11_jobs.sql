-- What background work needs to remember: how each run ended, what waits for an operator, and when duties ran.
--
-- The job library's own tables are not made here but in store/jobs/schema.py: their upgrades follow its releases.

create table job_attempts (
    id              uuid primary key,
    job_id          bigint,
    task            text not null,
    lead_id         uuid references leads,
    notification_id uuid references notifications,
    outcome         text not null check (outcome in ('succeeded', 'failed', 'crashed')),
    started_at      timestamptz,
    ended_at        timestamptz not null,
    error           text
);
comment on table job_attempts is
    'One row per run of a job that failed, crashed its worker, or came to something after a failure.';
create index job_attempts_of_job on job_attempts (job_id);
create index job_attempts_of_lead on job_attempts (lead_id, ended_at) where lead_id is not null;
create index job_attempts_of_notification on job_attempts (notification_id, ended_at) where notification_id is not null;
create index job_attempts_by_age on job_attempts (ended_at);

create table dead_letters (
    id              uuid primary key,
    queue           text not null,
    task            text not null,
    lead_id         uuid references leads,
    notification_id uuid references notifications,
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
create index dead_letters_by_age on dead_letters (failed_at, id);

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
