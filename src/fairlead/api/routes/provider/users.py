"""Who can log in for a provider."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.store.portal.own_users import users_of_provider

router = Router(prefix="/api/v1/provider/users", tags=["provider: access"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]


class OwnUser(ResponseModel):
    """A user of the provider."""

    user_id: Uuid
    email: str = Field(examples=["sales@anchor.example"])
    name: str = Field(examples=["Sam Sales"])
    status: Literal["invited", "active", "disabled"]
    has_second_factor: bool
    last_login_at: datetime | None
    created_at: datetime


class OwnUsers(ResponseModel):
    """All of them, by email."""

    items: list[OwnUser]


@router.get("")
def list_own_users(caller: Reader, marketplace: MarketplaceDatabase) -> OwnUsers:
    """List who can log in for the provider. Operators invite, disable and help those who are locked out."""
    # Of its users the provider's own database shows no more than whose a key is.
    found = marketplace.read(lambda conn: users_of_provider(conn, caller.provider_id))
    return OwnUsers(items=[OwnUser.model_validate(each) for each in found])
