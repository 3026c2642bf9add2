"""What must be true of the year, counted by SQL that shares nothing with Fairlead: it knows the tables and no function.

Windows are those of PostgreSQL's own time zones. An hour that comes twice is told apart by its offset.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from year_more_checks import MADE_FIRST, PERSONAL, RULES
from year_paper_checks import MADE_FOR_PAPERS, PAPER_RULES

TO_BE_ERASED = "to-be-erased.example"
"""Only persons who ask for their erasure have an address there."""


@dataclass(frozen=True, slots=True)
class Check:
    """How many things were looked at, and those that break the rule; or why none was."""

    name: str
    checked: int
    violations: list[str]
    skipped: str = ""


WINDOWS: dict[str, LiteralString] = {
    "leads_per_hour": "concat(date_trunc('hour', local_time), local_time - assigned_at at time zone 'UTC')",
    "leads_per_day": "date_trunc('day', local_time)::text",
    "leads_per_week": "date_trunc('week', local_time)::text",
    "leads_per_month": "date_trunc('month', local_time)::text",
    "leads_total": "null::text",
    "spend_cents_per_day": "date_trunc('day', local_time)::text",
    "spend_cents_per_week": "date_trunc('week', local_time)::text",
    "spend_cents_per_month": "date_trunc('month', local_time)::text",
}
"""Of each limit, what names the window in which an assignment lies."""

OWNERS: dict[str, LiteralString] = {"provider": "provider_id", "subscription": "subscription_id"}

SOLD: LiteralString = """
    create temporary table sold as
    select a.lead_id, a.provider_id, a.subscription_id, a.competition_level_id, a.price_cents, a.left_limits, a.assigned_at,
           a.assigned_at at time zone p.timezone as local_time, p.limits as provider_limits,
           s.limits as subscription_limits, p.conflict_group_id, l.is_exclusive, n.max_recipients_per_lead,
           s.max_price_cents, l.price_rules is not null as has_price_rules, l.price_cents as usual_cents
    from assignments a
    join providers p on p.id = a.provider_id
    join subscriptions s on s.id = a.subscription_id
    join competition_levels l on l.id = a.competition_level_id
    join niches n on n.id = a.niche_id
"""
# What is long is not copied for each that bought.
SOLD_BY_RULES: LiteralString = """
    create temporary view sold_by_rules as
    select sold.*, coalesce(s.schedule, p.schedule) as schedule, s.filter_rules, l.price_rules, leads.attributes,
           leads.answers_erased_at, extract(epoch from assigned_at - leads.created_at) / 60 as age_minutes,
           assigned_at at time zone coalesce(l.price_rules ->> 'timezone', 'UTC') as price_time
    from sold
    join leads on leads.id = lead_id
    join providers p on p.id = sold.provider_id
    join subscriptions s on s.id = subscription_id
    join competition_levels l on l.id = sold.competition_level_id
"""

# What a refund took out of its limits does not count: its place was given to another lead.
IN_A_WINDOW: LiteralString = """
    select count(*), coalesce(max(used - allowed), 0)
    from (
        select {owner}, {window}, {amount} as used, max(({limits} ->> {limit})::bigint) as allowed
        from sold where {limits} ? {limit} and not left_limits
        group by {owner}, {window}
    ) windows
"""

OUTSIDE_ITS_HOURS: LiteralString = """
    select count(*), count(*) filter (where not exists (
        select from jsonb_array_elements(schedule -> 'weekly') span,
             lateral (select (span ->> 'opens')::time as opens, (span ->> 'closes')::time as closes) hours,
             lateral (select to_char(local_time, 'dy') as today, to_char(local_time - interval '1 day', 'dy') as yesterday) days
        where (span -> 'days' ? today and local_time::time >= opens and (closes <= opens or local_time::time < closes))
           or (span -> 'days' ? yesterday and closes <= opens and local_time::time < closes)))
    from sold_by_rules where schedule ? 'weekly'
"""

OTHER_RULES: dict[str, LiteralString] = {
    "a lead has at most one provider of a conflict group": """
        select count(*), count(*) filter (where members > 1)
        from (select count(*) as members from sold where conflict_group_id is not null group by lead_id, conflict_group_id) pairs
    """,
    "a lead sold at an exclusive level has no other recipient": """
        select count(*), count(*) filter (where recipients > 1)
        from (select count(*) as recipients from sold group by lead_id having bool_or(is_exclusive)) leads
    """,
    "a lead has no more recipients than its niche allows": """
        select count(*), count(*) filter (where recipients > allowed)
        from (
            select count(*) as recipients, max(max_recipients_per_lead) as allowed from sold
            where max_recipients_per_lead is not null group by lead_id
        ) leads
    """,
    "a balance is the sum of its ledger, and above its floor": """
        select count(*), count(*) filter (where balance_cents <> coalesce(total, 0) or balance_cents < -credit_limit_cents)
        from providers
        left join (select provider_id, sum(amount_cents) as total from ledger_entries group by provider_id) l
            on l.provider_id = providers.id
    """,
    "an assignment is paid for once, by its price": """
        select count(*), count(*) filter (where e.amount_cents is distinct from -a.price_cents)
        from assignments a
        left join (
            select assignment_id, sum(amount_cents) as amount_cents from ledger_entries
            where kind = 'lead_purchase' group by assignment_id
        ) e on e.assignment_id = a.id
    """,
    "a refund gives its price back once": """
        select count(*), count(*) filter (where e.amount_cents is distinct from a.price_cents)
        from assignments a
        left join (
            select assignment_id, sum(amount_cents) as amount_cents from ledger_entries
            where kind = 'refund' group by assignment_id
        ) e on e.assignment_id = a.id
        where a.refunded_at is not null
    """,
}


def independent_checks(conn: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Check]:
    """Every rule held against every assignment, one after the other. What it makes is temporary."""
    conn.execute(SOLD)
    conn.execute(SOLD_BY_RULES)
    for owner, column in OWNERS.items():
        for limit, window in WINDOWS.items():
            yield _of_limit(conn, owner, column, limit, window)
    yield _counted(conn, "sold only within the hours of its schedule", OUTSIDE_ITS_HOURS)
    for statement in (*MADE_FIRST, *MADE_FOR_PAPERS):
        conn.execute(statement)
    for name, query in (OTHER_RULES | RULES | PAPER_RULES).items():
        yield _counted(conn, name, query)
    yield _of_the_erased(conn)
    conn.execute("drop table sold cascade")


def _of_the_erased(conn: psycopg.Connection[tuple[Any, ...]]) -> Check:
    """Every row of every table is looked at for the addresses of those who were erased."""
    tables = conn.execute(PERSONAL).fetchall()
    checked, violations = 0, list[str]()
    for (table,) in tables:
        query = sql.SQL("select count(*), count(*) filter (where t::text like {marker}) from {table} t")
        counted = query.format(marker=sql.Literal(f"%{TO_BE_ERASED}%"), table=sql.Identifier(table))
        [(rows, found)] = conn.execute(counted).fetchall()
        checked += rows
        violations += [f"{found:,} rows of {table}"] if found else []
    return Check("no row of any table has the address of a person who was erased", checked, violations)


def _of_limit(conn: psycopg.Connection, owner: str, column: LiteralString, limit: str, window: LiteralString) -> Check:
    query = sql.SQL(IN_A_WINDOW).format(
        owner=sql.Identifier(column),
        window=sql.SQL(window),
        amount=sql.SQL("sum(price_cents)" if limit.startswith("spend") else "count(*)"),
        limits=sql.Identifier(f"{owner}_limits"),
        limit=sql.Literal(limit),
    )
    [(windows, beyond)] = conn.execute(query).fetchall()
    violations = [f"one window holds {beyond:,} more than it may"] if beyond > 0 else []
    return Check(f"no window holds more than the {limit} of its {owner}", windows, violations)


def _counted(conn: psycopg.Connection[tuple[Any, ...]], name: str, query: LiteralString) -> Check:
    [(checked, broken)] = conn.execute(query).fetchall()
    return Check(name, checked, [f"{broken:,} do"] if broken else [])
