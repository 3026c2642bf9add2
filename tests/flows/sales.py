"""A lead that was sold in the marketplace `HOSTING`, for tests of what follows a sale."""

from dataclasses import dataclass
from typing import Any

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, provider_id

ANCHOR, BOWLINE = "anchor@example.com", "bowline@example.com"
MEMO = "the number is not in use"
PORTAL = Actor("anchor", "provider")


@dataclass(frozen=True)
class Sale:
    """The lead, and by provider who bought it: the assignment and the provider's id."""

    lead_id: str
    anchor: str
    bowline: str
    anchor_id: str
    bowline_id: str


def sell(database: Database) -> Sale:
    """Anchor bought the lead for 2000 cents and has 3000 left; Bowline for 500 and has 100 left, which buys nothing."""
    declare(database, HOSTING)
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    assert len(Distributor(database).distribute_waiting(niche_id)) == 1
    bought = dict(query(database, "select provider_id::text, id::text from assignments"))
    anchor_id, bowline_id = (provider_id(database, email) for email in (ANCHOR, BOWLINE))
    return Sale(lead_id, bought[anchor_id], bought[bowline_id], anchor_id, bowline_id)


def query(database: Database, text: str, *values: object) -> list[Any]:
    """The rows that a query gives."""
    with database.transaction() as conn:
        return conn.execute(text.encode(), values).fetchall()


def balances(database: Database) -> dict[str, int]:
    """What each provider has, by name."""
    return dict(query(database, "select name, balance_cents from providers"))


def told(database: Database, kind: str) -> list[tuple[str, Any]]:
    """Who is told something of this kind, and with which detail."""
    return query(
        database,
        "select p.name, n.detail from notifications n join providers p on p.id = n.provider_id where n.kind = %s "
        "order by n.id",
        kind,
    )


def audited(database: Database, action: str) -> list[tuple[Any, ...]]:
    """Entity, old, new, memo and actor of each audit entry of this action."""
    return query(
        database, "select entity_id, old, new, memo, actor from audit_log where action = %s order by seq", action
    )
