-- Reviewing leads over HTTP: who rejected one and why, and lists that cost the same on every page.

alter table leads
    add column rejected_at timestamptz,
    add column rejected_by text,
    -- The reviewer's words; may be personal, and is nowhere else.
    add column rejection_reason text check (length(rejection_reason) between 1 and 1000),
    add constraint leads_rejection_says_who_and_why check (num_nulls(rejected_at, rejected_by, rejection_reason) in (0, 3));

create index leads_by_age on leads (created_at, id);
create index leads_of_niche_by_age on leads (niche_id, created_at, id);
create index leads_of_status_by_age on leads (status, created_at, id);
