"""Choosing a niche on a page: which there are, and which of them the page is about."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from fairlead.console.periods import ChosenPeriod
from fairlead.store.configuration.pages import every_niche
from fairlead.store.connection import Database

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
    """Every niche, by name."""
    return [
        NicheLink(slug, name, period.address(period.path, niche=slug), slug == chosen)
        for name, slug in niches_by_name(database)
    ]


def niches_by_name(database: Database) -> list[tuple[str, str]]:
    """Name and slug of every niche, by name."""
    found = database.read(every_niche)
    return sorted(((each.name, each.slug) for each in found), key=lambda each: each[0].casefold())
