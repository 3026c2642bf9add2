-- Leads.
--
-- Each change of status writes an entry in every index that holds the lead, so what most leads have in common (sold, and
-- decided) is in as few as can be.

create table leads (
    -- leads_pkey: finds a lead, and locks leads in order.
    id       uuid primary key,
    -- leads_niche_id_fkey: a lead is of a niche that is there; checked once, when it comes in.
    niche_id uuid not null references niches,
    status   text not null check (status in
        ('pending_confirmation', 'pending_approval', 'approved', 'distributed', 'rejected', 'bad')),
    contact_name  text,
    contact_email text,
    contact_phone text,
    -- See core/entry: equal for all writings of one mailbox, and of one telephone number. Null where it was not given.
    email_key text check (octet_length(email_key) between 1 and 1000),
    phone_key text check (octet_length(phone_key) between 1 and 200),
    attributes jsonb not null check (jsonb_typeof(attributes) = 'object'),
    -- Random; without it the journal's commitment to the attributes says nothing about them. Null: erased with them.
    attributes_salt bytea check (octet_length(attributes_salt) = 16),
    utm_source   text,
    utm_medium   text,
    utm_campaign text,
    referrer     text,
    dedupe_key   text not null,
    -- Which row of a file it was, apart from what the row was taken for: the same file adds nothing when the niche's
    -- form or the mapping of its columns has changed in between. Null: it came from no file.
    row_key bytea constraint row_key_is_sha256 check (octet_length(row_key) = 32),
    created_at timestamptz not null,

    -- Review.
    approved_at timestamptz,
    approved_by text,
    rejected_at timestamptz,
    rejected_by text,
    -- The reviewer's words; may be personal, and is nowhere else.
    rejection_reason text check (length(rejection_reason) between 1 and 1000),
    -- Its consumer takes the request back: it is rejected, or, where that came too late, those who bought it are told.
    withdrawn_at timestamptz,

    -- When its answers, its contact data, and all that is personal were erased. By whom and why, see erasures.
    answers_erased_at timestamptz,
    contact_erased_at timestamptz,
    erased_at         timestamptz,

    -- Distribution. `awaits_decision`: true from approval (or a new trigger) until the next decision, which is what the
    -- distributor still has to do.
    awaits_decision boolean not null default false,
    distributed_at  timestamptz,
    -- The providers that it was assigned to, as assignments has them: whose eyes it is for.
    recipient_ids   uuid[] not null default '{}',
    distribution_attempts integer not null default 0 check (distribution_attempts >= 0),
    last_attempt_at timestamptz,
    last_outcome    text check (last_outcome in ('success', 'partial', 'no_eligible', 'failed')),
    reoffer_count   integer not null default 0 check (reoffer_count >= 0),
    -- Of a lead that limits or schedules kept unsold: when the first of them opens, and it is offered again.
    reopens_at      timestamptz,
    -- Of the request that last asked for a decision; it leads from there to the decision and to each delivery.
    correlation_id  text check (length(correlation_id) between 1 and 100),
    -- Runs that raised since a decision was last asked for, and the kind of error of the last; nothing personal.
    failed_runs integer not null default 0 check (failed_runs >= 0),
    last_error  text,
    -- A lead whose run raised, or that waited in a niche where a worker died, is decided by itself, never in a batch.
    isolated boolean not null default false,
    -- Committed before an isolated lead is decided and gone with its decision: found behind a dead worker, it is to blame.
    isolated_since timestamptz,
    crash_count integer not null default 0 check (crash_count >= 0),

    -- leads_niche_id_dedupe_key_key: what is sent twice is one lead.
    unique (niche_id, dedupe_key),
    constraint leads_only_approved_await_a_decision check (not awaits_decision or status = 'approved'),
    constraint leads_approved_says_when check (status not in ('approved', 'distributed') or approved_at is not null),
    constraint leads_distributed_says_when check (status <> 'distributed' or distributed_at is not null),
    constraint leads_withdrawn_go_no_further check (
        withdrawn_at is null or status in ('rejected', 'distributed', 'bad')),
    constraint leads_rejection_says_who_and_why check (
        num_nulls(rejected_at, rejected_by, rejection_reason) in (0, 3)),
    constraint leads_erased_answers_are_gone check (
        (answers_erased_at is null) = (attributes_salt is not null) and (answers_erased_at is null or attributes = '{}')),
    constraint leads_erased_contact_is_gone check (
        contact_erased_at is null
        or num_nonnulls(contact_name, contact_email, contact_phone, email_key, phone_key, referrer) = 0),
    constraint leads_erased_are_gone_whole check (
        erased_at is null
        or (num_nulls(answers_erased_at, contact_erased_at) = 0
            and num_nonnulls(utm_source, utm_medium, utm_campaign, row_key, last_error) = 0
            and dedupe_key = 'id:' || id
            and coalesce(rejection_reason, 'its personal data was erased') = 'its personal data was erased')),
    -- Once something of it is gone it is never sold: it was, or it is closed.
    constraint leads_erased_go_no_further check (
        num_nonnulls(answers_erased_at, contact_erased_at, erased_at) = 0
        or status in ('rejected', 'distributed', 'bad'))
) with (fillfactor = 80);
-- leads_row_is_imported_once: a file that is imported again adds nothing.
create unique index leads_row_is_imported_once on leads (niche_id, row_key) where row_key is not null;
-- leads_awaiting_decision: the next batch of a niche, and what waits.
create index leads_awaiting_decision on leads (niche_id, approved_at, id) where awaits_decision;
-- leads_unsold: what a niche offers again.
create index leads_unsold on leads (niche_id, approved_at, id) where status = 'approved' and not awaits_decision;
-- leads_reopening: what is offered again when a limit or a schedule opens.
create index leads_reopening on leads (reopens_at, id) where reopens_at is not null;
-- leads_by_age: the pages of all leads.
create index leads_by_age on leads (created_at, id);
-- leads_of_niche_by_age: the pages of one niche.
create index leads_of_niche_by_age on leads (niche_id, created_at, id);
-- leads_with_answers: sold leads whose answers are past their niche's days of retention, each day; no others are read.
create index leads_with_answers on leads (niche_id, created_at, id)
    where status in ('distributed', 'bad') and answers_erased_at is null;
-- leads_with_contact: the same of contact data. Two indexes, as either may be kept for good; a lead that is not sold is in none.
create index leads_with_contact on leads (niche_id, created_at, id)
    where status in ('distributed', 'bad') and contact_erased_at is null;
-- leads_rejected_with_data: rejected leads that are past their niche's days of retention.
create index leads_rejected_with_data on leads (niche_id, created_at, id) where status = 'rejected' and erased_at is null;
-- leads_of_status_by_age: the pages of one status.
create index leads_of_status_by_age on leads (status, created_at, id);
-- leads_of_niche_and_status_by_age: the pages of both at once; either alone may be common where both together are rare. And
-- unsold leads that are past their niche's days of retention.
create index leads_of_niche_and_status_by_age on leads (niche_id, status, created_at, id);
-- leads_by_email_key: the leads of an address.
create index leads_by_email_key on leads (email_key) where email_key is not null;
-- leads_by_phone_key: the leads of a telephone number.
create index leads_by_phone_key on leads (phone_key) where phone_key is not null;
-- leads_of_source_by_age: the pages of one source.
create index leads_of_source_by_age on leads (utm_source, created_at, id) where utm_source is not null;
create trigger leads_are_kept before delete or truncate on leads for each statement execute function keep_rows();
create trigger leads_keep_their_ids before update of id, niche_id on leads for each statement execute function keep_rows();

-- By what a lead is found when its consumer's name is looked for. Apart from `leads`, so that no change of a lead's status
-- writes here.
create table lead_name_words (
    lead_id    uuid not null references leads,
    -- A word of the contact's name, folded: core/entry/name_words.py. In the order of code points, so that those that begin
    -- alike stand together.
    word       text collate "C" not null check (octet_length(word) between 1 and 300),
    -- The lead's.
    created_at timestamptz not null,
    primary key (lead_id, word)
);
comment on table lead_name_words is 'The words of contacts'' names. Personal data: erased with the lead.';
create index lead_name_words_newest_first on lead_name_words (word, created_at desc, lead_id desc);
