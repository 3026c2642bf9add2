"""Setting the year up: its database, its marketplace, and what its periodic tasks are handed."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import LiteralString

import tomli_w
from psycopg import sql
from year_events import ACTOR, save_cards
from year_marketplace import POSTCODES, TABLE, Size, year_marketplace
from year_operators import open_for_business

from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.declaring.declaration import parse_declaration
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.settings import load_settings
from fairlead.store.connection import Database
from fairlead.store.lookups import niches_with_waiting_leads
from fairlead.store.simulated_clock import SimulatedClock


def niche_ids_of(database: Database) -> Mapping[str, str]:
    """The niches' ids by slug."""
    with database.snapshot() as conn:
        return {each.slug: each.niche_id for each in niches_with_waiting_leads(conn, None)}


def maintenance_of(database: Database) -> Maintenance:
    """What the periodic tasks are handed. The gateway is the test gateway, whatever the environment says."""
    return Maintenance(database, load_settings().model_copy(update={"payment_gateway": "test"}))


def set_up(database: Database, clock: SimulatedClock, size: Size, seed: int) -> None:
    """The marketplace as its file says, and one provider in eight with a card that is charged when its balance is low.

    Papers name a rate of tax from the first deposit on.
    """
    lines = [f"{postcode},{latitude},{longitude}" for postcode, (latitude, longitude) in POSTCODES.items()]
    open_for_business(database)
    load_postcode_table(database, TABLE, "\n".join(lines), ACTOR)
    apply_marketplace(database, parse_declaration(tomli_w.dumps(year_marketplace(size, seed))), ACTOR)
    with database.snapshot() as conn:
        provider_ids = [row[0] for row in conn.execute("select id::text from providers order by id")]
    save_cards(database, clock, maintenance_of(database), provider_ids)


@contextmanager
def hurried(database: Database) -> Generator[None]:
    """No commit of connections that are opened meanwhile waits for the disk: a failing machine may lose the last ones."""
    _alter_database(database, "set synchronous_commit = off")
    try:
        yield
    finally:
        _alter_database(database, "reset synchronous_commit")


def _alter_database(database: Database, what: LiteralString) -> None:
    with database.transaction() as conn:
        conn.execute(sql.SQL("alter database {} " + what).format(sql.Identifier(conn.info.dbname)))
