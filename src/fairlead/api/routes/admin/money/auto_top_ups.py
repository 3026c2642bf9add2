"""Auto top-up of any provider, for operators: looking at it, and switching it off."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.auto_top_up import AutoTopUpState, shown_top_up
from fairlead.api.schemas.memos import RefundMemo
from fairlead.api.schemas.values import RequestModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.payments.auto_top_up import read_auto_top_up, switch_top_up_off

router = Router(prefix="/api/v1/admin/providers/{provider_id}/auto-top-up", tags=["money"])

ProviderId = Annotated[Uuid, Path(description="The provider's id.")]


class AutoTopUpOff(RequestModel):
    """Why nothing is to be charged any more."""

    memo: RefundMemo = Field(description="Why, in one line that is kept for good.")


@router.get("", responses=refuses("provider_unknown"))
def show_auto_top_up(
    provider_id: ProviderId,
    _: Annotated[Principal, needs(Permission.MONEY_READ)],
    database: MarketplaceDatabase,
) -> AutoTopUpState:
    """Show a provider's auto top-up, and what it charged this month. Its terms are the provider's own to change."""
    return shown_top_up(read_auto_top_up(database, provider_id))


@router.post("/switch-off", responses=refuses("provider_unknown"))
def switch_auto_top_up_off(
    provider_id: ProviderId,
    asked: AutoTopUpOff,
    operator: Annotated[Principal, needs(Permission.PROVIDERS_WRITE)],
    database: MarketplaceDatabase,
) -> AutoTopUpState:
    """Switch a provider's auto top-up off. A charge that is under way goes on; the provider may switch it on again."""
    return shown_top_up(switch_top_up_off(database, provider_id, asked.memo, operator.actor))
