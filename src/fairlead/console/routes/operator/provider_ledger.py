"""A provider's ledger: every movement of its balance with its cause, and refunds."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.ledger import LedgerEntryKind
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import address
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.money.ledger_reading import read_provider_ledger
from fairlead.store.money.ledger_pages import LedgerFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

KINDS: tuple[LedgerEntryKind | None, ...] = (
    None,
    "deposit",
    "lead_purchase",
    "refund",
    "manual_credit",
    "manual_debit",
)
"""What a ledger's entries are chosen by; None: all."""


@router.get("/providers/{provider_id}/ledger")
def show_provider_ledger(
    provider_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.MONEY_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    sequence: BySequence,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
) -> Response:
    """The movements of the provider's balance, the newest first."""
    provider = read_provider(database, provider_id).row
    found, currency = read_provider_ledger(
        database, provider_id, LedgerFilter(kind), sequence.before_seq, sequence.limit
    )
    path = f"/providers/{provider_id}/ledger"
    cursor = cursor_before(found.next_after)
    return page.render(
        "operator/provider-ledger.html",
        reader,
        provider=provider,
        currency=currency,
        items=found.items,
        kind=kind,
        kinds=[(each, address(path, kind=each)) for each in KINDS],
        next_address=None if cursor is None else address(path, kind=kind, cursor=cursor),
    )
