-- Money that people move by hand, reports of bad leads, and requests that have one effect however often they are sent.

-- Niches: how long a provider may report a lead as bad ------------------------------------------------------------

alter table niches
    add column bad_lead_window_days integer not null default 14 check (bad_lead_window_days between 1 and 365);
comment on column niches.bad_lead_window_days is 'A lead can be reported as bad for so many days after its assignment.';

-- Assignments: what the provider says of its lead, and what comes of that -----------------------------------------

alter table assignments
    -- When the provider accepted or rejected the lead. A rejection returns no money by itself.
    add column answered_at      timestamptz,
    -- The provider's words; may be personal, and is nowhere else.
    add column rejection_reason text check (length(rejection_reason) between 1 and 500),
    add column refunded_at      timestamptz,
    add column bad_lead_reported_at timestamptz,
    add column bad_lead_reason text check (bad_lead_reason in
        ('unreachable', 'wrong_contact', 'duplicate', 'not_interested', 'outside_filter', 'spam', 'other')),
    -- The provider's words; may be personal, and is nowhere else.
    add column bad_lead_note   text check (length(bad_lead_note) between 1 and 1000),
    add column bad_lead_decision   text check (bad_lead_decision in ('accepted', 'rejected')),
    add column bad_lead_decided_at timestamptz,
    add column bad_lead_decided_by text,
    add column bad_lead_memo       text check (length(bad_lead_memo) between 10 and 1000),
    add constraint assignments_answered_says_when check (
        case status when 'active' then answered_at is null
                    when 'refunded' then true else answered_at is not null end),
    add constraint assignments_rejection_says_why check (
        case status when 'rejected' then rejection_reason is not null
                    when 'refunded' then true else rejection_reason is null end),
    add constraint assignments_refunded_says_when check ((status = 'refunded') = (refunded_at is not null)),
    add constraint assignments_report_says_why check (
        (bad_lead_reported_at is null) = (bad_lead_reason is null)
        and (bad_lead_note is null or bad_lead_reason is not null)),
    add constraint assignments_decision_says_who_and_why check (
        num_nulls(bad_lead_decision, bad_lead_decided_at, bad_lead_decided_by, bad_lead_memo) in (0, 4)),
    add constraint assignments_decision_is_of_a_report check (
        bad_lead_decision is null or bad_lead_reported_at is not null),
    add constraint assignments_accepted_report_is_refunded check (
        bad_lead_decision is distinct from 'accepted' or status = 'refunded'),
    add constraint assignments_refund_answers_the_report check (
        status <> 'refunded' or bad_lead_reported_at is null or bad_lead_decision is not null);
create index assignments_with_open_report on assignments (bad_lead_reported_at, id)
    where bad_lead_reported_at is not null and bad_lead_decision is null;

-- The ledger: what a person moved says why ------------------------------------------------------------------------

alter table ledger_entries
    add constraint ledger_entries_by_hand_say_who_and_why check (
        kind not in ('manual_credit', 'manual_debit', 'refund')
        or (actor <> '' and memo is not null and length(memo) between 10 and 1000)),
    -- Credit is for buying leads: nobody takes by hand what is not there.
    add constraint ledger_entries_manual_debit_leaves_no_debt check (
        kind <> 'manual_debit' or balance_after_cents >= 0);

-- Requests --------------------------------------------------------------------------------------------------------

create table idempotency_keys (
    actor       text not null check (length(actor) between 1 and 200),
    key         text not null check (length(key) between 1 and 255),
    route       text not null,
    -- SHA-256 of what was asked, so that another request with the same key is found out.
    fingerprint text not null check (length(fingerprint) between 1 and 200),
    -- `begun` within the transaction of the effect only: it commits with its result or not at all.
    status      text not null default 'begun' check (status in ('begun', 'done')),
    body        jsonb,
    created_at  timestamptz not null,
    primary key (actor, key),
    constraint idempotency_keys_done_says_what check ((status = 'done') = (body is not null))
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
comment on table idempotency_keys is 'The result of each request, stored in the transaction of its effect. Nothing personal.';
