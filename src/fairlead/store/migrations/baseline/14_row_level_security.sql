-- Row-level security: what a provider's request reaches is its own, also where a query of ours forgets to say so.
--
-- A transaction on behalf of a provider runs as the portal's role and says for which provider. The policies here bind
-- that role, and every other that is not the tables' owner: without a provider such a role sees no row. The owner
-- (engine, workers, operators) is not bound and pays nothing. What the portal's role may do at all is in
-- ../portal_grants.sql.

alter table providers enable row level security;
create policy of_bound_provider on providers using (id = bound_provider_id());

alter table subscriptions enable row level security;
create policy of_bound_provider on subscriptions using (provider_id = bound_provider_id());

alter table assignments enable row level security;
create policy of_bound_provider on assignments using (provider_id = bound_provider_id());

-- What a provider bought. No subquery: what distributes tables (Citus) can copy none to its nodes.
alter table leads enable row level security;
create policy of_bound_provider on leads for select using (bound_provider_id() = any (recipient_ids));

alter table payments enable row level security;
create policy of_bound_provider on payments for select using (provider_id = bound_provider_id());

alter table payment_requests enable row level security;
create policy of_bound_provider on payment_requests using (provider_id = bound_provider_id());

alter table auto_top_ups enable row level security;
create policy of_bound_provider on auto_top_ups using (provider_id = bound_provider_id());

alter table saved_methods enable row level security;
create policy of_bound_provider on saved_methods using (provider_id = bound_provider_id());

alter table sandbox_charges enable row level security;
create policy of_bound_provider on sandbox_charges using (provider_id = bound_provider_id());

alter table statements enable row level security;
create policy of_bound_provider on statements for select using (provider_id = bound_provider_id());

alter table receipts enable row level security;
create policy of_bound_provider on receipts for select using (provider_id = bound_provider_id());

alter table billing_details enable row level security;
create policy of_bound_provider on billing_details using (provider_id = bound_provider_id());

alter table ledger_entries enable row level security;
create policy of_bound_provider on ledger_entries for select using (provider_id = bound_provider_id());

alter table notifications enable row level security;
create policy of_bound_provider on notifications using (provider_id = bound_provider_id());

alter table webhook_endpoints enable row level security;
create policy of_bound_provider on webhook_endpoints using (provider_id = bound_provider_id());

alter table users enable row level security;
create policy of_bound_provider on users for select using (provider_id = bound_provider_id());

alter table api_keys enable row level security;
create policy of_bound_provider on api_keys using (provider_id = bound_provider_id());

alter table idempotency_keys enable row level security;
create policy of_bound_provider on idempotency_keys using (provider_id = bound_provider_id());

-- The two logs are written on behalf of a provider, and never read.
alter table niche_journal enable row level security;
create policy of_bound_provider on niche_journal for insert
    with check (kind in ('provider', 'subscription') and (payload ->> 'provider_id')::uuid = bound_provider_id());

alter table audit_log enable row level security;
create policy of_bound_provider on audit_log for insert
    with check (actor_role = 'provider' and is_bound_to_provider());

-- A provider's request leaves its call's id, and reads none: another's would tell it how much happens.
alter table committed_calls enable row level security;
create policy of_bound_provider on committed_calls for insert with check (is_bound_to_provider());

-- A provider's request marks the days of its own assignments, and sees no mark.
alter table report_changes enable row level security;
create policy of_bound_provider on report_changes for insert
    with check (fact_kind = 'assignments' and is_bound_to_provider());

-- A provider's request enqueues nothing but the handing out of notifications, and sees no job at all.
alter table jobs enable row level security;
create policy of_dispatch on jobs for insert with check (task = 'dispatch_notifications');
