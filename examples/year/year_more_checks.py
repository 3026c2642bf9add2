"""Filters, prices, turns, shares, statements and retention of the year, evaluated by SQL of its own."""

from typing import LiteralString

from psycopg import sql
from year_marketplace import POSTCODES

PLACES = sql.SQL(
    "create temporary table places on commit drop as select * from (values {rows}) as place (postcode, at)"
).format(
    rows=sql.SQL(", ").join(
        sql.SQL("({postcode}, array[{latitude}, {longitude}]::float8[])").format(
            postcode=sql.Literal(postcode), latitude=sql.Literal(latitude), longitude=sql.Literal(longitude)
        )
        for postcode, (latitude, longitude) in POSTCODES.items()
    )
)

# Great circles by the haversine formula.
KM: LiteralString = """
    create or replace function pg_temp.km(one text, other text) returns float8 language sql as $$
        select 2 * 6371.0088 * asin(sqrt(
            power(sind((b.at[1] - a.at[1]) / 2), 2)
            + cosd(a.at[1]) * cosd(b.at[1]) * power(sind((b.at[2] - a.at[2]) / 2), 2)))
        from places a, places b where a.postcode = one and b.postcode = other
    $$
"""

# Whether a lead's answers fit a rule or a group; of the operators those that the year uses. All answers are there.
FITS: LiteralString = """
    create or replace function pg_temp.fits(rule jsonb, answers jsonb) returns boolean language plpgsql as $$
    declare
        value jsonb := rule -> 'value';
        answer jsonb := answers -> (rule ->> 'field_key');
        own text := answer #>> '{}';
        member jsonb;
    begin
        if rule ? 'any' then
            for member in select * from jsonb_array_elements(rule -> 'any') loop
                if pg_temp.fits(member, answers) then return true; end if;
            end loop;
            return false;
        elsif rule ? 'all' then
            for member in select * from jsonb_array_elements(rule -> 'all') loop
                if not pg_temp.fits(member, answers) then return false; end if;
            end loop;
            return true;
        elsif rule ? 'not' then
            return not pg_temp.fits(rule -> 'not', answers);
        end if;
        case rule ->> 'operator'
            when 'in', 'postcode_in' then return value ? own;
            when 'gte' then return answer::numeric >= value::numeric;
            when 'lt' then return answer::numeric < value::numeric;
            when 'eq' then return answer = value;
            when 'postcode_starts_with' then
                return exists (select from jsonb_array_elements_text(value) first where starts_with(own, first));
            when 'postcode_between' then return own between value ->> 0 and value ->> 1;
            when 'within_km' then return pg_temp.km(own, value ->> 'postcode') <= (value ->> 'km')::float8;
        end case;
    end $$
"""

# Whether a local time lies in one of the spans of a week.
OPEN: LiteralString = """
    create or replace function pg_temp.is_open(spans jsonb, local_time timestamp) returns boolean language sql as $$
        select exists (
            select from jsonb_array_elements(spans) span,
                 lateral (select (span ->> 'opens')::time as opens, (span ->> 'closes')::time as closes) hours
            where (span -> 'days' ? to_char(local_time, 'dy') and local_time::time >= opens
                   and (closes <= opens or local_time::time < closes))
               or (span -> 'days' ? to_char(local_time - interval '1 day', 'dy') and closes <= opens
                   and local_time::time < closes))
    $$
"""

PRICE: LiteralString = """
    create or replace function pg_temp.price(
        rules jsonb, usual bigint, answers jsonb, local_time timestamp, age_minutes numeric
    ) returns bigint language plpgsql as $$
    declare
        rule jsonb;
    begin
        for rule in select * from jsonb_array_elements(rules -> 'rules') loop
            if (not rule ? 'filter' or pg_temp.fits(jsonb_build_object('all', rule -> 'filter' -> 'rules'), answers))
               and (not rule ? 'hours' or pg_temp.is_open(rule -> 'hours', local_time))
               and age_minutes >= coalesce((rule -> 'lead_age_minutes' ->> 'from')::numeric, 0)
               and age_minutes < coalesce((rule -> 'lead_age_minutes' ->> 'below')::numeric, 'infinity')
            then
                return rule ->> 'price_cents';
            end if;
        end loop;
        return usual;
    end $$
"""

# At each lead of a weighted level: how many it gave so far, and how many of these to a subscription that takes all.
SHARES: LiteralString = """
    create temporary table shares on commit drop as
    with seats as (
        select s.id, s.competition_level_id as level_id, s.weight, p.name like '%takes all' as takes_all,
               count(*) over own as members, sum(s.weight) over own as weights
        from subscriptions s join providers p on p.id = s.provider_id
        join competition_levels l on l.id = s.competition_level_id and l.queue_order = 'weighted'
        window own as (partition by s.competition_level_id)
    ), given as (
        select competition_level_id as level_id, subscription_id as recipient_id,
               row_number() over (partition by competition_level_id order by journal_seq) as leads
        from assignments
    )
    select *, count(*) filter (where recipient_id = id) over (partition by id order by leads) as received
    from seats join given using (level_id) where takes_all
"""

MADE_FIRST = (PLACES, KM, FITS, OPEN, PRICE, SHARES)
"""What the rules ask, gone at the end of the transaction."""

RULES: dict[str, LiteralString] = {
    "a lead fits the filter of each who bought it": """
        select count(*), count(*) filter (
            where not pg_temp.fits(jsonb_build_object('all', filter_rules -> 'rules'), attributes))
        from sold_by_rules where answers_erased_at is null and filter_rules -> 'rules' <> '[]'
    """,
    "a price follows from the price rules of its level": """
        select count(*), count(*) filter (
            where price_cents <> pg_temp.price(price_rules, usual_cents, attributes, price_time, age_minutes))
        from sold_by_rules where answers_erased_at is null and price_rules is not null
    """,
    "a level without price rules asks its own price": """
        select count(*), count(*) filter (where price_cents <> usual_cents) from sold where not has_price_rules
    """,
    "no price is above what the provider pays at most": """
        select count(*), count(*) filter (where price_cents > max_price_cents) from sold where max_price_cents is not null
    """,
    # Of providers that nothing keeps from a lead of their level: while one waits, each other has one turn at most, and
    # so, with so many recipients for each of these leads, it waits for floor((N - 1) / recipients) leads at most.
    "no provider that takes all waits longer than the bound": """
        with seats as (
            select s.id, s.competition_level_id as level_id, count(*) over (partition by s.competition_level_id) as seats,
                   p.name like '%takes all' as takes_all
            from subscriptions s join providers p on p.id = s.provider_id
            join competition_levels l on l.id = s.competition_level_id and l.queue_order = 'least_recently_served'
        ), decided as (
            select competition_level_id as level_id, journal_seq, count(*) as recipients, array_agg(subscription_id) as ids
            from assignments group by 1, 2
        ), turns as (
            select seats.id, seats.seats, recipients, seats.id = any(ids) as has_it,
                   count(*) filter (where seats.id = any(ids)) over (partition by seats.id order by journal_seq) as turn
            from seats join decided using (level_id) where takes_all
        ), waits as (
            select count(*) filter (where not has_it) as leads, sum(recipients) filter (where not has_it) as others,
                   min(recipients) filter (where not has_it) as fewest, max(seats) as seats
            from turns group by id, turn
        )
        select count(*), count(*) filter (where others > seats - 1 or leads > (seats - 1) / fewest) from waits
    """,
    # Of those at levels that go by weights, with one recipient for each lead: docs/fairness.md. Others may have been kept
    # from leads, which only leaves more to it; none has saved up anything for that.
    "no provider that takes all falls behind its share by more than the bound": """
        select count(*), count(*) filter (where received < (leads - (members - 1)) * weight::numeric / weights) from shares
    """,
    "none receives by its weight a lead more than one that takes all": """
        select count(*), count(*) filter (where (others_received - 1) * weight > received * others_weight)
        from (
            select received, shares.weight, s.weight as others_weight,
                   count(*) over (partition by shares.id, s.id order by leads) as others_received
            from shares join subscriptions s on s.id = recipient_id
        ) each
    """,
    "a statement is the ledger of its month": """
        select count(*), count(*) filter (
            where closing_cents - opening_cents <> coalesce(moved, 0) or opening_cents <> coalesce(before, 0)
               or moved is distinct from (
                   select sum((total.value ->> 1)::bigint) from jsonb_each(totals) total))
        from statements s join closed_months m using (month)
        cross join lateral (
            select sum(amount_cents) filter (where e.created_at >= m.began_at) as moved,
                   sum(amount_cents) filter (where e.created_at < m.began_at) as before
            from ledger_entries e where e.provider_id = s.provider_id and e.created_at < m.ends_at
        ) ledger
    """,
    "every provider has a statement of each of the twelve months": """
        select count(*), count(*) filter (where months <> 12)
        from (select count(s.month) as months from providers p left join statements s on s.provider_id = p.id
              where p.ledger_seq > 0 group by p.id) each
    """,
    "contact data is gone when its niche has kept it for long enough": """
        select count(*), count(*) filter (where num_nonnulls(contact_name, contact_email, contact_phone) > 0)
        from leads join retention_policies kept using (niche_id)
        where leads.status in ('distributed', 'bad')
          and leads.created_at < (select max(ends_at) from closed_months) - make_interval(days => kept.contact_days)
    """,
    "what was erased has no answers and no contact data": """
        select count(*), count(*) filter (
            where attributes <> '{}' or attributes_salt is not null
               or num_nonnulls(contact_name, contact_email, contact_phone, email_key, phone_key) > 0)
        from leads where erased_at is not null
    """,
}

PERSONAL: LiteralString = """
    select table_name from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1
"""
