-- The marketplace itself, and what later files build on.
--
-- No table name is qualified: one marketplace is one schema, chosen by search_path. What one row can prove of itself is
-- a constraint here; what takes several rows or tables is a query in store/invariants.

create table marketplace (
    is_only_row boolean primary key default true check (is_only_row),
    currency    text not null check (currency ~ '^[A-Z]{3}$'),
    -- What pages call it; null: not named yet.
    name        text check (length(name) between 1 and 200),
    -- Of its new providers, until they choose another; null: not chosen yet, and UTC.
    timezone    text check (length(timezone) between 1 and 64),
    -- How much a provider may pay in at once, through a gateway; null: any amount.
    min_deposit_cents bigint check (min_deposit_cents >= 1),
    max_deposit_cents bigint check (max_deposit_cents >= min_deposit_cents and max_deposit_cents >= 1),
    -- What its papers say of it, and the tax that deposits contain, in hundredths of a percent; null: not named.
    legal_name  text check (length(legal_name) between 1 and 200),
    address     text check (length(address) between 1 and 500),
    country     text check (country ~ '^[A-Z]{2}$'),
    tax_id      text check (length(tax_id) between 1 and 50),
    tax_rate_basis_points integer check (tax_rate_basis_points between 0 and 10000),
    -- What leads are reported as bad for, and how many a provider may report (core/money/report_rules.py); null: as shipped.
    report_rules jsonb check (jsonb_typeof(report_rules) = 'object')
);
comment on table marketplace is 'One row: amounts everywhere are minor units of this currency.';

create table marketplace_logo (
    is_only_row boolean primary key default true check (is_only_row),
    content     bytea not null check (octet_length(content) <= 200000),
    -- Of the content, told by its bytes; pages load it by this.
    sha256      bytea not null check (octet_length(sha256) = 32),
    media_type  text not null check (media_type in ('image/png', 'image/jpeg', 'image/webp')),
    changed_at  timestamptz not null
);

create table setup_checklist (
    is_only_row     boolean primary key default true check (is_only_row),
    dismissed_at    timestamptz,
    -- When an operator said that there is a copy of the keys that encrypt secrets.
    keys_copied_at  timestamptz
);
comment on table setup_checklist is 'What operators said of the list of first steps; all else on it is read from the data.';

-- Append-only tables raise on every change but a new row.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;

-- Rows that others name by their id stay, under that id: not every such name is checked by a key (see 07_money.sql).
create function keep_rows() returns trigger language plpgsql as $$
begin
    raise exception '% keeps its rows: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;

create function bound_provider_id() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('fairlead.provider_id', true), '')::uuid
$$;
comment on function bound_provider_id is 'The provider on whose behalf this transaction runs; null for none.';

create function is_bound_to_provider() returns boolean language sql stable parallel safe as $$
    select coalesce(current_setting('fairlead.provider_id', true), '') <> ''
$$;
comment on function is_bound_to_provider is 'Whether this transaction runs on behalf of a provider.';

create table portal_role (
    is_only_row   boolean primary key default true check (is_only_row),
    role_name     text not null,
    -- Of portal_grants.sql as it was carried out last.
    grants_sha256 bytea not null check (octet_length(grants_sha256) = 32)
);
comment on table portal_role is 'The role that providers'' requests run as. Without a row it could not be made yet.';
