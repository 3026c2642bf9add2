"""Looking at the portal as a provider sees it: which provider's pages the operator's session shows."""

from typing import Annotated

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.seeing import see_as_provider, stop_seeing

router = Router(prefix="/api/v1/admin/portal-view", tags=["providers"])

Looker = Annotated[Principal, needs(Permission.PORTAL_READ)]


class NewPortalView(RequestModel):
    """Whose portal to look at."""

    provider_id: Uuid


class PortalView(ResponseModel):
    """Whose portal the session shows, from `/portal/inbox` on."""

    provider_id: Uuid
    provider_name: str = Field(description="The provider, as operators see it.", examples=["Anchor"])


class EndedPortalView(ResponseModel):
    """Whose portal the session showed before."""

    provider_id: Uuid | None = Field(description="The provider; null where the session showed none.")


@router.put("", responses=refuses("provider_unknown"))
def see_portal_of_provider(asked: NewPortalView, looker: Looker, database: MarketplaceDatabase) -> PortalView:
    """The pages of the portal show this provider's rows to the operator's session, to read; no route of the API does.

    It takes `providers:read`, `leads:read` and `money:read` as well: what a portal shows. It is in the audit log.
    """
    name = see_as_provider(database, asked.provider_id, looker)
    return PortalView(provider_id=asked.provider_id, provider_name=name)


@router.delete("")
def leave_portal_of_provider(looker: Looker, database: MarketplaceDatabase) -> EndedPortalView:
    """The session shows no provider's portal any more."""
    return EndedPortalView(provider_id=stop_seeing(database, looker))
