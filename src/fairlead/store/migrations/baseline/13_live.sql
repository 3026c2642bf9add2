-- The live feed: what the niche journals and the audit log have, in one order that every process shares.
--
-- What causes an event writes nothing here, and nothing here refers to a row of it: a reference would take a lock on a
-- niche. The feed could be thrown away, and watchers would be told of a gap.

create table live_head (
    is_only_row boolean primary key default true check (is_only_row),
    -- The newest id that was given.
    id          bigint not null default 0 check (id >= floor_id),
    -- Every entry after this id is still there.
    floor_id    bigint not null default 0 check (floor_id >= 0),
    -- How far the audit log is in; null until a client watches for the first time.
    audit_seq   bigint,
    -- Seals the ids that providers see, which would tell them how much happens that is none of theirs.
    resume_secret bytea not null check (octet_length(resume_secret) = 32)
);
comment on table live_head is 'One row: the process that holds its lock puts entries in order.';
insert into live_head (resume_secret)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table live_cursors (
    niche_id uuid primary key,
    seq      bigint not null check (seq >= 0)
) with (fillfactor = 70);
comment on table live_cursors is 'How far each niche''s journal is in live_entries.';

create table live_entries (
    id           bigint primary key check (id >= 1),
    -- Of the journal of this niche; null: of the audit log.
    niche_id     uuid,
    seq          bigint not null check (seq >= 1),
    kind         text not null,
    sequenced_at timestamptz not null
);
comment on table live_entries is 'Ids in commit order, without gaps; forgotten after some days.';
create unique index live_entries_of_journals on live_entries (niche_id, seq) where niche_id is not null;
create unique index live_entries_of_audit_log on live_entries (seq) where niche_id is null;
