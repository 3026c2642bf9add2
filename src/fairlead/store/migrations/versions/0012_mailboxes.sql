-- One mailbox is one account: what an address is compared by, whichever way it was written.

alter table users add column email_key text check (length(email_key) between 1 and 400);
alter table providers add column email_key text check (length(email_key) between 1 and 400);
