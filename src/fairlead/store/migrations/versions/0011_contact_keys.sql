-- By what a lead's contact is compared and searched for, and whose telephone numbers are written without a country.

alter table niches
    -- ISO 3166's code. Null: a telephone number without a country is compared by its digits.
    add column phone_region text check (phone_region ~ '^[A-Z]{2}$');

alter table leads
    -- See core/entry: equal for all writings of one mailbox, and of one telephone number. Null where it was not given.
    add column email_key text check (octet_length(email_key) between 1 and 1000),
    add column phone_key text check (octet_length(phone_key) between 1 and 200);

-- What is there already. Of an address in ASCII this is the key; of a number, if it was written with its country and
-- without a trunk zero. Others are found by the writings that `phone_search_keys`
-- tries besides.
update leads set email_key = lower(btrim(contact_email))
where contact_email is not null and octet_length(btrim(contact_email)) between 1 and 254;

update leads set phone_key = regexp_replace(regexp_replace(contact_phone, '[^0-9]', '', 'g'), '^00', '')
where contact_phone is not null and octet_length(contact_phone) <= 200
  and contact_phone !~ '[eE][+]' and regexp_replace(regexp_replace(contact_phone, '[^0-9]', '', 'g'), '^00', '') <> '';

create index leads_by_email_key on leads (email_key) where email_key is not null;
create index leads_by_phone_key on leads (phone_key) where phone_key is not null;

-- By value alone the old ones found only what was entered in the same letters.
drop index leads_by_contact_email;
drop index leads_by_contact_phone;

-- A key is as personal as what it was made from.
create or replace function keep_consent() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and exists (
        select from leads where id = old.lead_id and attributes = '{}'
        and num_nonnulls(contact_name, contact_email, contact_phone, email_key, phone_key) = 0) then
        return old;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;
