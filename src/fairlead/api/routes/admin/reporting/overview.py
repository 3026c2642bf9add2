"""The marketplace at a glance."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import OVERVIEWS_OF_CALLER
from fairlead.store.watching.overview import read_overview

router = Router(prefix="/api/v1/admin/overview", tags=["reports"])


class NicheOverview(ResponseModel):
    """A niche in numbers."""

    niche_id: Uuid
    slug: str = Field(examples=["hosting"])
    is_active: bool
    levels: int
    leads: Mapping[str, int] = Field(
        description="How many leads the niche has, by status.", examples=[{"approved": 1, "distributed": 41}]
    )
    leads_waiting: int = Field(description="Approved, and without a decision.")
    oldest_waiting_since: datetime | None
    subscriptions: Mapping[str, int] = Field(
        description="Living ones, by `active` or why they are not.", examples=[{"active": 12, "insufficient_funds": 1}]
    )
    assignments: int
    journal_seq: int
    journal_head: str = Field(description="The hash of the newest entry.", examples=["0" * 64])


class MarketplaceOverview(ResponseModel):
    """The marketplace in numbers."""

    currency: Currency
    leads_waiting: int
    providers: Mapping[str, int] = Field(
        description="How many providers there are, by status.", examples=[{"active": 8}]
    )
    balances_cents: int = Field(description="What all providers have together, in minor units.")
    ledger_entries: int
    ledger_total_cents: int = Field(description="All movements together, in minor units: the same as the balances.")
    audit_seq: int = Field(description="The number of the newest entry of the audit log.")
    niches: Sequence[NicheOverview]


@router.get("")
def show_overview(
    reader: Annotated[Principal, needs(Permission.REPORTS_READ, OVERVIEWS_OF_CALLER)], database: MarketplaceDatabase
) -> MarketplaceOverview:
    """Count what there is of everything, at one moment."""
    return MarketplaceOverview.model_validate(database.read(read_overview))
