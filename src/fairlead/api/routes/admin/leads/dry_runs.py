"""What would become of a lead that does not exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import REPLAYS
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.decided_queues import DecidedQueue, shown_queue
from fairlead.api.schemas.form_values import Attributes
from fairlead.api.schemas.values import RequestModel, ResponseModel, Slug, Timestamp, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.try_lead import TriedLead, try_lead

router = Router(prefix="/api/v1/admin/dry-runs", tags=["distribution"])

Reader = Annotated[Principal, needs(Permission.LEADS_READ, REPORTS_OF_CALLER)]


class DryRunRequest(RequestModel):
    """A lead that does not exist: the answers that a consumer might give."""

    most_bytes: ClassVar[int] = 262_144

    niche: Slug = Field(examples=["hosting"])
    attributes: Attributes
    at: Timestamp | None = Field(
        default=None, description="As if it were this moment, at most 366 days ahead; left out for now."
    )


class DeactivatedSubscription(ResponseModel):
    """A subscription that the charges would switch off: its level costs more than its provider has left."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    level_name: str = Field(examples=["gold"])


class DryRun(ResponseModel):
    """What would become of the lead, and the queues that it would go through, in the order of its traversal."""

    niche: str = Field(examples=["hosting"])
    currency: str = Field(examples=["EUR"])
    tried_at: datetime = Field(description="The moment at which it would have been decided.")
    outcome: Literal["success", "partial", "no_eligible"]
    charged_cents: int = Field(description="What all recipients together would pay, in minor units.")
    start_order_position: int | None
    next_start_order_position: int
    levels: Sequence[DecidedQueue]
    deactivated: Sequence[DeactivatedSubscription] = Field(
        description="The subscriptions that the charges would switch off."
    )


@router.post(
    "",
    responses=refuses("niche_unknown", "niche_inactive"),
    dependencies=[changes_nothing("the lead does not exist: nothing is written, and no turn moves")],
)
def make_dry_run(asked: DryRunRequest, reader: Reader, database: MarketplaceDatabase) -> DryRun:
    """Say what would become of a lead with these answers if it were decided now, and who would pay what.

    With `at` as if it were that moment: schedules, windows of limits and hours of prices are those of then; turns,
    balances and filters are those of now.

    It is decided by the same code, from one moment of the marketplace. Nothing is written, no turn moves, nothing is
    locked: a lead that comes next may be decided otherwise.
    """
    with REPLAYS.slot(reader.owner):
        return shown_dry_run(try_lead(database, asked.niche, asked.attributes, asked.at))


def shown_dry_run(tried: TriedLead) -> DryRun:
    """The dry run as an answer shows it."""
    decision = tried.decision
    return DryRun(
        niche=tried.niche_slug,
        currency=tried.currency,
        tried_at=tried.tried_at,
        outcome=decision.outcome.value,  # pyright: ignore[reportArgumentType]  # never `failed`
        charged_cents=tried.charged_cents,
        start_order_position=decision.start_order_position,
        next_start_order_position=decision.next_start_order_position,
        levels=[shown_queue(tried, each) for each in tried.levels],
        deactivated=[
            DeactivatedSubscription(
                subscription_id=each.subscription_id,
                provider_id=each.provider_id,
                provider_name=tried.provider_names[each.provider_id],
                level_name=tried.level_names[each.level_id],
            )
            for each in tried.deactivated
        ],
    )
