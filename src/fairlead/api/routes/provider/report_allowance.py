"""What a provider may report as bad: the categories, and what is left of each limit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.schemas.report_rules import CategoryState
from fairlead.api.schemas.values import ResponseModel
from fairlead.core.permissions import Permission
from fairlead.flows.money.report_limits import report_allowance

router = Router(prefix="/api/v1/provider", tags=["provider: leads"])


class AllowanceUseState(ResponseModel):
    """A limit of reports, and what was used of it."""

    most: int = Field(description="How many leads may be reported.", examples=[5])
    used: int = Field(description="How many were reported.", examples=[2])
    left: int = Field(description="How many may be reported yet.", examples=[3])
    since: datetime = Field(description="From when on they are counted.")
    until: datetime | None = Field(description="When they are counted anew; null where the days go along with time.")


class ReportAllowanceState(ResponseModel):
    """What the provider may report now."""

    categories: Sequence[CategoryState] = Field(description="Those that a lead can be reported for, in their order.")
    today: AllowanceUseState | None = Field(description="The limit of a day, by its clocks; null without one.")
    share: AllowanceUseState | None = Field(description="The limit by the leads received; null without one.")
    received: int | None = Field(
        description="How many leads were received in the days of the share; null without it.", examples=[40]
    )
    days: int | None = Field(description="How many days those are; null without a share.", examples=[30])


@router.get("/report-allowance")
def show_report_allowance(caller: Annotated[OwnProvider, needs_own(Permission.OWN_READ)]) -> ReportAllowanceState:
    """Show what leads can be reported as bad for, and how many may be yet."""
    return ReportAllowanceState.model_validate(report_allowance(caller.database, caller.provider_id))
