-- Each call that changes something leaves its id in the transaction of what it does. Only the same call ever asks for
-- it, when the answer to its commit was lost. Ids rise with time, by which they are forgotten.
create table committed_calls (call_id uuid primary key);
comment on table committed_calls is 'Which calls were committed, for those whose answer was lost. Forgotten within the hour.';

-- A provider's request leaves its id, and reads none: another's would tell it how much happens.
alter table committed_calls enable row level security;
create policy of_bound_provider on committed_calls for insert with check (bound_provider_id() is not null);
