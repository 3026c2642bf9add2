-- What the API shows page by page: indices for its orders and filters, and the audit view with an order of its own.
--
-- What is most of a table (purchases, active assignments, decisions) has few indices, because distribution writes it;
-- what is rare and looked for among that has one that holds nothing else.

-- Assignments: a provider's come in the order of its ledger, which is unique already ---------------------------------

create index assignments_unviewed_of_provider on assignments (provider_id, ledger_seq) where viewed_at is null;
create index assignments_of_provider_in_status on assignments (provider_id, status, ledger_seq)
    where status <> 'active';
create index assignments_reported_by_provider on assignments (provider_id, ledger_seq)
    where bad_lead_reported_at is not null;
create index assignments_in_status on assignments (status, id) where status <> 'active';
create index assignments_by_refund on assignments (refunded_at) where refunded_at is not null;

-- Ledger entries -------------------------------------------------------------------------------------------------------

create index ledger_entries_of_provider_by_age on ledger_entries (provider_id, created_at, seq);
create index ledger_entries_by_age on ledger_entries (created_at, provider_id, seq);
create index ledger_entries_of_provider_but_purchases on ledger_entries (provider_id, kind, seq)
    where kind <> 'lead_purchase';
create index ledger_entries_but_purchases_by_age on ledger_entries (kind, created_at, provider_id, seq)
    where kind <> 'lead_purchase';

-- Leads: found by what a provider has in front of it when it looks for one ----------------------------------------------

-- Both at once: either alone may be common where both together are rare.
create index leads_of_niche_and_status_by_age on leads (niche_id, status, created_at, id);
create index leads_by_contact_email on leads (contact_email) where contact_email is not null;
create index leads_by_contact_phone on leads (contact_phone) where contact_phone is not null;

-- Journal and audit log ------------------------------------------------------------------------------------------------

create index niche_journal_by_age on niche_journal (kind, recorded_at, niche_id, seq);
create index niche_journal_of_niche_by_age on niche_journal (niche_id, kind, recorded_at, seq);
create index audit_log_by_age on audit_log (created_at, seq);
create index audit_log_of_actor on audit_log (actor, created_at, seq);
create index audit_log_of_action on audit_log (action, created_at, seq);
drop index audit_log_of_entity;
create index audit_log_of_entity on audit_log (entity, entity_id, created_at, seq);

-- Notifications and dead letters ----------------------------------------------------------------------------------------

create index notifications_of_provider on notifications (provider_id, id) where provider_id is not null;
create index notifications_not_delivered on notifications (state, id) where state in ('failed', 'skipped');
create index dead_letters_by_age on dead_letters (failed_at, id);

-- The audit view: `part` orders what one entry of a journal unfolds into -------------------------------------------------
--
-- Columns have the very same types in every branch: else what asks for one entry reads all of them.

create or replace view audit_events as
select 'audit_log' as source, null::uuid as niche_id, seq, actor, actor_role, action, entity, entity_id,
       old, new, memo, created_at, request_id, 0::bigint as part
from audit_log
union all
select 'niche_journal', niche_id, seq, 'fairlead', 'system',
       case when kind = 'decision' then 'distribution.completed' else kind || '.changed' end,
       case when kind = 'decision' then 'lead' else kind end,
       coalesce(payload ->> case kind when 'decision' then 'lead_id' when 'niche' then 'slug'
                                      else kind || '_id' end, ''),
       null, payload, null, recorded_at, null, case when kind = 'decision' then 9000000000000000 else 0::bigint end
from niche_journal
union all
select 'niche_journal', niche_id, seq, 'fairlead', 'system', 'distribution.started', 'lead',
       payload ->> 'lead_id', null, jsonb_build_object('attempt', payload -> 'attempt'), null, recorded_at, null, 0::bigint
from niche_journal where kind = 'decision'
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'assignment.created', 'assignment',
       recipient.body ->> 'assignment_id', null, recipient.body, null, j.recorded_at, null,
       level.number * 10000000 + recipient.number
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number),
     jsonb_array_elements(level.body -> 'recipients') with ordinality as recipient (body, number)
where j.kind = 'decision'
union all
select 'niche_journal', j.niche_id, j.seq, 'fairlead', 'system', 'distribution.skipped_provider', 'provider',
       refused.body ->> 'provider_id', null, refused.body, refused.body ->> 'reason', j.recorded_at, null,
       level.number * 10000000 + 5000000 + refused.number
from niche_journal j,
     jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number),
     jsonb_array_elements(level.body -> 'refused') with ordinality as refused (body, number)
where j.kind = 'decision';
