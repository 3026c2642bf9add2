-- All that the portal's role may do, and no more: whatever is not named here it cannot touch.
--
-- Carried out whole by `fairlead migrate` whenever this file has changed, in one transaction. Which rows it reaches is
-- for the policies (baseline/14_row_level_security.sql). Money, prices and the order of service have no update here at all.
-- tests/tidy/portal_privileges.txt says the same by table and column; a new table or column needs its line there.

revoke all on all tables in schema :"schema" from :"portal";
revoke all on all sequences in schema :"schema" from :"portal";
grant usage on schema :"schema" to :"portal";

-- What is on offer: the same for all providers, and no provider's own.
grant select on marketplace, niches, competition_levels, postcode_tables to :"portal";

-- Its own money, which it reads.
grant select on providers, payments, ledger_entries, statements, closed_months, receipts to :"portal";
grant select on payment_requests to :"portal";
grant select (request_id, provider_id) on sandbox_charges to :"portal";
grant update (low_balance_threshold_cents, low_balance_days, top_up_below_cents, language, limits, schedule, limits_used,
              notification_preferences)
    on providers to :"portal";

-- What it asks to pay. What becomes of that is the workers' to say.
grant insert (id, provider_id, gateway, amount_cents, currency, created_at, ask_at) on payment_requests to :"portal";
grant update (checkout_reference, checkout_url, ask_at) on payment_requests to :"portal";
grant insert (request_id, provider_id, answer, amount_cents, currency, answers_at) on sandbox_charges to :"portal";

-- Its auto top-up and the methods that it saves. What is charged, and what is saved by then, is the workers' to say.
grant select on auto_top_ups, saved_methods to :"portal";
grant insert (provider_id, threshold_cents, amount_cents, monthly_limit_cents, is_on, off_reason, refusal_count, due_at)
    on auto_top_ups to :"portal";
grant update (threshold_cents, amount_cents, monthly_limit_cents, is_on, off_reason, refusal_count, due_at)
    on auto_top_ups to :"portal";
grant insert (id, provider_id, gateway, created_at, ask_at) on saved_methods to :"portal";
grant update (state, page_reference, page_url, method_reference, label, ask_at, test_card) on saved_methods to :"portal";

-- What its papers are to say of it. Those that were issued it reads, and no more.
grant select on billing_details to :"portal";
grant insert (provider_id, legal_name, address, country, tax_id, email) on billing_details to :"portal";
grant update (legal_name, address, country, tax_id, email) on billing_details to :"portal";

-- Its own subscriptions. `served_seq`, the place in the order, is the engine's.
grant select on subscriptions to :"portal";
grant insert (id, provider_id, competition_level_id, niche_id, is_active, deactivation_reason, filter_rules,
              filter_is_valid, limits, schedule, max_price_cents, deleted_at, created_at) on subscriptions to :"portal";
grant update (is_active, deactivation_reason, filter_rules, filter_is_valid, limits, schedule, max_price_cents, shut_by,
              limits_used,
              deleted_at)
    on subscriptions to :"portal";

-- What it bought, and what it says of it. Not what operators wrote, and not the salt of the journal's commitment.
grant select (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id, price_cents, ledger_seq, status,
              assigned_at, price_rule, viewed_at, answered_at, rejection_reason, refunded_at, bad_lead_reported_at, bad_lead_reason,
              bad_lead_note, bad_lead_evidence, bad_lead_decision, bad_lead_decided_at, left_limits) on assignments to :"portal";
grant update (status, viewed_at, answered_at, rejection_reason, bad_lead_reported_at, bad_lead_reason, bad_lead_note,
              bad_lead_evidence)
    on assignments to :"portal";
grant select (id, niche_id, status, contact_name, contact_email, contact_phone, email_key, phone_key, attributes,
              created_at, withdrawn_at, erased_at, answers_erased_at, contact_erased_at) on leads to :"portal";

-- Days whose reports that changes.
grant insert (fact_kind, at) on report_changes to :"portal";

-- What it is told, and where. Held back or skipped with its endpoint; sent by workers alone.
grant select on notifications to :"portal";
grant insert (id, kind, channel, provider_id, subscription_id, created_at) on notifications to :"portal";
grant update (state, last_answer, enqueued_at, claimed_by_job) on notifications to :"portal";
grant select on webhook_endpoints to :"portal";
grant insert (id, provider_id, url, field_mapping, secret, created_at) on webhook_endpoints to :"portal";
grant update (url, field_mapping, secret, previous_secret, state, state_reason, failure_count, failing_since, deleted_at)
    on webhook_endpoints to :"portal";

-- Its own keys; of its users no more than whose a key is. Passwords, second factors and sessions are out of reach.
grant select on api_keys to :"portal";
grant insert (id, prefix, secret_hash, name, scopes, user_id, provider_id, created_by, created_at, expires_at)
    on api_keys to :"portal";
grant update (revoked_at, revoked_by) on api_keys to :"portal";
grant select (id, role, provider_id, status) on users to :"portal";

-- The journal and the audit log grow by what it does. To append is to lock the head and move it.
grant insert (niche_id, seq, kind, payload, recorded_at, prev_hash, hash) on niche_journal to :"portal";
grant update (journal_seq, journal_head) on niches to :"portal";
grant insert (seq, actor, actor_role, action, entity, entity_id, old, new, memo, request_id, created_at, prev_hash, hash)
    on audit_log to :"portal";
grant select (seq, hash), update (seq, hash) on audit_head to :"portal";

-- Requests that have one effect. `provider_id` fills itself in.
grant select (actor, key, route, fingerprint, body) on idempotency_keys to :"portal";
grant insert (actor, key, route, fingerprint, created_at) on idempotency_keys to :"portal";
grant update (status, body) on idempotency_keys to :"portal";
grant insert (call_id) on committed_calls to :"portal";

-- A provider's request enqueues nothing but the handing out of notifications. No policy shows it a job, or lets it change
-- or delete one: withdrawing one that has nothing left to do finds none, and only saves work.
grant insert (queue, task, payload, scheduled_at) on jobs to :"portal";
grant select (id, task, payload, state), update (state), delete on jobs to :"portal";
