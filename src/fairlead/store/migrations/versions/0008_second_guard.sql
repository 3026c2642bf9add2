-- The second guard: what a provider's request reaches is its own, also where a query of ours forgets to say so.
--
-- A transaction on behalf of a provider runs as the portal's role and says for which provider. The policies here bind that
-- role, and every other that is not the tables' owner: without a provider nobody else sees a row. The owner (engine,
-- workers, operators) is not bound and pays nothing. What the portal's role may do at all is in ../portal_grants.sql.

create table second_guard (
    is_only_row   boolean primary key default true check (is_only_row),
    role_name     text not null,
    -- Of portal_grants.sql as it was carried out last.
    grants_sha256 bytea not null check (octet_length(grants_sha256) = 32)
);
comment on table second_guard is 'The role that providers'' requests run as. Without a row it could not be made yet.';

create function bound_provider_id() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('fairlead.provider_id', true), '')::uuid
$$;
comment on function bound_provider_id is 'The provider on whose behalf this transaction runs; null for none.';

-- Whose request it was: what one of a provider brought is never given to another's.
alter table idempotency_keys add column provider_id uuid default bound_provider_id();

alter table providers enable row level security;
create policy of_bound_provider on providers using (id = bound_provider_id());

alter table subscriptions enable row level security;
create policy of_bound_provider on subscriptions using (provider_id = bound_provider_id());

alter table assignments enable row level security;
create policy of_bound_provider on assignments using (provider_id = bound_provider_id());

-- What a provider bought: the inner query is itself bound to its own assignments.
alter table leads enable row level security;
create policy of_bound_provider on leads for select
    using (exists (select from assignments a where a.lead_id = leads.id));

alter table payments enable row level security;
create policy of_bound_provider on payments for select using (provider_id = bound_provider_id());

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
    with check (actor_role = 'provider' and bound_provider_id() is not null);
