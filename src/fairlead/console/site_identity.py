"""What the marketplace is called on its pages, and the picture beside it."""

from dataclasses import dataclass

from fastapi import Request

from fairlead.api.resources import resources_of
from fairlead.core.errors import Unavailable
from fairlead.store.configuration.marketplace import marketplace_identity


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """A name, and where pages load the logo from. `is_own`: the marketplace chose one of them."""

    name: str
    logo_address: str | None = None
    is_own: bool = False


FAIRLEAD = SiteIdentity("Fairlead")
"""That of a marketplace which has chosen none."""


def identity_of(request: Request) -> SiteIdentity:
    """The marketplace's own; without a database Fairlead's, so that a page about that can be shown."""
    try:
        row = resources_of(request).database.read(marketplace_identity)
    except Unavailable:
        return FAIRLEAD
    logo = None if row.logo_digest is None else f"/logo/{row.logo_digest}"
    return SiteIdentity(row.name or FAIRLEAD.name, logo, bool(row.name or logo))
