"""Two providers at their portals: Sam of Anchor and Bea of Bowline, in a marketplace where both bought one lead."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import a_provider, application
from tests.flows.sales import Sale, query, sell

API = "/api/v1/provider"
EVERY_LEAD = {"version": 1, "rules": []}
NORTH = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "north"}]}
UNFIT = {"version": 1, "rules": [{"field_key": "colour", "operator": "eq", "value": "red"}]}


@dataclass(frozen=True)
class Portal:
    """Anchor bought the lead at gold for 2000 cents, Bowline at silver for 500."""

    app: FastAPI
    sale: Sale
    sam: TestClient
    bea: TestClient


def open_portal(database: Database, **settings: Any) -> Portal:
    """The lead is sold, and a user of each provider is logged in."""
    sale = sell(database)
    app = application(database, **{"webhook_allow_private": True, "webhook_timeout_seconds": 5} | settings)
    sam = a_provider(app, database, sale.anchor_id)
    return Portal(app, sale, sam, a_provider(app, database, sale.bowline_id, "sales@bowline.example"))


def level(database: Database, name: str) -> str:
    """The id of the level."""
    return str(query(database, "select id::text from competition_levels where name = %s", name)[0][0])


def subscription(database: Database, provider_id: str, level_name: str) -> str:
    """The id of the provider's subscription to the level."""
    statement = """
        select s.id::text from subscriptions s join competition_levels l on l.id = s.competition_level_id
        where s.provider_id = %s and l.name = %s"""
    return str(query(database, statement, provider_id, level_name)[0][0])
