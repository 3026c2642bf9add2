-- Exports that were requested, and the pieces of their files. The portal's role has no right to either.

create table exports (
    -- exports_pkey: finds an export.
    id         uuid primary key,
    kind       text not null,
    format     text not null check (format in ('csv', 'jsonl', 'parquet')),
    -- Which rows and columns: span of time, filters, columns. Ids and words of ours, nothing personal.
    parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
    -- Whether the file holds contact data of consumers or providers, where its kind has any.
    with_contact_data boolean not null,
    state      text not null default 'waiting' check (state in
        ('waiting', 'running', 'ready', 'failed', 'expired', 'cancelled')),
    -- Runs that were begun; the file is made of the pieces of the last one. A run that was overtaken writes nothing.
    attempt      integer not null default 0 check (attempt >= 0),
    failed_runs  integer not null default 0 check (failed_runs >= 0),
    crash_count  integer not null default 0 check (crash_count >= 0),
    rows_written bigint not null default 0 check (rows_written >= 0),
    -- What the run took it for when it began; an estimate of the planner where it says so.
    rows_expected bigint check (rows_expected >= 0),
    rows_expected_is_estimate boolean not null default true,
    byte_count   bigint not null default 0 check (byte_count >= 0),
    checksum     bytea constraint exports_checksum_is_sha256 check (octet_length(checksum) = 32),
    requested_by text not null,
    -- exports_requested_by_user_id_fkey: who is told when the file is ready; null where a key asked that has no user.
    requested_by_user_id uuid references users,
    is_email_wanted boolean not null default false,
    requested_at timestamptz not null,
    started_at   timestamptz,
    finished_at  timestamptz,
    expires_at   timestamptz,
    -- The kind of error of the last failed run, and where it can say it, what is to be done; nothing personal.
    error        text,

    constraint exports_ready_are_whole check (
        state <> 'ready' or num_nulls(checksum, started_at, finished_at, expires_at) = 0),
    constraint exports_failed_say_why check (state <> 'failed' or error is not null),
    constraint exports_email_has_a_user check (not is_email_wanted or requested_by_user_id is not null)
);
comment on table exports is 'One row per requested file. What it holds is in export_chunks, until it expires.';
-- exports_by_age: the pages of all, the newest first.
create index exports_by_age on exports (requested_at, id);
-- exports_under_way: what waits or runs, for the sweep of orphans.
create index exports_under_way on exports (requested_at) where state in ('waiting', 'running');
-- exports_by_expiry: which files are to be deleted next.
create index exports_by_expiry on exports (expires_at) where state = 'ready';

create table export_chunks (
    -- exports_export_id_fkey: a piece is of an export that is there.
    export_id   uuid not null references exports,
    attempt     integer not null check (attempt >= 1),
    number      integer not null check (number >= 0),
    -- Where in the file it begins, and how much of the file it is.
    byte_offset bigint not null check (byte_offset >= 0),
    byte_count  integer not null check (byte_count > 0),
    -- Compressed (zlib).
    content     bytea not null,
    -- export_chunks_pkey: the pieces of a file in their order.
    primary key (export_id, attempt, number)
);
comment on table export_chunks is 'The files of exports, in pieces of about a megabyte each. Deleted when they expire.';
