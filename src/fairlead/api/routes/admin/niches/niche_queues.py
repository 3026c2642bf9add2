"""Whose turn is next in a niche."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.explaining.niche_queues import StandingQueue, read_niche_queues

router = Router(prefix="/api/v1/admin/niches/{niche_id}/queues", tags=["niches"])


class SubscriptionInQueue(ResponseModel):
    """A subscription in the queue."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor Hosting"])
    leads_since: int | None = Field(
        description="How many leads were decided in the niche since its last; null: it never had one.", examples=[12]
    )
    weight: int = Field(description="What it counts where its level is weighted, from 1 to 100.", examples=[1])
    share: float | None = Field(
        description="The part of the level's leads that it may expect, from 0 to 1, by the weights of all in the queue;"
        " null where the level is not weighted.",
        examples=[0.25],
    )


class QueueOfLevel(ResponseModel):
    """A level's queue from its head. What a lead asks for is not looked at: filters come when there is one."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    order_position: int
    is_active: bool
    queued_count: int = Field(description="How many subscriptions are in the queue.", examples=[12])
    items: Sequence[SubscriptionInQueue] = Field(description="The first five, the next one first.")
    not_queued: Mapping[str, int] = Field(
        description="Living subscriptions that can receive no lead now, by reason.",
        examples=[{"subscription_inactive": 2}],
    )


class QueuesOfNiche(ResponseModel):
    """The living levels in their order, each with its queue."""

    niche_id: Uuid
    next_level_id: Uuid | None = Field(description="Where the next lead starts; null where no level is active.")
    levels: Sequence[QueueOfLevel]


@router.get("", responses=refuses("niche_unknown"))
def show_niche_queues(
    niche_id: Annotated[Uuid, Path()],
    _: Annotated[Principal, needs(Permission.PROVIDERS_READ, REPORTS_OF_CALLER)],
    database: MarketplaceDatabase,
) -> QueuesOfNiche:
    """Say which level the next lead starts at, and whose turn is next at each."""
    found = read_niche_queues(database, niche_id)
    return QueuesOfNiche(
        niche_id=found.niche_id, next_level_id=found.next_level_id, levels=[_shown(each) for each in found.levels]
    )


def _shown(queue: StandingQueue) -> QueueOfLevel:
    return QueueOfLevel(
        level_id=queue.level.level_id,
        level_name=queue.level.name,
        order_position=queue.level.order_position,
        is_active=queue.level.is_active,
        queued_count=queue.queued_count,
        items=[SubscriptionInQueue.model_validate(each) for each in queue.head],
        not_queued=queue.not_queued,
    )
