-- Who may do what: users, their second factors and sessions, one-time tokens, API keys, limits on guessing.
--
-- A reader of these tables gains no access: passwords are argon2id, tokens and codes are SHA-256 of what is random,
-- TOTP seeds are encrypted with FAIRLEAD_ENCRYPTION_KEYS.

create table users (
    id          uuid primary key,
    email       text not null check (length(email) between 3 and 320),
    -- What an address is compared by, whichever way it was written: core/entry/mailbox.py.
    email_key   text not null check (length(email_key) between 1 and 400),
    name        text not null check (length(name) between 1 and 200),
    role        text not null check (role in ('admin', 'provider')),
    provider_id uuid references providers,
    -- In which the user is written to; null: the provider's, else English.
    language    text check (language ~ '^[a-z]{2}$'),
    status      text not null check (status in ('invited', 'active', 'disabled')),
    password_hash text check (password_hash like '$argon2id$%'),
    password_changed_at timestamptz,
    -- Sealed. The pending one counts for nothing until a code of it was given.
    totp_seed         bytea,
    totp_pending_seed bytea,
    totp_confirmed_at timestamptz,
    -- The 30-second step of the last code that was accepted: it and every earlier one are spent.
    totp_last_step    bigint check (totp_last_step >= 0),
    last_login_at timestamptz,
    created_at    timestamptz not null,
    constraint users_provider_is_of_providers check ((role = 'provider') = (provider_id is not null)),
    constraint users_active_have_a_password check (status <> 'active' or password_hash is not null),
    constraint users_password_says_when check ((password_hash is null) = (password_changed_at is null)),
    constraint users_second_factor_is_whole check (
        num_nulls(totp_seed, totp_confirmed_at, totp_last_step) in (0, 3))
);
comment on table users is 'Who can log in. Locked after providers and before sessions.';
create unique index users_email_is_unique on users (lower(email));
create unique index users_mailbox_is_unique on users (email_key);
create index users_of_provider on users (provider_id) where provider_id is not null;

create table recovery_codes (
    user_id    uuid not null references users,
    code_hash  bytea not null check (octet_length(code_hash) = 32),
    created_at timestamptz not null,
    used_at    timestamptz,
    primary key (user_id, code_hash)
);

create table sessions (
    id         uuid primary key,
    user_id    uuid not null references users,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    -- `password_ok`: the second factor is outstanding, and nothing is open but giving it or enrolling.
    state      text not null check (state in ('password_ok', 'full')),
    created_at       timestamptz not null,
    last_seen_at     timestamptz not null,
    idle_expires_at  timestamptz not null,
    expires_at       timestamptz not null,
    second_factor_at timestamptz,
    -- When its user last proved who it is: by second factor, or by password where there is none.
    stepped_up_at    timestamptz,
    -- Wrong codes and passwords in a row; too many end the session.
    wrong_proofs integer not null default 0 check (wrong_proofs >= 0),
    ip           text check (length(ip) between 1 and 45),
    user_agent   text check (length(user_agent) <= 200),
    -- The provider whose portal an operator looks at in this session, to read.
    seen_provider_id uuid references providers,
    ended_at     timestamptz,
    ended_why    text,
    constraint sessions_ended_says_why check ((ended_at is null) = (ended_why is null)),
    constraint sessions_pending_are_without_second_factor check (state = 'full' or second_factor_at is null)
);
create index sessions_live_of_user on sessions (user_id) where ended_at is null;
create index sessions_of_user_from on sessions (user_id, ip, created_at) where state = 'full';
create index sessions_by_age on sessions (expires_at);

create table one_time_tokens (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id    uuid not null references users,
    purpose    text not null check (purpose in ('invite', 'password_reset')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    check (expires_at > created_at)
);
create index one_time_tokens_of_user on one_time_tokens (user_id, purpose) where used_at is null;
create index one_time_tokens_by_age on one_time_tokens (expires_at);

create table setup_link (
    is_only_row boolean primary key default true check (is_only_row),
    token_hash  bytea not null check (octet_length(token_hash) = 32),
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    check (expires_at > created_at)
);
comment on table setup_link is
    'While there is no operator: the link that lets the first one in, of the web process that was started last.';

create table api_keys (
    id           uuid primary key,
    -- The part of the key that is no secret: it finds the row, and names the key in lists.
    prefix       text not null unique check (prefix ~ '^[a-z2-7]{12}$'),
    secret_hash  bytea not null check (octet_length(secret_hash) = 32),
    name         text not null check (length(name) between 1 and 100),
    scopes       text[] not null check (cardinality(scopes) >= 1),
    -- Whose key it is: it can never do more than its owner may.
    user_id      uuid references users,
    provider_id  uuid references providers,
    created_by   text not null,
    created_at   timestamptz not null,
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    revoked_by   text,
    constraint api_keys_have_one_owner check (num_nonnulls(user_id, provider_id) = 1),
    constraint api_keys_revoked_says_by_whom check ((revoked_at is null) = (revoked_by is null))
);
create index api_keys_of_user on api_keys (user_id) where user_id is not null;
create index api_keys_of_provider on api_keys (provider_id) where provider_id is not null;

create table rate_buckets (
    -- What is limited, and a hash of for whom.
    name    text primary key check (length(name) <= 200),
    full_at timestamptz not null
);
comment on table rate_buckets is
    'Limits on guessing that hold across processes: when each bucket of tokens is full again.';
create index rate_buckets_by_age on rate_buckets (full_at);

-- What operators keep of lists: which leads, in which columns and order. Nothing that was searched for.
create table lead_views (
    id      uuid primary key,
    -- Whose it is; null: every operator's.
    user_id uuid references users,
    name    text not null check (length(name) between 1 and 100),
    -- By the names of the list's parameters.
    filters jsonb not null check (jsonb_typeof(filters) = 'object'),
    columns text[] not null,
    is_oldest_first boolean not null,
    saved_at timestamptz not null,
    saved_by text not null
);
comment on table lead_views is 'Saved views of the list of leads. One that is shared is in the audit log, too.';
create unique index lead_views_of_user_by_name on lead_views (user_id, name) where user_id is not null;
create unique index lead_views_shared_by_name on lead_views (name) where user_id is null;
