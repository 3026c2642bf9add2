"""Pages of providers, each provider its own: `/portal`."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.portal import inbox, leads

ROUTERS: Sequence[APIRouter] = (inbox.router, leads.router)
"""In the order of the pages' addresses."""
