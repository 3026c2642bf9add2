-- Who is told what, and how far that has come. Links for setting a password or confirming a lead are made when a message
-- is sent; no row ever holds one.

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
-- webhook_endpoints_failing: those that an operator should look at, the longest failing first.
create index webhook_endpoints_failing on webhook_endpoints (failing_since, id)
    where failing_since is not null and deleted_at is null;

create table notifications (
    -- notifications_pkey: finds a notification; its id goes out with the message.
    id              uuid primary key,
    kind            text not null check (kind in
        ('lead_assigned', 'refund_issued', 'subscription_deactivated', 'subscription_reactivated',
         'filter_invalidated', 'price_limit_passed', 'low_balance', 'operator_alert', 'user_invited', 'password_reset',
         'export_ready', 'lead_confirmation', 'lead_confirmed', 'lead_withdrawn',
         'lead_erased', 'auto_top_up_failed', 'balance_topped_up')),
    channel         text not null check (channel in ('email', 'webhook')),
    -- Whom it is for: a provider, a user, a lead's consumer, or (all null) the operators.
    provider_id     uuid,
    -- notifications_user_id_fkey: the user is there; what is told to providers has none to check.
    user_id         uuid references users,
    -- notifications_lead_id_fkey: the lead is there; what is told to providers has none to check.
    lead_id         uuid references leads,
    -- notifications_webhook_endpoint_id_fkey: the endpoint is there; emails have none to check.
    webhook_endpoint_id uuid references webhook_endpoints,
    -- What it is about.
    assignment_id   uuid,
    -- notifications_subscription_id_fkey: the subscription is there; what is told of a lead has none to check.
    subscription_id uuid references subscriptions,
    -- What the message says beside what its cause says; nothing personal.
    detail          jsonb check (jsonb_typeof(detail) = 'object'),
    correlation_id  text,
    created_at      timestamptz not null,

    -- How far it has come. `skipped`: the provider's preferences say that it does not want to be told.
    state      text not null default 'queued' check (state in ('queued', 'sent', 'failed', 'skipped')),
    -- When it was handed to a delivery job; null: not yet, or held because its endpoint is paused.
    enqueued_at timestamptz,
    -- The job that is sending it right now. A second job for the same notification leaves it alone.
    claimed_by_job bigint,
    claimed_at timestamptz,
    attempts   integer not null default 0 check (attempts >= 0),
    last_attempt_at timestamptz,
    last_error  text,
    last_answer text,
    sent_at     timestamptz,
    -- How often it was sent again on purpose after it had been sent: an email then is a new message.
    replay_count integer not null default 0 check (replay_count >= 0),

    constraint notifications_name_their_cause check (
        case when kind in ('lead_assigned', 'refund_issued', 'lead_withdrawn', 'lead_erased') then assignment_id is not null
             when kind in ('low_balance', 'operator_alert', 'auto_top_up_failed', 'balance_topped_up')
                  then detail is not null
             when kind in ('user_invited', 'password_reset') then user_id is not null
             when kind = 'export_ready' then detail is not null
             when kind in ('lead_confirmation', 'lead_confirmed') then lead_id is not null
             else subscription_id is not null end),
    constraint notifications_name_their_recipient check (
        (provider_id is null) = (kind in
            ('operator_alert', 'user_invited', 'password_reset', 'export_ready', 'lead_confirmation', 'lead_confirmed'))
        and (user_id is not null) = (kind in ('user_invited', 'password_reset', 'export_ready'))
        and (lead_id is not null) = (kind in ('lead_confirmation', 'lead_confirmed'))),
    constraint notifications_name_their_endpoint check ((webhook_endpoint_id is not null) = (channel = 'webhook')),
    constraint notifications_users_are_told_by_email check (user_id is null or channel = 'email'),
    constraint notifications_consumers_are_told_by_email check (lead_id is null or channel = 'email'),
    constraint notifications_sent_says_when check ((state = 'sent') = (sent_at is not null)),
    -- notifications_one_per_assignment_and_channel: told once; and what was told of an assignment.
    constraint notifications_one_per_assignment_and_channel unique (assignment_id, kind, channel)
);
-- notifications_to_enqueue: what dispatching hands to delivery jobs next.
create index notifications_to_enqueue on notifications (id) where state = 'queued' and enqueued_at is null;
-- notifications_under_way: what was handed out and is not delivered, for the sweep and the gauges.
create index notifications_under_way on notifications (enqueued_at) where state = 'queued' and enqueued_at is not null;
-- notifications_not_delivered: the pages of what failed or was skipped.
create index notifications_not_delivered on notifications (state, id) where state in ('failed', 'skipped');
-- notifications_of_provider: the pages of one provider.
create index notifications_of_provider on notifications (provider_id, id) where provider_id is not null;
-- notifications_of_endpoint: the pages of one endpoint; what waits while it is paused.
create index notifications_of_endpoint on notifications (webhook_endpoint_id, id) where webhook_endpoint_id is not null;
-- notifications_of_lead: whether a consumer was asked to confirm.
create index notifications_of_lead on notifications (lead_id) where lead_id is not null;
-- notifications_of_funds: whether a provider was told that a subscription stopped: the newest of the two notices about its funds.
create index notifications_of_funds on notifications (subscription_id, kind, created_at)
    where kind in ('subscription_deactivated', 'subscription_reactivated');
-- notifications_alert_once: an alert that names what it is raised for once is not raised for it again.
create unique index notifications_alert_once on notifications ((detail ->> 'once')) where kind = 'operator_alert';

create table notification_templates (
    kind       text not null,
    language   text not null check (language ~ '^[a-z]{2}$'),
    version    integer not null check (version >= 1),
    -- All null: from this version on the default is in use, whatever it is in the release that runs.
    subject    text check (length(subject) between 1 and 1000),
    html       text,
    body_text  text,
    created_at timestamptz not null,
    created_by text not null,
    -- Why this version was made: an edit's memo, or which version it restores.
    memo       text,
    primary key (kind, language, version),
    constraint notification_templates_are_whole check (num_nulls(subject, html, body_text) in (0, 3))
);
comment on table notification_templates is
    'Append-only; the highest version of a kind in a language is in use, and without any the default is.';
create trigger notification_templates_are_append_only before update or delete or truncate on notification_templates
    for each statement execute function refuse_change();
