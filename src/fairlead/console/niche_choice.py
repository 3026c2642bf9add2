"""Choosing a niche on a page: which there are, and which of them the page is about."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from fairlead.console.periods import ChosenPeriod
from fairlead.store.configuration.pages import niches_page
from fairlead.store.connection import Database

MOST_NICHES = 200

NicheInAddress = Annotated[str | None, Query(max_length=63, pattern="^[a-z0-9-]+$")]
"""For a page's parameter `niche`: a slug."""


@dataclass(frozen=True, slots=True)
class NicheLink:
    """A niche to choose, and the page about it in the same period. `slug` is "" for all niches."""

    slug: str
    name: str
    address: str
    is_current: bool


def niche_links(database: Database, period: ChosenPeriod, chosen: str) -> list[NicheLink]:
    """The niches by name, the first 200."""
    return [
        NicheLink(slug, name, period.address(period.path, niche=slug), slug == chosen)
        for name, slug in niches_by_name(database)
    ]


def niches_by_name(database: Database) -> list[tuple[str, str]]:
    """Name and slug of the niches by name, the first 200."""
    found = database.read(lambda conn: niches_page(conn, None, MOST_NICHES))
    return sorted(((each.name, each.slug) for each in found), key=lambda each: each[0].casefold())
