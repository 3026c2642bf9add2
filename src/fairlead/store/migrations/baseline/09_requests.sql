-- Requests and calls that have one effect however often they are sent.

create table idempotency_keys (
    actor       text not null check (length(actor) between 1 and 200),
    key         text not null check (length(key) between 1 and 255),
    route       text not null,
    -- SHA-256 of what was asked, so that another request with the same key is found out.
    fingerprint text not null check (length(fingerprint) between 1 and 200),
    -- `begun` within the transaction of the effect only: it commits with its result or not at all.
    status      text not null default 'begun' check (status in ('begun', 'done')),
    body        jsonb,
    -- Whose request it was: what one of a provider brought is never given to another's.
    provider_id uuid default bound_provider_id(),
    created_at  timestamptz not null,
    primary key (actor, key),
    constraint idempotency_keys_done_says_what check ((status = 'done') = (body is not null))
);
comment on table idempotency_keys is
    'The result of each request, stored in the transaction of its effect: of a verb as it is, with nothing personal; of a whole request its answer, sealed where the server has FAIRLEAD_ENCRYPTION_KEYS, and nothing of a lead''s consumer.';
create index idempotency_keys_by_age on idempotency_keys (created_at);
-- idempotency_keys_of_lead: those whose fingerprint is of a lead's data, to be taken from them when that is erased.
create index idempotency_keys_of_lead on idempotency_keys ((body ->> 'lead_id')) where body ->> 'lead_id' is not null;
-- idempotency_keys_of_place: the same for requests to an address that names the lead or an assignment of it.
create index idempotency_keys_of_place on idempotency_keys (substring(route from '[0-9a-f]{8}-[0-9a-f-]{27}'))
    where substring(route from '[0-9a-f]{8}-[0-9a-f-]{27}') is not null;

-- Each call that changes something leaves its id in the transaction of what it does. Only the same call ever asks for
-- it, when the answer to its commit was lost. Ids rise with time, by which they are forgotten.
create table committed_calls (call_id uuid primary key);
comment on table committed_calls is
    'Which calls were committed, for those whose answer was lost. Forgotten within the hour.';
