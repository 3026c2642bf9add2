"""A marketplace whose feed is watched, for tests: leads are sold in several niches, pages are read to the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.flows.distributor import Distributor
from fairlead.flows.live.feed import bring_up_to_date, operator_page, own_page
from fairlead.flows.live.messages import Message
from fairlead.store.connection import Database
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe

TERMS = (Terms(2000, 1, 1), Terms(1000, 3, 2))
NAMES = ("ana", "ben", "cyd")


@dataclass(frozen=True)
class Market:
    """Niches in which three providers buy every lead; the providers' ids by name, and the niches by slug."""

    niches: dict[str, Niche]
    provider_ids: dict[str, str]


def open_market(database: Database, *slugs: str) -> Market:
    """Every lead has two decisions' worth of messages at least: it goes to all three providers."""
    with database.transaction() as conn:
        people = [Provider(name, 10_000_000, (1, 2)) for name in NAMES]
        ids = add_providers(conn, people, "live")
        niches = {slug: open_niche(conn, slug, TERMS) for slug in slugs or ("moving",)}
        for niche in niches.values():
            subscribe(conn, niche, people, ids)
    return Market(niches, ids)


def sell(database: Database, niche: Niche, count: int = 1) -> list[str]:
    """So many leads are sold in the niche; their ids."""
    with database.transaction() as conn:
        lead_ids = add_leads(conn, niche, [40] * count)
    assert len(Distributor(database).distribute_waiting(niche.niche_id).decisions) == count
    return lead_ids


def begin(database: Database) -> int:
    """A watcher begins; returns the id after which it does."""
    return bring_up_to_date(database).entry_id


def operators_see(database: Database, after_id: int) -> list[Message]:
    """All messages after that id."""
    bring_up_to_date(database)
    found: list[Message] = []
    while True:
        page = operator_page(database, after_id)
        assert not page.has_gap
        if page.up_to_id == after_id:
            return found
        found += page.messages
        after_id = page.up_to_id


def provider_sees(database: Database, provider_ids: Sequence[str], after_id: int) -> dict[str, list[Message]]:
    """All messages after that id, of each provider its own."""
    bring_up_to_date(database)
    found: dict[str, list[Message]] = {provider_id: [] for provider_id in provider_ids}
    while True:
        page = own_page(database, provider_ids, after_id)
        assert not page.has_gap
        if page.up_to_id == after_id:
            return found
        for provider_id, messages in page.messages.items():
            found[provider_id] += messages
        after_id = page.up_to_id


def of_type(messages: Sequence[Message], name: str) -> list[dict[str, Any]]:
    """The members of the messages of this type."""
    return [dict(message.members) for message in messages if message.type == name]
