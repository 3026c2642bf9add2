"""Choosing a provider for a list: by how its name begins, then by a click."""

from collections.abc import Callable
from dataclasses import dataclass

from fairlead.flows.configuration.provider_list import list_providers
from fairlead.flows.configuration.reading import read_provider
from fairlead.store.configuration.pages import ProviderSearch
from fairlead.store.connection import Database

MOST_FOUND = 6


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """What was typed, which providers are like that (name, address), and the one chosen with the address without it."""

    typed: str
    found: tuple[tuple[str, str], ...]
    chosen: tuple[str, str] | None


def provider_choice(
    database: Database, typed: str | None, provider_id: str | None, address_of: Callable[[str | None], str]
) -> ProviderChoice:
    """The choice as a page shows it. `address_of` gives the page's address about a provider, or about all.

    Raises `Refused`: `provider_unknown` where the one chosen is none.
    """
    found = [] if typed is None else list_providers(database, ProviderSearch(None, typed), None, MOST_FOUND)
    chosen = None
    if provider_id is not None:
        chosen = (read_provider(database, provider_id).row.name, address_of(None))
    places = tuple((each.provider.name, address_of(each.provider.provider_id)) for each in found)
    return ProviderChoice(typed or "", places, chosen)
