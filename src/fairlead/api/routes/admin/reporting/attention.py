"""What waits for an operator to act."""

from collections.abc import Sequence
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
from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency
from fairlead.store.watching.attention import COUNT_LIMIT, Attention, read_attention

router = Router(prefix="/api/v1/admin/attention", tags=["reports"])


class AttentionSummary(ResponseModel):
    """One kind of thing that waits for an operator, and the first of them."""

    kind: str = Field(
        description="`leads_to_review`, `bad_lead_reports`, `reports_overdue`, `payments_in_doubt`, `leads_given_up`, "
        "`messages_given_up`, `failing_endpoints`, `providers_to_approve`, `providers_out_of_money`, "
        "`differences_in_the_books` or `past_not_proven`.",
        examples=["bad_lead_reports"],
    )
    count: int = Field(description=f"How many, at most {COUNT_LIMIT}.")
    is_more: bool = Field(description="Whether there are more than that.")
    oldest_at: datetime | None = Field(description="Since when the first waits; null where that is not known.")
    first_id: Uuid = Field(
        description="Of the first: the id of the lead, assignment, payment in doubt, dead letter, webhook endpoint, "
        "provider, reconciliation or verification."
    )
    first_provider: str | None = Field(
        description="The name of the provider that the first is about; null for what is about none.",
        examples=["Anchor"],
    )
    amount_cents: int | None = Field(
        description="The money that all of them are about, in minor units; null for what is about none."
    )


class AttentionReport(ResponseModel):
    """Every kind of which something waits: first a verification that found differences, then what waits longest."""

    currency: Currency
    items: Sequence[AttentionSummary]


@router.get("")
def show_attention(
    reader: Annotated[Principal, needs(Permission.REPORTS_READ, OVERVIEWS_OF_CALLER)], database: MarketplaceDatabase
) -> AttentionReport:
    """Say what waits for an operator, by kind: how many, since when, and which is the first."""

    def view(conn: Connection) -> tuple[str, list[Attention]]:
        return marketplace_currency(conn), read_attention(conn)

    currency, found = database.read(view)
    return AttentionReport(currency=currency, items=[AttentionSummary.model_validate(each) for each in found])
