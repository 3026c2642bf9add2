-- Taking leads in from outside: who sent them, which are the same, who consented to what, who has to confirm.

create table lead_intakes (
    lead_id     uuid primary key references leads,
    via         text not null check (via in ('key', 'public')),
    -- The key that sent it, by its prefix.
    sender      text not null check (length(sender) between 1 and 200),
    taken_in_at timestamptz not null,
    confirm_by   timestamptz,
    confirmed_at timestamptz,
    -- Which its consumer reads, as the form was; null: not said.
    language     text check (language ~ '^[a-z]{2}$'),
    -- The earlier lead that it repeats, and the fields that are the same.
    duplicate_of     uuid references leads,
    duplicate_fields text[] check (cardinality(duplicate_fields) >= 1),
    constraint lead_intakes_public_are_to_be_confirmed check ((via = 'public') = (confirm_by is not null)),
    constraint lead_intakes_confirmed_are_public check (confirmed_at is null or via = 'public'),
    constraint lead_intakes_duplicate_says_of_what check (
        (duplicate_of is null) = (duplicate_fields is null) and duplicate_of <> lead_id)
);
comment on table lead_intakes is 'How a lead came in from outside; leads that operators enter or import have no row.';

-- Duplicates ------------------------------------------------------------------------------------------------------

create table intake_secret (
    is_only_row boolean primary key default true check (is_only_row),
    secret      bytea not null check (octet_length(secret) = 32)
);
comment on table intake_secret is
    'Without it an attacker cannot try out whose mailbox or network a fingerprint, a limit, or a key of a request is of.';
insert into intake_secret (secret)
select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) from generate_series(1, 4);

create table lead_fingerprints (
    lead_id     uuid not null references leads,
    niche_id    uuid not null references niches,
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    -- The lead's.
    created_at  timestamptz not null,
    primary key (lead_id, fingerprint)
);
comment on table lead_fingerprints is
    'What makes leads the same, as keyed hashes. Personal data all the same: erased with the lead.';
create index lead_fingerprints_newest_first on lead_fingerprints (fingerprint, created_at desc, lead_id desc);

create table fingerprint_progress (
    niche_id   uuid primary key references niches,
    -- By which fields its leads have fingerprints, as JSON: with others the task begins anew.
    field_groups text not null,
    -- The last lead that the task has seen to.
    created_at timestamptz not null,
    lead_id    uuid not null
);
comment on table fingerprint_progress is
    'How far the periodic task has come that gives fingerprints to leads which came before the rule, or not by intake.';

-- Consent ---------------------------------------------------------------------------------------------------------

create table lead_consents (
    lead_id      uuid primary key references leads,
    -- What the consumer agreed to, word by word, and when by the sender's word.
    consent_text text not null check (length(consent_text) between 1 and 10000),
    consented_at timestamptz not null,
    source_url   text check (length(source_url) between 1 and 2000),
    ip           text check (length(ip) between 1 and 45),
    user_agent   text check (length(user_agent) between 1 and 500),
    -- A third party's certificate of the same.
    certificate_url text check (length(certificate_url) between 1 and 2000),
    recorded_at  timestamptz not null
);
comment on table lead_consents is 'Append-only; goes only when the lead has been erased.';

-- A key is as personal as what it was made from.
create function keep_consent() returns trigger language plpgsql as $$
begin
    if current_setting('fairlead.erases_consents', true) is distinct from 'on' then
        raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
comment on function keep_consent is 'A consent goes only where the transaction says that it erases (store/leads/intake.py).';
create trigger lead_consents_are_kept before delete on lead_consents
    for each statement execute function keep_consent();
create trigger lead_consents_are_append_only before update or truncate on lead_consents
    for each statement execute function refuse_change();

-- Confirmation by email: the link is made when it is sent, and no row ever holds it -----------------------------------

create table confirmation_tokens (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    lead_id    uuid not null references leads,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check (expires_at > created_at)
);
create index confirmation_tokens_of_lead on confirmation_tokens (lead_id);
create index confirmation_tokens_by_age on confirmation_tokens (expires_at);

-- A consumer's own link to its request, which shows how far that has come and withdraws it --------------------------------

create table consumer_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    lead_id    uuid not null references leads,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check (expires_at > created_at)
);
create index consumer_links_of_lead on consumer_links (lead_id);
create index consumer_links_by_age on consumer_links (expires_at);

-- What was erased -----------------------------------------------------------------------------------------------------

create table erasures (
    id        uuid primary key,
    lead_id   uuid not null references leads,
    -- All that is personal, or by retention its answers or its contact data alone.
    scope     text not null check (scope in ('lead', 'answers', 'contact')),
    erased_at timestamptz not null,
    erased_by text not null check (length(erased_by) between 1 and 200),
    origin    text not null check (origin in ('operator', 'consumer', 'retention')),
    -- One of ours, never a person's words.
    reason    text not null check (reason in
        ('consumer_request', 'consent_withdrawn', 'unlawful', 'test_data', 'no_longer_needed', 'retention')),
    -- The lead's, right before.
    status_before text not null check (status_before in
        ('pending_confirmation', 'pending_approval', 'approved', 'distributed', 'rejected', 'bad')),
    constraint erasures_by_retention_say_so check ((origin = 'retention') = (reason = 'retention')),
    -- erasures_once: what is erased is erased once; and the erasures of a lead.
    constraint erasures_once unique (lead_id, scope)
);
comment on table erasures is 'Append-only: of which leads personal data was erased, when, by whom, why. Nothing personal.';
-- erasures_by_age: their pages, the newest first.
create index erasures_by_age on erasures (erased_at, id);
create trigger erasures_are_append_only before update or delete or truncate on erasures
    for each statement execute function refuse_change();

create table retention_policies (
    niche_id      uuid primary key references niches,
    -- For so many days after a lead came in: the answers and the contact data of those that were sold or marked bad, and
    -- everything of those that were rejected, and of those that were never sold. Null: for good.
    answers_days  integer check (answers_days between 1 and 36500),
    contact_days  integer check (contact_days between 1 and 36500),
    rejected_days integer check (rejected_days between 1 and 36500),
    unsold_days   integer check (unsold_days between 1 and 36500),
    -- What was answered to the messages about a lead, and the errors of their attempts.
    deliveries_days integer check (deliveries_days between 1 and 36500),
    -- Leads that came in before that have been seen to for the last of these; null: none.
    deliveries_before timestamptz,
    changed_at    timestamptz not null
);
comment on table retention_policies is
    'For how long personal data of a niche''s leads is kept; a niche without a row keeps it for good.';
