-- What papers say of providers, and the receipts and credit notes that were issued.

create table billing_details (
    -- billing_details_pkey: a provider has one at the most. The marketplace's own are on its row.
    provider_id uuid primary key references providers,
    -- What papers say of it; may be personal. Only that it changed is in the audit log.
    legal_name  text not null check (length(legal_name) between 1 and 200),
    address     text not null check (length(address) between 1 and 500),
    country     text not null check (country ~ '^[A-Z]{2}$'),
    tax_id      text check (length(tax_id) between 1 and 50),
    email       text check (length(email) between 3 and 320)
);
comment on table billing_details is 'What papers say of a provider: those that are issued keep what it was then.';

create table receipt_head (
    is_only_row boolean primary key default true check (is_only_row),
    last_number bigint not null check (last_number >= 0)
);
comment on table receipt_head is 'The number of the last receipt or credit note. Locked after all but the audit log''s head.';
insert into receipt_head (last_number) values (0);

create table receipts (
    -- receipts_pkey: one series of numbers for both kinds, without gaps; and their pages.
    number          bigint primary key check (number >= 1),
    kind            text not null check (kind in ('receipt', 'credit_note')),
    provider_id     uuid not null references providers,
    payment_id      uuid not null references payments,
    -- Of a credit note: the receipt that it takes back, whole.
    corrects_number bigint references receipts check (corrects_number < number),
    issued_at       timestamptz not null,
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    gross_cents     bigint not null check (gross_cents > 0),
    -- In hundredths of a percent; null: the marketplace names no tax.
    tax_rate_basis_points integer check (tax_rate_basis_points between 0 and 10000),
    -- What of the amount is tax (core/money/receipts.py), rounded half up.
    tax_cents       bigint not null,
    -- Marketplace and provider as they were: name, legal name, address, country, tax id, email.
    parties         jsonb not null check (jsonb_typeof(parties) = 'object'),
    -- Of all that the paper says, in canonical JSON.
    sha256          bytea not null check (octet_length(sha256) = 32),
    constraint receipts_credit_note_names_its_receipt check ((kind = 'credit_note') = (corrects_number is not null)),
    constraint receipts_tax_is_contained check (
        tax_cents = case when tax_rate_basis_points is null then 0
                         else (2 * gross_cents * tax_rate_basis_points + 10000 + tax_rate_basis_points)
                              / (2 * (10000 + tax_rate_basis_points)) end)
);
comment on table receipts is 'Append-only: a receipt of every deposit, and the credit notes that take one back.';
-- receipts_one_per_payment: a deposit has one receipt; and which one.
create unique index receipts_one_per_payment on receipts (payment_id) where kind = 'receipt';
-- receipts_corrected_once: a receipt is taken back once.
create unique index receipts_corrected_once on receipts (corrects_number) where corrects_number is not null;
-- receipts_of_provider: the pages of one provider.
create index receipts_of_provider on receipts (provider_id, number);
-- receipts_by_age: which number was the last of a month.
create index receipts_by_age on receipts (issued_at, number);
create trigger receipts_are_append_only before update or delete or truncate on receipts
    for each statement execute function refuse_change();
