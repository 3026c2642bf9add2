"""Small marketplaces for tests, and looking at all that one holds."""

from fairlead.flows.declaring.apply_marketplace import Applied, apply_marketplace, parse_declaration
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database

HOSTING = """
[[niche]]
slug = "hosting"
name = "Hosting"
field = [
    { key = "cores", label = "Cores", type = "number" },
    { key = "region", label = "Region", type = "select", options = ["north", "south"] },
]
level = [
    { name = "gold", price_cents = 2000, max_recipients = 1, order_position = 1 },
    { name = "silver", price_cents = 500, max_recipients = 3, order_position = 2 },
]

[[provider]]
email = "anchor@example.com"
name = "Anchor"
deposit = [{ external_id = "opening-anchor", amount_cents = 5000 }]
subscription = [
    { niche = "hosting", level = "gold", filter = [{ field_key = "cores", operator = "gte", value = 4 }] },
    { niche = "hosting", level = "silver" },
]

[[provider]]
email = "bowline@example.com"
name = "Bowline"
deposit = [{ external_id = "opening-bowline", amount_cents = 600 }]
subscription = [
    { niche = "hosting", level = "gold" },
    { niche = "hosting", level = "silver", filter = [{ field_key = "region", operator = "in", value = ["north"] }] },
]
"""
"""Anchor can pay for gold and silver, Bowline for silver alone."""


def declare(database: Database, text: str, *, dry_run: bool = False) -> Applied:
    """The text is applied as a marketplace file."""
    return apply_marketplace(database, parse_declaration(text), OPERATOR, dry_run=dry_run)


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table, as text. Not which calls were committed: each call has its own id."""
    with database.snapshot() as conn:
        tables = conn.execute(
            "select tablename from pg_tables where schemaname = %s and tablename <> 'committed_calls' order by 1",
            (database.schema_name,),
        ).fetchall()
        return {
            name: [row[0] for row in conn.execute(f"select t::text from {name} t order by 1".encode())]
            for (name,) in tables
        }


def activity(database: Database) -> dict[str, str]:
    """Of every subscription, by provider and level: `active`, `deleted`, or why it is inactive."""
    with database.snapshot() as conn:
        rows = conn.execute(
            """
            select split_part(p.email, '@', 1) || ' ' || l.name,
                   case when s.deleted_at is not null then 'deleted' else coalesce(s.deactivation_reason, 'active') end
            from subscriptions s join providers p on p.id = s.provider_id
            join competition_levels l on l.id = s.competition_level_id order by 1
            """
        ).fetchall()
    return dict(rows)


def notices(database: Database) -> list[str]:
    """What providers are told of their subscriptions, in order: kind, provider, level."""
    with database.snapshot() as conn:
        rows = conn.execute(
            """
            select format('%s %s %s', n.kind, split_part(p.email, '@', 1), l.name)
            from notifications n join providers p on p.id = n.provider_id
            join subscriptions s on s.id = n.subscription_id
            join competition_levels l on l.id = s.competition_level_id order by n.created_at, 1
            """
        ).fetchall()
    return [row[0] for row in rows]


def provider_id(database: Database, email: str) -> str:
    """The id of the provider with this email."""
    with database.snapshot() as conn:
        row = conn.execute("select id::text from providers where email = %s", (email,)).fetchone()
    assert row is not None
    return row[0]


def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    return len(everything(database)[table])
