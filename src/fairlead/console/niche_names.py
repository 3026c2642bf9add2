"""What niches are called on pages, where a row has the slug alone."""

from functools import cached_property

from fairlead.store.connection import Database
from fairlead.store.lookups import niche_names


class NicheNames:
    """Called with a slug it gives the niche's name, or the slug where there is no such niche.

    The names are read when a page first needs one, and kept for that page.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, slug: str) -> str:
        return self._names.get(slug, slug)

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(self._database.read(niche_names))
