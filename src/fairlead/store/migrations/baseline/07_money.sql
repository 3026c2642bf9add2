-- Every movement of money, who received a lead, and what was paid for it.
--
-- Distribution writes these tables, nine rows a lead, so a key that repeats what another one or a lock ensures is not here
-- (ADR 0018). A batch holds the row locks of its niche, leads and providers, which are therefore there and stay
-- (`keep_rows`). What no key checks, an invariant does: store/invariants/of_references.py.

create table payments (
    id           uuid primary key,
    provider_id  uuid not null references providers,
    gateway      text not null check (length(gateway) between 1 and 50),
    external_id  text not null check (length(external_id) between 1 and 200),
    amount_cents bigint not null check (amount_cents > 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    status       text not null check (status in ('pending', 'succeeded', 'failed')),
    created_at   timestamptz not null,
    constraint payments_external_id_is_credited_once unique (gateway, external_id)
);
-- payments_of_provider: the pages of one provider.
create index payments_of_provider on payments (provider_id, created_at, id);
-- payments_by_age: the pages of all providers.
create index payments_by_age on payments (created_at, id);
create trigger payments_are_kept before delete or truncate on payments
    for each statement execute function refuse_change();
create trigger payments_keep_their_terms
    before update of provider_id, gateway, external_id, amount_cents, currency on payments
    for each statement execute function refuse_change();

create table payment_requests (
    -- payment_requests_pkey: what the gateway is told, and names in what it reports.
    id           uuid primary key,
    provider_id  uuid not null references providers,
    gateway      text not null check (length(gateway) between 1 and 50),
    amount_cents bigint not null check (amount_cents > 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    created_at   timestamptz not null,
    -- `in_review`: money came, but not as it was asked for, so an operator decides.
    state        text not null default 'pending' check (state in ('pending', 'succeeded', 'failed', 'in_review')),
    -- Why it failed or is in review: the gateway's code, or the kind of the doubt.
    state_reason text check (length(state_reason) between 1 and 100),
    settled_at   timestamptz,
    payment_id   uuid references payments,
    -- The page on which it is paid, as the gateway names it.
    checkout_reference text check (length(checkout_reference) between 1 and 200),
    checkout_url       text check (length(checkout_url) between 1 and 4000),
    -- The saved method that it is charged to by itself, by auto top-up; null: its provider pays it on a page.
    method_reference   text check (length(method_reference) between 1 and 200),
    -- The month's limit then, what of it was used before, and since when the month had been.
    top_up_limit_cents   bigint check (top_up_limit_cents >= 1),
    top_up_charged_cents bigint check (top_up_charged_cents >= 0),
    top_up_month_from    timestamptz check (top_up_month_from <= created_at),
    -- When the gateway is asked what became of it, and how often it was asked; null: not again.
    ask_at       timestamptz,
    ask_count    integer not null default 0 check (ask_count >= 0),
    constraint payment_requests_top_up_is_whole check (
        num_nulls(method_reference, top_up_limit_cents, top_up_charged_cents, top_up_month_from) in (0, 4)),
    constraint payment_requests_top_up_is_within_its_month check (
        top_up_charged_cents + amount_cents <= top_up_limit_cents),
    constraint payment_requests_settled_says_when check ((state = 'pending') = (settled_at is null)),
    constraint payment_requests_unpaid_says_why check ((state in ('failed', 'in_review')) = (state_reason is not null)),
    constraint payment_requests_succeeded_names_its_payment check ((state = 'succeeded') = (payment_id is not null))
);
comment on table payment_requests is 'What a gateway was asked to collect: from the request to the payment that it became.';
-- payment_requests_one_per_payment: no payment answers two requests.
create unique index payment_requests_one_per_payment on payment_requests (payment_id) where payment_id is not null;
-- payment_requests_of_provider: the pages of one provider.
create index payment_requests_of_provider on payment_requests (provider_id, created_at, id);
-- payment_requests_by_age: the pages of all providers.
create index payment_requests_by_age on payment_requests (created_at, id);
-- payment_requests_one_charge_under_way: a saved method is charged once at a time.
create unique index payment_requests_one_charge_under_way on payment_requests (provider_id)
    where method_reference is not null and state = 'pending';
-- payment_requests_to_ask: those whose gateway is asked next.
create index payment_requests_to_ask on payment_requests (ask_at) where ask_at is not null;
create trigger payment_requests_are_kept before delete or truncate on payment_requests
    for each statement execute function refuse_change();
create trigger payment_requests_keep_their_terms
    before update of id, provider_id, gateway, amount_cents, currency, created_at, method_reference, top_up_limit_cents,
                     top_up_charged_cents, top_up_month_from on payment_requests
    for each statement execute function refuse_change();

create table auto_top_ups (
    -- auto_top_ups_pkey: a provider has one at the most.
    provider_id         uuid primary key references providers,
    -- Below which balance so much is charged, and how much in a month of the marketplace's at the most.
    threshold_cents     bigint not null check (threshold_cents >= 1),
    amount_cents        bigint not null check (amount_cents >= 1),
    monthly_limit_cents bigint not null check (monthly_limit_cents >= amount_cents),
    is_on               boolean not null,
    -- Why it went off by itself, a code of the gateway; null: a person switched it on or off.
    off_reason          text check (length(off_reason) between 1 and 100),
    -- Refusals since the last charge that succeeded.
    refusal_count       integer not null default 0 check (refusal_count >= 0),
    -- When the balance is looked at next, and charged for; null: when it falls below the threshold again.
    due_at              timestamptz,
    constraint auto_top_ups_on_has_no_reason check (not is_on or off_reason is null),
    constraint auto_top_ups_off_is_not_due check (is_on or due_at is null)
);
-- auto_top_ups_due: those to look at next.
create index auto_top_ups_due on auto_top_ups (due_at) where due_at is not null;
-- auto_top_ups_switched_off: those that a refused charge switched off, for the list and the gauge.
create index auto_top_ups_switched_off on auto_top_ups (provider_id) where off_reason is not null;
create trigger auto_top_ups_are_kept before delete or truncate on auto_top_ups
    for each statement execute function keep_rows();

create table saved_methods (
    -- saved_methods_pkey: what the gateway is told, and names in what it reports.
    id           uuid primary key,
    provider_id  uuid not null references providers,
    gateway      text not null check (length(gateway) between 1 and 50),
    created_at   timestamptz not null,
    -- `replaced`: another took its place, and the gateway is still to be told to keep it no more.
    state        text not null default 'open' check (state in ('open', 'saved', 'failed', 'replaced', 'forgotten')),
    -- The page on which it is saved, as the gateway names it.
    page_reference text check (length(page_reference) between 1 and 200),
    page_url       text check (length(page_url) between 1 and 4000),
    -- What the gateway calls the saved method, and what its owner does.
    method_reference text check (length(method_reference) between 1 and 200),
    label            text check (length(label) between 1 and 100),
    -- When the gateway is asked whether it is saved, or to keep it no more, and how often it was; null: not again.
    ask_at       timestamptz,
    ask_count    integer not null default 0 check (ask_count >= 0),
    -- Which card was chosen on the test gateway's page.
    test_card    text check (length(test_card) between 1 and 50),
    constraint saved_methods_saved_are_whole check (
        (state in ('saved', 'replaced')) = (method_reference is not null) and (state = 'saved') = (label is not null)),
    constraint saved_methods_replaced_say_when check (state <> 'replaced' or ask_at is not null)
);
comment on table saved_methods is 'Payment methods that providers saved at a gateway, and those that they are saving.';
-- saved_methods_one_saved: what is saved takes the place of what was.
create unique index saved_methods_one_saved on saved_methods (provider_id) where state = 'saved';
-- saved_methods_of_provider: the newest page of one provider.
create index saved_methods_of_provider on saved_methods (provider_id, created_at);
-- saved_methods_to_ask: those whose gateway is asked next.
create index saved_methods_to_ask on saved_methods (ask_at) where ask_at is not null;

create table payment_doubts (
    id           uuid primary key,
    kind         text not null check (kind in
        ('unknown_payment', 'other_amount', 'other_currency', 'paid_twice', 'not_creditable', 'refunded', 'disputed',
         'no_answer')),
    gateway      text not null check (length(gateway) between 1 and 50),
    -- What it is about, as the gateway names it: told once.
    subject      text not null check (length(subject) between 1 and 250),
    request_id   uuid references payment_requests,
    -- What the gateway says was charged; null where it says nothing of it.
    charge_reference text check (length(charge_reference) between 1 and 200),
    amount_cents bigint check (amount_cents > 0),
    currency     text check (currency ~ '^[A-Z]{3}$'),
    noticed_at   timestamptz not null,
    resolved_at  timestamptz,
    resolved_by  text,
    resolution   text check (resolution in ('credited', 'closed')),
    memo         text check (length(memo) between 10 and 1000),
    constraint payment_doubts_are_told_once unique (gateway, kind, subject),
    constraint payment_doubts_resolved_says_how check (num_nulls(resolved_at, resolved_by, resolution, memo) in (0, 4))
);
comment on table payment_doubts is 'What a gateway reported that no rule settles: an operator decides.';
-- payment_doubts_open: those that wait, the oldest first.
create index payment_doubts_open on payment_doubts (noticed_at, id) where resolved_at is null;
create trigger payment_doubts_are_kept before delete or truncate on payment_doubts
    for each statement execute function refuse_change();
create trigger payment_doubts_keep_their_terms
    before update of id, kind, gateway, subject, request_id, charge_reference, amount_cents, currency, noticed_at
    on payment_doubts for each statement execute function refuse_change();

create table sandbox_charges (
    -- sandbox_charges_pkey: of a request at most one.
    request_id   uuid primary key references payment_requests,
    provider_id  uuid not null,
    answer       text not null check (answer in ('pays', 'declines', 'pays_later', 'answers_twice')),
    amount_cents bigint not null check (amount_cents > 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    -- From when on the test gateway says so.
    answers_at   timestamptz not null
);
comment on table sandbox_charges is 'What was chosen on the test gateway''s page. No money stands behind it.';

create table ledger_entries (
    provider_id   uuid not null,
    seq           bigint not null check (seq >= 1),
    kind          text not null check (kind in ('deposit', 'lead_purchase', 'refund', 'manual_credit', 'manual_debit')),
    amount_cents  bigint not null check (amount_cents <> 0),
    balance_after_cents bigint not null,
    assignment_id uuid,
    -- ledger_entries_payment_id_fkey: a deposit is of a payment that is there; purchases have none to check.
    payment_id    uuid references payments,
    actor         text not null,
    memo          text,
    created_at    timestamptz not null,
    -- ledger_entries_pkey: one entry for each number of a ledger; its pages, and what assignments name.
    primary key (provider_id, seq),
    constraint ledger_entries_sign_follows_kind check ((amount_cents < 0) = (kind in ('lead_purchase', 'manual_debit'))),
    constraint ledger_entries_purchase_names_its_assignment
        check ((assignment_id is not null) = (kind in ('lead_purchase', 'refund'))),
    constraint ledger_entries_deposit_names_its_payment check ((payment_id is not null) = (kind = 'deposit')),
    constraint ledger_entries_by_hand_say_who_and_why check (
        kind not in ('manual_credit', 'manual_debit', 'refund')
        or (actor <> '' and memo is not null and length(memo) between 10 and 1000)),
    -- Credit is for buying leads: an operator debits by hand no more than there is.
    constraint ledger_entries_manual_debit_leaves_no_debt check (
        kind <> 'manual_debit' or balance_after_cents >= 0)
);
-- ledger_entries_one_refund_per_assignment: money goes back once.
create unique index ledger_entries_one_refund_per_assignment on ledger_entries (assignment_id) where kind = 'refund';
-- ledger_entries_one_deposit_per_payment: money comes in once; and what a payment became.
create unique index ledger_entries_one_deposit_per_payment on ledger_entries (payment_id) where kind = 'deposit';
-- ledger_entries_of_provider_by_age: which entries of a ledger are of a span of time, statements.
create index ledger_entries_of_provider_by_age on ledger_entries (provider_id, created_at, seq);
-- ledger_entries_by_age: the pages of all ledgers, and sums by day.
create index ledger_entries_by_age on ledger_entries (created_at, provider_id, seq);
-- ledger_entries_of_provider_but_purchases: the few other entries of a ledger.
create index ledger_entries_of_provider_but_purchases on ledger_entries (provider_id, kind, seq)
    where kind <> 'lead_purchase';
-- ledger_entries_but_purchases_by_age: the few other entries of all ledgers.
create index ledger_entries_but_purchases_by_age on ledger_entries (kind, created_at, provider_id, seq)
    where kind <> 'lead_purchase';
create trigger ledger_entries_are_append_only before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change();

create table assignments (
    -- assignments_pkey: finds an assignment; its id goes out in messages and addresses.
    id                   uuid primary key,
    lead_id              uuid not null,
    provider_id          uuid not null,
    subscription_id      uuid not null,
    competition_level_id uuid not null,
    niche_id             uuid not null,
    journal_seq          bigint not null,
    served_seq           bigint not null check (served_seq >= 1),
    price_cents          bigint not null check (price_cents >= 1),
    ledger_seq           bigint not null,
    assigned_at          timestamptz not null,
    -- R14: the name of the price rule that decided the price; null: none, it is the level's own.
    price_rule           text check (length(price_rule) between 1 and 100),

    -- What the provider says of its lead. A rejection returns no money by itself.
    status      text not null default 'active' check (status in ('active', 'accepted', 'rejected', 'refunded')),
    viewed_at   timestamptz,
    answered_at timestamptz,
    -- The provider's words; may be personal, and is nowhere else.
    rejection_reason text check (length(rejection_reason) between 1 and 500),
    refunded_at timestamptz,
    -- What its refund gave back besides the money, and the entry of its niche's journal that says so.
    return_seq    bigint check (return_seq >= 1),
    turn_returned boolean not null default false,
    left_limits   boolean not null default false,

    -- What it reports as bad, and what operators decide about that.
    bad_lead_reported_at timestamptz,
    -- The key of a category, of which the operators have a list of their own.
    bad_lead_reason text check (bad_lead_reason ~ '^[a-z][a-z0-9_]{0,39}$'),
    -- The provider's words; may be personal, and is nowhere else.
    bad_lead_note       text check (length(bad_lead_note) between 1 and 1000),
    -- What proves it: an answer that came back, a record of calls. As the note.
    bad_lead_evidence   text check (length(bad_lead_evidence) between 1 and 4000),
    bad_lead_decision   text check (bad_lead_decision in ('accepted', 'rejected')),
    bad_lead_decided_at timestamptz,
    bad_lead_decided_by text,
    bad_lead_memo       text check (length(bad_lead_memo) between 10 and 1000),

    -- assignments_are_subscribed_to: the provider has a subscription at the level, so both are there.
    constraint assignments_are_subscribed_to foreign key (provider_id, competition_level_id)
        references subscriptions (provider_id, competition_level_id),
    -- assignments_are_paid: R8, no assignment without its entry in the ledger of its own provider.
    constraint assignments_are_paid foreign key (provider_id, ledger_seq) references ledger_entries,
    -- assignments_lead_reaches_a_provider_once: R1; and the assignments of a lead.
    constraint assignments_lead_reaches_a_provider_once unique (lead_id, provider_id),
    -- assignments_served_seq_has_no_ties: R5; and a niche's assignments in their order.
    constraint assignments_served_seq_has_no_ties unique (niche_id, served_seq),
    -- assignments_one_payment_each: R8, no entry pays for two; and a provider's assignments in their order.
    constraint assignments_one_payment_each unique (provider_id, ledger_seq),
    constraint assignments_answered_says_when check (
        case status when 'active' then answered_at is null
                    when 'refunded' then true else answered_at is not null end),
    constraint assignments_rejection_says_why check (
        case status when 'rejected' then rejection_reason is not null
                    when 'refunded' then true else rejection_reason is null end),
    constraint assignments_refunded_says_when check ((status = 'refunded') = (refunded_at is not null)),
    constraint assignments_return_says_what check (
        case when return_seq is null then not turn_returned and not left_limits
             else status = 'refunded' and (turn_returned or left_limits) end),
    constraint assignments_report_says_why check (
        (bad_lead_reported_at is null) = (bad_lead_reason is null)
        and (num_nonnulls(bad_lead_note, bad_lead_evidence) = 0 or bad_lead_reason is not null)),
    constraint assignments_decision_says_who_and_why check (
        num_nulls(bad_lead_decision, bad_lead_decided_at, bad_lead_decided_by, bad_lead_memo) in (0, 4)),
    constraint assignments_decision_is_of_a_report check (
        bad_lead_decision is null or bad_lead_reported_at is not null),
    constraint assignments_accepted_report_is_refunded check (
        bad_lead_decision is distinct from 'accepted' or status = 'refunded'),
    constraint assignments_refund_answers_the_report check (
        status <> 'refunded' or bad_lead_reported_at is null or bad_lead_decision is not null)
);
-- What is most of the table (active, viewed) is in none of the following, because distribution writes it.
-- assignments_unviewed_of_provider: what a provider has not looked at yet.
create index assignments_unviewed_of_provider on assignments (provider_id, ledger_seq) where viewed_at is null;
-- assignments_of_provider_in_status: what a provider answered, and its refunds.
create index assignments_of_provider_in_status on assignments (provider_id, status, ledger_seq)
    where status <> 'active';
-- assignments_reported_by_provider: what a provider reported as bad.
create index assignments_reported_by_provider on assignments (provider_id, ledger_seq)
    where bad_lead_reported_at is not null;
-- assignments_with_open_report: the reports that operators have to decide.
create index assignments_with_open_report on assignments (bad_lead_reported_at, id)
    where bad_lead_reported_at is not null and bad_lead_decision is null;
-- assignments_in_status: the pages of answers and refunds of all providers.
create index assignments_in_status on assignments (status, id) where status <> 'active';
-- assignments_with_a_return: what refunds gave back.
create index assignments_with_a_return on assignments (provider_id, ledger_seq) where return_seq is not null;
-- assignments_by_refund: refunds in reports by day.
create index assignments_by_refund on assignments (refunded_at) where refunded_at is not null;
create trigger assignments_keep_their_terms
    before update of lead_id, provider_id, subscription_id, competition_level_id, niche_id, journal_seq, served_seq,
                     price_cents, ledger_seq, assigned_at, price_rule on assignments
    for each statement execute function refuse_change();
create trigger assignments_are_kept before delete or truncate on assignments
    for each statement execute function refuse_change();

create table closed_months (
    -- closed_months_pkey: a month is closed once.
    month     date primary key check (extract(day from month) = 1),
    -- By whose clocks it is a month. It begins where the one before it ended, also where that was closed in another zone.
    timezone  text not null check (length(timezone) between 1 and 64),
    began_at  timestamptz not null,
    ends_at   timestamptz not null check (ends_at > began_at),
    closed_at timestamptz not null,
    -- The last receipt or credit note of the month, or of an earlier one; 0: there was none yet.
    last_receipt_number bigint not null check (last_receipt_number >= 0),
    constraint closed_months_are_over check (closed_at > ends_at)
);
comment on table closed_months is 'Append-only: months whose papers are final.';
create trigger closed_months_are_append_only before update or delete or truncate on closed_months
    for each statement execute function refuse_change();

create table statements (
    -- statements_pkey: one of a provider and month, and a provider's in order.
    provider_id   uuid not null references providers,
    month         date not null references closed_months,
    -- The entries of the month, which are a stretch of the ledger; none where the last is before the first.
    first_seq     bigint not null check (first_seq >= 1),
    last_seq      bigint not null check (last_seq >= 1),
    opening_cents bigint not null,
    closing_cents bigint not null,
    -- By kind of entry: how many, and their sum.
    totals        jsonb not null check (jsonb_typeof(totals) = 'object'),
    -- Of the statement's CSV, whose bytes are the same whenever it is made.
    sha256        bytea not null check (octet_length(sha256) = 32),
    -- Marketplace and provider as they were when the month was closed, as on a receipt.
    parties       jsonb not null check (jsonb_typeof(parties) = 'object'),
    primary key (provider_id, month),
    constraint statements_are_a_stretch check (last_seq >= first_seq - 1)
);
comment on table statements is 'Append-only: what a provider''s closed months came to.';
-- statements_of_month: all of one month, which are sealed together.
create index statements_of_month on statements (month, provider_id);
create trigger statements_are_append_only before update or delete or truncate on statements
    for each statement execute function refuse_change();

create table reconciliations (
    id               uuid primary key,
    started_at       timestamptz not null,
    ended_at         timestamptz not null,
    checked_count    bigint not null,
    difference_count integer not null check (difference_count >= 0),
    differences      jsonb not null check (jsonb_typeof(differences) = 'array')
);
comment on table reconciliations is
    'Each comparison of the books with themselves, and what did not agree. Nothing is ever repaired by it.';
create index reconciliations_by_age on reconciliations (ended_at);
