"""The workers that are registered, and what each has in hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.schemas.values import ResponseModel
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.maintenance.worker_states import WorkerState, read_worker_states

router = Router(prefix="/api/v1/admin/workers", tags=["jobs"])


class WorkerItem(ResponseModel):
    """A worker process that is registered. One that does not count as alive loses its jobs to the others."""

    worker_id: int = Field(description="The worker's number; a process that starts again has a new one.", examples=[3])
    last_heartbeat_at: datetime = Field(description="When it last said that it lives.")
    silent_seconds: float = Field(description="How long ago that was.", examples=[4.2])
    is_alive: bool = Field(description="Whether that was within the heartbeat timeout of this installation.")
    in_hand: Mapping[str, int] = Field(
        description="Jobs that it has begun and not ended, by task.", examples=[{"distribute_lead": 2}]
    )


class Workers(ResponseModel):
    """The workers of this moment, and the jobs that no registered worker is at any more."""

    items: Sequence[WorkerItem]
    heartbeat_timeout_seconds: int = Field(
        description="After so long without a heartbeat a worker does not count as alive.", examples=[30]
    )
    left_behind: Mapping[str, int] = Field(
        description="Jobs under way whose worker is not registered any more, by task; they are taken over.",
        examples=[{"send_email": 1}],
    )


@router.get("")
def list_workers(
    _: Annotated[Principal, needs(Permission.JOBS_READ)], database: MarketplaceDatabase, settings: ServerSettings
) -> Workers:
    """List the workers that are registered, with their last heartbeat and what they have in hand."""
    found = read_worker_states(database, settings.heartbeat_timeout_seconds)
    return Workers(
        items=[_item(each) for each in found.workers],
        heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds,
        left_behind={each.task: each.job_count for each in found.left_behind},
    )


def _item(state: WorkerState) -> WorkerItem:
    worker = state.worker
    return WorkerItem(
        worker_id=worker.worker_id,
        last_heartbeat_at=worker.last_heartbeat_at,
        silent_seconds=worker.silent_seconds,
        is_alive=state.is_alive,
        in_hand=worker.in_hand,
    )
