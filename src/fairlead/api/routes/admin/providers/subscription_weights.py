"""The weight of a subscription: what it counts where its level is weighted."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.providers.subscriptions import SubscriptionChanged, subscription_changed
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import Int, RequestModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.core.weighted import MAX_WEIGHT
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.weights import set_subscription_weight

router = Router(prefix="/api/v1/admin/subscriptions/{subscription_id}", tags=["subscriptions"])


class NewWeight(RequestModel):
    """The weight that the subscription is to have."""

    weight: Annotated[
        Int, Field(ge=1, le=MAX_WEIGHT, description="What it counts where its level is weighted.", examples=[3])
    ]
    memo: Memo | None = None


@router.put("/weight", responses=refuses("subscription_unknown", "subscription_ended"))
def replace_weight(
    subscription_id: Annotated[Uuid, Path()],
    asked: NewWeight,
    response: Response,
    editor: Annotated[Principal, needs(Permission.PROVIDERS_WRITE)],
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> SubscriptionChanged:
    """Replace the weight. The next lead that the subscription receives is charged at it; its pass stays."""
    done = set_subscription_weight(
        database, subscription_id, asked.weight, editor.actor, memo=asked.memo, expected_version=expected
    )
    return subscription_changed(response, done)
